"""What changed in a recipe, told part by part and line by line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.pack import bundled
from doe_compiler.bundle.parts import HAS_CHANGED, line_changes, part_changes, part_texts, parts
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.design.build import build
from doe_compiler.pipeline.compiling import checked_spec
from doe_compiler.spec.model import InputFile, PlatformFile

from .specs import (
    a_script,
    a_spec,
    a_template,
    an_analysis,
    an_input,
    constant,
    expression,
    levels,
    with_analysis,
)


def test_a_part_that_changed_is_told_with_before_and_after(study_at):
    def of(folder, **more):
        return parts(checked_spec(study_at(folder, **more))[0])

    constant = "  x: {{levels: [1, 2]}}\n  rho: {{value: 2.567, format: '{}'}}"
    deck = {"deck": "${x} ${rho} ${doe_seed}\n", "design": "{}"}
    before = of("a", variables=constant.format("0.0"), **deck)
    after = of("b", variables=constant.format("0.000"), analysis="    envVars: {N: '4'}", **deck)
    assert part_changes(before, after) == {
        "constant rho": "'2.567 as 0.0' is now '2.567 as 0.000'",
        "environment variable N": "is new: '4'",
    }
    assert part_changes(before, before) == {}


def test_texts_are_compared_line_by_line():
    assert line_changes(b"a\nb\nc\n", b"a\nB\nc\nd\n") == "line 2: 'b' is now 'B'; line 4 is new: 'd'"
    assert line_changes(b"a\nb\n", b"a\n") == "line 2 is gone: it was 'b'"
    many = line_changes(b"\n".join([b"x"] * 50), b"\n".join([b"y"] * 50))
    assert many.endswith("and 47 more lines")


def test_what_is_no_text_or_the_same_tells_nothing():
    assert line_changes(b"\xff\x00", b"a") is None
    assert line_changes(b"a", b"a") is None


def test_very_many_parts_stand_as_digests(study_at):
    variables = "".join(f"  c{i}: {{value: {i}}}\n" for i in range(2000))
    deck = "".join(f"${{c{i}}}" for i in range(2000))
    spec, _ = checked_spec(
        study_at(variables="  x: {levels: [1]}\n" + variables, deck="${x}" + deck, design="{}")
    )
    found = parts(spec)
    assert len(found) > 2000
    assert all(text.startswith("=") for text in found.values())


STEPS = a_spec(
    levels("x", "1", "2"),
    constant("c", "2"),
    expression("f", "c * x"),
    analyses=[
        an_analysis(
            templates=(a_template("${x} ${f} ${doe_seed}\n"),),
            input_files=(
                an_input("mesh", "m"),
                InputFile(PlatformFile("id1")),
                InputFile(PlatformFile("id2")),
            ),
            pre_process=a_script("pre.sh", "sh pre.sh", "p"),
            env_vars={"A": "1"},
        ),
        an_analysis("./more", post_process=a_script("post.sh", "sh post.sh", "q")),
    ],
)


def test_the_parts_are_named_for_people():
    found = parts(STEPS)
    assert set(found) == {
        "software", "command", "input mesh", "input id1", "input id2", "order of inputs", "template deck.txt",
        "environment variable A", "script of preProcess", "command of preProcess",
        "software of analysis 2", "command of analysis 2", "script of postProcess of analysis 2",
        "command of postProcess of analysis 2", "constant c", "expression f", "seed",
    }  # fmt: skip
    assert found["command of analysis 2"] == "./more"
    assert found["constant c"] == "2"
    assert found["expression f"] == "c * x"
    assert found["input mesh"].startswith("=")


def test_contents_are_at_hand_for_parts_that_are_files_and_for_no_others():
    texts = part_texts(STEPS)
    assert texts.keys() <= parts(STEPS).keys()
    assert texts["input mesh"] == b"m"
    assert texts["template deck.txt"] == b"${x} ${f} ${doe_seed}\n"
    assert texts["script of postProcess of analysis 2"] == b"q"
    assert "input id1" not in texts


def test_a_template_that_is_no_utf8_has_its_own_bytes():
    deck = b"\xb0 ${x}\n".decode("utf-8", "surrogateescape")
    spec = with_analysis(STEPS, templates=(a_template(deck, takes_utf8=False, encoding="latin-1"),))
    assert part_texts(spec)["template deck.txt"] == b"\xb0 ${x}\n"
    wanted = wanted_of(bundled(spec, build(spec)[0]))
    assert wanted.part_texts()["template deck.txt"] == b"\xb0 ${x}\n"


def test_only_the_order_is_told_where_only_the_order_has_changed():
    files = STEPS.analyses[0].input_files
    turned = with_analysis(STEPS, input_files=files[::-1])
    assert part_changes(parts(STEPS), parts(turned)) == {"order of inputs": HAS_CHANGED}
    fewer = with_analysis(STEPS, input_files=files[:2])
    assert part_changes(parts(STEPS), parts(fewer)) == {"input id2": "is gone"}


@pytest.mark.parametrize("text", ["=0123456789", "a\nb", "x" * 161, "\u202e", ""])
def test_a_text_that_cannot_stand_as_it_is_stands_as_a_digest(text):
    told = parts(with_analysis(STEPS, env_vars={"A": text}))["environment variable A"]
    assert told == text if not text else told.startswith("=") and told != text


@given(st.lists(st.text(max_size=200), min_size=1, max_size=300))
def test_parts_fit_into_an_environment_variable_or_are_short_digests(values):
    env_vars = {f"N{number}": value for number, value in enumerate(values)}
    found = parts(with_analysis(STEPS, env_vars=env_vars))
    size = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
    assert size <= 24_000 or all(len(value) == 11 and value[0] == "=" for value in found.values())


VALUES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2", "=0123456789", "=9876543210"]))


@given(VALUES, VALUES)
def test_exactly_the_parts_that_differ_are_told(then, now):
    found = part_changes(then, now)
    assert found.keys() == {name for name in {*then, *now} if then.get(name) != now.get(name)}
    for name, told in found.items():
        assert ("is new" in told) is (name not in then)
        assert ("is gone" in told) is (name not in now)
        assert "=" not in told


@given(
    st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers() | st.lists(st.text(max_size=2))),
    VALUES,
)
def test_whatever_an_older_job_says_of_its_parts_is_no_trouble(then, now):
    assert all(isinstance(told, str) for told in part_changes(then, now).values())


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=8)


@given(LINES, LINES)
def test_a_difference_of_lines_is_told_exactly_if_there_is_one(one, two):
    then, now = ("\n".join(lines).encode() for lines in (one, two))
    told = line_changes(then, now)
    assert (told is None) is (then == now)


def test_long_lines_are_cut_and_very_long_texts_are_not_compared():
    told = line_changes(b"x" * 500, b"y" * 500)
    assert len(told) < 200
    assert "…" in told
    assert line_changes(b"\n" * 30_000, b"x" + b"\n" * 30_000) is None
