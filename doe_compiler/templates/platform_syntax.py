"""The syntax `platform`: a template is parsed and is its own lowered form."""

from collections.abc import Collection, Mapping

from doe_compiler.kernel.findings import Finding
from doe_compiler.templates.parser import check
from doe_compiler.templates.parser import parse as parsed
from doe_compiler.templates.template import Source, Template


def parse(source: Source) -> tuple[Template, tuple[Finding, ...], Mapping[str, str]]:
    """The template, all that is wrong with it, and its text by the name shown."""
    file = source.shown(source.file)
    template, findings = parsed(source.text, file, keep=source.keep)
    return template, findings, {file: source.text}


def checked(template: Template, file: str, names: Collection[str]) -> tuple[Finding, ...]:
    """What is wrong with the names in a template."""
    return check(template, file, names)
