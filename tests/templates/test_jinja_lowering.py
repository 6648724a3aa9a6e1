"""The theorem of lowering: what a run reads is what Jinja renders for it, byte for byte."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.design.number_text import printed_cells
from doe_compiler.templates.jinja.lowering import lowered
from doe_compiler.templates.jinja.values import Kind
from doe_compiler.templates.lowered import Failure
from doe_compiler.templates.template import Source

from .jinja_decks import by_jinja, by_lowering, lowered_deck, reader, values

ROWS = {"x": ["1.5", "2.5", "3.50"], "n": ["1", "2", "3"], "m": ["steel", "al, x", " pad"]}
CONSTANTS = {"rho": 1.225, "k": 4, "names": ("a", "b")}
FILES = {
    "inc": "INC {{ x }} {{ rho }}\n",
    "m.j2": "{% macro f(a, w=8) %}{{ '%*.2f'|format(w, a) }}{% endmacro %}{% set top = 3 %}",
    "base.j2": "<{% block body %}base {{ n }}{% endblock %}>{% block tail %}{% endblock %}",
}

# Text, and how many derived columns it needs; -1: the whole template is one.
DECKS = [
    ("plain, no tag", 0),
    ("literal ${x} and $${y}, {# a comment #}", 0),
    ("T = {{ x }} K, {{ '%.1f'|format(x * 1.8) }} R, {{ rho * 2 }}", 1),
    ("{{ x * 2 }} and again {{ x*2 }}", 1),
    ("{{ x }}{{ n }}{{ m }}{{ m|upper }}{{ m.upper() }}{{ m[0] }}", 3),
    ("{% for i in range(3) %}L{{ i * x }},{{ loop.index }}{% if not loop.last %};{% endif %}{% endfor %}", 3),
    ("{% macro card(a, b=2) %}[{{ a }}|{{ a * b }}]{% endmacro %}{{ card(x) }}{{ card(3) }}{{ card(x)|upper }}", 2),
    ("{% if x > 3 %}big{% else %}small {{ rho }}{% endif %}", 1),
    ("{% for i in range(n) %}{{ i * rho }},\n{% endfor %}", 1),
    ("{% set y = x * 2 %}{% set z = y + 1 %}{{ z }} {{ y ~ 'a' }}", 2),
    ("{% filter upper %}a{{ m }}{% endfilter %}", 1),
    ("{% set q %}a{{ x }}{% endset %}{{ q }} {{ q|length }}", 1),
    ("{% set q | replace('a', 'b') %}a{{ m }}{% endset %}{{ q }}", 1),
    ("{% set ns = namespace(t=0) %}{% for i in range(3) %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}", 1),
    ("{% for i in range(2) %}{% if x > loop.index %}A{{ i }}{% endif %}{% endfor %}", 2),
    ("{% macro c(a) %}{{ a }}:{{ caller(a * 2) }}{% endmacro %}{% call(v) c(x) %}<{{ v }}>{% endcall %}", 1),
    ("{% if x > 2 %}{% set k=1 %}{% set j=k+x %}{% elif n %}{% set j=0 %}{% set k=rho %}{% else %}{% set j=1 %}{% endif %}{{ k }} {{ j }}", 3),
    ("{% set k = 5 %}{% if x > 2 %}a{% set k = k + 1 %}{% endif %}{{ k }}", 2),
    ("{{ {1: 2, 2: 3, 3: 4}[n] }} {{ [1, 2, 3, 4][n] }} {{ x if n > 2 else rho }}", 3),
    ("{% include 'inc' %}{% import 'm.j2' as lib %}{{ lib.f(x) }}{% from 'm.j2' import f, top %}{{ f(n, 3) }}{{ top }}", 2),
    ("{% import 'm.j2' as lib %}{% if x > 2 %}{{ lib.f(x) }}{% endif %}", 1),
    ("{% if x > 2 %}{% include 'inc' %}{% endif %}", -1),
    ("{% set ns = namespace(t=0) %}{% for i in range(n) %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}", -1),
    ("{% for a, b in [(x, 1), (2, n)] %}{{ a + b }} {{ loop.last }}{% endfor %}", 2),
    ("{% with a=x, b=2 %}{{ a * b }}{% endwith %}", 1),
    ("{% for i in [x, n] if i > 2 %}{{ i }}{% else %}none{% endfor %}", 1),
    ("{{ [x, n]|sum }} {{ [x, n]|join('-') }} {{ x is number }} {{ zz is defined }} {{ zz|default(x) }}", 4),
    ("{% macro g() %}{{ x }}{% if n > 1 %}{{ k }}{% endif %}{% endmacro %}{{ g() }}", 1),
    ("{% macro rec(i) %}{{ i }}{% if i < 3 %}{{ rec(i + 1) }}{% endif %}{% endmacro %}{{ rec(0) }} {{ rec(n) }}", 1),
    ("a\r\n{{ x }}\r{% if n > 1 %}b\r\n{% endif %}\n\n", 1),
    ("\ufeff{{ x }}{% raw %}{{ no }}\r\n{% endraw %}", 0),
    ("{{ 'a' if x > 2 and n > 2 or m == 'steel' else 'b' }}{{ not x }}{{ -x }}", 3),
    ("{{ m ~ x ~ rho }}{{ x ~ '' }}", 2),
    ("{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{{ i if not loop.last else x }}{% endfor %}", 0),
    ("{% extends 'base.j2' %}{% block body %}{{ super() }}, {{ x * 2 }}{% endblock %}", 1),
    ("{% for name in names %}{{ name }}={{ x }};{% endfor %}{{ names|length }}", 0),
    ("{%- if k == 4 -%}  {{ x }}  {%- endif -%}  \n  {{- n -}} ", 0),
    ("{{ x|round(1) }} {{ n|string ~ 'mm' }} {{ '%03d'|format(n) }} {{ '{:>8.2f}'.format(x) }}", 4),
    ("{% for i in range(k) %}{% for j in range(i) %}{{ i * j * n }} {% endfor %}\n{% endfor %}", 4),
    ("{% set t = {'steel': 210e9, 'al, x': 70e9, ' pad': 1} %}E = {{ t[m] }}", 1),
    ("{% set a, b = x, n %}{{ a }}/{{ b }}", 0),
    ("{{ x if x is defined else 0 }}", 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "columns"), DECKS, ids=[text for text, _ in DECKS])
def test_lowering_and_filling_in_gives_what_jinja_renders(text, columns):
    expected = by_jinja(text, ROWS, CONSTANTS, FILES)
    assert all(isinstance(each, str) for each in expected), expected
    assert by_lowering(text, ROWS, CONSTANTS, FILES) == expected
    found = lowered_deck(text, ROWS, CONSTANTS, FILES)
    assert (bool(found.reason), len(found.columns)) == (columns < 0, abs(columns))


NAMES = st.sampled_from(["x", "n", "m", "rho", "k", "i", "y"])
LITERALS = st.sampled_from(["0", "1", "2.5", "'a'", "'b, c'", "true", "none", "[1, 2]", "(3,)"])
FILTERS = st.sampled_from(
    [
        "upper",
        "string",
        "length",
        "abs",
        "round(1)",
        "int",
        "float",
        "default(1)",
        "list",
        "first",
        "join(',')",
        "title",
    ]
)
TESTS = st.sampled_from(["number", "string", "defined", "odd", "none", "sequence", "divisibleby(2)"])
EXPRESSIONS = st.recursive(
    NAMES | LITERALS,
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(
                ["+", "-", "*", "/", "~", "==", "!=", "<", "<=", ">", "in", "and", "or", "//", "%"]
            ),
            inner,
        ).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, FILTERS).map(lambda t: f"({t[0]})|{t[1]}"),
        st.tuples(inner, TESTS).map(lambda t: f"(({t[0]}) is {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[{t[0]}, {t[1]}]"),
        inner.map(lambda e: f"(not {e})"),
        inner.map(lambda e: f"'%s'|format({e})"),
        st.tuples(inner, inner).map(lambda t: f"mac({t[0]}, b={t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"{{{t[0]!r}: 1}}.get({t[1]}, 'no')"),
    ),
    max_leaves=5,
)
TEXTS = st.sampled_from(["", "a", " ", "\n", "${x}", ", ", "\r\n", "$", "{ }", "é"])
PARTS = st.recursive(
    st.one_of(
        TEXTS,
        EXPRESSIONS.map(lambda e: f"{{{{ {e} }}}}"),
        EXPRESSIONS.map(lambda e: f"{{% set y = {e} %}}"),
        EXPRESSIONS.map(lambda e: f"{{% set ns.t = {e} %}}{{{{ ns.t }}}}"),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(EXPRESSIONS, inner, inner).map(
            lambda t: f"{{% if {t[0]} %}}{t[1]}{{% else %}}{t[2]}{{% endif %}}"
        ),
        st.tuples(EXPRESSIONS, inner).map(
            lambda t: f"{{% for i in ({t[0]})|list %}}{t[1]}{{{{ loop.index }}}}{{% endfor %}}"
        ),
        st.tuples(st.sampled_from(["range(3)", "range(n)", "[x, 2]", "names"]), inner).map(
            lambda t: f"{{% for i in {t[0]} %}}{t[1]}{{% endfor %}}"
        ),
        inner.map(lambda p: f"{{% filter upper %}}{p}{{% endfilter %}}"),
        inner.map(lambda p: f"{{% set y %}}{p}{{% endset %}}{{{{ y }}}}"),
        st.tuples(EXPRESSIONS, inner).map(lambda t: f"{{% with y={t[0]} %}}{t[1]}{{% endwith %}}"),
        st.tuples(EXPRESSIONS, inner).map(lambda t: f"{{% call mac({t[0]}) %}}{t[1]}{{% endcall %}}"),
    ),
    max_leaves=8,
)
BEFORE = (
    "{% set ns = namespace(t=0) %}{% macro mac(a, b=x) %}<{{ a }}:{{ b }}{% if n > 2 %}{{ k }}{% endif %}"
    "{% if caller is defined %}{{ caller() }}{% endif %}>{% endmacro %}{% set y = 1 %}{% set i = n %}"
)


@settings(max_examples=int(os.environ.get("DOE_TEMPLATES", "700")), deadline=None)
@given(PARTS)
def test_the_theorem_holds_for_any_template(text):
    """Where Jinja renders every run, lowering gives the same; where it fails for some run, lowering fails too."""
    expected = by_jinja(BEFORE + text, ROWS, CONSTANTS, FILES)
    found = by_lowering(BEFORE + text, ROWS, CONSTANTS, FILES)
    if all(isinstance(each, str) for each in expected):
        assert found == expected
    else:
        assert any(isinstance(each, Failure) for each in found), (found, expected)


def definitions(text, rows=ROWS, files=FILES):
    return [column.name for column in lowered_deck(text, rows, CONSTANTS, files).columns]


def test_a_derived_column_is_named_by_what_it_is():
    assert definitions("{{ x * 2 }}") == definitions("a{# why #}\n{{ x*2 }}{{ (x * 2) }}")
    assert definitions("{% for i in [2] %}{{ x * i }}{% endfor %}") == definitions("{{ x * 2 }}")
    assert definitions("{{ x * 2 }}") != definitions("{{ x * 2.0 }}")
    assert definitions("{{ x * 2 }}") != definitions("{{ n * 2 }}")
    assert definitions("{% if x > 1 %}a{% endif %}") != definitions("{% if x > 1 %}b{% endif %}")


def test_what_an_import_puts_into_a_column_counts():
    text = "{% import 'm.j2' as lib %}{% if x > 2 %}{{ lib.f(x) }}{% endif %}"
    changed = {**FILES, "m.j2": FILES["m.j2"].replace("2f", "3f")}
    commented = {**FILES, "m.j2": FILES["m.j2"] + "{# a comment #}"}
    assert definitions(text) != definitions(text, files=changed)
    assert definitions(text) == definitions(text, files=commented)
    whole = "{% if x > 2 %}{% include 'inc' %}{% endif %}"
    assert definitions(whole) != definitions(whole, files={**FILES, "inc": "other"})


def test_a_template_that_fails_for_no_run_yet_is_a_failure_with_its_place():
    found = lowered_deck("a\n  {{ k / (k - 4) }}", ROWS, CONSTANTS)
    assert isinstance(found, Failure)
    assert (found.file, found.position, found.message) == ("deck", 8, "division by zero")


@pytest.mark.parametrize(
    ("text", "rows", "position"),
    [
        ("ab {{ 1 / (x - 2.5) }}", [1], 7),
        ("{% set y = 1 / (n - 3) %}{{ y }}", [2], 12),
        ("{% if n > 1 %}{{ 1 / (x - 2.5) }}{% endif %}", [1], 18),
        ("{% if n > 1 %}{% include 'inc' %}{{ m + 1 }}{% endif %}", [1, 2], 37),
        ("{{ {1: 2}[n] + 1 }}", [1, 2], 4),
    ],
)
def test_a_row_that_fails_is_told_with_its_place(text, rows, position):
    found = by_lowering(text, ROWS, CONSTANTS, FILES)
    assert [(failure.row, failure.position) for failure in found] == [(row, position) for row in rows]


ARITHMETIC = st.recursive(
    st.sampled_from(["x", "y", "k", "2", "0.5", "1e300", "-3"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda e: f"(-{e})"),
        inner.map(lambda e: f"({e})|round(2)"),
        inner.map(lambda e: f"({e})|round"),
        inner.map(lambda e: f"({e})|abs"),
        st.tuples(st.sampled_from(["%.3f", "%d", "%e", "a%gb%%", "%s", "%5.1f|"]), inner).map(
            lambda t: f"'{t[0]}'|format({t[1]})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} > 1 else {t[2]})"),
    ),
    max_leaves=6,
)
FLOATS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0.001, 1e4)
    | st.sampled_from([0.0, 1.0, 1e-5, 1e16]),
    min_size=3,
    max_size=3,
)


@settings(max_examples=int(os.environ.get("DOE_TEMPLATES", "400")), deadline=None)
@given(st.lists(ARITHMETIC, min_size=1, max_size=4), FLOATS, FLOATS)
def test_the_short_way_for_numbers_gives_what_jinja_gives(expressions, xs, ys):
    """Columns of numbers are reckoned with in compiled loops or whole arrays; the texts are the same."""
    text = " ".join(f"{{{{ {expression} }}}}" for expression in expressions)
    rows = {"x": [repr(x + 0.0) for x in xs], "y": [repr(y + 0.0) for y in ys]}
    kinds = {"x": Kind.FLOAT, "y": Kind.FLOAT}
    expected = by_jinja(text, rows, CONSTANTS, kinds=kinds)
    source = Source(text, "deck", "", (), reader({}))
    found = lowered(source, CONSTANTS, dict.fromkeys(rows, ("float", "")), frozenset(rows))
    if isinstance(found, Failure):
        assert any(isinstance(each, Exception) for each in expected)
        return
    program = found.program
    seen = values(rows, kinds)
    numbers = {name: np.asarray([float(value) for value in seen[name]]) for name in program.numbers}
    columns, failures = program.texts({**seen, **numbers}, 3, [column.name for column in found.columns])
    if failures:
        assert any(isinstance(each, Exception) for each in expected)
        return
    cells = {
        name: printed_cells(made) if isinstance(made, np.ndarray) else made for name, made in columns.items()
    }
    assert expected == [
        "".join(
            part if isinstance(part, str) else {**rows, **cells}[part.name][row]
            for part in found.template.segments
        )
        for row in range(3)
    ]
