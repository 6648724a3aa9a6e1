"""What a row is: a key of the texts of its varied variables, by name, and its replicate.

A key is 64 bits, computed for whole columns at once: every cell is hashed from its text (a canonical number
by the bits of the number, which its text determines), mixed with the name of its column, summed over the
columns and mixed again. The mixing function is the finaliser of SplitMix64 (Steele, Lea & Flood, 2014,
doi:10.1145/2660193.2660195, constants of Stafford's variant 13), exact integer arithmetic modulo 2^64.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from doe_compiler.design.columns import CodedColumn, Column, FloatColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import number_text

Keys = NDArray[np.uint64]

_DOMAIN = "doe1-row"
_CHUNK = 50_000
_DIGITS = re.compile(r"-?[1-9][0-9]*", re.ASCII)
_NAME_OF_REPLICATE = "doe_replicate"


@dataclass(frozen=True, slots=True)
class RowSet:
    """How many rows, and an order-free digest of them: the sum of their keys modulo 2^64."""

    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.count}-{self.total:016x}"


def design_keys(design: Design) -> Keys:
    """The keys of a design's rows, shape (n,)."""
    columns = {column.name: column for column in design.columns}
    names = [*design.varied, *([_NAME_OF_REPLICATE] if _NAME_OF_REPLICATE in columns else [])]
    keys = np.empty(design.n, np.uint64)
    for start, stop in _ranges(design.n):
        keys[start:stop] = _combined(
            {name: _column_hashes(columns[name], start, stop) for name in names}, stop - start
        )
    return keys


def text_keys(columns: Mapping[str, Sequence[str]], n: int) -> Keys:
    """The keys of n rows from their cells by column: the varied variables, and `doe_replicate` if known."""
    return _combined({name: _text_hashes(cells) for name, cells in columns.items()}, n)


def _ranges(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))


def _combined(hashes: Mapping[str, Keys], n: int) -> Keys:
    """The sum over columns of mix(cell + seed of the column's name), mixed; replicate 1 is no column."""
    total = np.zeros(n, np.uint64)
    for name, cells in hashes.items():
        seed = np.uint64(_text_hash(f"{_DOMAIN}\n{name}"))
        mixed = _mixed(cells + seed)
        if name == _NAME_OF_REPLICATE:
            mixed[cells == _FIRST_REPLICATE] = 0
        total += mixed
    return _mixed(total)


def _mixed(values: Keys) -> Keys:
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _column_hashes(column: Column, start: int, stop: int) -> Keys:
    if isinstance(column, FloatColumn):
        return (column.values[start:stop] + 0.0).view(np.uint64)
    if isinstance(column, CodedColumn):
        return _text_hashes(column.labels)[column.codes[start:stop]]
    return _text_hashes(column.cells(start, stop))


def _text_hashes(texts: Sequence[str]) -> Keys:
    known: dict[str, int] = {}
    for text in texts:
        if text not in known:
            known[text] = _cell_hash(text)
    return np.fromiter((known[text] for text in texts), np.uint64, len(texts))


def _cell_hash(text: str) -> int:
    """The bits of the number if the text is how that number is written, else a hash of the text.

    From 1e16 on a whole number is written by its digits or with an exponent; both are one number. A whole number
    that is no float's, such as 2^53 + 1, is its text.
    """
    try:
        number = float(text)
        is_canonical = number_text(number) == text or (abs(number) >= 1e16 and _is_digits_of(text, number))
    except ValueError:
        is_canonical = False
    return int(np.float64(number).view(np.uint64)) if is_canonical else _text_hash(text)


def _is_digits_of(text: str, number: float) -> bool:
    return _DIGITS.fullmatch(text) is not None and Decimal(number_text(number)) == int(text)


def _text_hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


_FIRST_REPLICATE = np.uint64(_cell_hash("1"))


def row_set(keys: Keys) -> RowSet:
    """The order-free digest of rows by their keys."""
    return RowSet(len(keys), int(np.add.reduce(keys, dtype=np.uint64)))


def contiguous_ranges(keys: Keys, wanted: RowSet) -> list[int]:
    """The starts of all ranges of `keys` whose digest is `wanted`: how a job is recognised unread."""
    if not 0 < wanted.count <= len(keys):
        return []
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(keys, dtype=np.uint64)])
    totals = sums[wanted.count :] - sums[: len(sums) - wanted.count]
    return [int(start) for start in np.flatnonzero(totals == np.uint64(wanted.total))]
