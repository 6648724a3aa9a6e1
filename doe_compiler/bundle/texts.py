"""Texts that a parameter CSV cannot hold: a name stands in their place, which a generated step replaces.

Where a column is the whole of a file, its texts lie in an archive instead, and the step takes the file from it.

The cell `CH4:1, O2:2` travels as `doe_text_` and 16 digits of its digest, so a new level moves no other. The job
carries a table of names and texts; before the user's pre-processing each file that may hold a name is filled in,
by `sh` and `awk` alone. Row keys and results mean the texts.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from doe_compiler.archives.small import packed, unpacked
from doe_compiler.design.bounds import travels_by_name
from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, PrintedColumn, TextColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import sha256_hex
from doe_compiler.spec.model import Spec

UTF_8 = "utf-8"
TEXTS_FILE = "doe_texts.txt"
TEXTS_FILES = re.compile(r"doe_texts(\.[a-z0-9_-]+)?\.txt|doe_rendered(\.[a-z0-9_-]+)?\.tar")
_PREFIX = "doe_text_"
_FILE_PREFIX = "doe_file_"
_EMPTY_TABLE = b"-\t\n"  # awk tells the table by its lines, so there has to be one
_DIGITS = 16


def texts_file_name(encoding: str) -> str:
    """What the table of texts in an encoding is called in a run."""
    return TEXTS_FILE if encoding == UTF_8 else f"doe_texts.{encoding}.txt"


def rendered_file_name(encoding: str) -> str:
    """What the archive of whole files in an encoding is called in a run."""
    return "doe_rendered.tar" if encoding == UTF_8 else f"doe_rendered.{encoding}.tar"


def whole_columns(spec: Spec) -> frozenset[str]:
    """The columns that are the whole text of a file."""
    return frozenset(
        column.name for entry in spec.lowered if entry.lowered.reason for column in entry.lowered.columns
    )


def narrow_columns(spec: Spec) -> frozenset[str]:
    """The columns that go into a template of another encoding than UTF-8, where letters beyond ASCII differ."""
    tasks = (task for analysis in spec.analyses for task in analysis.templates)
    return frozenset().union(*(task.template.names for task in tasks if task.text_encoding != UTF_8))


def name_of_text(text: str, *, is_narrow: bool = False) -> str:
    """What stands for a text in a parameter CSV: the text itself where it can, in narrow columns if it is ASCII."""
    if text.startswith(_PREFIX) or travels_by_name(text) or (is_narrow and not text.isascii()):
        return _PREFIX + sha256_hex(text.encode())[:_DIGITS]
    return text


def name_of_file(text: str) -> str:
    """What stands for the whole text of a file in a parameter CSV."""
    return _FILE_PREFIX + sha256_hex(text.encode("utf-8", "surrogatepass"))[:_DIGITS]


def named_texts(
    design: Design, narrow: frozenset[str] = frozenset(), whole: frozenset[str] = frozenset()
) -> dict[str, str]:
    """The texts of a design that travel by a name, by that name; in the order of their names; no `whole` columns."""
    found = {}
    for column in design.columns:
        if column.name in whole:
            continue
        for text in _texts(column):
            name = name_of_text(text, is_narrow=column.name in narrow)
            if name != text:
                found[name] = text
    return dict(sorted(found.items()))


def columns_with_names(
    design: Design, narrow: frozenset[str] = frozenset(), whole: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The columns in which a name stands for some text, but for `whole` ones."""
    return frozenset(
        column.name
        for column in design.columns
        if column.name not in whole
        and any(name_of_text(text, is_narrow=column.name in narrow) != text for text in _texts(column))
    )


