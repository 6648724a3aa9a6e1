"""The schema's generators are those of the records; DOE_REWRITE_GOLDENS=1 writes the schema anew."""

import json
import os
from pathlib import Path

import pytest

from doe_compiler.generators.catalogue import GENERATORS
from doe_compiler.spec.generated import (
    COMMON_KEYS,
    design_properties,
    generator_definitions,
    generator_table,
    method_table,
    option_table,
    source_list,
    stability_table,
)

SCHEMA = Path(__file__).parent.parent.parent / "schemas" / "study.schema.json"
WIDTH = 100
COMMON_TO_DESIGNS = ("replicates", "randomize", "iterations", "sampling")
OTHERS = ("levels", "constant", "formula", "column")


def rewritten(schema):
    """The schema with the definitions of the records in the places of its own."""
    made = generator_definitions()
    old = schema["$defs"]
    kept = {
        name: definition
        for name, definition in old.items()
        if "const" not in definition.get("properties", {}).get("generator", {})
    }
    before = list(kept)[: list(kept).index("variable") + 1]
    after = [name for name in kept if name not in before]
    definitions = {**{n: kept[n] for n in before}, **made, **{n: kept[n] for n in after}}
    definitions["variable"] = {
        **kept["variable"],
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in (*made, *OTHERS)],
    }
    own = design_properties()
    design = kept["design"]["properties"]
    definitions["design"] = {
        **kept["design"],
        "properties": {**own, **{name: design[name] for name in COMMON_TO_DESIGNS}},
    }
    return {**schema, "$defs": definitions}


def written(node, indent=""):
    """JSON with what fits in a line on one."""
    line = json.dumps(node, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(node, dict | list) or not node:
        return line
    inner = indent + "  "
    if isinstance(node, list):
        return "[\n" + ",\n".join(inner + written(item, inner) for item in node) + f"\n{indent}]"
    items = (
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {written(item, inner)}" for key, item in node.items()
    )
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def test_the_schema_s_generators_are_the_records_ones():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wanted = rewritten(schema)
    if os.environ.get("DOE_REWRITE_GOLDENS"):
        SCHEMA.write_text(written(wanted) + "\n", encoding="utf-8")
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema == wanted
    assert list(schema["$defs"]) == list(wanted["$defs"])


def test_every_law_is_named_as_its_key_and_drawn_or_stepped():
    for name, record in GENERATORS.items():
        assert record.name == name
        assert (record.drawn is None) != (record.steps is None)
        schemas = [form.schema for form in record.forms]
        assert len(set(schemas)) == len(schemas)
        for form in record.forms:
            assert not {key.name for key in form.keys} & {*COMMON_KEYS, "generator"}


DOCS = Path(__file__).parent.parent.parent / "docs" / "designs.md"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("generators", generator_table),
        ("methods", method_table),
        ("options", option_table),
        ("stability", stability_table),
        ("sources", source_list),
    ],
)
def test_the_tables_of_the_docs_are_the_records_ones(name, made):
    text = DOCS.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    assert text.count(begin) == text.count(end) == 1
    before, rest = text.split(begin)
    table, after = rest.split(end)
    if os.environ.get("DOE_REWRITE_GOLDENS"):
        table = made()
        DOCS.write_text(before + begin + table + end + after, encoding="utf-8")
    assert table == made()
