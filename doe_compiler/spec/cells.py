"""What the text of a cell may be, and the text that a scalar of the YAML becomes as a cell."""

from doe_compiler.kernel.canonical import number_text
from doe_compiler.spec.nodes import Node, Scalar
from doe_compiler.spec.report import Report


def cell_problem(text: str) -> str:
    """Why no run can have the text, or nothing."""
    if not text:
        return "is empty"
    return "holds a NUL character" if "\0" in text else ""


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
        hint = "write a text, or put it into a file"
        report.error("E111", f"a cell cannot hold {shown!r}: it {problem}", node.place, hint)
        return None
    return node.text
