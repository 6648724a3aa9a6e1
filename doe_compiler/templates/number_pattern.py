"""The patterns of Java's `DecimalFormat`, read into counts of digits and affixes.

"#,##0.0#;(0)" -> at least 1 digit before the point, 1 or 2 after it, groups of 3, negatives in brackets
"""

import re
from dataclasses import dataclass, field

from doe_compiler.kernel.errors import DoeError, ExitCode

_MOST_INTEGER_DIGITS = 309
_MOST_FRACTION_DIGITS = 340
_CURRENCY = "\N{CURRENCY SIGN}"
_SCALES = {"%": 100, "\N{PER MILLE SIGN}": 1000}


class PatternError(DoeError):
    """A number pattern is not one; `index` is the offset in it, from 0, of the character that is wrong."""

    exit_code = ExitCode.INVALID

    def __init__(self, message: str, index: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.index = index


@dataclass(frozen=True)
class NumberPattern:
    """What a pattern says; affixes are (prefix, suffix), expanded.

    `grouping` is the size of a group of integer digits, 0 for none; `exponent_digits` the least digits of the
    exponent, 0 for no exponent; the number is multiplied by `multiplier` (1, 100 or 1000) first;
    `max_integer` is only meaningful with an exponent.
    """

    pattern: str
    positive: tuple[str, str]
    negative: tuple[str, str]
    min_integer: int
    max_integer: int
    min_fraction: int
    max_fraction: int
    grouping: int
    multiplier: int
    exponent_digits: int
    point_always: bool


def number_pattern(pattern: str) -> NumberPattern:
    """`pattern`, read as Java reads it. Raises PatternError."""
    positive = _Subpattern(pattern, 0)
    positive.scan()
    if not positive.left + positive.zeros:
        raise PatternError("the number pattern has no digit", 0, hint='write for example "0.00" or "0.###"')
    start = 0 if positive.separator is None else positive.separator + 1
    negative = positive
    if start < len(pattern):
        negative = _Subpattern(pattern, start, is_negative=True)
        negative.scan()
    affixes = negative.affixes
    if affixes == positive.affixes:
        affixes = ("'-" + affixes[0], affixes[1])
    return _counted(positive, _expanded(positive.affixes), _expanded(affixes))


def _counted(sub: "_Subpattern", positive: tuple[str, str], negative: tuple[str, str]) -> NumberPattern:
    left, zeros, right = sub.left, sub.zeros, sub.right
    if zeros == 0 and sub.point >= 0:
        first = max(sub.point, 1)
        left, zeros, right = first - 1, 1, left - first
    sub.refuse_misplaced(left, zeros, right)
    total = left + zeros + right
    point = sub.point if sub.point >= 0 else total
    min_integer = min(point - left, _MOST_INTEGER_DIGITS)
    return NumberPattern(
        pattern=sub.pattern,
        positive=positive,
        negative=negative,
        min_integer=min_integer,
        max_integer=min(left + min_integer, _MOST_INTEGER_DIGITS),
        min_fraction=min(left + zeros - point, _MOST_FRACTION_DIGITS) if sub.point >= 0 else 0,
        max_fraction=min(total - point, _MOST_FRACTION_DIGITS),
        grouping=max(sub.grouping, 0),
        multiplier=sub.multiplier,
        exponent_digits=sub.exponent_digits,
        point_always=sub.point in (0, total),
    )


def _expanded(affixes: tuple[str, str]) -> tuple[str, str]:
    prefix, suffix = (re.sub(r"'(.)", r"\1", affix, flags=re.DOTALL) for affix in affixes)
    return prefix, suffix


@dataclass(slots=True)
class _Subpattern:
    """The scan of one subpattern: prefix, number, suffix.

    The negative one only gives its affixes. A special character of an affix is kept as `'` and the
    character, a quote as `''`.
    """

    pattern: str
    start: int
    is_negative: bool = False
    prefix: list[str] = field(default_factory=list)
    suffix: list[str] = field(default_factory=list)
    left: int = 0
    zeros: int = 0
    right: int = 0
    grouping: int = -1
    point: int = -1
    multiplier: int = 1
    exponent_digits: int = 0
    separator: int | None = None
    in_suffix: bool = False
    open_quote: int | None = None
    comma_index: int = 0
    point_index: int = 0
    right_index: int = 0

    @property
    def affixes(self) -> tuple[str, str]:
        return "".join(self.prefix), "".join(self.suffix)

    def scan(self) -> None:
        at, in_number = self.start, False
        while at < len(self.pattern) and self.separator is None:
            if in_number:
                width = self._skipped(at) if self.is_negative else self._number_part(at)
                in_number = width > 0 and (self.is_negative or self.pattern[at] != "E")
                self.in_suffix = self.in_suffix or not in_number
                at += width
            elif self.open_quote is None and self.pattern[at] in "#0,.":
                in_number = True
            else:
                at += self._affix_part(at)
        if self.open_quote is not None:
            raise PatternError(
                "the quote is never closed", self.open_quote, hint="write '' for a quote itself"
            )

    def _skipped(self, at: int) -> int:
        return 1 if self.pattern[at] in "#0,.E" else 0

    def _affix_part(self, at: int) -> int:
        """Take the character at `at` into the prefix or suffix; how many characters that took."""
        affix = self.suffix if self.in_suffix else self.prefix
        char = self.pattern[at]
        if char == "'":
            if self.pattern.startswith("''", at):
                affix.append("''")
                return 2
            self.open_quote = at if self.open_quote is None else None
        elif self.open_quote is not None:
            affix.append(char)
        elif char == ";":
            self._end(at)
        elif char == _CURRENCY:
            raise PatternError("a currency sign is not supported", at, hint=f"quote it: '{_CURRENCY}'")
        elif char in _SCALES:
            if self.multiplier != 1:
                raise PatternError(
                    "more than one percent or per mille sign", at, hint="quote the second: '%'"
                )
            self.multiplier = _SCALES[char]
            affix.append("'" + char)
        else:
            affix.append("'-" if char == "-" else char)
        return 1

    def _end(self, at: int) -> None:
        if self.is_negative:
            raise PatternError("more than one ';'", at, hint="quote it: ';'")
        if not self.in_suffix:
            raise PatternError("no digit before the ';'", at, hint="quote it: ';'")
        self.separator = at

    def _number_part(self, at: int) -> int:
        """Count the character at `at` of the number; how many characters that took, 0 at the suffix."""
        char = self.pattern[at]
        if char == ",":
            self.grouping, self.comma_index = 0, at
        elif char == ".":
            if self.point >= 0:
                raise PatternError("more than one decimal point", at, hint="quote the second: '.'")
            self.point, self.point_index = self.left + self.zeros + self.right, at
        elif char == "E":
            return self._exponent(at)
        elif char in "#0":
            self._digit(char, at)
        else:
            return 0
        return 1

    def _digit(self, char: str, at: int) -> None:
        if char == "0":
            if self.right > 0:
                raise PatternError(
                    "a '0' after '#' after '0'", at, hint="after the point, '0' comes before '#'"
                )
            self.zeros += 1
        elif self.zeros > 0:
            self.right, self.right_index = self.right + 1, self.right_index or at
        else:
            self.left += 1
        if self.grouping >= 0 and self.point < 0:
            self.grouping += 1

    def _exponent(self, at: int) -> int:
        if self.exponent_digits:
            raise PatternError("more than one exponent", at, hint="quote the second: 'E'")
        end = at + 1
        while self.pattern.startswith("0", end):
            end += 1
        self.exponent_digits = end - at - 1
        if self.left + self.zeros < 1 or not self.exponent_digits:
            raise PatternError(
                "the exponent is not complete", at, hint="write it as in 0.00E0, or quote it: 'E'"
            )
        return end - at

    def refuse_misplaced(self, left: int, zeros: int, right: int) -> None:
        """Raise PatternError where a '#', a point or a comma stands where it has no meaning."""
        if self.point < 0 and right > 0:
            raise PatternError(
                "a '#' after '0' before the point", self.right_index, hint="write '#' before '0'"
            )
        if self.point >= 0 and not left <= self.point <= left + zeros:
            raise PatternError("a '#' stands between the digits and the point", self.point_index)
        if self.grouping == 0:
            raise PatternError("no digit follows the grouping comma", self.comma_index, hint="write #,##0")
