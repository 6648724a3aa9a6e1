"""The dict of all generators, and what is asked of a law through its record."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from doe_compiler.generators.law import Bounds, Drawn, Generator, Law, Steps, within_truncation
from doe_compiler.generators.laws.beta import BETA
from doe_compiler.generators.laws.binomial import BINOMIAL
from doe_compiler.generators.laws.empirical import EMPIRICAL
from doe_compiler.generators.laws.exponential import EXPONENTIAL
from doe_compiler.generators.laws.fixed_range import FIXED_RANGE
from doe_compiler.generators.laws.gamma import GAMMA
from doe_compiler.generators.laws.gumbel import GUMBEL
from doe_compiler.generators.laws.histogram import HISTOGRAM
from doe_compiler.generators.laws.linspace import LINSPACE
from doe_compiler.generators.laws.log_normal import LOG_NORMAL
from doe_compiler.generators.laws.log_uniform import LOG_UNIFORM
from doe_compiler.generators.laws.normal import NORMAL
from doe_compiler.generators.laws.pert import PERT
from doe_compiler.generators.laws.poisson import POISSON
from doe_compiler.generators.laws.student import STUDENT
from doe_compiler.generators.laws.triangular import TRIANGULAR
from doe_compiler.generators.laws.uniform import UNIFORM
from doe_compiler.generators.laws.weibull import WEIBULL

_ALL: tuple[Generator[Any], ...] = (
    UNIFORM,
    NORMAL,
    LOG_NORMAL,
    TRIANGULAR,
    LOG_UNIFORM,
    PERT,
    BETA,
    GAMMA,
    WEIBULL,
    EXPONENTIAL,
    GUMBEL,
    STUDENT,
    HISTOGRAM,
    EMPIRICAL,
    POISSON,
    BINOMIAL,
    LINSPACE,
    FIXED_RANGE,
)

GENERATORS: Mapping[str, Generator[Any]] = MappingProxyType({record.name: record for record in _ALL})
WIRE_KINDS = tuple(name for name, record in GENERATORS.items() if record.wire)


def record_of(law: Law) -> Generator[Any]:
    """The record of a law's kind."""
    return GENERATORS[type(law).__name__]


def bounds_of(law: Law) -> Bounds:
    """The smallest and the largest value of a law, with its truncation; None where it has no end."""
    return within_truncation(law, record_of(law).support(law))


def drawn_of(law: object) -> Drawn[Any] | None:
    """How a law is drawn, or None for one that enumerates and for what is no law."""
    return record_of(law).drawn if isinstance(law, Law) else None


def steps_of(law: object) -> Steps[Any] | None:
    """How a law enumerates, or None for one that is drawn and for what is no law."""
    return record_of(law).steps if isinstance(law, Law) else None
