"""What is written as YAML is read back as it was, by our reader and by others."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.spec.nodes import plain
from doe_compiler.spec.tree import read_tree
from doe_compiler.spec.yaml_text import yaml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["1e5", "0o17", "0x1f", "012", "1_000", "no", "y", "~", "null", ".5", "...", "---", "- a", "a: b", "a #b", "|",
     "a\nb", "a\n\nb\n", "a\n b\n\n", "\ta\nb", "a\n ", "a\r\nb", "a\n\u2028", "${x}\n$${y}", "=", "<<", "%a", "&a",
     "*a", "!t", "{", "[", "'", '"', "a\\n", "2001-01-01", "1:30", "a\x85b\nc", "\ufeffa\nb", "a\t\nb"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | TEXTS | st.integers(-(10**20), 10**20) | st.floats(
    allow_nan=False, allow_infinity=False
).filter(lambda value: value == 0 or abs(value) > 1e-300)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=4), TEXTS)
def test_what_is_written_is_read_back(document, comment):
    paths = [(), *((key,) for key in document)]
    for key, value in document.items():
        paths += [(key, step) for step in (range(len(value)) if isinstance(value, list) else value or ())] if isinstance(
            value, list | dict
        ) else []  # fmt: skip
    text = yaml_text(document, {path: [comment] for path in paths})
    tree, findings = read_tree(text, "f")
    assert findings == ()
    assert plain(tree) == document
    assert yaml.safe_load(text) is not None


@given(
    st.dictionaries(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), TEXTS, min_size=1)
)
def test_other_readers_see_the_same_texts(document):
    assert yaml.safe_load(yaml_text(document, {})) == document


def test_it_looks_as_people_write_it():
    document = {
        "study": "wing",
        "variables": {"x": {"min": 1, "max": 2.5}, "y": {}},
        "analyses": [{"command": "a\nb", "inputs": ["a.dat"], "deep": [{"path": "m.zip"}]}],
    }
    assert yaml_text(
        document, {(): ["Head."], ("variables", "x"): ["inlet"], ("analyses", 0, "deep"): ["two"]}
    ) == (
        "# Head.\nstudy: wing\n\nvariables:\n  # inlet\n  x: {min: 1, max: 2.5}\n  y: {}\n\nanalyses:\n"
        "  - command: |-\n      a\n      b\n    inputs: [a.dat]\n    # two\n    deep: [{path: m.zip}]\n"
    )


def test_a_long_comment_is_broken_into_lines():
    lines = yaml_text({"a": 1}, {("a",): ["word " * 60]}).splitlines()
    assert lines[-1] == "a: 1"
    assert len(lines) > 2
    assert all(line.startswith("# word") and len(line) <= 110 for line in lines[:-1])


def test_what_has_no_place_in_yaml_is_an_error():
    with pytest.raises(TypeError):
        yaml_text({"a": b"bytes"}, {})
