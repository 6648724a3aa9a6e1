"""A parsed template: literal text and placeholders, in order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`${name}` or `${name?string("pattern")}` at a line and column that count from 1.

    `end_column` is exclusive.
    """

    name: str
    pattern: str | None
    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
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
