import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.kernel.errors import ExitCode
from doe_compiler.kernel.findings import Place
from doe_compiler.templates.parser import check, parse, platform_template
from doe_compiler.templates.template import Placeholder, TemplateError

from .template_texts import placeholder_texts, template_texts


def _clean(text, **options):
    template, findings = parse(text, "U", **options)
    assert findings == ()
    return template


def _only_finding(text, **options):
    _, findings = parse(text, "U", **options)
    assert len(findings) == 1
    return findings[0]


def test_text_without_a_placeholder_is_one_literal():
    assert _clean("a $ { } $x b").segments == ("a $ { } $x b",)
    assert _clean("").segments == ()


def test_a_placeholder_stands_between_its_literals():
    assert _clean("U ${u};").segments == ("U ", Placeholder("u", None, 1, 3, 7), ";")


@pytest.mark.parametrize(
    "text",
    [
        '${u?string("0.0")}',
        "${u?string('0.0')}",
        '${ u ? string ( "0.0" ) }',
        '${\tu?string("0\\x002E0")}',
    ],
)
def test_a_format_may_be_written_with_blanks_and_either_quote(text):
    assert _clean(text).segments == (Placeholder("u", "0.0", 1, 1, len(text) + 1),)


@pytest.mark.parametrize(
    ("literal", "pattern"),
    [
        (r'"\"0"', '"0'),
        (r"'\'x\'0'", "'x'0"),
        (r'"0\\"', "0\\"),
        (r'"0\{"', "0{"),
        (r'"0\n"', "0\n"),
        (r'"\l0\g\a"', "<0>&"),
        (r'"0}"', "0}"),
        (r'"0\xE9g"', "0\u00e9g"),
    ],
)
def test_escapes_in_a_pattern(literal, pattern):
    assert _clean(f"${{u?string({literal})}}").placeholders[0].pattern == pattern


@pytest.mark.parametrize("name", ["a", "A", "_", "a1", "long_Name_2", "string"])
def test_names(name):
    assert _clean(f"${{{name}}}").names == {name}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("$${u}", "${u}"),
        ("$$${u}", "$${u}"),
        ("$$$${u}", "$$${u}"),
        ("$${", "${"),
        ("$${}$${", "${}${"),
        ("$$", "$$"),
        ("a$$b{", "a$$b{"),
    ],
)
def test_a_doubled_dollar_before_a_brace_is_one_dollar(text, meaning):
    assert _clean(text).segments == (meaning,)


@pytest.mark.parametrize("text", ["${WM}", "${WM:-/opt}", "${WM%.*}/x", "${WM", "${WM?string(0)}"])
def test_a_kept_name_is_left_alone(text):
    assert _clean(text, keep=["WM"]).segments == (text,)


def test_only_whole_names_are_kept():
    template = _clean("${WM}${WM2}${W}", keep={"WM"})
    assert template.names == {"WM2", "W"}


def test_the_default_of_a_kept_name_may_be_a_placeholder():
    assert _clean("${WM:-${u}}", keep=["WM"]).segments == ("${WM:-", Placeholder("u", None, 1, 7, 11), "}")


def test_a_dollar_after_a_placeholder_can_escape():
    assert [str(s) if isinstance(s, str) else s.name for s in _clean("${u}$${v}").segments] == ["u", "${v}"]


@pytest.mark.parametrize(
    ("text", "code", "columns"),
    [
        ("a ${u", "T101", (3, 5)),
        ("a ${u ${v}", "T101", (3, 5)),
        ("${u\n}", "T101", (1, 3)),
        ("${}", "T102", (1, 4)),
        ("${  }", "T102", (1, 6)),
        ("${1a}", "T103", (1, 6)),
        ("${a b}", "T103", (1, 7)),
        ("${a.b}", "T103", (1, 7)),
        ("${a-1}", "T103", (1, 7)),
        ("${ä}", "T103", (1, 5)),
        ("${a:-0}", "T103", (1, 8)),
        ("${a?c}", "T104", (1, 7)),
        ("${a?strin('0')}", "T104", (1, 16)),
        ("${a?}", "T104", (1, 6)),
        ("${a?string}", "T105", (1, 12)),
        ("${a?string()}", "T105", (1, 14)),
        ("${a?string(0.0)}", "T105", (1, 17)),
        ("${a?string['0']}", "T105", (1, 17)),
        ('${a?string("0)}', "T105", (1, 16)),
        ("${a?string(\"0')}", "T105", (1, 17)),
        ('${a?string("0")?c}', "T105", (1, 19)),
        (r'${a?string("0\q")}', "T105", (14, 16)),
        (r'${a?string("0\xD800")}', "T105", (14, 20)),
        ('${a?string("0${b}")}', "T105", (14, 16)),
        ('${a?string("0.0.0")}', "T106", (16, 17)),
        (r'${a?string("\\0.0.0")}', "T106", (18, 19)),
        ('${a?string("")}', "T106", (1, 16)),
        ('${a?string("percent")}', "T106", (13, 14)),
    ],
)
def test_what_is_malformed_is_found_where_it_stands(text, code, columns):
    finding = _only_finding(text)
    assert finding.code == code
    assert finding.place == Place("U", 1, *columns)
    assert finding.message
    assert finding.hint


