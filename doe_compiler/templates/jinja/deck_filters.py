"""The filters that decks need, by their names in templates."""

from collections.abc import Callable
from typing import Any

from jinja2 import pass_environment

from doe_compiler.templates.jinja.fields import digits, engineering, field, fortran
from doe_compiler.templates.jinja.layout import matrix, vector, wrap
from doe_compiler.templates.jinja.tables import interpolated, looked_up
from doe_compiler.templates.jinja.units import to


@pass_environment
def _lookup(environment: Any, value: object, path: str, column: str) -> object:
    return looked_up(environment.table(path), path, value, column)


@pass_environment
def _interpolate(environment: Any, value: object, path: str, column: str) -> float:
    return interpolated(environment.table(path), path, value, column)


DECK_FILTERS: dict[str, Callable[..., Any]] = {
    "field": field,
    "fortran": fortran,
    "digits": digits,
    "engineering": engineering,
    "to": to,
    "lookup": _lookup,
    "interpolate": _interpolate,
    "vector": vector,
    "matrix": matrix,
    "wrap": wrap,
}
