"""The syntaxes of templates, by the name that a study gives them.

A syntax is a module, which is loaded when a study uses it.
"""

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Protocol, cast

from doe_compiler.kernel.findings import Finding
from doe_compiler.templates.lowered import Failure, Lowered
from doe_compiler.templates.template import Source, Template, Unlowered

PLATFORM, JINJA = "platform", "jinja"
SYNTAXES = {
    PLATFORM: "doe_compiler.templates.platform_syntax",
    JINJA: "doe_compiler.templates.jinja.syntax",
}
ENDINGS = {".j2": JINJA}


class Syntax(Protocol):
    """What the module of a syntax has."""

    @staticmethod
    def parse(source: Source) -> tuple[Template | Unlowered | None, tuple[Finding, ...], Mapping[str, str]]:
        """The template, what is wrong with it, and the texts that this is told of by the names shown."""

    @staticmethod
    def checked(template: Template | Unlowered, file: str, names: Collection[str]) -> tuple[Finding, ...]:
        """What is wrong with the names in a template; the file is as it is shown."""

    @staticmethod
    def lowered(
        source: Source,
        constants: Mapping[str, object],
        kinds: Mapping[str, tuple[str, str]],
        numeric: Collection[str] = (),
    ) -> Lowered | Failure:
        """The platform's template, for a template that is Unlowered; see `jinja.lowering`."""

    @staticmethod
    def told(source: Source, failure: Failure, *, code: str, where: str = "") -> Finding:
        """A finding of a failure; `where` is the run."""


def syntax(name: str) -> Syntax:
    """The module of a syntax."""
    return cast("Syntax", import_module(SYNTAXES[name]))


def default_syntax(file: str) -> str:
    """The syntax of a file that says none."""
    return next((name for ending, name in ENDINGS.items() if file.endswith(ending)), PLATFORM)
