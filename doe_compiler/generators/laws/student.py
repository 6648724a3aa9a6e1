"""Student: a Normal whose deviation was estimated from few values; heavy tails."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key
from doe_compiler.generators.laws.beta import shares

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Student(DrawnLaw):
    """location + scale T with Student's T of `df` degrees of freedom."""

    df: Fraction
    location: Fraction = Fraction(0)
    scale: Fraction = Fraction(1)


def _support(_law: Student) -> Bounds:
    return None, None


def _quantile(law: Student, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import truncated

    return truncated(law, _between_tails, _tails, u)


def _between_tails(law: Student, p: "Floats", q: "Floats") -> "Floats":
    """T**2 = df (1 - x) / x with x of Beta(df / 2, 1 / 2) at twice the smaller tail."""
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    tail = np.minimum(p, q)
    share, rest = shares(law.df / 2, _HALF, 2.0 * tail, np.abs(q - p))
    size = np.sqrt(nearest(law.df) * rest / share)
    size = np.where(p == q, 0.0, size)
    return nearest(law.location) + nearest(law.scale) * np.where(p < q, -size, size)


def _tails(law: Student, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    from doe_compiler.generators.incomplete import beta_tails

    t = (x - float(law.location)) / float(law.scale)
    df = float(law.df)
    share = df / (df + t * t)
    far = 0.5 * beta_tails(law.df / 2, _HALF, share, t * t / (df + t * t))[0]
    return np.where(t < 0, far, 1.0 - far), np.where(t < 0, 1.0 - far, far)


def _variance(law: Student) -> float:
    return float(law.scale**2 * law.df / (law.df - 2)) if law.df > 2 else math.inf


STUDENT = Generator(
    Student,
    forms=(
        Form(
            "student",
            "A Normal whose deviation was estimated from few values; heavy tails.",
            (
                Key("df", "df", "The degrees of freedom.", 7, above=0, most=10_000),
                Key("location", "location", "The middle; 0 if not given.", 3, is_required=False),
                Key("scale", "scale", "The scale; 1 if not given.", 2, is_required=False, above=0),
            ),
            {"df": 5},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.location) if law.df > 1 else math.nan,
        variance=_variance,
    ),
)
