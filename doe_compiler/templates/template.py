"""A parsed template: literal text and placeholders, in order; or the source of one that is still to be lowered."""

import posixpath
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from doe_compiler.kernel.errors import DoeError, ExitCode


class TemplateError(DoeError):
    """A template cannot be read or filled in; line and column, from 1, are those of the placeholder."""

    exit_code = ExitCode.INVALID

    def __init__(self, message: str, *, line: int, column: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Placeholder:
    """`${name}` or `${name?string("pattern")}` at a line and column that count from 1.

    `end_column` is exclusive.
    """

    name: str
    pattern: str | None
    line: int
    column: int
    end_column: int


@dataclass(frozen=True)
class Template:
    """A template as its segments; joining literals and substituted placeholders gives the file's text."""

    segments: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders in the order of the text."""
        return tuple(segment for segment in self.segments if isinstance(segment, Placeholder))

    @property
    def names(self) -> frozenset[str]:
        """The names that the template needs a value for."""
        return frozenset(placeholder.name for placeholder in self.placeholders)


Read = Callable[[str], str]


def no_files(_path: str) -> str:
    """Where there are no files."""
    raise LookupError("does not exist")


@dataclass(frozen=True)
class Source:
    """What a syntax reads: the text of the template that a study names `file`, relative to its `folder`.

    `read` gives the text of another file by its path in the study's folder; it raises LookupError with the reason and
    a hint. `keep` are names that are left alone.
    """

    text: str
    file: str
    folder: str
    keep: Collection[str] = ()
    read: Read = field(default=no_files, compare=False, repr=False)

    def shown(self, file: str) -> str:
        """A file of the study's folder as the user would write it from where he stands."""
        return posixpath.normpath(posixpath.join(self.folder, file))


@dataclass(frozen=True)
class Unlowered:
    """A template that is sound and still to be lowered; `names` are those that it reads and does not set itself.

    `placeholders` say where each of them stands first, as far as that is in the template itself.
    """

    source: Source
    names: frozenset[str]
    placeholders: tuple[Placeholder, ...] = ()