def sent_design(
    design: Design, narrow: frozenset[str] = frozenset(), whole: frozenset[str] = frozenset()
) -> Design:
    """The design as its parameter CSV has it."""
    named = columns_with_names(design, narrow, whole)
    if not named and not whole:
        return design

    def as_sent(column: Column) -> Column:
        if column.name in whole:
            return _sent(column, name_of_file)
        if column.name in named:
            return _sent(column, partial(name_of_text, is_narrow=column.name in narrow))
        return column

    return replace(design, columns=tuple(map(as_sent, design.columns)))


def _texts(column: Column) -> Iterable[str]:
    """The texts of a column of which some may travel by a name."""
    if isinstance(column, CodedColumn):
        return column.labels
    if isinstance(column, FloatColumn | PrintedColumn) or column.is_plain:
        return ()
    return dict.fromkeys(column.texts)


def _sent(column: Column, name: Callable[[str], str]) -> Column:
    if isinstance(column, CodedColumn):
        return replace(column, labels=tuple(map(name, column.labels)))
    assert isinstance(column, TextColumn)
    return replace(column, texts=tuple(map(name, column.texts)))


def rendered_archive(texts: Iterable[str], encoding: str = UTF_8) -> bytes:
    """An archive of the texts of whole files, each once under its name."""
    return packed({name_of_file(text): text.encode(encoding, "surrogateescape") for text in texts})


def texts_table(texts: Mapping[str, str], encoding: str = UTF_8) -> bytes:
    r"""The table that a run carries: name, tab, text a line; in a text `\` is `\\`, line ends are `\n` and `\r`.

    Texts that the encoding lacks are not for its templates and are left out.
    """
    lines = []
    for name, text in texts.items():
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        # Escaped as bytes: in some encodings a letter ends in the byte of a backslash.
        escaped = content.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
        lines.append(name.encode() + b"\t" + escaped + b"\n")
    return b"".join(lines) or _EMPTY_TABLE


def read_rendered(archive: bytes) -> dict[str, str]:
    """The reverse of `rendered_archive`, for UTF-8; nothing for what is no such archive."""
    return {
        name: content.decode("utf-8", "surrogateescape")
        for name, content in unpacked(archive).items()
        if name.startswith(_FILE_PREFIX)
    }


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


def filling_lines(targets: Iterable[tuple[str, str]], variables: str) -> list[str]:
    """Shell lines that replace the names in files of a run; in `variables`, if any, between single quotes.

    `targets` are files with the encodings of the texts that are put into them. A file that is not there is left
    alone; any other failure ends the step, and so the run.
    """
    lines = [
        "doe_fill() {",
        '  [ -f "$1" ] || return 0',
        '  { cat "$1" && echo x; } | LC_ALL=C awk -v quote="$3" \''
        + _AWK.strip()
        + '\' "$2" - > doe_filled.txt',
        '  [ $? = 0 ] && cat doe_filled.txt > "$1" && rm -f doe_filled.txt',
        "}",
    ]
    lines += [
        f"doe_fill {shlex.quote('./' + target)} {texts_file_name(encoding)} 0 || exit 1"
        for target, encoding in targets
    ]
    return [*lines, f"doe_fill ./{variables} {TEXTS_FILE} 1 || exit 1"] if variables else lines


def unpacking_lines(targets: Iterable[tuple[str, str]], *, is_last: bool) -> list[str]:
    """Shell lines that put whole files in the place of their names; the archives go when the last step has used them."""
    lines = [
        "doe_unpack() {",
        '  [ -f "$1" ] || return 0',
        '  doe_name=; read -r doe_name < "$1" || [ -n "$doe_name" ] || return 1',
        '  tar -xf "$2" "$doe_name" && cat "$doe_name" > "$1" && rm -f "$doe_name"',
        "}",
    ]
    archives = dict.fromkeys(rendered_file_name(encoding) for _, encoding in targets)
    lines += [
        f"doe_unpack {shlex.quote('./' + target)} {rendered_file_name(encoding)} || exit 1"
        for target, encoding in targets
    ]
    return [*lines, f"rm -f {' '.join(archives)}"] if is_last else lines
