"""The settings on the wire: there and back for every law, a message a field for what is wrong."""

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.generators.wire_settings import SettingsError, law_from_wire, law_to_wire

CASES = [
    (Uniform(F(10), F(30)), "Uniform", {"minvalue": 10, "maxvalue": 30}),
    (Normal(F(0), F("0.5")), "Normal", {"mean": 0, "standarddeviation": 0.5}),
    (LogNormal(F(1), F(2)), "LogNormal", {"mean": 1, "standarddeviation": 2}),
    (Triangular(F(0), F("0.3"), F(1)), "Triangular", {"minvalue": 0, "mode": 0.3, "maxvalue": 1}),
    (Linspace(F(0), F(1), 11), "Linspace", {"minvalue": 0, "maxvalue": 1, "count": 11}),
    (FixedRange(F(1), F(10), F("0.1")), "FixedRange", {"minvalue": 1, "maxvalue": 10, "increment": 0.1}),
]


@pytest.mark.parametrize(("law", "kind", "settings"), CASES)
def test_every_law_goes_there_and_back(law, kind, settings):
    assert law_to_wire(law) == (kind, settings)
    assert law_from_wire(kind, settings) == law


@pytest.mark.parametrize(("law", "kind", "settings"), CASES)
def test_numbers_may_come_as_text_and_unknown_keys_are_ignored(law, kind, settings):
    texts = {key: str(value) for key, value in settings.items()}
    assert law_from_wire(kind, texts | {"colour": "red"}) == law


@given(st.decimals(-1000, 1000, places=4), st.decimals("0.0001", 1000, places=4))
def test_decimal_parameters_survive_the_wire_exactly(minimum, width):
    law = Uniform(F(minimum), F(minimum) + F(width))
    assert law_from_wire(*law_to_wire(law)) == law


@pytest.mark.parametrize(
    ("law", "is_integer"),
    [
        (Normal(F(0), F(1), lower=F(-1)), False),
        (LogNormal(F(0), F(1), upper=F(4)), False),
        (Uniform(F(0), F(1)), True),
    ],
)
def test_what_the_api_has_no_words_for_is_refused(law, is_integer):
    with pytest.raises(ValueError, match=r"no bounds|no whole numbers"):
        law_to_wire(law, is_integer=is_integer)


@pytest.mark.parametrize(
    ("kind", "settings", "fields"),
    [
        ("Gauss", {}, {""}),
        ("Uniform", {}, {"minvalue", "maxvalue"}),
        ("Uniform", {"minvalue": 2, "maxvalue": 1}, {"maxvalue"}),
        ("Uniform", {"minvalue": True, "maxvalue": "ten"}, {"minvalue", "maxvalue"}),
        ("Uniform", {"minvalue": float("nan"), "maxvalue": float("inf")}, {"minvalue", "maxvalue"}),
        ("Uniform", {"minvalue": "1e999", "maxvalue": None}, {"minvalue", "maxvalue"}),
        ("Uniform", {"minvalue": "9" * 1000, "maxvalue": [1]}, {"minvalue", "maxvalue"}),
        ("Uniform", {"minvalue": 10**5000, "maxvalue": "1e99999999"}, {"minvalue", "maxvalue"}),
        ("Normal", {"mean": 0, "standarddeviation": 0}, {"standarddeviation"}),
        ("LogNormal", {"mean": 0, "standarddeviation": -1}, {"standarddeviation"}),
        ("Triangular", {"minvalue": 0, "mode": 2, "maxvalue": 1}, {"maxvalue"}),
        ("Triangular", {"minvalue": 1, "mode": 1, "maxvalue": 1}, {"maxvalue"}),
        ("Linspace", {"minvalue": 0, "maxvalue": 1, "count": 2.5}, {"count"}),
        ("Linspace", {"minvalue": 0, "maxvalue": 1, "count": 0}, {"count"}),
        ("Linspace", {"minvalue": 0, "maxvalue": 1, "count": 10**9}, {"count"}),
        ("FixedRange", {"minvalue": 0, "maxvalue": 1, "increment": 0}, {"increment"}),
        ("FixedRange", {"minvalue": 0, "maxvalue": 1, "increment": 1e-12}, {"increment"}),
        ("FixedRange", {"minvalue": 1, "maxvalue": 0, "increment": 1}, {"maxvalue"}),
    ],
)
def test_wrong_settings_have_a_message_a_field(kind, settings, fields):
    with pytest.raises(SettingsError) as caught:
        law_from_wire(kind, settings)
    assert set(caught.value.fields) == fields
    assert all(caught.value.fields.values())
