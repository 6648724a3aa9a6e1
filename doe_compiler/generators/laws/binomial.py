"""Binomial: how many of a number of trials succeed."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Binomial(DrawnLaw):
    """The number of successes in `trials` independent trials, each with the same probability."""

    trials: int
    probability: Fraction


def _support(law: Binomial) -> Bounds:
    return Fraction(0), Fraction(law.trials)


def _shares(law: Binomial) -> "tuple[int, Floats]":
    import numpy as np

    from doe_compiler.generators.counts import counted

    if law.probability in (0, 1):
        return law.trials * int(law.probability), np.ones(1)
    n, odds = float(law.trials), float(law.probability / (1 - law.probability))
    mode = min(math.floor((law.trials + 1) * law.probability), law.trials)
    spread = math.sqrt(float(law.trials * law.probability * (1 - law.probability)))
    return counted(mode, 0, law.trials, lambda k: odds * (n - k) / (k + 1.0), spread)


def _quantile(law: Binomial, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import whole_truncated

    return whole_truncated(law, *_shares(law), u)


def _tails(law: Binomial, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.generators.counts import tails_at

    return tails_at(*_shares(law), x)


BINOMIAL = Generator(
    Binomial,
    forms=(
        Form(
            "binomial",
            "How many of a number of trials succeed: whole numbers.",
            (
                Key(
                    "trials", "trials", "The number of trials.", 50, shape="integer", least=1, most=1_000_000
                ),
                Key("probability", "probability", "The probability of one success.", 0.5, least=0, most=1),
            ),
            {"trials": 20, "probability": 0.3},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.trials * law.probability),
        variance=lambda law: float(law.trials * law.probability * (1 - law.probability)),
    ),
)
