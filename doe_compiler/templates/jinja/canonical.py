"""A tree of Jinja as plain data, free of positions, for what a derived column is by definition."""

from collections.abc import Callable
from typing import Any

from jinja2 import nodes

OnName = Callable[[str], object]


def plain_tree(node: Any, on_name: OnName | None = None) -> object:
    """A tree as nested lists; `on_name` gives what stands for a name that is read."""
    if isinstance(node, nodes.Name) and on_name is not None and node.ctx == "load":
        return ["name", on_name(node.name)]
    if isinstance(node, nodes.Const):
        return ["const", constant(node.value)]
    if isinstance(node, nodes.Node):
        return [type(node).__name__, *(plain_tree(getattr(node, field), on_name) for field in node.fields)]
    if isinstance(node, list | tuple):
        return [plain_tree(inner, on_name) for inner in node]
    return constant(node)


def constant(value: object) -> object:
    """A value that a template computed, told apart from those that print alike: 1, 1.0, True and "1"."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return ["dict", *([constant(key), constant(inner)] for key, inner in value.items())]
    if isinstance(value, list | tuple):
        return ["list", *(constant(inner) for inner in value)]
    if isinstance(value, str):
        return ["text", str(value)]
    if isinstance(value, int):
        return ["integer", str(value)]
    if isinstance(value, float):
        return ["float", repr(float(value)), str(value)]
    return ["object", type(value).__name__]
