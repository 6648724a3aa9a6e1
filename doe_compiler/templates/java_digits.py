"""The decimal digits that `java.lang.Double.toString` finds for a double, and how exact they are.

0.1     -> digits "1",  point 0    0.1 is written as .1 x 10**0
1500.0  -> digits "15", point 4
5e-324  -> digits "49", point -323
"""

from dataclasses import dataclass
from math import floor, frexp, ldexp


@dataclass(frozen=True)
class JavaDigits:
    """A positive double as `0.DIGITS x 10**point`.

    `exact` says that the digits are the value itself, `rounded_up` that they are above it. Both are false
    where the digits are below the value, and for every whole number of at most 63 bits: of those Java
    does not know that its digits are exact.
    """

    digits: str
    point: int
    exact: bool
    rounded_up: bool


def java_digits(value: float) -> JavaDigits:
    """The digits of a finite `value` > 0 by Java's classic conversion (before and in JDK 17).

    They read back as `value`, are nearly always the shortest that do, and sometimes one or two longer;
    a single digit is followed by a second one outside [1e-3, 1e8), which may be 0. The method is the
    free-format one of Steele and White, "How to print floating-point numbers accurately" (PLDI 1990),
    algorithm (FPP)^2, with Java's stopping test.
    """
    numerator, denominator = value.as_integer_ratio()
    tail = (numerator & -numerator).bit_length() - 1
    odd = numerator >> tail
    bits = odd.bit_length()
    fraction_bits = denominator.bit_length() - 1
    exponent = bits + tail - 1 - fraction_bits
    if fraction_bits == 0 and exponent <= 62:
        return _whole(numerator, exponent)
    return _free_format(value, odd, bits, exponent, fraction_bits)


def _whole(number: int, exponent: int) -> JavaDigits:
    spare_bits = exponent - 54
    insignificant = floor(spare_bits * 0.30103) if spare_bits > 1 else 0
    power = 10**insignificant
    shortened = (number + power // 2) // power if insignificant else number
    text = str(shortened)
    return JavaDigits(text.rstrip("0"), len(text) + insignificant, exact=False, rounded_up=False)


def _free_format(value: float, odd: int, bits: int, exponent: int, tiny: int) -> JavaDigits:
    """Digits of `odd` x 2**(exponent + 1 - bits), with `tiny` bits below the point."""
    significant = 53 if exponent >= -1022 else exponent + 1075
    decimal = _estimated_decimal_exponent(value, exponent)
    b5, s5 = max(0, -decimal), max(0, decimal)
    b2, s2 = b5 + tiny + exponent, s5 + tiny
    m2 = b2 - significant
    b2 -= bits - 1
    common = min(b2, s2)
    b2, s2, m2 = b2 - common, s2 - common, m2 - common
    if bits == 1:
        m2 -= 1
    if m2 < 0:
        b2, s2, m2 = b2 - m2, s2 - m2, 0
    needed = max(bits + b2 + _bits_of_power_of_5(b5), s2 + 1 + _bits_of_power_of_5(s5 + 1))
    word = next((width for width in (32, 64) if needed < width), None)
    return _generated(odd * 5**b5 << b2, 5**s5 << s2, 5**b5 << m2, decimal, word)


def _estimated_decimal_exponent(value: float, exponent: int) -> int:
    fraction = ldexp(frexp(value)[0], 1)
    return floor((fraction - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)


def _bits_of_power_of_5(power: int) -> int:
    if power >= 27:
        return power * 3
    return (5**power).bit_length() if power else 0


def _wrapped(number: int, word: int) -> int:
    half = 1 << (word - 1)
    return (number + half) % (2 * half) - half


def _stops(rest: int, margin: int, ten: int, word: int | None) -> tuple[bool, bool]:
    """Whether the digits so far are within `margin` below the value, and above it.

    Java's machine words overflow here, and its big integers take a remainder that just touches the upper
    margin for one within it.
    """
    if word is None:
        return rest < margin, rest + margin >= ten
    margin = _wrapped(margin, word)
    if margin <= 0:
        return True, True
    return rest < margin, _wrapped(rest + margin, word) > ten


def _generated(rest: int, scale: int, margin: int, decimal: int, word: int | None) -> JavaDigits:
    """Digits of rest / scale until what is left is within `margin`; `word` is the width of Java's integers."""
    ten = scale * 10
    digits: list[int] = []
    first = True
    while True:
        digit, rest = divmod(rest, scale)
        rest *= 10
        margin *= 10
        low, high = _stops(rest, margin, ten, word)
        if first and digit == 0 and not high:
            decimal -= 1
        else:
            digits.append(digit)
        if first and not -3 <= decimal < 8:
            low = high = False
        first = False
        if low or high:
            break
    excess = 2 * rest - ten
    up = high and (not low or excess > 0 or (excess == 0 and digits[-1] % 2 == 1))
    text = "".join(map(str, digits))
    point = decimal + 1
    if not up:
        return JavaDigits(text, point, exact=rest == 0, rounded_up=False)
    if set(text) == {"9"}:
        return JavaDigits("1" + "0" * (len(text) - 1), point + 1, exact=rest == 0, rounded_up=False)
    return JavaDigits(str(int(text) + 1).zfill(len(text)), point, exact=rest == 0, rounded_up=True)
