"""The columns of a design: arrays where a cell's text follows from a number, texts where it does not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from doe_compiler.design.number_text import number_cells, printed_cells
from doe_compiler.spec.scalars import is_decimal

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Values = npt.NDArray[Any]
PLAIN = re.compile(r"[A-Za-z0-9_.+/:=-]*", re.ASCII)


def number_in(text: str) -> float:
    """The number that a text means, NaN for a text that means none: `nan`, `1_000`, `0x10`, `12e4567`."""
    return float(text) if is_decimal(text) else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FloatColumn:
    """Numbers whose cells are their canonical text; `values` has shape (n,) and no negative zero."""

    name: str
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def cells(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The texts of the rows start to stop, exclusive; a value must be finite to have one."""
        return number_cells(self.values[start:stop])

    def numbers(self) -> Floats:
        """What the cells' texts mean, shape (n,)."""
        return self.values

    def operand(self) -> Values:
        """The column as expressions read it, shape (n,)."""
        return self.values

    def take(self, indices: Indices) -> "FloatColumn":
        """The rows at these indices, in their order."""
        return FloatColumn(self.name, self.values[indices])


@dataclass(frozen=True, slots=True, eq=False)
class PrintedColumn:
    """Numbers whose cells are as Python prints them, `20.0` and `1e-05`; `values` has shape (n,) and is finite."""

    name: str
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def cells(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The texts of the rows start to stop, exclusive."""
        return printed_cells(self.values[start:stop])

    def numbers(self) -> Floats:
        """What the cells' texts mean, shape (n,)."""
        return self.values

    def operand(self) -> Values:
        """The column as expressions read it, shape (n,)."""
        return self.values

    def take(self, indices: Indices) -> "PrintedColumn":
        """The rows at these indices, in their order."""
        return PrintedColumn(self.name, self.values[indices])


@dataclass(frozen=True, slots=True, eq=False)
class CodedColumn:
    """Few texts in many rows: the cell of row i is `labels[codes[i]]`; expressions read no numbers in an `is_text`."""

    name: str
    codes: npt.NDArray[np.int32]
    labels: tuple[str, ...]
    is_text: bool = False

    def __len__(self) -> int:
        return len(self.codes)

    def cells(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The texts of the rows start to stop, exclusive."""
        return [self.labels[code] for code in self.codes[start:stop].tolist()]

    def numbers(self) -> Floats:
        """What the cells' texts mean, shape (n,); NaN for a text that is no number."""
        return np.asarray([number_in(label) for label in self.labels], dtype=np.float64)[self.codes]

    def operand(self) -> Values:
        """The column as expressions read it, shape (n,): numbers if all labels are, otherwise texts."""
        if not self.is_text and all(map(is_decimal, self.labels)):
            return self.numbers()
        return _as_objects(self.labels)[self.codes]

    def take(self, indices: Indices) -> "CodedColumn":
        """The rows at these indices, in their order."""
        return CodedColumn(self.name, self.codes[indices], self.labels, self.is_text)


def chosen(column: "Column", indices: Indices) -> "Column":
    """The cells at these indices, without the labels that none of them has; no expression may read it."""
    few = column.take(indices)
    if not isinstance(few, CodedColumn) or len(few.labels) <= len(few.codes):
        return few
    used, codes = np.unique(few.codes, return_inverse=True)
    labels = tuple(few.labels[code] for code in used.tolist())
    return CodedColumn(few.name, codes.astype(np.int32), labels, few.is_text)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A text in each row; `is_numeric` where they were written from numbers by a format."""

    name: str
    texts: tuple[str, ...]
    is_numeric: bool = False

    @cached_property
    def is_plain(self) -> bool:
        """Whether all texts are of letters, digits and a few signs, so that a parameter CSV can hold them; none empty."""
        together = "".join(self.texts)
        return PLAIN.fullmatch(together) is not None and "doe_" not in together and all(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def cells(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The texts of the rows start to stop, exclusive."""
        return list(self.texts[start:stop])

    def numbers(self) -> Floats:
        """What the cells' texts mean, shape (n,); NaN for a text that is no number."""
        return np.asarray([number_in(text) for text in self.texts], dtype=np.float64)

    def operand(self) -> Values:
        """The column as expressions read it, shape (n,): numbers if all texts are, otherwise texts."""
        if self.is_numeric or all(map(is_decimal, self.texts)):
            return self.numbers()
        return _as_objects(self.texts)

    def take(self, indices: Indices) -> "TextColumn":
        """The rows at these indices, in their order."""
        return TextColumn(self.name, tuple(self.texts[index] for index in indices.tolist()), self.is_numeric)


Column = FloatColumn | PrintedColumn | CodedColumn | TextColumn


def cell_sizes(column: Column) -> npt.NDArray[np.int64]:
    """The bytes of each cell's text in UTF-8, shape (n,)."""
    if isinstance(column, CodedColumn):
        sizes = np.asarray([len(label.encode("utf-8", "surrogatepass")) for label in column.labels], np.int64)
        return sizes[column.codes]
    return np.asarray([len(cell.encode("utf-8", "surrogatepass")) for cell in column.cells()], np.int64)


def constant_column(name: str, text: str, n: int, *, is_text: bool = False) -> CodedColumn:
    """One text in all n rows."""
    return CodedColumn(name, np.zeros(n, dtype=np.int32), (text,), is_text)


def joined(parts: Sequence[Column]) -> Column:
    """Columns of one variable, one below the other; there is at least one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if all(isinstance(part, FloatColumn) for part in parts):
        return FloatColumn(first.name, np.concatenate([part.numbers() for part in parts]))
    if all(isinstance(part, CodedColumn) for part in parts):
        return _joined_codes([part for part in parts if isinstance(part, CodedColumn)])
    texts = tuple(text for part in parts for text in part.cells())
    is_numeric = all(isinstance(part, FloatColumn) or _is_numeric(part) for part in parts)
    return TextColumn(first.name, texts, is_numeric)


def _is_numeric(column: Column) -> bool:
    if isinstance(column, CodedColumn):
        return all(map(is_decimal, column.labels))
    return isinstance(column, FloatColumn | PrintedColumn) or column.is_numeric


def _joined_codes(parts: list[CodedColumn]) -> CodedColumn:
    labels = tuple(dict.fromkeys(label for part in parts for label in part.labels))
    position = {label: code for code, label in enumerate(labels)}
    codes = [
        part.codes
        if part.labels == labels[: len(part.labels)]
        else np.asarray([position[label] for label in part.labels], dtype=np.int32)[part.codes]
        for part in parts
    ]
    return CodedColumn(parts[0].name, np.concatenate(codes), labels, any(part.is_text for part in parts))


def _as_objects(texts: Sequence[str]) -> Values:
    objects = np.empty(len(texts), dtype=object)
    objects[:] = texts
    return objects
