import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.templates.decimal_format import PatternError, compile_pattern
from doe_compiler.templates.placeholders import Found, Problem, read_placeholder, written


@pytest.mark.parametrize(
    ("name", "pattern", "text"),
    [
        ("x", None, "${x}"),
        ("x", "0.0", '${x?string("0.0")}'),
        ("x", '"0\\{', r'${x?string("\"0\\\{")}'),
        ("x", "'it''s'0\n", r"""${x?string("'it''s'0\n")}"""),
    ],
)
def test_canonical_form(name, pattern, text):
    assert written(name, pattern) == text
    assert read_placeholder(text, 0) == Found(name, pattern, len(text))


@given(st.text(min_size=1, max_size=12).map(lambda text: "0" + text))
def test_what_is_written_reads_back(pattern):
    try:
        compile_pattern(pattern)
    except PatternError:
        assert isinstance(read_placeholder(written("x", pattern), 0), Problem)
    else:
        text = written("x", pattern)
        assert read_placeholder(text + "}", 0) == Found("x", pattern, len(text))


def test_reading_begins_at_the_offset():
    assert read_placeholder("${a} ${b} ", 5) == Found("b", None, 9)


def test_reading_goes_on_after_a_closed_problem_and_inside_an_open_one():
    closed, opened = read_placeholder("${a b} c", 0), read_placeholder("${a b c", 0)
    assert isinstance(closed, Problem)
    assert isinstance(opened, Problem)
    assert (closed.resume, opened.resume) == (6, 2)
