"""What changed in a recipe, told part by part and line by line."""

from doe_compiler.bundle.parts import line_changes, part_changes, parts
from doe_compiler.pipeline.compiling import checked_spec


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
