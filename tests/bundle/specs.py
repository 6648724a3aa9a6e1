"""Studies in memory for the tests of this room: every part can be given, contents stand for files."""

from dataclasses import replace

from doe_compiler.bundle.pack import bundled
from doe_compiler.design.build import build
from doe_compiler.expressions.parser import parse
from doe_compiler.kernel.canonical import sha256_hex
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import (
    Analysis,
    Constant,
    DesignSpec,
    Formula,
    Hardware,
    InputFile,
    Levels,
    LocalFile,
    Script,
    Spec,
    TemplateTask,
    Variable,
)
from doe_compiler.templates.parser import parse as parse_template

PLACE = Place("study.yaml", 1, 1)


def local(name, content="", **more):
    """A file of this machine with a content."""
    content = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return LocalFile(f"x/{name}", name, sha256_hex(content), len(content), content=content, **more)


def an_input(name, content="", *, decompress=True, **more):
    return InputFile(local(name, content, **more), decompress)


def a_script(name, command, content=""):
    return Script(local(name, content), command)


def a_template(text, target="deck.txt", name="deck.template", **more):
    """A task of a template in the platform's syntax."""
    template, findings = parse_template(text, name)
    assert findings == ()
    return TemplateTask(local(name, text), target, template, **more)


def levels(name, *texts, **more):
    return Variable(name, Levels(texts), PLACE, **more)


def constant(name, text, **more):
    return Variable(name, Constant(text), PLACE, **more)


def expression(name, source, **more):
    return Variable(name, Formula(source, parse(source)), PLACE, **more)


def an_analysis(command="./solve", **more):
    more = {"code": "user_included", "version": None, "hardware": Hardware("emerald"), "place": PLACE, **more}
    return Analysis(command=command, **more)


def a_spec(*variables, analyses=None, **more):
    """A full-factorial study; by default of x = 1, 2 and one analysis."""
    return Spec(
        more.pop("study", "s"),
        "study.yaml",
        variables or (levels("x", "1", "2"),),
        more.pop("design", DesignSpec("full-factorial", PLACE)),
        (an_analysis(templates=(a_template("${x}\n"),)),) if analyses is None else tuple(analyses),
        **more,
    )


def with_analysis(spec, number=0, **more):
    analyses = list(spec.analyses)
    analyses[number] = replace(analyses[number], **more)
    return replace(spec, analyses=tuple(analyses))


def bundle_of(spec):
    """The compiled study; its design has no findings."""
    design, findings = build(spec)
    assert findings == []
    return bundled(spec, design)


def every_file(bundle):
    """The files of a bundle and those that its jobs need alone, but for their parameter CSVs."""
    return (*bundle.files, *(file for job in bundle.jobs() for file in job.own_files))


def references_in(value):
    """Every reference by content in a payload."""
    if isinstance(value, dict):
        own = [value["id"]] if str(value.get("id", "")).startswith("sha256:") else []
        return own + [found for inner in value.values() for found in references_in(inner)]
    if isinstance(value, list | tuple):
        return [found for inner in value for found in references_in(inner)]
    return []
