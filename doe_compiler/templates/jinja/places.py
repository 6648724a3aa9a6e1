r"""Jinja's line numbers made places: every token carries its offset in the source as its "line number".

    "a\n{{ b }}"  ->  data at 1, name b at 6; `Text.place(6)` is line 2, column 4

Jinja hands what a token has as its line number through to nodes, to compiled code and to errors, and looks at none
of them. So an error that arises while a template runs tells the very expression. Carriage returns of data, which
Jinja would make its own line ends, ride on as a stand-in.
"""

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import Lexer, TokenStream

# The stand-in for a carriage return: a noncharacter, which no text has.
RETURN = "\ufdd0"
_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NESTING = re.compile(r"\{%[-+]?\s*(end)?(?:if|for)\b")
_AT = re.compile(r" at (\d+)$")


class Text:
    """The source of a template as Jinja counts it, with line ends of one kind, and the places in it."""

    def __init__(self, source: str) -> None:
        self.normal = _LINE_END.sub("\n", source)
        self._ends = [found[0] for found in _LINE_END.finditer(source)] if "\r" in source else []

    def place(self, code: int) -> tuple[int, int]:
        """Line and column, from 1, of what a token, node or error has as its line number."""
        offset = min(max(code - 1, 0), len(self.normal))
        start = self.normal.rfind("\n", 0, offset) + 1
        mark = start == 0 and self.normal.startswith(_BYTE_ORDER_MARK)
        return self.normal.count("\n", 0, offset) + 1, offset - start + 1 - mark

    def tag(self, code: int) -> str:
        """The expression or statement, without its brackets, around a place; what follows it where none is."""
        offset = max(code - 1, 0)
        start = max(self.normal.rfind("{{", 0, offset + 1), self.normal.rfind("{%", 0, offset + 1))
        if start < 0:
            return self.normal[offset:].split("\n", 1)[0].strip()
        end = self.normal.find("}}" if self.normal.startswith("{{", start) else "%}", start)
        inside = self.normal[start + 2 : len(self.normal) if end < 0 else end]
        return " ".join(inside.strip("+-").split())

    def written(self, code: int) -> str:
        """What stands at a place as it is written: `{{ x * 2 }}`, or an `if` or `for` up to its end."""
        offset = max(code - 1, 0)
        start = max(self.normal.rfind("{{", 0, offset + 1), self.normal.rfind("{%", 0, offset + 1))
        depth, end = 0, self.normal.find("}}", offset)
        if start >= 0 and self.normal.startswith("{%", start):
            end = self.normal.find("%}", start)
            nested = _NESTING.finditer(self.normal, start) if _NESTING.match(self.normal, start) else iter(())
            for found in nested:
                depth += -1 if found[1] else 1
                if depth <= 0:
                    end = self.normal.find("%}", found.start())
                    break
        whole = self.normal[max(start, 0) : end + 2 if end >= 0 else len(self.normal)]
        return " ".join(whole.split())

    def with_returns(self, data: str, offset: int) -> str:
        """Data that begins at an offset, with stand-ins where the source has carriage returns."""
        if not self._ends:
            return data
        number = self.normal.count("\n", 0, offset)
        parts = data.split("\n")
        out = [parts[0]]
        for part in parts[1:]:
            end = self._ends[number]
            out += [end.replace("\r\n", RETURN + "\n").replace("\r", RETURN), part]
            number += 1
        return "".join(out)


def tokens(lexer: Lexer, source: str, name: str | None, filename: str | None) -> TokenStream:
    """The tokens of a template, with offsets for line numbers."""
    text = Text(source)

    def placed() -> Iterator[tuple[int, str, str]]:
        at = 0
        try:
            for _, kind, value in lexer.tokeniter(source, name, filename):
                at = text.normal.find(value, at)
                yield at + 1, kind, text.with_returns(value, at) if kind == "data" else value
                at += len(value)
        except TemplateSyntaxError as error:
            message = error.message or ""
            found = _AT.search(message)
            code = int(found[1]) + 1 if found else at + 1
            raise TemplateSyntaxError(_AT.sub("", message), code, name, filename) from error

    return TokenStream(lexer.wrap(placed(), name, filename), name, filename)


def restore_returns(tree: nodes.Template) -> nodes.Template:
    """Put the carriage returns back into what a template writes."""
    for data in tree.find_all(nodes.TemplateData):
        data.data = data.data.replace(RETURN, "\r")
    return tree
