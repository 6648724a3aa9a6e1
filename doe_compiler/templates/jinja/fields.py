"""Numbers and texts in fields of a fixed width: Nastran and other card decks, Fortran's edit descriptors.

A value that does not fit is an error, never asterisks, never a longer field: a deck must not shift.
"""

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

_EXACT = Context(prec=1200, rounding=ROUND_HALF_EVEN)
_NASTRAN_WIDTHS = (8, 16)
_NUMBER = re.compile(r"-?(\d|\.\d)")
_PLAIN = re.compile(r"-?\d+\.\d")
_POINT = re.compile(r"-?\d*\.\d*")


class DoesNotFit(ValueError):
    """A value and its field."""

    def __init__(self, value: object, where: str, hint: str = "") -> None:
        super().__init__(f"{str(value)[:60]!r} does not fit in {where}")
        self.hint = hint


def field(value: object, width: int, align: str = "", exponent: str | None = None) -> str:
    """A value in exactly `width` characters: numbers to the right, texts to the left unless `align` says otherwise.

    A real number is written as near to its value as the width allows, with a decimal point; whole numbers and texts as
    they are. In the fields of Nastran, 8 and 16 wide, an exponent stands without its letter (`1.2346-5`), elsewhere
    with `E`; `exponent` says which letter, if any.
    """
    if align not in ("", "left", "right", "center"):
        raise ValueError(f"align is {align!r}, not left, right or center")
    if isinstance(value, float) and not isinstance(value, bool):
        letter = exponent if exponent is not None else ("" if width in _NASTRAN_WIDTHS else "E")
        text = _nearest(value, width, letter)
    else:
        text = str(value)
    if len(text) > width or "\n" in text:
        raise DoesNotFit(value, f"a field of {width} characters")
    side = align or ("left" if isinstance(value, str) else "right")
    return {"left": text.ljust, "right": text.rjust, "center": text.center}[side](width)


def _finite(value: float) -> Decimal:
    number = Decimal(repr(float(value)))
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return number


def _nearest(value: float, width: int, letter: str) -> str:
    number = _finite(value)
    fitting = [text for text in _written(number, width, letter) if len(text) <= width and _NUMBER.match(text)]
    if not fitting:
        raise DoesNotFit(value, f"a field of {width} characters")
    with localcontext(_EXACT):
        return min(fitting, key=lambda text: (abs(_meant(text, letter) - number), *_unlike(text)))


def _unlike(text: str) -> tuple[bool, int, bool]:
    """How much a text differs from how a person writes a number: digits around its point, few, no exponent."""
    return _PLAIN.match(text) is None, len(text), _POINT.fullmatch(text) is None


def _written(number: Decimal, width: int, letter: str) -> Iterator[str]:
    """The texts with a decimal point that a number may be rounded to."""
    with localcontext(_EXACT):
        for digits in range(width):
            if abs(number.adjusted()) <= width:
                fixed = f"{number:.{digits}f}"
                fixed = fixed if "." in fixed else fixed + "."
                yield fixed
                yield (
                    fixed.replace("-0.", "-.", 1)
                    if fixed.startswith("-0.")
                    else fixed.removeprefix("0") or fixed
                )
            mantissa, _, power = f"{number:.{digits}E}".partition("E")
            mantissa = mantissa if "." in mantissa else mantissa + "."
            yield f"{mantissa}{letter}{int(power):+d}"
            yield f"{mantissa.removesuffix('0')}{letter}{int(power):+d}"


def _meant(text: str, letter: str) -> Decimal:
    if letter:
        return Decimal(text.replace(letter, "E"))
    return Decimal(re.sub(r"(?<=[\d.])([+-])", r"E\1", text))


_DESCRIPTOR = re.compile(
    r"(?:(?P<whole>I)(?P<iw>\d+)(?:\.(?P<im>\d+))?|(?P<fixed>F)(?P<fw>\d+)\.(?P<fd>\d+)"
    r"|(?P<kind>E|D|EN|ES|G)(?P<ew>\d+)\.(?P<ed>\d+)(?:E(?P<ee>\d+))?|(?P<text>[AL])(?P<tw>\d+)?)",
    re.IGNORECASE,
)
_WIDEST = 500


def fortran(value: object, descriptor: str) -> str:
    """A value as Fortran's FORMAT writes it by one edit descriptor: I, F, E, D, EN, ES, G, L or A."""
    found = _DESCRIPTOR.fullmatch(descriptor.strip())
    if found is None:
        raise ValueError(
            f"{descriptor!r} is no edit descriptor such as I8, F10.3, E12.4, ES14.6E3, G12.5, A8, L2"
        )
    numbers = {name: int(found[name] or 0) for name in ("iw", "im", "fw", "fd", "ew", "ed", "ee", "tw")}
    if max(numbers.values()) > _WIDEST:
        raise ValueError(f"{descriptor!r} is wider than {_WIDEST}")
    if found["text"]:
        return _fortran_text(value, found["text"].upper(), found["tw"], descriptor)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number, and {descriptor} is for numbers")
    if found["whole"]:
        text = _fortran_whole(value, found["im"], descriptor)
        width = numbers["iw"]
    elif found["fixed"]:
        width = numbers["fw"]
        text = _fortran_fixed(_exactly(value), numbers["fd"], width)
    else:
        width = numbers["ew"]
        text = _FORTRAN[found["kind"].upper()](_exactly(value), numbers["ed"], numbers["ee"], width)
    if len(text) > width:
        raise DoesNotFit(value, f"{descriptor}, where Fortran would write {'*' * min(width, 12)}")
    return text.rjust(width)


