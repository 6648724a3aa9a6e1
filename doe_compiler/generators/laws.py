"""The six generators as exact values: parameters are fractions, read from the text in the YAML.

A law says nothing of how points are chosen; `sampling` maps a coordinate in [0, 1) to a value.
"""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Uniform:
    """Equally likely on [minimum, maximum)."""

    minimum: Fraction
    maximum: Fraction


@dataclass(frozen=True)
class Normal:
    """Gaussian with mean and standard deviation, truncated (not clipped) to [lower, upper]."""

    mean: Fraction
    std: Fraction
    lower: Fraction | None = None
    upper: Fraction | None = None


@dataclass(frozen=True)
class LogNormal:
    """exp of a Normal with `mu` and `sigma`; bounds are of the variable itself."""

    mu: Fraction
    sigma: Fraction
    lower: Fraction | None = None
    upper: Fraction | None = None


@dataclass(frozen=True)
class Triangular:
    """Density rising from minimum to mode and falling to maximum."""

    minimum: Fraction
    mode: Fraction
    maximum: Fraction


@dataclass(frozen=True)
class Linspace:
    """`count` equally spaced points, both ends included."""

    start: Fraction
    stop: Fraction
    count: int


@dataclass(frozen=True)
class FixedRange:
    """minimum, minimum + increment, ... up to and including maximum when it is reached."""

    minimum: Fraction
    maximum: Fraction
    increment: Fraction


RandomLaw = Uniform | Normal | LogNormal | Triangular
EnumeratingLaw = Linspace | FixedRange
Law = RandomLaw | EnumeratingLaw
