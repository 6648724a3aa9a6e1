"""Which texts are values, and the one of several that counts: `0.25-101` -> `0.25e-101`, `****` -> none."""

import json
import math
import re

LONGEST_VALUE = 4096
NOTHING = "nothing matches"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FORTRAN = re.compile(r"([+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+))[dDqQ]([+-]?[0-9]+)")
# Fortran leaves the letter out where an exponent has three digits.
_WITHOUT_LETTER = re.compile(r"([+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+))([+-][0-9]{3})")
_NOTHING = re.compile(
    r"[+-]?(?:nan[qs]?(?:\(.*\))?|inf(?:inity)?|[0-9]\.#(?:inf|ind|[qs]?nan)[0-9]*)|null|\*+", re.IGNORECASE
)
_BATCH = 4096


class NoValue(ValueError):
    """There is no value; the text says why."""


def number_text(text: str) -> "str | None":
    """The text as a decimal number, digits as they were written; None if it is not a number."""
    if _DECIMAL.fullmatch(text):
        return text
    match = _FORTRAN.fullmatch(text) or _WITHOUT_LETTER.fullmatch(text)
    return None if match is None else f"{match.group(1)}e{match.group(2)}"


def number(text: str) -> "float | None":
    """The finite number that the text means; None if it means none."""
    found = number_text(text)
    if found is None:
        return None
    value = float(found)
    return value if math.isfinite(value) else None


def is_nothing(text: str) -> bool:
    """Whether the text says that there is no value: `nan`, `inf`, `null`, `****`."""
    return _NOTHING.fullmatch(text) is not None


def plain(value: object) -> str:
    """A value as one line of text, a number with the digits that were written; NoValue says why it is none."""
    if value is None:
        raise NoValue("it is null")
    if isinstance(value, (bool, dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    if len(text) > 2 * LONGEST_VALUE:
        raise NoValue(f"it has more than {LONGEST_VALUE} characters")
    text = " ".join(text.split())
    if not text:
        raise NoValue("it is empty")
    if len(text) > LONGEST_VALUE:
        raise NoValue(f"it has more than {LONGEST_VALUE} characters")
    if is_nothing(text):
        raise NoValue(f"'{text[:40]}' is no value")
    if "\x00" in text:
        raise NoValue("it holds NUL bytes")
    found = number_text(text)
    if found is not None and number(found) is None:
        raise NoValue(f"'{text[:40]}' is beyond all numbers")
    return text if found is None else found


class Taker:
    """The first, last, least, greatest or mean of the values of one response, as they come.

    `first` and `last` take what stands there, a value or not; the others pass over what is no number.
    """

    def __init__(self, take: str) -> None:
        self.is_open = False  # what comes later may tell that a value was none
        self._take = take
        self._count = 0
        self._ignored = 0
        self._kept = None  # type: str | NoValue | None
        self._best = 0.0
        self._sum = 0.0
        self._batch = []  # type: list[float]

    @property
    def is_settled(self) -> bool:
        """Whether nothing that comes later can change the value."""
        return self._take == "first" and self._count > 0 and not self.is_open

    def needed(self, rows: "list[list[str]]") -> "list[list[str]]":
        """Those of the next rows whose values can count."""
        if self._take == "last":
            return rows[-1:]
        return rows[:1] if self._take == "first" else rows

    def add(self, values: "list[str]") -> None:
        """The next values."""
        if not values:
            return
        if self._take == "first":
            if not self._count:
                self._kept = values[0]
        elif self._take == "last":
            self._kept = values[-1]
        else:
            self._weigh(values)
        self._count += len(values)

    def add_missing(self, reason: str) -> None:
        """A place where a value should stand and does not."""
        if self._take == "last" or (self._take == "first" and not self._count):
            self._kept = NoValue(reason)
        self._count += 1
        self._ignored += 1

    def _weigh(self, values: "list[str]") -> None:
        numbers = _numbers(values)
        if numbers is None:
            pairs = [(value, number(value.strip())) for value in values]
            values = [value for value, found in pairs if found is not None]
            numbers = [found for _, found in pairs if found is not None]
            self._ignored += len(pairs) - len(numbers)
        if not numbers:
            return
        if self._take == "mean":
            self._batch += numbers
            while len(self._batch) >= _BATCH:
                self._sum, self._batch = _sum([self._sum] + self._batch[:_BATCH]), self._batch[_BATCH:]
            return
        best = min(numbers) if self._take == "min" else max(numbers)
        if self._kept is None or (best < self._best if self._take == "min" else best > self._best):
            self._kept, self._best = values[numbers.index(best)], best

    def taken(self) -> "tuple[str, str]":
        """The value, and what is to be told of it; NoValue says why there is none."""
        if not self._count:
            raise NoValue(NOTHING)
        if self._take in ("first", "last"):
            if isinstance(self._kept, NoValue):
                raise self._kept
            try:
                return plain(self._kept), ""
            except NoValue as error:
                raise NoValue(f"the {self._take} value: {error}") from None
        if self._ignored == self._count:
            raise NoValue(f"none of {self._count} values is a number")
        told = f"{self._ignored} of {self._count} values are no numbers" if self._ignored else ""
        if self._take == "mean":
            return plain(_sum([self._sum] + self._batch) / (self._count - self._ignored)), told
        return plain(str(self._kept).strip()), told


def _sum(numbers: "list[float]") -> float:
    try:
        return math.fsum(numbers)
    except OverflowError:
        return math.inf


def _numbers(values: "list[str]") -> "list[float] | None":
    """All values as numbers, or None if one may be none: Python reads `1_000` and `nan` as numbers too."""
    try:
        found = [float(value) for value in values]
    except ValueError:
        return None
    return found if math.isfinite(sum(found)) and "_" not in "".join(values) else None
