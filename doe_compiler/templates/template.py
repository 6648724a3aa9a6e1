"""A parsed template: literal text and placeholders, in order."""

from dataclasses import dataclass

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
