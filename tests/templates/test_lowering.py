import pytest
from hypothesis import given

from doe_compiler.templates.lowering import DOLLAR_CELL, DOLLAR_NAME, lowered, needs_dollar, raised
from doe_compiler.templates.parser import parse, platform_template
from doe_compiler.templates.substitution import substituted
from doe_compiler.templates.template import Placeholder, Template

from .template_texts import rows, template_texts


def _lowered(text, **options):
    return lowered(parse(text, "f", **options)[0])


@pytest.mark.parametrize(
    ("text", "platform_text"),
    [
        ("plain $ { }\r\n", "plain $ { }\r\n"),
        ("${x}", "${x}"),
        ("${ x }", "${x}"),
        ("${x?string( '0.0' )}", '${x?string("0.0")}'),
        ("$${x}", "${doe_dollar}{x}"),
        ("$$${x}", "$${doe_dollar}{x}"),
        ("\ufeffa", "\ufeffa"),
    ],
)
def test_the_platforms_text(text, platform_text):
    assert _lowered(text) == platform_text


def test_a_kept_name_is_lowered_as_text():
    assert _lowered("${WM:-${x}}", keep=["WM"]) == "${doe_dollar}{WM:-${x}}"


def test_a_dollar_that_meets_a_brace_across_segments_is_lowered():
    template = Template(("a$", "{b", Placeholder("x", None, 1, 1, 5), "$", "", "{"))
    assert lowered(template) == "a${doe_dollar}{b${x}${doe_dollar}{"
    assert needs_dollar(template)


@pytest.mark.parametrize(("text", "needed"), [("${x}", False), ("$ {", False), ("$${x}", True), ("${", True)])
def test_the_dollar_column_is_needed_for_literals_only(text, needed):
    assert needs_dollar(parse(text, "f")[0]) is needed


@given(template_texts(), rows())
def test_the_platform_substitutes_the_same_bytes(text, row):
    template, _ = parse(text, "f", keep=["WM_DIR"])
    platform = platform_template(lowered(template))
    assert substituted(platform, row | {DOLLAR_NAME: DOLLAR_CELL}) == substituted(template, row)
    assert platform.names == template.names | ({DOLLAR_NAME} if needs_dollar(template) else set())


@given(template_texts())
def test_lowering_a_platform_text_again_changes_nothing(text):
    once = _lowered(text)
    assert lowered(platform_template(once)) == once


@pytest.mark.parametrize(
    ("platform_text", "text", "strange"),
    [
        ("plain $ { }\r\n", "plain $ { }\r\n", ()),
        ("${x} ${ x?string( '0.0' ) }", "${x} ${ x?string( '0.0' ) }", ()),
        ("${old} ${old?string('0.0')}", '${new} ${new?string("0.0")}', ()),
        ("${doe_dollar}{U}", "$${U}", ()),
        ("$${doe_dollar}{x}", "$$${x}", ()),
        ("${HOME} ${x:-1} ${", "$${HOME} $${x:-1} $${", ("${HOME}", "${x:-1}", "${")),
        ("$${x}", "${dollar}${x}", ()),
        ("$${HOME}", "$$${HOME}", ("${HOME}",)),
    ],
)
def test_a_template_is_raised(platform_text, text, strange):
    found = raised(platform_text, {"x": "x", "old": "new"}, "dollar")
    assert (found.text, found.strange) == (text, strange)
    assert found.has_dollars == ("${dollar}" in text)


@given(template_texts())
def test_what_was_lowered_is_raised_and_lowered_to_the_same(text):
    template, _ = parse(text, "f")
    before = lowered(template)
    found = raised(before, {name: name for name in template.names}, "dollar")
    assert found.strange == ()
    assert _lowered(found.text).replace("${dollar}", "$") == before
