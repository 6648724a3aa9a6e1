"""Text to tree: places, bounds, and one finding for what is wrong."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.spec.nodes import Fields, Items, Scalar, node_at, plain
from doe_compiler.spec.tree import DEEPEST_NESTING, MOST_NODES, read_tree


def test_places_count_from_one_and_in_characters():
    tree, findings = read_tree("é😀: [😀, x]\nb:\n  c: 'text'\n", "s")
    assert findings == ()
    item = node_at(tree, ("é😀", 1))
    assert (item.place.line, item.place.column, item.place.end_column) == (1, 9, 10)
    quoted = node_at(tree, ("b", "c"))
    assert (quoted.place.line, quoted.place.column, quoted.place.end_column) == (3, 6, 12)
    assert quoted.is_quoted


def test_quoted_numbers_are_text():
    tree, _ = read_tree("[1, '1', \"1\", !!str 1]", "s")
    assert plain(tree) == [1, "1", "1", "1"]


def test_block_scalars_are_text():
    tree, _ = read_tree("a: |\n  12\nb: >-\n  12\n", "s")
    assert plain(tree) == {"a": "12\n", "b": "12"}


def test_aliases_stand_for_their_value():
    tree, findings = read_tree("a: &x {b: 1}\nc: *x\n", "s")
    assert findings == ()
    assert plain(tree) == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2", "E007", 2, 1),
        ("a: {b: 1, b: 2}", "E007", 1, 11),
        ("a: 012", "E010", 1, 4),
        ("a: [1_000]", "E010", 1, 5),
        ("a: .inf", "E010", 1, 4),
        ("a: !python/object:os.system x", "E009", 1, 4),
        ("a: !!int x", "E009", 1, 4),
        ("a: !!set {x}", "E009", 1, 4),
        ("<<: {a: 1}\nb: 1", "E013", 1, 1),
        ("? [a]\n: 1", "E013", 1, 3),
        ("{a: 1}: 2", "E013", 1, 1),
        ("a: &a [*a]", "E011", 1, 8),
        ("a: *b", "E006", 1, 4),
        ("a: 1\n---\nb: 2", "E012", 2, 1),
        ("\ta: 1", "E006", 1, 1),
        ("a: b: c", "E006", 1, 5),
        ("a: 'x", "E006", 1, 6),
        ("a: [1, 2", "E006", 1, 9),
        ("a: 1\nb: \x07", "E006", 2, 4),
        ("", "E005", 1, 1),
        ("# nothing", "E005", 1, 1),
        ("null", "E005", 1, 1),
    ],
)
def test_what_is_wrong_is_one_finding_at_its_place(text, code, line, column):
    _, findings = read_tree(text, "s")
    assert [(f.code, f.place.line, f.place.column) for f in findings] == [(code, line, column)]


def test_the_second_of_two_keys_names_the_line_of_the_first():
    _, findings = read_tree("a: 1\nb: 2\na: 3\n", "s")
    assert "line 1" in findings[0].message


def test_all_findings_are_told_at_once():
    _, findings = read_tree("a: 012\na: 1_0\nb: .nan\n", "s")
    assert [f.code for f in findings] == ["E010", "E007", "E010", "E010"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 5_000, "? " * 5_000])
def test_deep_nesting_is_a_finding(text):
    tree, findings = read_tree(text, "s")
    assert tree is None
    assert findings[-1].code in ("E008", "E013")


@pytest.mark.parametrize("problem", ["exceeded maximum nesting depth", "stack overflow", "no room left"])
def test_deep_nesting_is_one_finding_in_whatever_words_the_parser_gives_up(monkeypatch, problem):
    def gives_up(text, Loader):
        raise yaml.scanner.ScannerError(problem=problem, problem_mark=yaml.Mark("s", 500, 0, 500, None, 0))
        yield

    monkeypatch.setattr(yaml, "parse", gives_up)
    finding = read_tree("[" * 1000, "s")[1][0]
    assert (finding.code, finding.place.line, finding.place.column) == ("E008", 1, DEEPEST_NESTING + 1)
    assert read_tree("'" + "[" * 400 + "'" + " " * 600, "s")[1][0].code == "E006"


def test_nesting_up_to_the_bound_is_read():
    text = "[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING
    assert read_tree(text, "s")[1] == ()
    assert read_tree(f"[{text}]", "s")[1][0].code == "E008"


def test_aliases_do_not_nest_deeper_than_the_bound():
    half = "[" * 40 + "]" * 40
    _, findings = read_tree(f"a: &a {half}\nb: {'[' * 30}*a{']' * 30}", "s")
    assert [f.code for f in findings] == ["E008"]


def test_an_alias_bomb_is_a_finding():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    tree, findings = read_tree("\n".join(lines), "s")
    assert tree is None
    assert [f.code for f in findings] == ["E011"]


def test_too_many_values_are_a_finding():
    _, findings = read_tree("- 1\n" * (MOST_NODES + 1), "s")
    assert [f.code for f in findings] == ["E011"]


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text("abc xyzäß:#-'\"", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_values.filter(lambda value: value is not None), st.booleans())
def test_what_pyyaml_writes_is_read_back(value, flow):
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    tree, findings = read_tree(text, "s")
    # PyYAML writes the text of YAML 1.1; nothing in this alphabet means something else in 1.2.
    assert findings == ()
    assert plain(tree) == value


@given(st.text(max_size=60) | st.text("[]{}:,-?&*!|>'\"%@#\n ab1", max_size=60))
def test_no_text_breaks_the_reading(text):
    tree, findings = read_tree(text, "s")
    assert tree is None or isinstance(tree, Scalar | Items | Fields)
    assert tree is not None or findings
