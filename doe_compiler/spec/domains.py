"""Which values a variable can take: its range or levels, and whether they are whole numbers."""

from collections.abc import Iterator
from fractions import Fraction

from doe_compiler.generators.laws import FixedRange, Linspace, LogNormal, Normal, Triangular, Uniform
from doe_compiler.kernel.canonical import number_text
from doe_compiler.spec.model import Constant, Formula, FromTable, Levels, Variable
from doe_compiler.spec.scalars import exact_number, is_number

Bounds = tuple[Fraction | None, Fraction | None]


def bounds_of(law: object) -> Bounds:
    """The smallest and the largest value of a law; None where it is unbounded."""
    match law:
        case Uniform(minimum=low, maximum=high) | FixedRange(minimum=low, maximum=high):
            return low, high
        case Triangular(minimum=low, maximum=high):
            return low, high
        case Linspace(start=start, stop=stop):
            return min(start, stop), max(start, stop)
        case Normal(lower=low, upper=high):
            return low, high
        case LogNormal(lower=low, upper=high):
            return max(low, Fraction(0)) if low is not None else Fraction(0), high
        case _:
            return None, None


def value_problem(law: object, text: str, *, is_integer: bool = False) -> str:
    """Why a variable with this law cannot take the value that the text means, or nothing."""
    if isinstance(law, Levels):
        number = exact_number(text)
        canonical = text if number is None else number_text(float(number))
        is_level = text in law.texts or canonical in law.texts
        return "" if is_level else f"is not one of {', '.join(law.texts[:10])}"
    if isinstance(law, Constant | Formula):
        return ""
    value = exact_number(text)
    if value is None:
        return "" if isinstance(law, FromTable) and not is_integer else "is not a number"
    if is_integer and value.denominator != 1:
        return "is not a whole number"
    low, high = bounds_of(law)
    if low is not None and value < low:
        return f"is below {float(low):g}"
    if high is not None and value > high:
        return f"is above {float(high):g}"
    return ""


def fractional_settings(law: object) -> Iterator[tuple[str, str]]:
    """The keys of a law that keep an integer variable from being whole, each with a reason."""
    keys: dict[str, Fraction | None]
    match law:
        case Uniform(minimum=low, maximum=high) | Triangular(minimum=low, maximum=high):
            keys = {"min": low, "max": high}
        case FixedRange(minimum=low, increment=step):
            keys = {"min": low, "increment": step}
        case Linspace(start=start, stop=stop, count=count):
            keys = {"start": start, "stop": stop}
            step = (stop - start) / max(count - 1, 1)
            if start.denominator == stop.denominator == 1 and step.denominator != 1:
                yield "count", f"makes steps of {float(step):g}"
        case Normal(lower=low, upper=high) | LogNormal(lower=low, upper=high):
            keys = {"lower": low, "upper": high}
        case Constant(text=text):
            if (value := exact_number(text)) is None or value.denominator != 1:
                yield "value", f"({text}) is not a whole number"
            return
        case Levels(texts=texts):
            for text in texts:
                if (value := exact_number(text)) is None or value.denominator != 1:
                    yield "levels", f"holds {text}, which is not a whole number"
            return
        case _:
            return
    for key, value in keys.items():
        if value is not None and value.denominator != 1:
            yield key, f"({float(value):g}) is not a whole number"


def holds_text(variable: Variable, column: tuple[str, ...] = ()) -> bool:
    """Whether some cell of the variable is not a number; `column` are its cells in the table, if any."""
    match variable.law:
        case Levels(texts=texts):
            return any(not is_number(text) for text in texts)
        case Constant(text=text):
            return not is_number(text)
        case FromTable():
            return any(not is_number(text) for text in column)
        case _:
            return False
