"""The bodies that are not jobs: how each is read, and by the same readers what the OpenAPI document says of them."""

from doe_compiler.platform.api.forms import Field, Invalid, Reader, integer, or_null, record, text
from doe_compiler.platform.api.uploads import safe_name

_LABEL = text(longest=200)
_VALUE = text(blank=True)
_NAME = text(longest=1024)
_EMAIL = text(longest=254)


def _file_name(value: object) -> str:
    name = str(_NAME(value))
    if safe_name(name) != name:
        raise Invalid("Not a name of a file.")
    return name


def _email(value: object) -> str:
    email = str(_EMAIL(value)).strip()
    local, at, domain = email.partition("@")
    if not (local and at and domain) or "@" in domain or any(char.isspace() for char in email):
        raise Invalid("Enter a valid email address.")
    return email


FILE_CHANGE = record(
    Field("name", Reader(_file_name, _NAME.schema), None), Field("typeId", integer(1, 99_999), None)
)
RENAMED = record(Field("name", _NAME))
SHARE = record(
    Field("email", Reader(_email, {**_EMAIL.schema, "format": "email"})), Field("message", _VALUE, "")
)
TAG = record(Field("name", _LABEL))

_TAG_NAMED = record(Field("name", _LABEL, None), Field("id", _LABEL, None))


def _tag_choice(value: object) -> dict[str, object]:
    read = _TAG_NAMED(value)
    assert isinstance(read, dict)
    if read["name"] is None and read["id"] is None:
        raise Invalid({"name": ["This field is required, or the id of a tag."]})
    return read


TAG_CHOICE = Reader(
    _tag_choice,
    {
        **_TAG_NAMED.schema,
        "anyOf": [{"required": [name], "properties": {name: _LABEL.schema}} for name in ("name", "id")],
    },
)
_ONE_FIELD = record(Field("name", _LABEL), Field("value", _VALUE, ""))


def _custom_fields(value: object) -> dict[str, object]:
    if isinstance(value, dict) and "name" in value and not value.keys() - {"name", "value"}:
        one = _ONE_FIELD(value)
        assert isinstance(one, dict)
        return {one["name"]: one["value"]}
    if not isinstance(value, dict) or not value:
        raise Invalid({"name": ["This field is required, or a map of values by names."]})
    read = record(*(Field(name, _VALUE, "") for name in value))(value)
    assert isinstance(read, dict)
    return {str(_LABEL(name)): each for name, each in read.items()}


CUSTOM_FIELDS = Reader(
    _custom_fields,
    {
        "description": "Values by names, or one field as its `name` and `value`.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": _LABEL.schema,
        "additionalProperties": or_null(_VALUE.schema),
    },
)
