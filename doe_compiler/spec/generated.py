"""The parts of the study's schema that follow from the generators' records; a test holds the file equal to them."""

from collections.abc import Mapping
from typing import Any

from doe_compiler.generators.catalogue import GENERATORS
from doe_compiler.generators.law import Form, Generator, Key

JsonObject = dict[str, object]
COMMON_KEYS = ("unit", "nominal", "format", "type", "role", "raw", "description")


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
