"""Reading what a client sent, field by field, with all its errors in the shape the API answers them.

A reader carries the JSON Schema of what it takes, so that the OpenAPI document says what is read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

JsonObject = dict[str, object]
REQUIRED = object()
WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}(\.0*)?\s*", re.ASCII)
DECIMAL = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
TRUE = ("true", "True", "TRUE", "t", "yes", "on", "1", 1, True)
FALSE = ("false", "False", "FALSE", "f", "no", "off", "0", 0, False)


class Invalid(Exception):
    """The value is not acceptable; `detail` is the body of the 400: texts, in maps and lists of the input's shape."""

    def __init__(self, detail: object) -> None:
        super().__init__(detail)
        self.detail = detail if isinstance(detail, dict | list) else [detail]


@dataclass(frozen=True, slots=True)
class Reader:
    """How a value is read, and what may be sent, as JSON Schema; what else is taken for it, such as `"3"` for 3, is not told."""

    read: Callable[[object], object]
    schema: JsonObject

    def __call__(self, value: object) -> object:
        """The value as it is stored; raises Invalid."""
        return self.read(value)

    def described(self, text: str) -> "Reader":
        """The same reader, with words about it."""
        return Reader(self.read, {**self.schema, "description": text})


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record: how its value is read, and what stands for it when it is absent or null."""

    name: str
    read: Reader
    default: object = REQUIRED

    @property
    def schema(self) -> JsonObject:
        """What may be sent for the key."""
        return self.read.schema if self.default is REQUIRED else or_null(self.read.schema)


def or_null(schema: JsonObject) -> JsonObject:
    """What takes null, too; words about it stay where they are."""
    if not schema.keys() - {"description"}:
        return schema
    words = {key: schema[key] for key in ("description",) if key in schema}
    rest = {key: value for key, value in schema.items() if key != "description"}
    if isinstance(rest.get("type"), str):
        return {**rest, "type": [rest["type"], "null"], **words}
    return {"anyOf": [rest, {"type": "null"}], **words}


def record(*fields: Field) -> Reader:
    """Reads an object; unknown keys are ignored, absent ones take their default."""

    def read(value: object) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise Invalid(
                {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {_type_name(value)}."]}
            )
        result: dict[str, object] = {}
        errors: dict[str, object] = {}
        for field in fields:
            try:
                result[field.name] = _field(field, value)
            except Invalid as problem:
                errors[field.name] = problem.detail
        if errors:
            raise Invalid(errors)
        return result

    properties = {field.name: field.schema for field in fields}
    required = [field.name for field in fields if field.default is REQUIRED]
    return Reader(read, {"type": "object", "properties": properties, "required": required})


def _field(field: Field, value: Mapping[object, object]) -> object:
    given = value.get(field.name)
    if given is None:
        if field.default is REQUIRED:
            missing = field.name not in value
            raise Invalid("This field is required." if missing else "This field may not be null.")
        return field.default
    return field.read(given)


def items(read: Reader, *, empty: bool = True) -> Reader:
    """Reads a list; its errors keep the positions."""

    def read_list(value: object) -> list[object]:
        if not isinstance(value, list):
            raise Invalid([f'Expected a list of items but got type "{_type_name(value)}".'])
        if not value and not empty:
            raise Invalid("This list may not be empty.")
        result: list[object] = []
        errors: list[object] = []
        for item in value:
            try:
                result.append(read(item))
                errors.append({})
            except Invalid as problem:
                errors.append(problem.detail)
        if any(errors):
            raise Invalid(errors)
        return result

    schema: JsonObject = {"type": "array", "items": read.schema}
    return Reader(read_list, schema if empty else {**schema, "minItems": 1})


def text(*, blank: bool = False, longest: int = 65_536) -> Reader:
    """Reads text; a number stands for its digits."""

    def read(value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise Invalid("Not a valid string.")
        if "\x00" in value:
            raise Invalid("Null characters are not allowed.")
        if not blank and not value.strip():
            raise Invalid("This field may not be blank.")
        if len(value) > longest:
            raise Invalid(f"Ensure this field has no more than {longest} characters.")
        return value

    shortest = {} if blank else {"minLength": 1}
    return Reader(read, {"type": "string", **shortest, "maxLength": longest})


def choice(options: Sequence[str]) -> Reader:
    """Reads one of the words; the case does not matter."""
    known = {option.lower(): option for option in options}

    def read(value: object) -> str:
        if not isinstance(value, str) or value.lower() not in known:
            raise Invalid(f'"{str(value)[:80]}" is not a valid choice.')
        return known[value.lower()]

    return Reader(read, {"enum": list(options)})


def integer(least: int, most: int = 2**31 - 1) -> Reader:
    """Reads a whole number in [least, most], as a number or as text."""

    def read(value: object) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | str)
            or not WHOLE.fullmatch(str(value))
        ):
            raise Invalid("A valid integer is required.")
        number = int(str(value).strip().partition(".")[0])
        if number < least:
            raise Invalid(f"Ensure this value is greater than or equal to {least}.")
        if number > most:
            raise Invalid(f"Ensure this value is less than or equal to {most}.")
        return number

    return Reader(read, {"type": "integer", "minimum": least, "maximum": most})


def positive_number(most: float) -> Reader:
    """Reads a number above 0, at most `most`, as a number or as text; a whole one stays an integer."""

    def read(value: object) -> int | float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | str)
            or not DECIMAL.fullmatch(str(value))
        ):
            raise Invalid("A valid number is required.")
        number = float(value)
        if number <= 0:
            raise Invalid("Ensure this value is greater than 0.")
        if number > most:
            raise Invalid(f"Ensure this value is less than or equal to {most}.")
        return int(number) if number.is_integer() else number

    return Reader(read, {"type": "number", "exclusiveMinimum": 0, "maximum": most})


def _boolean(value: object) -> bool:
    if isinstance(value, bool | int | str):
        if value in TRUE:
            return True
        if value in FALSE:
            return False
    raise Invalid("Must be a valid boolean.")


boolean = Reader(_boolean, {"type": "boolean"})
"""Reads true and false, also as the words and digits that web forms send."""
anything = Reader(lambda value: value, {})
"""Takes the value as it stands."""


def _type_name(value: object) -> str:
    return {dict: "dict", list: "list", str: "str", bool: "bool", int: "int", float: "float"}.get(
        type(value), "null"
    )
