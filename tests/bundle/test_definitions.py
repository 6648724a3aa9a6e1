"""What a column is by definition: names are free, meanings are not, and no two meanings are one."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doe_compiler.bundle.definitions import definitions, reached_names, told_definition
from doe_compiler.bundle.recipe import recipe_digest
from doe_compiler.expressions.parser import parse
from doe_compiler.expressions.syntax import Name
from doe_compiler.spec.model import Formula, Variable

from .specs import (
    PLACE,
    a_spec,
    a_template,
    an_analysis,
    constant,
    expression,
    levels,
    with_analysis,
)

X = levels("x", "1", "2")
Y = levels("y", "1", "2")


def defined(name, *variables, **more):
    return definitions(a_spec(*variables, **more))(name)


def of(source, *more, **settings):
    return defined("f", X, Y, *more, expression("f", source, **settings))


# Expressions, drawn as texts

ATOMS = st.sampled_from(["x", "y", "c", "pi", "e", "1", "2", "0.5", "1e3"])


def nested(inner):
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner)
    calls = st.tuples(st.sampled_from(["sqrt", "abs", "exp"]), inner)
    choices = st.tuples(inner, inner, st.sampled_from(["<", "<=", "=="]), inner)
    return (
        pairs.map(lambda part: f"({part[0]} {part[1]} {part[2]})")
        | calls.map(lambda part: f"{part[0]}({part[1]})")
        | inner.map(lambda part: f"-{part}")
        | choices.map(lambda part: f"({part[0]} if {part[1]} {part[2]} {part[3]} else {part[0]})")
    )


SOURCES = st.recursive(ATOMS, nested, max_leaves=6)
C = constant("c", "2.5")


def without_offsets(node):
    """The tree as the parser makes it, but for where names stand in the source."""
    if isinstance(node, Name):
        return ("Name", node.name)
    if isinstance(node, tuple):
        return tuple(map(without_offsets, node))
    if hasattr(node, "__dataclass_fields__"):
        return (
            type(node).__name__,
            *(without_offsets(getattr(node, name)) for name in node.__dataclass_fields__),
        )
    return node


@given(SOURCES, SOURCES)
def test_two_expressions_have_one_definition_only_if_they_are_one_tree(one, two):
    is_one = without_offsets(parse(one)) == without_offsets(parse(two))
    assert (of(one, C) == of(two, C)) is is_one


@given(SOURCES)
def test_blanks_and_outer_brackets_mean_nothing(source):
    assert of(f"(  ({source} ) )", C) == of(source, C)


@given(SOURCES, st.sampled_from(["cc", "k", "density"]))
def test_the_name_of_a_constant_is_free_in_any_expression(source, name):
    renamed = rename(source, "c", name)
    assert of(source, C) == of(renamed, constant(name, "2.5"))


@given(SOURCES)
def test_the_name_of_a_varied_column_is_not_free(source):
    assume("x" in names_in(source))
    other = expression("f", rename(source, "x", "z"))
    assert defined("f", levels("z", "1", "2"), Y, C, other) != of(source, C)


@given(SOURCES)
def test_a_constant_counts_exactly_where_it_is_read(source):
    is_read = "c" in names_in(source)
    assert (of(source, C) != of(source, constant("c", "2.6"))) is is_read


def words(source):
    import re

    return re.split(r"(\b[a-z]\w*\b)", source)


def names_in(source):
    return set(words(source)[1::2])


def rename(source, name, other):
    return "".join(other if part == name else part for part in words(source))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("x - y - 1", "x - (y - 1)"),
        ("x / y * 2", "x / (y * 2)"),
        ("x ** y ** 2", "(x ** y) ** 2"),
        ("x + y * 2", "(x + y) * 2"),
        ("-x ** 2", "(-x) ** 2"),
        ("x + y", "y + x"),
        ("x if x < y else y", "y if x < y else x"),
        ("1 if 0 < x < 2 and x < y else 2", "1 if 0 < x and 2 < x < y else 2"),
        ("min(x, y, 1)", "min(x, min(y, 1))"),
        ("1 if x == 1 else 2", "1 if x == '1' else 2"),
    ],
)  # fmt: skip
def test_the_order_of_what_is_computed_counts(one, two):
    assert of(one) != of(two)


@pytest.mark.parametrize(
    ("one", "two"), [("x+y", " x  + y "), ("1.50*x", "1.5*x"), ("(x)", "x"), ("1e3*x", "1000*x")]
)
def test_how_an_expression_is_written_does_not_count(one, two):
    assert of(one) == of(two)


# Formats, texts, whole numbers, seeds


def test_every_setting_that_changes_a_cell_changes_the_definition():
    plain = {
        "constant": defined("c", X, constant("c", "2.50")),
        "text": defined("c", X, constant("c", "2.5")),
        "formatted": defined("c", X, constant("c", "2.50", format="0.0")),
        "expression": of("x"),
        "integer": of("x", is_integer=True),
        "formatted expression": of("x", format="0.0"),
        "longer": of("x", format="0.00"),
        "dollar": defined("doe_dollar", X),
        "dollar as constant": defined("c", X, constant("c", "$")),
        "seed": defined("doe_seed", X, seed=7),
        "another": defined("doe_seed", X, seed=8),
        "varied": defined("x", X),
        "replicate": defined("doe_replicate", X),
    }
    assert len(set(plain.values())) == len(plain)


@pytest.mark.parametrize("more", [{"unit": "m"}, {"description": "d"}, {"role": "Output"}, {"raw": {"a": 1}}])
def test_what_no_run_sees_changes_no_definition(more):
    assert of("x", **more) == of("x")
    assert defined("c", X, constant("c", "1", **more)) == defined("c", X, constant("c", "1"))


def test_cells_of_a_varied_column_are_identity_and_no_definition():
    assert defined("x", X) == defined("x", levels("x", "7", format="0.0"))
    assert of("2 * x") == defined("f", levels("x", "7", "8", "9"), Y, expression("f", "2 * x"))


def test_a_seed_counts_behind_its_own_column_only():
    spec = a_spec(X, constant("c", "1"), expression("f", "x + c"), seed=7)
    again = replace(spec, seed=8)
    for name in ("x", "c", "f", "doe_replicate"):
        assert definitions(spec)(name) == definitions(again)(name)


def test_a_long_sum_and_a_long_chain_of_expressions_have_definitions():
    chain = [expression("e0", "x")] + [expression(f"e{n}", f"e{n - 1} + {n}") for n in range(1, 3000)]
    assert defined("e2999", X, *chain) != defined("e2998", X, *chain)
    assert defined("e2999", X, *reversed(chain)) == defined("e2999", X, *chain)
    total = " + ".join(["x"] * 240)
    assert of(total) != of(total + " + x")


def test_two_expressions_that_mean_the_same_by_other_names_are_one():
    one = defined("f", X, constant("a", "2"), expression("g", "a * x"), expression("f", "g + 1"))
    two = defined("h", X, constant("b", "2"), expression("k", "b * x"), expression("h", "k + 1"))
    assert one == two


# What reaches a run


def reaching(*names, command="./solve"):
    variables = (
        X,
        constant("a", "1"),
        constant("b", "2"),
        expression("f", "a * x"),
        expression("g", "f + b"),
    )
    deck = "".join(f"${{{name}}}" for name in names)
    analysis = an_analysis(command, templates=(a_template(deck or "-"),))
    return a_spec(*variables, analyses=(analysis,))


@pytest.mark.parametrize(
    ("named", "reached"),
    [
        ([], set()),
        (["x"], {"x"}),
        (["f"], {"f", "a", "x"}),
        (["g"], {"g", "f", "a", "b", "x"}),
        (["b", "doe_seed"], {"b", "doe_seed"}),
    ],
)
def test_what_is_named_and_what_that_reads_reaches_a_run(named, reached):
    assert reached_names(reaching(*named)) == reached
    by_shell = with_analysis(reaching(), shell_names=tuple(named))
    assert reached_names(by_shell) == reached


@pytest.mark.parametrize("through", ["template", "shell"])
@pytest.mark.parametrize("named", ["a", "b", "f", "g"])
@pytest.mark.parametrize("changed", ["a", "b"])
def test_a_constant_changes_the_recipe_exactly_if_it_reaches_a_run(named, changed, through):
    spec = reaching(named) if through == "template" else with_analysis(reaching(), shell_names=(named,))
    variables = tuple(constant(v.name, "9") if v.name == changed else v for v in spec.variables)
    is_new = recipe_digest(replace(spec, variables=variables)) != recipe_digest(spec)
    assert is_new is (changed in reached_names(spec))


def test_a_column_that_only_a_response_reads_reaches_no_recipe():
    spec = with_analysis(reaching(), measured_names=("g",))
    variables = tuple(constant(v.name, "9") if v.name == "a" else v for v in spec.variables)
    assert recipe_digest(replace(spec, variables=variables)) == recipe_digest(spec)


def test_definitions_are_told_as_they_were_written():
    assert told_definition(constant("c", "2.50")) == "2.50"
    assert told_definition(constant("c", "2.50", format="0.0")) == "2.50 as 0.0"
    assert told_definition(expression("f", "x  * 2", format="0")) == "x  * 2 as 0"
    assert told_definition(X) is None


@given(SOURCES)
def test_definitions_do_not_hang_on_the_order_of_the_file(source):
    f = Variable("f", Formula(source, parse(source)), PLACE)
    assert defined("f", f, C, Y, X) == defined("f", X, Y, C, f)
