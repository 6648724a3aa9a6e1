"""Strategies: names, number patterns, placeholders as people write them, and whole template texts."""

from hypothesis import strategies as st

NAMES = ("x", "y", "rho", "U_inf", "_t1", "WM_DIR", "string")
BLANKS = st.sampled_from(["", "", " ", "\t "])
PATTERNS = st.sampled_from(
    ["0", "0.00##", "##0.0E0", "0.0;(0.0)", "0'}'", "''0", '"0"', "0\\\\", "'{'0", "0 \u2030", "0\n"]
)
LITERALS = st.lists(
    st.sampled_from(
        [
            "a",
            "$",
            "{",
            "}",
            "\r\n",
            "\n",
            "\r",
            "\ufeff",
            "}$",
            "é",
            "\U0001f600",
            "# {",
            "\t",
            "\\",
            '"',
            "?string(",
        ]
    ),
    max_size=6,
).map("".join)


def escaped(pattern, quote):
    text = pattern.replace("\\", "\\\\").replace("\n", "\\n").replace("{", "\\{")
    return quote + text.replace(quote, "\\" + quote) + quote


@st.composite
def placeholder_texts(draw):
    name = draw(BLANKS) + draw(st.sampled_from(NAMES)) + draw(BLANKS)
    if draw(st.booleans()):
        return "${" + name + "}"
    pattern = escaped(draw(PATTERNS), draw(st.sampled_from("\"'")))
    b1, b2, b3, b4 = (draw(BLANKS) for _ in range(4))
    return "${" + name + "?" + b1 + "string" + b2 + "(" + b3 + pattern + b4 + ")" + "}"


def template_texts():
    part = LITERALS | placeholder_texts() | st.sampled_from(["$${", "${", "${}", "${WM_DIR:-/x}"])
    return st.lists(part, max_size=12).map("".join)


def rows():
    numbers = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str)
    return st.fixed_dictionaries(dict.fromkeys(NAMES, numbers.filter(lambda cell: abs(float(cell)) < 1e300)))
