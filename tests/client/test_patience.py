from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.patience import Patience, date_of

SENT = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:30 GMT"


def test_rests_double_until_the_longest():
    patience = Patience(first_wait_s=1, longest_wait_s=6, chance=lambda: 1.0)
    assert [patience.rest_s(n, None) for n in (1, 2, 3, 4, 5)] == [1, 2, 4, 6, 6]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_rest_is_within_half_and_whole_of_its_guess(failures, chance):
    patience = Patience(first_wait_s=1, longest_wait_s=60, chance=lambda: chance)
    whole = min(2.0 ** min(failures - 1, 10), 60)
    assert whole / 2 <= patience.rest_s(failures, None) <= whole


@pytest.mark.parametrize(("asked", "rest"), [(0.0, 0), (7.0, 7), (1e9, 120), (-5.0, 0)])
def test_what_the_platform_asks_counts_up_to_the_longest(asked, rest):
    assert Patience().rest_s(3, asked) == rest


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": LATER, "date": SENT}, 30),
        ({"retry-after": SENT, "date": LATER}, -30),
        ({"retry-after": LATER}, 1445412510 - 1445412500),
        ({"retry-after": LATER, "date": "rubbish"}, 10),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "٣"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers, seconds):
    assert Patience(now=lambda: 1445412500.0).asked_s(headers) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_is_seconds_or_nothing(asked, sent):
    seconds = Patience(now=lambda: 0.0).asked_s({"retry-after": asked, "date": sent})
    assert seconds is None or isinstance(seconds, float)


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_has_a_zone_whatever_the_header_says_of_it(zone):
    assert date_of(f"Wed, 21 Oct 2015 07:28:00 {zone}") == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
