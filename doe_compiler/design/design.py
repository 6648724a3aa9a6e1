"""The Design: the ordered table of runs, the exact text of every cell, and how it was made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from doe_compiler.design.columns import Column, chosen


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One row a run; `varied` names the columns that make a row's identity, besides `doe_replicate`.

    `has_nominal` says that row 0 is the nominal run; `bare_runs` counts the runs of a design without columns.
    """

    study: str
    columns: tuple[Column, ...]
    varied: tuple[str, ...]
    method: str
    has_nominal: bool = False
    bare_runs: int = 0

    @property
    def n(self) -> int:
        """The number of runs."""
        return len(self.columns[0]) if self.columns else self.bare_runs

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in the order of the CSV."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; raises KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def cells(self, name: str) -> list[str]:
        """All texts of a column, in the order of the runs; raises KeyError if there is none."""
        return self.column(name).cells()

    def row(self, i: int) -> dict[str, str]:
        """The texts of row i, from 0, by name; raises IndexError beyond the last."""
        if not 0 <= i < self.n:
            raise IndexError(f"row {i} of {self.n}")
        return {column.name: column.cells(i, i + 1)[0] for column in self.columns}

    def without(self, is_left_out: Callable[[str], bool]) -> "Design":
        """The design without some columns, told by their names."""
        columns = tuple(column for column in self.columns if not is_left_out(column.name))
        return replace(self, columns=columns, bare_runs=self.n)

    def take(self, indices: Sequence[int]) -> "Design":
        """The design of the rows at these indices, in their order."""
        rows = np.asarray(indices, dtype=np.intp)
        columns = tuple(chosen(column, rows) for column in self.columns)
        has_nominal = self.has_nominal and rows[:1].tolist() == [0]
        return replace(self, columns=columns, has_nominal=has_nominal, bare_runs=len(rows))
