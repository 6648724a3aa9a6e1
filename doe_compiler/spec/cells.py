"""What the text of a cell may be, and the text that a scalar of the YAML becomes as a cell."""

from doe_compiler.kernel.canonical import number_text
from doe_compiler.spec.nodes import Node, Scalar
from doe_compiler.spec.report import Report

_SEPARATORS = {'"': "a double quote", ",": "a comma", "${": "'${'"}
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


def cell_problem(text: str) -> str:
    """Why a cell cannot hold the text, or nothing."""
    if not text:
        return "is empty"
    if text != text.strip():
        return "begins or ends with a blank"
    for part, name in _SEPARATORS.items():
        if part in text:
            return f"holds {name}"
    if any(char in _LINE_ENDS for char in text):
        return "holds a line end"
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        return "holds a control character"
    return ""


def cell_text(node: Node | None, report: Report, *, is_text: bool = False) -> str | None:
    """The cell of a scalar: an integer digit by digit, another number in its shortest text, the rest as written.

    As written too where the variable says `type: text`; None after a finding.
    """
    if not isinstance(node, Scalar):
        return None
    if node.number is not None and not is_text:
        return str(node.value) if isinstance(node.value, int) else number_text(float(node.number))
    problem = cell_problem(node.text)
    if problem:
        shown = node.text if len(node.text) <= 40 else f"{node.text[:37]}..."
        hint = "a cell has no quotes, commas, line ends, '${' or outer blanks; put such text into a file"
        report.error("E111", f"a cell cannot hold {shown!r}: it {problem}", node.place, hint)
        return None
    return node.text
