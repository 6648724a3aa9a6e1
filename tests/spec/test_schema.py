"""The schema is the reference manual: every property says what it is and shows an example."""

import json

import pytest
from jsonschema import Draft202012Validator

from doe_compiler.spec.schemas import SCHEMAS, schema, schema_text


def _resolved(name, node):
    while "$ref" in node and "description" not in node:
        node = schema(name)["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _properties(node, path=""):
    if isinstance(node, dict):
        for name, inner in (
            node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ()
        ):
            yield f"{path}/{name}", inner
        for key, inner in node.items():
            yield from _properties(inner, f"{path}/{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _properties(inner, f"{path}/{index}")


EVERY = [(name, path, node) for name in SCHEMAS for path, node in _properties(schema(name))]
every_property = pytest.mark.parametrize(
    ("name", "path", "node"), EVERY, ids=lambda value: value if isinstance(value, str) else ""
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_valid(name):
    Draft202012Validator.check_schema(json.loads(schema_text(name)))


@every_property
def test_every_property_has_a_description_and_an_example(name, path, node):
    described = _resolved(name, node)
    assert described.get("description", "").strip().endswith("."), path
    assert described.get("examples"), path


@every_property
def test_every_example_fits_its_property(name, path, node):
    described = _resolved(name, node)
    validator = Draft202012Validator(
        {**schema(name), "properties": {"it": described}, "required": [], "additionalProperties": False}
    )
    for example in described["examples"]:
        assert list(validator.iter_errors({"it": example})) == [], path


def _objects(node):
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for inner in node.values():
            yield from _objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner)


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_mapping_takes_unknown_keys(name):
    assert all("additionalProperties" in node for node in _objects(schema(name)))


def test_an_unknown_schema_is_not_found():
    with pytest.raises(FileNotFoundError):
        schema_text("nothing")
