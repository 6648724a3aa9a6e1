"""The points of Linspace and FixedRange: exact from the text, rounded once."""

import subprocess
import sys
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.enumeration import count_of, exact_point, points
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace

fractions = st.fractions(-1000, 1000, max_denominator=1000)


def test_zero_to_one_by_a_tenth():
    texts = [repr(point) for point in points(FixedRange(F(0), F(1), F("0.1")))]
    assert texts == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]


def test_the_maximum_is_included_only_when_it_is_reached():
    assert points(FixedRange(F(1), F(10), F(3))) == (1, 4, 7, 10)
    assert points(FixedRange(F(1), F(9), F(3))) == (1, 4, 7)


def test_linspace_includes_both_ends():
    assert points(Linspace(F(0), F(1), 4)) == (0, 1 / 3, 2 / 3, 1)
    assert points(Linspace(F(1), F(-1), 3)) == (1, 0, -1)
    assert points(Linspace(F(5), F(9), 1)) == (5,)


@given(fractions, fractions, st.integers(1, 50))
def test_every_point_is_the_exact_one_rounded_once(start, stop, count):
    law = Linspace(start, stop, count)
    assert points(law) == tuple(float(exact_point(law, index)) for index in range(count))


@given(fractions, fractions, st.fractions(1, 100, max_denominator=50))
def test_a_range_never_passes_its_maximum(minimum, maximum, increment):
    law = FixedRange(minimum, maximum, increment)
    count = count_of(law)
    if maximum < minimum:
        assert count == 0
        return
    assert len(points(law)) == count
    assert exact_point(law, count - 1) <= maximum < exact_point(law, count)


@pytest.mark.parametrize(
    "law",
    [
        FixedRange(F(0), F(1), F(1, 10**8)),
        Linspace(F(0), F(1), 10**9),
        FixedRange(F(1), F(0), F(1)),
        Linspace(F(0), F(1), 0),
    ],
)
def test_too_many_points_and_none_are_refused(law):
    with pytest.raises(ValueError, match=r"more than|no point"):
        points(law)


def test_a_range_that_goes_nowhere_has_no_points():
    assert count_of(FixedRange(F(0), F(1), F(0))) == 0
    assert count_of(FixedRange(F(0), F(1), F(-1))) == 0


def test_counting_and_the_wire_import_no_numpy():
    code = (
        "import sys, doe_compiler.generators.enumeration, doe_compiler.generators.wire_settings;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
