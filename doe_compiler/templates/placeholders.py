"""One placeholder: read from a text at an offset, and written canonically.

    ${ x ?string( '0.0' ) }  <->  name x, pattern 0.0  ->  ${x?string("0.0")}

The problems that a `${` can have, with the codes of the findings that the compiler makes of them:

| code | what is wrong |
| --- | --- |
| T101 | `${` without a `}` on its line and before the next `${` |
| T102 | nothing between `${` and `}` |
| T103 | what stands between them is not a name |
| T104 | a built-in other than `?string` |
| T105 | `?string` without one quoted pattern in round brackets, or with an escape that is none |
| T106 | the pattern is not a number pattern |
| T107 | a name that nothing gives a value (found by `check`) |
"""

import re
from dataclasses import dataclass

from doe_compiler.templates.decimal_format import PatternError, compile_pattern

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_PLACEHOLDER = re.compile(
    r"""\$\{ [ \t]* (?P<name>[A-Za-z_][A-Za-z0-9_]*) [ \t]*
        (?: \? [ \t]* string [ \t]* \( [ \t]*
            (?: "(?P<double>(?:[^"\\\r\n]|\\.)*)" | '(?P<single>(?:[^'\\\r\n]|\\.)*)' )
            [ \t]* \) [ \t]* )? \}""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{1,4})|(.))|(\$\{|#\{)|([^\\])", re.DOTALL)
_MEANINGS = dict(zip("\"'\\{nrtbflga", "\"'\\{\n\r\t\b\f<>&", strict=True))
_ESCAPES = {char: "\\" + letter for letter, char in _MEANINGS.items() if letter not in "'lga"}

_LITERAL = "write $${ for a literal ${"


@dataclass(frozen=True)
class Found:
    """A well-formed placeholder that ends before offset `end`; `pattern` is unescaped."""

    name: str
    pattern: str | None
    end: int


@dataclass(frozen=True)
class Problem:
    """A `${` that is not a placeholder; what is wrong lies in the text from `start` to before `end`.

    Reading goes on at `resume`.
    """

    code: str
    message: str
    hint: str
    start: int
    end: int
    resume: int


def read_placeholder(text: str, start: int) -> Found | Problem:
    """The placeholder whose `${` stands at offset `start` of `text`, or what is wrong with it."""
    match = _PLACEHOLDER.match(text, start)
    if match is None:
        return _diagnosed(text, start)
    group = match.lastgroup or "name"
    if group == "name":
        return Found(match["name"], None, match.end())
    return _with_pattern(match["name"], match[group], match.start(group), start, match.end())


def written(name: str, pattern: str | None) -> str:
    """The placeholder in its canonical form; reading it back gives the same name and pattern."""
    if pattern is None:
        return f"${{{name}}}"
    return f'${{{name}?string("{"".join(_ESCAPES.get(char, char) for char in pattern)}")}}'


def _with_pattern(name: str, raw: str, raw_start: int, start: int, end: int) -> Found | Problem:
    chars: list[str] = []
    offsets: list[int] = []
    for match in _ESCAPED.finditer(raw):
        code, letter, interpolation, plain = match.groups()
        at = raw_start + match.start()
        surrogate = code is not None and 0xD800 <= int(code, 16) <= 0xDFFF
        if interpolation or surrogate or (letter and letter not in _MEANINGS):
            message = f"{match[0]!r} has no meaning in a number pattern"
            return Problem(
                "T105", message, r"write \\ for a backslash, \{ for a {", at, at + len(match[0]), end
            )
        chars.append(chr(int(code, 16)) if code else _MEANINGS[letter] if letter else plain)
        offsets.append(at)
    pattern = "".join(chars)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        at = offsets[error.index] if error.index < len(offsets) else start
        stop = at + 1 if offsets else end
        return Problem("T106", f'number pattern "{pattern}": {error.message}', error.hint, at, stop, end)
    return Found(name, pattern, end)


def _diagnosed(text: str, start: int) -> Problem:
    limit = text.find("${", start + 2)
    limit = len(text) if limit < 0 else limit
    line_end = text.find("\n", start, limit)
    limit = limit if line_end < 0 else line_end
    close = text.find("}", start, limit)
    if close < 0:
        hint = f"close it with }}, or {_LITERAL}"
        return Problem("T101", "'${' is never closed", hint, start, start + 2, start + 2)
    body = text[start + 2 : close].strip(" \t")
    end = close + 1
    if not body:
        return Problem("T102", "'${}' has no name in it", f"name a variable, or {_LITERAL}", start, end, end)
    name = NAME.match(body)
    if name is None:
        hint = f"a name has letters, digits and _, and no digit first; {_LITERAL}"
        return Problem("T103", f"'{body}' is not a name", hint, start, end, end)
    rest = body[name.end() :].lstrip(" \t")
    if not rest.startswith("?"):
        hint = f"{_LITERAL}, or list {name[0]} under keep"
        return Problem("T103", f"'{body}' is not a name", hint, start, end, end)
    builtin = NAME.match(rest[1:].lstrip(" \t"))
    if builtin is None or builtin[0] != "string":
        hint = f'only ?string("0.00") is known here; {_LITERAL}, or list {name[0]} under keep'
        return Problem("T104", f"'{rest}' is not a format", hint, start, end, end)
    hint = f'write ${{{name[0]}?string("0.00")}} with your pattern'
    return Problem("T105", f"'{rest}' has no quoted pattern in brackets", hint, start, end, end)
