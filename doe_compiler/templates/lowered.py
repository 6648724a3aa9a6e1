"""What lowering a template gives: the platform's template, the columns that it needs, and what computes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from doe_compiler.templates.template import Template

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Floats: TypeAlias = "npt.NDArray[np.float64]"
Rows: TypeAlias = "Mapping[str, Sequence[object] | Floats]"


@dataclass(frozen=True)
class Failure:
    """A template that cannot be evaluated: why, at which position of which file, and in which row, from 0, if in one."""

    file: str
    position: int
    message: str
    row: int | None = None
    hint: str = ""


@dataclass(frozen=True)
class Derived:
    """A column that a template needs besides the study's own: what stands for an expression, a loop or a whole file.

    Its name follows from its definition: plain data in which `{"column": name, …}` stands for a column of the study.
    `reads` are the columns that it hangs on; `shown` is the expression or statement as it is written, which stands first
    at a line and column of a file.
    """

    name: str
    definition: object = field(repr=False, compare=False)
    reads: tuple[str, ...]
    shown: str = ""
    place: tuple[str, int, int] = ("", 1, 1)


class Program(Protocol):
    """Computes the derived columns of one template, from the columns that it `reads`."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns of the study."""
        ...

    @property
    def numbers(self) -> frozenset[str]:
        """Of them those of which plain numbers will do, which need not print as their cells."""
        ...

    def texts(
        self, rows: Rows, n: int, wanted: Sequence[str]
    ) -> "tuple[dict[str, Sequence[str] | Floats], list[Failure]]":
        """The wanted columns, n each, from the values of what they read; or the first rows that fail.

        A column is its cells, or numbers whose cells are what Python prints of them.
        """
        ...


@dataclass(frozen=True)
class Lowered:
    """A lowered template.

    `reason` says why the whole template is one column, and is empty where it is not; `line` is where that stands.
    """

    template: Template
    columns: tuple[Derived, ...]
    program: Program
    reason: str = ""
    line: int = 1
