"""The parts of the study's schema and of the docs that follow from the records of generators and methods.

A test holds the files equal to them.
"""

from collections.abc import Mapping
from typing import Any

from doe_compiler.generators.catalogue import GENERATORS
from doe_compiler.generators.law import Form, Generator, Key
from doe_compiler.methods.catalogue import CHOOSABLE, METHODS
from doe_compiler.methods.options import OPTIONS

JsonObject = dict[str, object]
COMMON_KEYS = ("unit", "nominal", "format", "type", "role", "dimension", "raw", "description")


def generator_definitions() -> dict[str, JsonObject]:
    """The definition of each form of each generator, by its name in `$defs`, in the order of the catalogue."""
    return {form.schema: _definition(record, form) for record in GENERATORS.values() for form in record.forms}


def _definition(record: Generator[Any], form: Form) -> JsonObject:
    keys = record.keys(form)
    common = {name: {"$ref": f"#/$defs/variable_{name}"} for name in COMMON_KEYS}
    generator = {"description": form.description, "examples": [record.name], "const": record.name}
    return {
        "title": record.name,
        "description": form.description,
        "examples": [{"generator": record.name, **form.example}],
        "type": "object",
        "required": ["generator", *(key.name for key in keys if key.is_required)],
        "properties": {"generator": generator, **{key.name: _property(key) for key in keys}, **common},
        "additionalProperties": False,
    }


def _property(key: Key) -> Mapping[str, object]:
    described: JsonObject = {"description": key.description, "examples": [key.example]}
    if key.shape == "numbers":
        return {**described, "type": "array", "minItems": 1, "items": {"type": "number"}}
    if key.shape in ("path", "text"):
        return {**described, "type": "string", "minLength": 1, "maxLength": 1000}
    limits = {"exclusiveMinimum": key.above, "minimum": key.least, "maximum": key.most}
    return {
        **described,
        "type": key.shape,
        **{word: limit for word, limit in limits.items() if limit is not None},
    }


def generator_table() -> str:
    """The generators as a table in Markdown: keys, optional ones in brackets, and what the law is."""
    lines = ["| generator | keys | what it is |", "| --- | --- | --- |"]
    for record in GENERATORS.values():
        for form in record.forms:
            keys = ", ".join(f"`{key.name}`" if key.is_required else f"[`{key.name}`]" for key in form.keys)
            lines.append(f"| {record.name} | {keys} | {form.description} |")
    return "\n".join(lines) + "\n"


def design_properties() -> dict[str, object]:
    """The properties of a design that are a method's: its name and its options."""
    method = {
        "description": "How the points are chosen; full-factorial if not given and every varied variable enumerates.",
        "examples": ["latin-hypercube"],
        "enum": list(CHOOSABLE),
    }
    return {"method": method, **{name: option.schema for name, option in OPTIONS.items()}}


def method_table() -> str:
    """The methods as a table in Markdown: what they are and their options."""
    lines = ["| method | what it is | options |", "| --- | --- | --- |"]
    for method in METHODS.values():
        options = ", ".join(f"`{name}`" for name in method.options)
        lines.append(f"| {method.name} | {method.summary} | {options} |")
    return "\n".join(lines) + "\n"


def option_table() -> str:
    """The options of methods as a table in Markdown."""
    lines = ["| key | what it says |", "| --- | --- |"]
    lines += [f"| `{option.name}` | {option.description} |" for option in OPTIONS.values()]
    return "\n".join(lines) + "\n"


def stability_table() -> str:
    """What stays put when a design is edited, as a table in Markdown."""
    lines = ["| method | what stays put |", "| --- | --- |"]
    lines += [f"| {method.name} | {method.stays} |" for method in METHODS.values()]
    return "\n".join(lines) + "\n"


def source_list() -> str:
    """The sources of the methods, as a list in Markdown."""
    return "".join(f"- {method.name}: {method.source}.\n" for method in METHODS.values())