def _exactly(value: float) -> Decimal:
    """The very number; a negative zero keeps its sign."""
    number = Decimal(value) if isinstance(value, int) else Decimal(float(value))
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return number


def _fortran_text(value: object, kind: str, width: str | None, descriptor: str) -> str:
    if kind == "L":
        if not isinstance(value, bool):
            raise TypeError(f"{value!r} is neither true nor false")
        text = "T" if value else "F"
    else:
        text = str(value)
    size = int(width) if width else len(text)
    if len(text) > size:
        raise DoesNotFit(value, descriptor)
    return text.rjust(size)


def _fortran_whole(value: float, least: str | None, descriptor: str) -> str:
    if not isinstance(value, int):
        raise TypeError(
            f"{value!r} is not a whole number, and {descriptor} is for these: round it with |round|int"
        )
    if value == 0 and least is not None and int(least) == 0:
        return ""
    digits = str(abs(value)).rjust(int(least or 1), "0")
    return f"-{digits}" if value < 0 else digits


def _fortran_fixed(number: Decimal, places: int, width: int) -> str:
    with localcontext(_EXACT):
        text = f"{number:.{places}f}"
    text = text if "." in text else text + "."
    return _without_zero(text, width)


def _without_zero(text: str, width: int) -> str:
    """Fortran leaves out the zero before the point where the field has no room for it."""
    if len(text) <= width or text.lstrip("-") in ("0.", "0"):
        return text
    return text.replace("-0.", "-.", 1) if text.startswith("-0.") else text.removeprefix("0")


def _power(power: int, letter: str, places: int) -> str | None:
    """An exponent; without a number of digits two, or three without the letter; None where it does not fit."""
    digits = str(abs(power))
    sign = "-" if power < 0 else "+"
    if places:
        return f"{letter}{sign}{digits.rjust(places, '0')}" if len(digits) <= places else None
    if len(digits) <= 2:
        return f"{letter}{sign}{digits.rjust(2, '0')}"
    return f"{sign}{digits}" if len(digits) == 3 else None


def _scaled(number: Decimal, significant: int) -> tuple[str, str, int]:
    """Sign, digits and the exponent of the first digit, rounded to significant digits."""
    sign = "-" if number.is_signed() else ""
    if not number:
        return sign, "0" * significant, 0
    with localcontext(_EXACT):
        mantissa, _, power = f"{abs(number):.{significant - 1}E}".partition("E")
    return sign, mantissa.replace(".", ""), int(power)


def _with_power(text: str, power: str | None, width: int) -> str:
    return "*" * (width + 1) if power is None else text + power


def _e(letter: str) -> Callable[[Decimal, int, int, int], str]:
    def written(number: Decimal, places: int, power_places: int, width: int) -> str:
        if not places:
            return "*" * (width + 1)
        sign, digits, power = _scaled(number, places)
        exponent = _power(power + 1 if number else 0, letter, power_places)
        return _without_zero(_with_power(f"{sign}0.{digits}", exponent, width), width)

    return written


def _es(number: Decimal, places: int, power_places: int, width: int) -> str:
    sign, digits, power = _scaled(number, places + 1)
    return _with_power(f"{sign}{digits[0]}.{digits[1:]}", _power(power, "E", power_places), width)


def _en(number: Decimal, places: int, power_places: int, width: int) -> str:
    power = number.adjusted() if number else 0
    for shift in (power - power % 3, power - power % 3 + 3):
        with localcontext(_EXACT):
            text = f"{number.scaleb(-shift):.{places}f}"
        if len(text.lstrip("-").partition(".")[0]) <= 3:
            text = text if "." in text else text + "."
            return _with_power(text, _power(shift if number else 0, "E", power_places), width)
    raise AssertionError(number)


def _g(number: Decimal, places: int, power_places: int, width: int) -> str:
    blanks = power_places + 2 if power_places else 4
    if not places:
        return "*" * (width + 1)
    _, _, power = _scaled(number, places)
    whole = power + 1 if number else 1
    if 0 <= whole <= places:
        return _fortran_fixed(number, places - whole, width - blanks) + " " * blanks
    return _e("E")(number, places, power_places, width)


_FORTRAN: dict[str, Callable[[Decimal, int, int, int], str]] = {
    "E": _e("E"),
    "D": _e("D"),
    "ES": _es,
    "EN": _en,
    "G": _g,
}


def digits(value: float, count: int) -> str:
    """A number rounded to significant digits, without an exponent from 1e-5 up to 1e16."""
    if not 1 <= count <= _WIDEST:
        raise ValueError(f"{count} is no number of digits")
    number = _number(value)
    sign, significant, power = _scaled(number, count)
    if -5 <= power < 16:
        with localcontext(_EXACT):
            return f"{Decimal(sign + significant).scaleb(power - count + 1):f}"
    rest = f".{significant[1:]}" if count > 1 else ""
    return f"{sign}{significant[0]}{rest}e{power:+03d}"


def engineering(value: float, count: int = 4) -> str:
    """A number rounded to significant digits, with an exponent that is a multiple of three: `12.35e3`."""
    if not 1 <= count <= _WIDEST:
        raise ValueError(f"{count} is no number of digits")
    sign, significant, power = _scaled(_number(value), count)
    before = power % 3 + 1
    significant = significant.ljust(before, "0")
    after = significant[before:]
    return f"{sign}{significant[:before]}{'.' + after if after else ''}e{power - power % 3}"


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return Decimal(value) if isinstance(value, int) else _finite(value)
