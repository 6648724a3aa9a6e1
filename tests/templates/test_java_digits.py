import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.templates.java_digits import java_digits

POSITIVE = st.floats(min_value=5e-324, allow_infinity=False, exclude_min=False)


def _value(found):
    return float(f"0.{found.digits}e{found.point}")


@pytest.mark.parametrize(
    ("value", "digits", "point"),
    [
        (0.1, "1", 0),
        (1500.0, "15", 4),
        (5e-324, "49", -323),
        (2e-3, "2", -2),
        (2e-5, "20", -4),
        (2e23, "19999999999999998", 24),
        (2.0**62, "46116860184273879", 19),
        (9007199254740993.0, "9007199254740992", 16),
        (3.4198768673783673e25, "34198768673783672", 26),
    ],
)
def test_digits_that_java_prints(value, digits, point):
    found = java_digits(value)
    assert (found.digits, found.point) == (digits, point)


@given(POSITIVE)
def test_digits_read_back_as_the_number_or_its_neighbour(value):
    digits = java_digits(value)
    assert abs(_value(digits) - value) <= 2.0**-52 * value + 5e-324


@given(POSITIVE.filter(lambda value: not value.is_integer()))
def test_exactness_is_what_it_says(value):
    found = java_digits(value)
    numerator, denominator = value.as_integer_ratio()
    scale = 10 ** (len(found.digits) - found.point)
    difference = int(found.digits) * denominator - numerator * scale
    if found.rounded_up:
        assert difference > 0
    elif found.exact:
        assert difference == 0
    else:
        assert difference < 0 or set(found.digits[1:]) <= {"0"}


@given(st.integers(1, 2**53))
def test_whole_numbers_have_their_own_digits(number):
    found = java_digits(float(number))
    assert int(found.digits.ljust(found.point, "0")) == number
    assert not found.digits.endswith("0")
