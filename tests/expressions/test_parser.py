"""The parser: trees as Python reads them, and a clear word for everything else."""

import ast
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.expressions.parser import (
    ARITIES,
    ExpressionError,
    is_condition,
    mentioned,
    names,
    parse,
)
from doe_compiler.expressions.syntax import (
    Binary,
    Call,
    Comparison,
    Conditional,
    Name,
    Number,
    Text,
    Unary,
)


def pythonic(node):
    """The fully bracketed text of a tree."""
    match node:
        case Number(value):
            return repr(float(value))
        case Text(value):
            return repr(value)
        case Name(name, _):
            return name
        case Unary(operator, operand):
            return f"({operator} {pythonic(operand)})"
        case Binary(operator, left, right):
            return f"({pythonic(left)} {operator} {pythonic(right)})"
        case Comparison(operators, operands):
            rest = (f" {o} {pythonic(x)}" for o, x in zip(operators, operands[1:], strict=True))
            return f"({pythonic(operands[0])}{''.join(rest)})"
        case Conditional(condition, then, otherwise):
            return f"({pythonic(then)} if {pythonic(condition)} else {pythonic(otherwise)})"
        case Call(function, arguments):
            return f"{function}({', '.join(map(pythonic, arguments))})"


class AsFloats(ast.NodeTransformer):
    def visit_Constant(self, node):
        if isinstance(node.value, int):
            return ast.Constant(float(node.value))
        return node


def dumped(source):
    return ast.dump(AsFloats().visit(ast.parse(source, mode="eval")))


@pytest.mark.parametrize(
    "source",
    [
        "1 + 2*x - y/4",
        "-x**2",
        "2**-x**y",
        "-(x + -y)",
        "a - b - c",
        "a / b / c * d",
        "0 < x <= 1 and not y == 2 or z != 3",
        "x if a < b else y if c else_ else z".replace("c else_", "c > 0"),
        'x if s == "box" else y',
        "max(x, y, min(1, 2)) + atan2(y, x)",
        "not not x > 1",
        "1.5e-3*x + .5 + 2.",
        "(a if x > 0 else b) * 2",
        "sqrt(x**2 + y**2)",
    ],
)
def test_trees_are_read_as_python_reads_them(source):
    assert dumped(pythonic(parse(source))) == dumped(source)


def arithmetic():
    leaves = st.sampled_from(["x", "y", "1", "2.5", "pi"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(
                "{0[0]} {0[1]} {0[2]}".format
            ),
            inner.map("-{}".format),
            inner.map("({})".format),
            inner.map("sqrt({})".format),
        ),
        max_leaves=12,
    )


@given(arithmetic())
def test_precedence_is_python_s_for_any_arithmetic(source):
    assert dumped(pythonic(parse(source))) == dumped(source)


@given(st.text(alphabet="xy12.e+-*/()<>=!&|\"' ifandorel,[]$^\x00é", max_size=40))
def test_any_text_is_a_tree_or_a_placed_error(source):
    try:
        parse(source)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(source)
        assert error.length >= 1
        assert error.message


def test_numbers_are_exact():
    assert parse("0.1") == Number(Fraction(1, 10))
    assert parse("1e-5") == Number(Fraction(1, 100000))
    assert parse("0e999999999") == Number(Fraction(0))


def test_names_are_the_variables_without_the_constants():
    expression = parse('2*pi*r if shape == "e" else e + max(h, r)')
    assert names(expression) == {"r", "shape", "h"}
    assert mentioned(expression) == {"r", "shape", "h", "pi", "e"}


@pytest.mark.parametrize(
    "source", ["x > 1", "not x > 1", "x > 1 or y > 1", "(a>b if x>0 else c>d)", "0 < x < 1"]
)
def test_conditions_are_told_from_numbers(source):
    assert is_condition(parse(source))


@pytest.mark.parametrize("source", ["x", "x + 1", "1 if x > 1 else 0", '"text"', "abs(x)"])
def test_numbers_and_texts_are_no_conditions(source):
    assert not is_condition(parse(source))


@pytest.mark.parametrize(
    ("source", "offset", "message", "hint"),
    [
        ("x^2", 1, "'^'", "**"),
        ("x && y", 2, "'&&'", "and"),
        ("x = 2", 2, "'='", "=="),
        ("x.real", 1, "'.'", "attributes"),
        ("x[0]", 1, "'['", "subscripts"),
        ("sqr(x)", 0, "no function 'sqr'", "did you mean sqrt?"),
        ("frobnicate(x)", 0, "no function", "known are abs"),
        ("2x", 1, "followed by 'x'", "2*x"),
        ("1_000", 1, "followed by '_000'", ""),
        ("012 + x", 0, "begins with a zero", "12"),
        ("x +", 3, "ends too early", "missing"),
        ("", 0, "empty", ""),
        ("  ", 0, "empty", ""),
        ("(x", 2, "')' is expected", ""),
        ("x y", 2, "'y' is not expected", "operator"),
        ("x(2)", 0, "no function 'x'", ""),
        ("(x)(2)", 3, "only a function", "multiply"),
        ("sqrt(x, y)", 0, "takes 1 arguments, not 2", ""),
        ("max(x)", 0, "takes 2 or more arguments", ""),
        ("sqrt()", 0, "takes 1", ""),
        ('x < "a"', 2, "cannot order texts", "=="),
        ('x + "a"', 2, "needs a number, not a text", "compared"),
        ("(x > 1)*2", 7, "needs a number, not a condition", "if condition"),
        ("x and y > 1", 2, "needs a condition", "compare"),
        ("1 if x else 2", 2, "needs a condition", ""),
        ("1 if x > 1", 10, "'else' is expected", ""),
        ('1 if x > 1 else "a"', 2, "one side of the conditional", ""),
        ("(a<b) == (c<d)", 6, "cannot compare conditions", ""),
        ('"open', 0, "'\"'", "closing quote"),
        ("1e999", 0, "too large", ""),
        ("1e-999", 0, "too small", ""),
        ("x\x00", 1, "means nothing", ""),
        ("not x", 0, "needs a condition", ""),
        ("if", 0, "'if'", ""),
        ("${x}", 0, "'$'", "name alone"),
        ("lambda: 1", 6, "':'", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_place(source, offset, message, hint):
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    assert message in caught.value.message
    assert hint in caught.value.hint
    if message not in ("'$'", "':'"):
        assert caught.value.offset == offset


@pytest.mark.parametrize("opened", ["(", "sqrt(", "2**", "- ", "1 if x > 0 else ", "not "])
def test_nesting_is_bounded(opened):
    closing = ")" if "(" in opened else ""
    inner = "x > 1" if opened == "not " else "x"
    assert parse(opened * 60 + inner + closing * 60)
    with pytest.raises(ExpressionError, match="deeper than 64|more than 500"):
        parse(opened * 80 + inner + closing * 80)


def test_length_is_bounded():
    assert parse("+".join(["x"] * 250))
    with pytest.raises(ExpressionError, match="more than 500"):
        parse("+".join(["x"] * 251))
    with pytest.raises(ExpressionError, match="more than 4000"):
        parse("x" * 4001)


def test_parsing_imports_no_numpy():
    code = "import sys, doe_compiler.expressions.parser; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_function_is_known_to_the_evaluation():
    from doe_compiler.expressions.elementary import FUNCTIONS

    assert FUNCTIONS.keys() == ARITIES.keys()
