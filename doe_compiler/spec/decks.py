"""What a template's bytes may be: text of any encoding in which ASCII is ASCII, so that placeholders can be found."""

import codecs

from doe_compiler.kernel.findings import Finding, Place
from doe_compiler.spec.model import LocalFile
from doe_compiler.spec.nodes import Fields, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.source import decoded

UTF_8 = "utf-8"
_ASCII = bytes(range(128))
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash", "source", "."})


def encoding_of(fields: Fields, report: Report) -> str | None:
    """The codec that a template names, empty if it names none; None after a finding."""
    node = fields.scalar("encoding")
    if node is None:
        return ""
    try:
        is_ascii = _ASCII.decode(node.text) == _ASCII.decode("ascii")
        name = codecs.lookup(node.text).name
    except (LookupError, ValueError, AttributeError):
        is_ascii, name = False, ""
    if not name:
        message = f"'{node.text}' is no encoding that is known"
    elif not is_ascii:
        message = f"in {node.text} the letters of placeholders are other bytes than in ASCII"
    else:
        return UTF_8 if name == "utf-8-sig" else name
    report.error("E107", message, node.place, "for example latin-1, cp1252, shift-jis; UTF-8 needs none")
    return None


def deck_problem(content: bytes, encoding: str, shown: str) -> Finding | None:
    """Why bytes are no template of that encoding; without one, any bytes without NUL may be."""
    problem = decoded(content, shown)
    if not isinstance(problem, Finding) or (problem.code == "E003" and _is_other_text(content, encoding)):
        return None
    if problem.code != "E003" or encoding in ("", UTF_8):
        return problem
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"byte 0x{content[error.start]:02X} at offset {error.start} is none of {encoding}"
        line = content.count(b"\n", 0, error.start) + 1
        return Finding("E003", message, "give its encoding, or none", Place(shown, line, 1))
    return None


def _is_other_text(content: bytes, encoding: str) -> bool:
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return encoding == "" and 0 not in content and not content.startswith(marks)


def takes_utf8(content: bytes, encoding: str) -> bool:
    """Whether texts may be put into a template as UTF-8: it is that, and says nothing else."""
    if encoding not in ("", UTF_8):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def tell_carriage_returns(file: LocalFile, command: str, node: Scalar, report: Report) -> None:
    """Warn of a shell script with the line ends of Windows, which a shell takes for parts of its commands."""
    content = file.content or b""
    words = command.split()
    is_shell = (
        content.startswith(b"#!")
        or file.name.endswith((".sh", ".bash"))
        or (bool(words) and words[0].rsplit("/", 1)[-1] in _SHELLS)
    )
    if is_shell and b"\r\n" in content:
        message = (
            f"the lines of '{node.text}' end in \\r\\n, and a shell takes the \\r for part of its commands"
        )
        report.warning("E316", message, node.place, f"sed -i 's/\\r$//' {node.text}")
