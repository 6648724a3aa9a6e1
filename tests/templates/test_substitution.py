import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.kernel.errors import ExitCode
from doe_compiler.templates.decimal_format import PatternError, formatted
from doe_compiler.templates.parser import parse, platform_template
from doe_compiler.templates.substitution import renderer, substituted
from doe_compiler.templates.template import Placeholder, Template, TemplateError

from .template_texts import NAMES, rows, template_texts


def test_the_cells_text_goes_in_as_it_is():
    template = platform_template("a=${a}\r\nb=${b}")
    assert substituted(template, {"a": " 1.50 ", "b": "k-ε ${a}"}) == "a= 1.50 \r\nb=k-ε ${a}"


def test_a_pattern_formats_the_number_of_the_cell():
    template = platform_template('${x?string("0.00")} ${x?string("0.0E0")} ${x}')
    assert substituted(template, {"x": "1e-2"}) == "0.01 1.0E-2 1e-2"


def test_a_missing_name_is_named_with_its_place():
    with pytest.raises(TemplateError, match="'rho'") as caught:
        substituted(platform_template("a\n  ${rho}"), {"Rho": "1"})
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert caught.value.exit_code is ExitCode.INVALID


@pytest.mark.parametrize("cell", ["", "kEpsilon", "nan", "1,5", "1e999"])
def test_a_cell_that_is_no_number_is_named_with_its_variable(cell):
    template = platform_template('U\n${model?string("0.0")}')
    for fill in (
        lambda: substituted(template, {"model": cell}),
        lambda: renderer(template, ["model"])([cell]),
    ):
        with pytest.raises(TemplateError) as caught:
            fill()
        assert "'model'" in caught.value.message
        assert repr(cell) in caught.value.message
        assert caught.value.line == 2


def test_a_long_cell_is_shown_short():
    with pytest.raises(TemplateError) as caught:
        substituted(platform_template('${x?string("0")}'), {"x": "9" * 5000})
    assert len(caught.value.message) < 200


def test_a_renderer_refuses_a_name_that_has_no_column():
    with pytest.raises(TemplateError, match="'y'"):
        renderer(platform_template("${x}${y}"), ["x"])


@pytest.mark.parametrize("cells", [[], ["1"], ["1", "2", "3"]])
def test_a_renderer_refuses_a_row_of_another_width(cells):
    with pytest.raises(TemplateError, match="2 names"):
        renderer(platform_template("${x}"), ["x", "y"])(cells)


def test_a_renderer_keeps_nothing_of_the_row_before():
    render = renderer(platform_template("${x}-${y}"), ["y", "x"])
    assert [render(["1", "2"]), render(["3", "4"]), render(["1", "2"])] == ["2-1", "4-3", "2-1"]


@pytest.mark.parametrize("text", ["", "plain", "${x}", "${x}${x}", "a${x}", "${x}b${x?string('0')}c"])
def test_a_renderer_of_few_segments(text):
    assert renderer(platform_template(text), ["x"])(("7",)) == text.replace("${x?string('0')}", "7").replace(
        "${x}", "7"
    )


def test_a_template_built_with_a_bad_pattern_is_refused():
    template = Template((Placeholder("x", "0..0", 1, 1, 5),))
    with pytest.raises(PatternError):
        renderer(template, ["x"])
    with pytest.raises(PatternError):
        substituted(template, {"x": "1"})


@given(template_texts(), rows(), st.permutations(NAMES))
def test_a_renderer_gives_what_substituting_gives(text, row, order):
    template, _ = parse(text, "f")
    assert renderer(template, order)([row[name] for name in order]) == substituted(template, row)


@given(template_texts(), rows())
def test_every_placeholder_and_nothing_else_is_replaced(text, row):
    template, _ = parse(text, "f")
    pieces = [
        piece
        if isinstance(piece, str)
        else formatted(piece.pattern, row[piece.name])
        if piece.pattern
        else row[piece.name]
        for piece in template.segments
    ]
    assert substituted(template, row) == "".join(pieces)
