"""A generator of the API becomes one of the language that is sent as the same, or it stays under `raw`."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.generators import (
    column_entry,
    generator_entry,
    generator_type,
    role,
    with_raw_nominal,
)
from doe_compiler.generators.catalogue import GENERATORS, WIRE_KINDS
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.generators.wire_settings import SettingsError, law_from_wire, law_to_wire

KEYS = {
    "Uniform": (Uniform, ["min", "max"]),
    "Normal": (Normal, ["mean", "std"]),
    "LogNormal": (LogNormal, ["mu", "sigma"]),
    "Triangular": (Triangular, ["min", "mode", "max"]),
    "Linspace": (Linspace, ["start", "stop", "count"]),
    "FixedRange": (FixedRange, ["min", "max", "increment"]),
}
NUMBERS = st.integers(-5, 5) | st.floats(-9, 9) | st.sampled_from(["1", "2.50", "1e-3", "-4"])
STRANGE = st.none() | st.text(max_size=3) | st.booleans() | st.lists(st.integers(), max_size=1)


@st.composite
def api_variables(draw, values=NUMBERS):
    kind = draw(st.sampled_from(WIRE_KINDS))
    settings = {key: draw(st.integers(1, 9) if key == "count" else values) for key in GENERATORS[kind].wire}
    return {
        "name": "x",
        draw(st.sampled_from(["valueGeneratorType", "variableGeneratorType"])): draw(
            st.sampled_from([kind, kind.lower(), kind.upper()])
        ),
        "valueGeneratorSettings": settings,
    }


def law_of(entry):
    """The law that an entry of a study says."""
    make, keys = KEYS[entry["generator"]]
    values = [entry[key] if key == "count" else Fraction(str(entry[key])) for key in keys]
    return make(*values)


@given(api_variables())
def test_a_generator_says_the_same_law_or_stays_under_raw(variable):
    found = generator_entry(variable)
    kind, settings = generator_type(variable), variable["valueGeneratorSettings"]
    assert kind in WIRE_KINDS
    raw = found.entry.get("raw", {})
    if "valueGeneratorSettings" in raw:
        assert raw["valueGeneratorSettings"] == settings
        assert found.notes
        return
    law = law_from_wire(kind, settings)
    if "generator" in found.entry:
        assert law_to_wire(law_of(found.entry)) == law_to_wire(law)
    else:
        assert isinstance(law, Linspace)
        assert (law.count, law.start) == (1, Fraction(str(found.entry["value"])))


@given(
    api_variables(NUMBERS | STRANGE),
    st.dictionaries(st.sampled_from(["nominal", "unit", "seed"]), STRANGE | NUMBERS),
)
def test_settings_without_words_are_never_lost(variable, more):
    settings = variable["valueGeneratorSettings"] | more
    found = generator_entry({**variable, "valueGeneratorSettings": settings})
    raw = found.entry.get("raw", {})
    if "valueGeneratorSettings" not in raw:
        said = set(GENERATORS[generator_type(variable)].wire) | (
            {"nominal"} if "nominal" in found.entry else set()
        )
        assert settings.keys() <= said
    else:
        assert raw["valueGeneratorSettings"] == settings
        assert found.notes


@given(st.text(max_size=8), STRANGE)
def test_a_generator_that_nobody_knows_is_passed_on_as_it_is(kind, value):
    if kind.lower() in {each.lower() for each in WIRE_KINDS} or not kind:
        return
    found = generator_entry({"name": "x", "valueGeneratorType": kind, "valueGeneratorSettings": {"a": value}})
    assert found.entry["raw"] == {"valueGeneratorType": kind, "valueGeneratorSettings": {"a": value}}
    assert "has no words" in found.notes[0]
    assert not found.is_random


@given(api_variables(), st.sampled_from([0, 1, 2.5, 100]))
def test_a_nominal_value_is_said_where_the_law_can_have_it(variable, nominal):
    settings = {**variable["valueGeneratorSettings"], "nominal": nominal}
    found = generator_entry({**variable, "valueGeneratorSettings": settings})
    if found.entry.get("nominal") is not None:
        assert found.entry["nominal"] == nominal
        assert not found.lacks_nominal
    else:
        assert found.entry["raw"]["valueGeneratorSettings"]["nominal"] == nominal


def test_without_a_nominal_run_of_the_study_the_value_stays_under_raw():
    variable = {
        "name": "x",
        "valueGeneratorType": "Uniform",
        "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 2, "nominal": 1.5},
    }
    found = with_raw_nominal(generator_entry(variable), variable)
    assert "nominal" not in found.entry
    assert found.entry["raw"]["valueGeneratorSettings"] == variable["valueGeneratorSettings"]
    assert found.notes
    plain = {**variable, "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 2}}
    assert with_raw_nominal(generator_entry(plain), plain) == generator_entry(plain)


@pytest.mark.parametrize(
    ("given_type", "entry"),
    [
        ("Param", {}), ("param", {}), (None, {}), ("Design", {"role": "design"}), ("OBJECTIVE", {"role": "objective"}),
        ("Weird", {"raw": {"variableType": "Weird"}}),
    ],
)  # fmt: skip
def test_a_role_is_said_or_passed_on(given_type, entry):
    variable = {"name": "x", "variableType": given_type, "displayOrder": 3, "id": "7"}
    assert column_entry(variable) == entry
    assert role(variable) == (given_type or "param").lower()


def test_what_a_column_says_more_is_passed_on():
    variable = {"name": "x", "valueGeneratorSettings": {"a": 1}, "custom": [1], "empty": "", "none": None}
    assert column_entry(variable) == {"raw": {"custom": [1], "valueGeneratorSettings": {"a": 1}}}


@given(api_variables(NUMBERS | STRANGE | st.just(10**400) | st.just(float("inf"))))
def test_only_what_the_api_can_read_becomes_a_law(variable):
    try:
        law_from_wire(generator_type(variable), variable["valueGeneratorSettings"])
        is_law = True
    except SettingsError:
        is_law = False
    entry = generator_entry(variable).entry
    assert is_law or "generator" not in entry
