"""What a law is, and the one record that says all of it: keys, wire, support, contradictions, values.

    generator: Uniform, min: 1, max: 2   ->   Uniform(minimum=1, maximum=2)   ->   1 + u

A law's module in `laws` holds its record; `catalogue` is the dict of them. Compiler, platform, import, schema and
docs read the records, so that a new law is one module and one line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Bounds = tuple[Fraction | None, Fraction | None]
Shape = Literal["number", "integer", "numbers", "path", "text"]
MAX_POINTS = 10_000_000


@dataclass(frozen=True)
class Law:
    """The law of one variable, with exact parameters; it says nothing of how points are chosen."""


@dataclass(frozen=True)
class DrawnLaw(Law):
    """A law that values are drawn from, truncated (not clipped) to [lower, upper]."""

    lower: Fraction | None = field(default=None, kw_only=True)
    upper: Fraction | None = field(default=None, kw_only=True)

    @property
    def is_truncated(self) -> bool:
        """Whether it has a bound of its own beside those of its kind."""
        return self.lower is not None or self.upper is not None


L = TypeVar("L", bound=Law)


@dataclass(frozen=True)
class Key:
    """A key of a generator in the study, the law's field that it sets, and the API's setting, if it has one.

    Values lie above `above` and within [least, most]. A key that `counts_whole` is a whole number where the variable is
    `type: integer`.
    """

    name: str
    field: str
    description: str
    example: object
    wire: str = ""
    shape: Shape = "number"
    is_required: bool = True
    above: int | None = None
    least: int | None = None
    most: int | None = None
    counts_whole: bool = False


LOWER = Key(
    "lower",
    "lower",
    "The law is truncated from below here: values are drawn again, not clipped.",
    0.5,
    is_required=False,
    counts_whole=True,
)
UPPER = Key(
    "upper",
    "upper",
    "The law is truncated from above here: values are drawn again, not clipped.",
    5,
    is_required=False,
    counts_whole=True,
)


@dataclass(frozen=True)
class Form:
    """One set of keys that makes a law; `parameters` maps values by key to values by field where they differ."""

    schema: str
    description: str
    keys: tuple[Key, ...]
    example: Mapping[str, object]
    parameters: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Order:
    """The value of the key `upper` is above that of `lower`; not below it where they may be equal."""

    lower: str
    upper: str
    may_be_equal: bool = False


@dataclass(frozen=True)
class Refusal:
    """What the study language refuses in a law whose keys are in order: at which key, and why."""

    key: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Drawn(Generic[L]):
    """How values of a law are drawn: `quantile(law, u)` maps coordinates in (0, 1), which it may overwrite.

    `tails(law, x)` are the probabilities below and above x of the law without its truncation, `mean(law)` and
    `variance(law)` its moments. `mass` is a quicker estimate of what truncation leaves; `whole` draws whole numbers
    where rounding would not do, of which there are `whole_count`.
    """

    quantile: "Callable[[L, Floats], Floats]"
    tails: "Callable[[L, Floats], tuple[Floats, Floats]]"
    mean: Callable[[L], float]
    variance: Callable[[L], float]
    mass: Callable[[L], float] | None = None
    whole: "Callable[[L, Floats], Floats] | None" = None
    whole_count: Callable[[L], int] | None = None


@dataclass(frozen=True)
class Steps(Generic[L]):
    """How a law enumerates: `count(law)` points, the first and the step between them; `key` says how many."""

    count: Callable[[L], int]
    first_and_step: Callable[[L], tuple[Fraction, Fraction]]
    key: str


@dataclass(frozen=True)
class Generator(Generic[L]):
    """All that is known of a kind of law; exactly one of `drawn` and `steps`.

    `support` is the range of the law without its truncation, None where it has no end.
    """

    law: type[L]
    forms: tuple[Form, ...]
    support: Callable[[L], Bounds]
    orders: tuple[Order, ...] = ()
    drawn: Drawn[L] | None = None
    steps: Steps[L] | None = None
    refusals: Callable[[L], Iterator[Refusal]] | None = None

    @property
    def name(self) -> str:
        """The generator as the study and the API name it."""
        return self.law.__name__

    def keys(self, form: Form) -> tuple[Key, ...]:
        """The keys of a form, with those of truncation."""
        own = {key.name for key in form.keys}
        return (
            *form.keys,
            *(key for key in (LOWER, UPPER) if self.drawn is not None and key.name not in own),
        )

    @property
    def wire(self) -> Mapping[str, Key]:
        """The keys by the API's settings; empty for a generator that the API does not have."""
        return {key.wire: key for key in self.forms[0].keys if key.wire}


def within_truncation(law: Law, support: Bounds) -> Bounds:
    """The smallest and the largest value of a law whose kind has this support."""
    low, high = support
    if isinstance(law, DrawnLaw):
        low = law.lower if low is None or (law.lower is not None and law.lower > low) else low
        high = law.upper if high is None or (law.upper is not None and law.upper < high) else high
    return low, high
