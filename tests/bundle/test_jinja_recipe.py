"""What of a Jinja template buys runs again: goldens of its lowering, and what is free."""

from dataclasses import replace
from pathlib import Path

import pytest

from doe_compiler.bundle.recipe import recipe_digest
from doe_compiler.design.build import build
from doe_compiler.design.lowering import lowered_spec
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.spec.model import Levels
from doe_compiler.templates.template import Source, Unlowered

from .specs import a_spec, a_template, an_analysis, constant, expression, levels

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {"a.inc": "I {{ x }}\n", "t.csv": "k,v\n1,10\n2,20\n"}


def spec_of(text, *variables, files=FILES, names=None):
    def read(path):
        if path not in files:
            raise LookupError("does not exist")
        return files[path]

    variables = variables or (levels("x", "1", "2"), constant("rho", "1.5"))
    task = a_template("${x}")
    known = frozenset(names or [variable.name for variable in variables])
    task = replace(task, template=Unlowered(Source(text, "deck.j2", "", (), read), known), syntax="jinja")
    made, findings = lowered_spec(a_spec(*variables, analyses=(an_analysis(templates=(task,)),)))
    assert findings == []
    return made


def recipe(text, *variables, **more):
    return recipe_digest(spec_of(text, *variables, **more))[:16]


# These stand: another digest would run every study with such a template again.
GOLDENS = {
    "{{ x }}": "e23f47082fac27f2",
    "{{ x * 2 }} {{ rho }}": "8ce9aa46f68e095d",
    "{{ '%.3f'|format(x + rho) }}": "f15d3736bc1eeb44",
    "{% for i in range(3) %}{{ i * x }},{% endfor %}": "93b12a545e02cba2",
    "{% if x > 1 %}a{% else %}{{ x }}{% endif %}": "8cf98f236760bde5",
    "{% for i in range(x) %}{{ i }}{% endfor %}": "01a3b7b6e5ae025e",
    "{% set k = 1 %}{% if x > 1 %}{% set k = 2 %}{% endif %}{{ k }}": "51878d8ed38af4c2",
    "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m(x) }}{{ m(x)|upper }}": "825f8cc380401fca",
    "{% include 'a.inc' %}": "ef3c6513775a16a9",
    "{{ x|lookup('t.csv', 'v') }}": "bfed9a14bf4b4e44",
    "{{ x|field(8) }}{{ x|fortran('E12.4') }}{{ x|to('mm', 'm') }}": "b3d06418bcecec66",
    "{% set ns = namespace(t=0) %}{% for i in range(x) %}{% set ns.t = ns.t + 1 %}{% endfor %}{{ ns.t }}": "bee92ca866a36963",
    "{{ doe_seed }} {{ doe_seed + 1 }}": "85a8736af799696e",
}


@pytest.mark.parametrize("text", GOLDENS)
def test_the_recipe_of_a_template_stays_as_it_was(text):
    assert recipe(text, names=["x", "rho", "doe_seed"]) == GOLDENS[text]


def test_the_recipe_of_the_example_stays_as_it_was():
    bundle, _ = compiled(EXAMPLES / "wall" / "study.yaml")
    assert bundle.recipe[:16] == "29bda904ea73e447"


X = levels("x", "1", "2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{{ x * 2 }}", "{{ x*2 }}{# why #}"),
        ("{{ x * 2 }}", "{% set y = x %}{{ y * 2 }}"),
        ("{{ x * 2 }}", "{% macro m(a) %}{{ a * 2 }}{% endmacro %}{{ m(x) }}"),
        ("ab{{ x }}", "{% for i in ['a', 'b'] %}{{ i }}{% endfor %}{{ x }}"),
        ("I {{ x }}\n", "{% include 'a.inc' %}"),
        ("{{ x }} 1.5", "{{ x }} {{ rho }}"),
        ("{% if x > 1 %}a{% endif %}", "{% if x > 1 %}{# why #}a{% endif %}"),
    ],
)  # fmt: skip
def test_what_writes_the_same_is_the_same(one, other):
    assert recipe(one) == recipe(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{{ x * 2 }}", "{{ x * 2.0 }}"),
        ("{{ x }}", "{{ x }} "),
        ("{% if x > 1 %}a{% endif %}", "{% if x > 1 %}b{% endif %}"),
        ("{% if x > 1 %}a{% endif %}", "{% if x >= 1 %}a{% endif %}"),
        ("{{ x * rho }}", "{{ x * 1.6 }}"),
    ],
)
def test_what_writes_something_else_is_another(one, other):
    assert recipe(one) != recipe(other)


def test_names_of_constants_and_expressions_are_free_and_their_values_are_not():
    text = "{{ x * rho }} {{ twice + 1 }}"

    def with_(name, value, source):
        words = text.replace("rho", name)
        return recipe(words, X, constant(name, value), expression("twice", source))

    assert with_("rho", "1.5", "2*x") == with_("density", "1.5", "2*x")
    assert with_("rho", "1.5", "2*x") != with_("rho", "1.6", "2*x")
    assert with_("rho", "1.5", "2*x") != with_("rho", "1.5", "3*x")


def test_more_levels_and_runs_are_no_other_recipe_and_another_type_is():
    text = "{{ x * 2 }}"
    assert recipe(text, X) == recipe(text, levels("x", "1", "2", "3.5"))
    assert recipe(text, X) != recipe(text, replace(X, is_float=True))
    assert recipe("{{ x }}", X) == recipe("{{ x }}", replace(X, is_float=True))


def test_a_unit_counts_where_it_is_converted_from_and_nowhere_else():
    metre, foot = replace(X, unit="m"), replace(X, unit="ft")
    assert recipe("{{ x * 2 }}", metre) == recipe("{{ x * 2 }}", foot)
    assert recipe("{{ x|to('mm') }}", metre) != recipe("{{ x|to('mm') }}", foot)


def test_files_that_a_template_reads_count_by_what_they_put_into_runs():
    table, include = "{{ x|lookup('t.csv', 'v') }}", "{% if x > 1 %}{% include 'a.inc' %}{% endif %}"
    for text, file in ((table, "t.csv"), (include, "a.inc")):
        changed = {**FILES, file: FILES[file].replace("0", "5").replace("I", "J")}
        assert recipe(text) != recipe(text, files=changed)
        assert recipe(text) == recipe(text, files={**FILES, "other.inc": "unread"})
    commented = {**FILES, "a.inc": FILES["a.inc"] + "{# a comment #}"}
    assert recipe(include) == recipe(include, files=commented)


def test_more_rows_change_no_cell_of_a_derived_column():
    text = "{{ x * 2 }} {{ '%.2f'|format(x) }}"

    def cells(*texts):
        spec = spec_of(text, replace(X, law=Levels(texts)))
        design, _ = build(spec)
        return [[design.column(column.name).cells()[row] for column in spec.derived] for row in range(2)]

    assert cells("1", "2") == cells("1", "2", "3.5", "1e3")
