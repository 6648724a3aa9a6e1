"""A reader and the JSON Schema that it carries say the same of what a client may send."""

import pytest
from jsonschema import Draft202012Validator

from doe_compiler.platform.api.bodies import CUSTOM_FIELDS, FILE_CHANGE, SHARE, TAG, TAG_CHOICE
from doe_compiler.platform.api.forms import (
    Field,
    Invalid,
    anything,
    boolean,
    choice,
    integer,
    items,
    positive_number,
    record,
    text,
)
from doe_compiler.platform.api.jobform import HARDWARE, OUTPUT_READING, RESOURCE_FILTER, VARIABLE, job_form
from doe_compiler.platform.api.openapi import openapi_document

CODED = {"code": "emerald"}
HOW = {"name": "a", "kind": "regex", "file": "b", "regex": "(.)", "take": "last"}


@pytest.mark.parametrize(
    ("reader", "values"),
    [
        (integer(1, 5), (0, 1, 5, 6, -1)),
        (positive_number(2.5), (0, -1, 0.001, 2.5, 2.6)),
        (text(longest=3), ("", "a", "abc", "abcd")),
        (text(blank=True, longest=3), ("", "abc", "abcd")),
        (choice(("a", "b")), ("a", "b", "c", 3, None, {})),
        (boolean, (True, False, None, [], {})),
        (anything, (1, "a", None, [], {})),
        (items(integer(1)), ([], [1], [0], [1, 0])),
        (items(integer(1), empty=False), ([], [1])),
        (
            record(Field("a", integer(1)), Field("b", text(), "x")),
            ({}, {"a": 1}, {"a": 0}, {"a": 1, "b": None}, {"a": None}, {"a": 1, "b": "", "c": 1}, [], None),
        ),
        (HARDWARE, ({"coreType": "x", "coresPerSlot": 1}, {"coreType": CODED, "coresPerSlot": 2}, {"coreType": "x"})),
        (HARDWARE, tuple({"coreType": "x", "coresPerSlot": 1, "walltime": each} for each in (None, 0, 1.5, 1e9))),
        (RESOURCE_FILTER, ({}, {"action": "keep"}, {"action": "burn"}, {"source": None}, {"pattern": ""})),
        (VARIABLE, ({"name": "x", "variableType": "Param"}, {"name": "x"}, {"name": "x", "variableType": "Parameter"})),
        (FILE_CHANGE, ({}, {"name": "a.txt"}, {"name": ""}, {"typeId": 0}, {"typeId": 7, "name": None}, {"typeId": 10**6})),
        (TAG, ({"name": "a"}, {"name": ""}, {}, {"name": "a" * 201}, [])),
        (TAG_CHOICE, ({"name": "a"}, {"id": "b"}, {}, {"name": None}, {"name": None, "id": "b"}, {"name": ""}, [])),
        (SHARE, ({"email": "a@b.org"}, {"email": "a@b.org", "message": ""}, {}, {"email": None}, {"email": "a" * 300})),
        (CUSTOM_FIELDS, ({"a": "b"}, {"a": None}, {}, {"a": []}, {"a" * 201: "b"}, {"name": "a", "value": "b"}, "a")),
        (OUTPUT_READING, ({"variables": []}, {}, {"variables": [HOW]}, {"variables": [{**HOW, "take": "all"}]})),
        (OUTPUT_READING, tuple({"variables": [{**HOW, "kind": each}]} for each in ("regex", "json", "xml"))),
    ],
)  # fmt: skip
def test_what_the_schema_takes_is_what_the_reader_takes(reader, values):
    taken = set()
    for value in values:
        try:
            reader(value)
            is_read = True
        except Invalid:
            is_read = False
        assert Draft202012Validator(reader.schema).is_valid(value) == is_read, value
        taken.add(is_read)
    assert taken == {True, False} or reader is anything


def test_the_document_says_what_is_read():
    schemas = openapi_document("http://x")["components"]["schemas"]
    read = job_form(lambda _: None).schema
    assert {key: schemas["JobForm"][key] for key in read} == read
    assert schemas["JobChange"]["properties"] == read["properties"]
    assert schemas["JobChange"]["required"] == []
    bodies = {"FileChange": FILE_CHANGE, "ShareForm": SHARE, "TagForm": TAG, "TagChoice": TAG_CHOICE}
    for name, reader in {**bodies, "CustomFieldsForm": CUSTOM_FIELDS}.items():
        assert {key: schemas[name][key] for key in reader.schema} == reader.schema