def test_a_hint_offers_the_two_ways_to_a_literal():
    hint = _only_finding("${HOME:-/root}").hint
    assert "$${" in hint
    assert "list HOME under keep" in hint


def test_all_findings_are_found_and_good_placeholders_too():
    template, findings = parse('${}\n${a} ${1} ${b?string("0..")}\r\n${', "f")
    assert [(f.code, f.place.line, f.place.column) for f in findings] == [
        ("T102", 1, 1),
        ("T103", 2, 6),
        ("T106", 2, 25),
        ("T101", 3, 1),
    ]
    assert template.names == {"a"}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_do_not_shift_places(line_end):
    template = _clean(line_end.join(["", "ab ${x}", "${y}", ""]))
    assert [(p.line, p.column, p.end_column) for p in template.placeholders] == [(2, 4, 8), (3, 1, 5)]


def test_a_byte_order_mark_has_no_column():
    template = _clean("\ufeff${x}\n${y}")
    assert template.segments[0] == "\ufeff"
    assert [(p.line, p.column) for p in template.placeholders] == [(1, 1), (2, 1)]


def test_columns_count_characters():
    assert _clean("é\U0001f600${x}").placeholders[0].column == 3


@given(template_texts())
def test_nothing_but_placeholders_leaves_the_text(text):
    template, _ = parse(text, "f")
    lines = text.removeprefix("\ufeff").split("\n")
    pieces = [
        segment
        if isinstance(segment, str)
        else lines[segment.line - 1][segment.column - 1 : segment.end_column - 1]
        for segment in template.segments
    ]
    assert "".join(pieces) == text.replace("$${", "${")


@given(template_texts())
def test_places_point_at_the_text(text):
    template, findings = parse(text, "f")
    lines = text.removeprefix("\ufeff").split("\n")
    for placeholder in template.placeholders:
        shown = lines[placeholder.line - 1][placeholder.column - 1 : placeholder.end_column - 1]
        assert shown.startswith("${")
        assert shown.endswith("}")
        assert placeholder.name in shown
    for finding in findings:
        place = finding.place
        assert lines[place.line - 1][place.column - 1 : place.end_column - 1]


@given(st.lists(placeholder_texts(), min_size=1, max_size=5))
def test_well_formed_placeholders_are_never_findings(texts):
    template = _clean(" ".join(texts))
    assert len(template.placeholders) == len(texts)


@given(st.text(alphabet="${}?string(\"'0.)ab \\\n", max_size=40))
def test_any_text_is_read_or_found_fault_with(text):
    template, findings = parse(text, "f")
    unread = "".join(segment for segment in template.segments if isinstance(segment, str))
    if not findings:
        assert unread.count("${") == text.count("$${")


def test_unknown_names_are_found_with_the_near_one():
    template = _clean("${x_velocty}\n ${rho} ${zzz}")
    first, second = check(template, "U", ["x_velocity", "rho"])
    assert (first.code, first.place) == ("T107", Place("U", 1, 1, 13))
    assert "x_velocity" in first.hint
    assert second.place == Place("U", 2, 9, 15)
    assert "keep" in second.hint


def test_known_names_are_not_found():
    assert check(_clean('${x} ${y?string("0")}'), "U", {"x", "y", "z"}) == ()


def test_the_platform_knows_no_doubled_dollar():
    template = platform_template("$${x}")
    assert template.segments == ("$", Placeholder("x", None, 1, 2, 6))


@pytest.mark.parametrize(
    ("text", "line", "column"), [("a\n b ${", 2, 4), ("${x} ${}", 1, 6), ('\n${x?string("0#")}', 2, 14)]
)
def test_the_platform_refuses_what_is_no_placeholder(text, line, column):
    with pytest.raises(TemplateError) as caught:
        platform_template(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.exit_code is ExitCode.INVALID


def test_reading_takes_time_in_proportion_to_the_text():
    count = 5_000
    for part in ("${x}", "${", "$${", "${}", '${a?string("', "${a?string('0' "):
        template, findings = parse(part * count, "f")
        assert len(template.placeholders) + len(findings) + (part == "$${") > 0
