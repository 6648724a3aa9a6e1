"""Extract a response from the text of an output file; plain Python 3 that also runs inside a run.

The text of this module is the core of the generated post-processing step, so it imports nothing of `doe`
and keeps to the syntax of old Python 3 versions.
"""

import csv
import json
import re
from typing import Any


def value_of(response: "dict[str, str]", text: str) -> str:
    """The response's value in the text, as text; raises ValueError where there is none.

    `response` has `kind` (regex, json, csv or command) and that kind's settings as the study names them.
    """
    kind = response["kind"]
    if kind == "regex":
        found = [match.group(1) for match in re.finditer(response["regex"], text, re.MULTILINE)]
        return taken([value for value in found if value is not None], response["take"])
    if kind == "json":
        return plain(json_value(json.loads(text), response["path"]))
    if kind == "csv":
        return taken(csv_column(text, response["column"]), response["take"])
    return plain(text)


def taken(values: "list[str]", take: str) -> str:
    """The one of several values that counts."""
    values = [value.strip() for value in values if value.strip()]
    if not values:
        raise ValueError("no match")
    if take == "first":
        return plain(values[0])
    if take == "last":
        return plain(values[-1])
    numbers = [number(value) for value in values]
    if take == "mean":
        return repr(sum(numbers) / len(numbers))
    chosen = min(numbers) if take == "min" else max(numbers)
    return plain(values[numbers.index(chosen)])


def number(text: str) -> float:
    """The number that a solver wrote, Fortran's `1.5D+03` included."""
    return float(re.sub(r"(?<=[0-9.])[dD](?=[+-]?[0-9])", "e", text))


def plain(value: object) -> str:
    """A value as one line of text; a number keeps the digits that the solver wrote."""
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list)):
        value = json.dumps(value)
    text = " ".join(str(value).split())
    if not text:
        raise ValueError("an empty value")
    try:
        number(text)
    except ValueError:
        return text
    return re.sub(r"(?<=[0-9.])[dD](?=[+-]?[0-9])", "e", text)


def json_value(document: "Any", path: str) -> object:
    """The value at a path such as `forces.drag[0]` or `$.forces.drag[-1]`."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(-?[0-9]+)\]", re.sub(r"^\$\.?", "", path)):
        try:
            document = document[int(index)] if index else document[name]
        except (KeyError, IndexError, TypeError):
            raise ValueError("no %r in the JSON" % (name or index))  # noqa: B904
    return document


def csv_column(text: str, column: str) -> "list[str]":
    """The cells of a column by its header; commas, semicolons, tabs or blanks separate."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#!")]
    if not lines:
        raise ValueError("an empty file")
    header = lines[0].lstrip("#").strip()
    delimiter = next((mark for mark in ",;\t" if mark in header), None)
    if delimiter is None:
        rows = [header.split()] + [line.split() for line in lines[1:]]
    else:
        rows = list(csv.reader([header] + lines[1:], delimiter=delimiter, skipinitialspace=True))
    names = [name.strip() for name in rows[0]]
    if column not in names:
        raise ValueError("no column %r" % column)
    index = names.index(column)
    return [row[index] for row in rows[1:] if index < len(row)]
