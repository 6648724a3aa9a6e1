"""The JSON Schemas that ship with the package, from the wheel or from a checkout."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SCHEMAS = ("study", "plan", "policy", "config")
_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "schemas", _PACKAGE.parent / "schemas")


def schema_text(name: str) -> str:
    """The text of a schema such as `study`; raises FileNotFoundError if there is none of that name."""
    for folder in _FOLDERS:
        path = folder / f"{name}.schema.json"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"no schema '{name}' is installed")


@cache
def schema(name: str) -> Mapping[str, object]:
    """A schema as data."""
    content = json.loads(schema_text(name))
    assert isinstance(content, dict)
    return content
