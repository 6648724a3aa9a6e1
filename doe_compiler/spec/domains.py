"""Which values a variable can take: its range or levels, and whether they are whole numbers."""

from collections.abc import Iterator
from fractions import Fraction

from doe_compiler.generators.catalogue import bounds_of, record_of
from doe_compiler.generators.law import Law
from doe_compiler.kernel.canonical import exact_text, number_text
from doe_compiler.spec.model import Constant, Formula, FromCases, FromTable, Levels, Variable
from doe_compiler.spec.scalars import (
    beyond_floats,
    decimal_number,
    is_as_written,
    is_decimal,
    is_integer_text,
)


def has_leading_zero(text: str) -> bool:
    """Whether a number's text begins with a zero that does not count, as `007` and `00.5` do."""
    digits = text.lstrip("+-")
    return digits[:1] == "0" and digits[1:2].isdigit()


def plain_cell(text: str) -> str:
    """A number's text as a cell has it; what is no number, or would lose digits or leading zeros, as it is.

    An integer keeps its digits: `+5` is `5`, `10000000000000001` is itself, `1.0` is `1`, `007` is itself.
    """
    number = decimal_number(text)
    if number is None or has_leading_zero(text):
        return text
    if is_integer_text(text):
        return str(number.numerator)
    shortest = number_text(float(number))
    return shortest if Fraction(shortest) == number else text


def value_problem(law: object, text: str, *, is_integer: bool = False, is_float: bool = False) -> str:
    """Why a variable with this law cannot take the value that the text means, or nothing."""
    if isinstance(law, Levels):
        is_level = text in law.texts or (not law.keeps_text and plain_cell(text) in law.texts)
        return "" if is_level else f"is not one of {', '.join(law.texts[:10])}"
    if isinstance(law, Constant | Formula):
        return ""
    value = decimal_number(text)
    if value is None:
        return "" if isinstance(law, FromTable) and not (is_integer or is_float) else "is not a number"
    if is_integer and value.denominator != 1:
        return "is not a whole number"
    low, high = bounds_of(law) if isinstance(law, Law) else (None, None)
    if low is not None and value < low:
        return f"is below {exact_text(low)}"
    if high is not None and value > high:
        return f"is above {exact_text(high)}"
    return ""


def fractional_settings(law: object) -> Iterator[tuple[str, str]]:
    """The keys of a law that keep an integer variable from being whole, each with a reason."""
    if isinstance(law, Law):
        yield from _fractional_keys(law)
    for text in law.texts if isinstance(law, Levels) else ():
        if (value := decimal_number(text)) is None or value.denominator != 1:
            yield "levels", f"holds {text}, which is not a whole number"
    if isinstance(law, Constant) and ((value := decimal_number(law.text)) is None or value.denominator != 1):
        yield "value", f"({law.text}) is not a whole number"


def worded_settings(law: object) -> Iterator[tuple[str, str]]:
    """The keys of levels and constants that keep a `float` variable from being a number, each with a reason."""
    texts = law.texts if isinstance(law, Levels) else (law.text,) if isinstance(law, Constant) else ()
    key = "levels" if isinstance(law, Levels) else "value"
    for text in texts:
        if not is_decimal(text):
            yield key, f"({text}) is not a number"


def _fractional_keys(law: Law) -> Iterator[tuple[str, str]]:
    record = record_of(law)
    keys = [key for key in record.keys(record.forms[0]) if key.counts_whole]
    is_whole = True
    for key in keys:
        value: Fraction | None = getattr(law, key.field)
        if value is not None and value.denominator != 1:
            is_whole = False
            yield key.name, f"({float(value):g}) is not a whole number"
    if record.steps is not None and is_whole:
        _, step = record.steps.first_and_step(law)
        if step.denominator != 1:
            yield record.steps.key, f"makes steps of {float(step):g}"


def holds_text(variable: Variable, column: tuple[str, ...] = ()) -> bool:
    """Whether some cell of the variable is not a number; `column` are its cells in the table, if any."""
    if variable.is_text:
        return True
    match variable.law:
        case Levels(texts=texts, keeps_text=is_kept):
            is_ambiguous = is_kept and len({decimal_number(text) for text in texts}) < len(texts)
            return is_ambiguous or any(not is_decimal(text) for text in texts)
        case Constant(text=text):
            return not is_decimal(text) or not is_as_written(text)
        case FromTable():
            return any(not is_decimal(text) for text in column)
        case FromCases(texts=texts):
            return any(not is_decimal(text) for text in texts)
        case _:
            return False


def texts_of(variable: Variable) -> tuple[str, ...]:
    """The texts that a variable may hold by its own law."""
    match variable.law:
        case Levels(texts=texts) | FromCases(texts=texts):
            return texts
        case Constant(text=text):
            return (text,)
        case _:
            return ()


def is_textual(variable: Variable) -> bool:
    """Whether a variable holds text whatever stands in its column of a table."""
    return variable.is_text or (isinstance(variable.law, Levels) and variable.law.keeps_text)


def keeps_text(variable: Variable, column: tuple[str, ...]) -> bool:
    """Whether the cells of a table are the variable's texts as they are written, no numbers to be shortened."""
    if variable.is_text:
        return True
    if isinstance(variable.law, Levels):
        return variable.law.keeps_text and variable.format is None
    return variable.format is None and not all(map(is_decimal, column))


def large_integer(variable: Variable, column: tuple[str, ...]) -> int | None:
    """A whole number among the values of a variable that floating point would change, or None."""
    if variable.is_text:
        return None
    match variable.law:
        case Levels(texts=texts) | FromCases(texts=texts):
            return beyond_floats(texts)
        case Constant(text=text):
            return beyond_floats((text,))
        case FromTable():
            return beyond_floats(column)
        case _:
            return None
