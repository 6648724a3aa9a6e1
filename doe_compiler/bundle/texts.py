"""Texts that a parameter CSV cannot hold: a name stands in their place, which a generated step replaces.

The cell `CH4:1, O2:2` travels as `doe_text_` and 16 digits of its digest, so a new level moves no other. The job
carries a table of names and texts; before the user's pre-processing each file that may hold a name is filled in,
by `sh` and `awk` alone. Row keys and results mean the texts.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace

from doe_compiler.design.bounds import travels_by_name
from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, TextColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import sha256_hex

TEXTS_FILE = "doe_texts.txt"
_PREFIX = "doe_text_"
_DIGITS = 16


def name_of_text(text: str) -> str:
    """What stands for a text in a parameter CSV: the text itself where it can."""
    if text.startswith(_PREFIX) or travels_by_name(text):
        return _PREFIX + sha256_hex(text.encode())[:_DIGITS]
    return text


def named_texts(design: Design) -> dict[str, str]:
    """The texts of a design that travel by a name, by that name; in the order of their names."""
    found = {}
    for column in design.columns:
        for text in _texts(column):
            name = name_of_text(text)
            if name != text:
                found[name] = text
    return dict(sorted(found.items()))


def columns_with_names(design: Design) -> frozenset[str]:
    """The columns in which a name stands for some text."""
    return frozenset(
        column.name for column in design.columns if any(name_of_text(text) != text for text in _texts(column))
    )


def sent_design(design: Design) -> Design:
    """The design as its parameter CSV has it."""
    named = columns_with_names(design)
    if not named:
        return design
    return replace(
        design, columns=tuple(_sent(column) if column.name in named else column for column in design.columns)
    )


def _texts(column: Column) -> Iterable[str]:
    if isinstance(column, CodedColumn):
        return column.labels
    if isinstance(column, FloatColumn) or (column.is_numeric and not travels_by_name("".join(column.texts))):
        return ()
    return dict.fromkeys(column.texts)


def _sent(column: Column) -> Column:
    if isinstance(column, CodedColumn):
        return replace(column, labels=tuple(map(name_of_text, column.labels)))
    assert isinstance(column, TextColumn)
    return replace(column, texts=tuple(map(name_of_text, column.texts)))


def texts_table(texts: Mapping[str, str]) -> bytes:
    r"""The table that a run carries: name, tab, text a line; in a text `\` is `\\`, line ends are `\n` and `\r`."""
    return "".join(f"{name}\t{_escaped(text)}\n" for name, text in texts.items()).encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def read_texts_table(table: bytes) -> dict[str, str]:
    """The reverse of `texts_table`; lines of another form are left out."""
    found = {}
    for line in table.decode(errors="replace").split("\n"):
        name, tab, text = line.partition("\t")
        if tab and name.startswith(_PREFIX):
            parts = text.split("\\\\")
            found[name] = "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in parts)
    return found


# The texts come first; of the file, which an `x` and a line end follow, the last line is held back, so that a file
# without a final line end stays so. `quote` says that a name stands between single quotes of a shell.
_AWK = r"""
function read_text(s,   out, at, c) {
  out = ""
  while ((at = index(s, "\\")) > 0) {
    c = substr(s, at + 1, 1)
    out = out substr(s, 1, at - 1) (c == "n" ? "\n" : c == "r" ? "\r" : c)
    s = substr(s, at + 2)
  }
  return out s
}
function quoted(s,   n, i, part, out) {
  n = split(s, part, "\047")
  out = part[1]
  for (i = 2; i <= n; i++) out = out "\047\\\047\047" part[i]
  return out
}
function filled(s,   out, at, name) {
  out = ""
  while ((at = index(s, "doe_text_")) > 0) {
    name = substr(s, at, 25)
    if (name in text) { out = out substr(s, 1, at - 1) text[name]; s = substr(s, at + 25) }
    else { out = out substr(s, 1, at + 8); s = substr(s, at + 9) }
  }
  return out s
}
BEGIN { ORS = "" }
FNR == NR {
  at = index($0, "\t")
  value = read_text(substr($0, at + 1))
  text[substr($0, 1, at - 1)] = quote ? quoted(value) : value
  next
}
{ if (is_held) print filled(held) "\n"; is_held = 1; held = $0 }
END { print filled(substr(held, 1, length(held) - 1)) }
"""


def filling_lines(targets: Iterable[str], variables: str) -> list[str]:
    """Shell lines that replace the names in files of a run; in `variables`, if any, between single quotes.

    A file that is not there is left alone; any other failure ends the step, and so the run.
    """
    lines = [
        "doe_fill() {",
        '  [ -f "$1" ] || return 0',
        '  { cat "$1" && echo x; } | LC_ALL=C awk -v quote="$2" \''
        + _AWK.strip()
        + f"' {TEXTS_FILE} - > doe_filled.txt",
        '  [ $? = 0 ] && cat doe_filled.txt > "$1" && rm -f doe_filled.txt',
        "}",
    ]
    lines += [f"doe_fill {shlex.quote('./' + target)} 0 || exit 1" for target in targets]
    return [*lines, f"doe_fill ./{variables} 1 || exit 1"] if variables else lines
