"""What trees of Jinja tell, and copies of them."""

from typing import Any, TypeVar

from jinja2 import nodes

Tree = TypeVar("Tree", bound=nodes.Node)
TABLE_FILTERS = ("lookup", "interpolate")
NAMING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Filter)


def copied(tree: Tree) -> Tree:
    """A copy of a tree that shares nothing with it but its environment and the values of constants."""
    copy = tree.__class__.__new__(tree.__class__)
    for name in tree.fields:
        setattr(copy, name, _copied_field(getattr(tree, name)))
    for name in tree.attributes:
        setattr(copy, name, getattr(tree, name, None))
    return copy


def _copied_field(value: Any) -> Any:
    if isinstance(value, nodes.Node):
        return copied(value)
    if isinstance(value, list):
        return [_copied_field(inner) for inner in value]
    return value


def all_of(tree: Any, kind: Any) -> list[Any]:
    """The nodes of a kind in a tree, its root among them."""
    own = [tree] if isinstance(tree, kind) else []
    return [*own, *tree.find_all(kind)]


def loaded(tree: Any) -> dict[str, nodes.Name]:
    """The names that a tree reads, with where each stands first."""
    found: dict[str, nodes.Name] = {}
    for node in all_of(tree, nodes.Name):
        if node.ctx == "load" and (node.name not in found or node.lineno < found[node.name].lineno):
            found[node.name] = node
    return found


def loaded_names(tree: Any) -> list[str]:
    """The names that a tree reads, each once."""
    return list(dict.fromkeys(node.name for node in all_of(tree, nodes.Name) if node.ctx == "load"))


def named_files(tree: Any) -> list[str]:
    """The files that a tree names by constants: includes, imports, tables."""
    return list(dict.fromkeys(path for node in all_of(tree, NAMING) for path in own_files(node)))


def own_files(node: Any) -> list[str]:
    """The files that one node names itself, not those within it."""
    match node:
        case nodes.Filter(name=name, args=[nodes.Const(value=str(path)), *_]) if name in TABLE_FILTERS:
            return [path]
        case nodes.Filter():
            return []
        case _:
            return _constant_paths(node.template)


def _constant_paths(node: Any) -> list[str]:
    match node:
        case nodes.Const(value=str(path)):
            return [path]
        case nodes.Const(value=list() | tuple() as paths):
            return [path for path in paths if isinstance(path, str)]
        case nodes.List() | nodes.Tuple():
            return [path for item in node.items for path in _constant_paths(item)]
        case nodes.CondExpr():
            return [*_constant_paths(node.expr1), *(_constant_paths(node.expr2) if node.expr2 else ())]
        case _:
            return []
