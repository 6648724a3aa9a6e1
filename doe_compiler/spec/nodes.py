"""The YAML tree as values that know where they stand: scalars, lists (Items) and mappings (Fields)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from doe_compiler.kernel.findings import Place


@dataclass(frozen=True)
class Scalar:
    """One value; `text` is as written without quotes, `number` its exact value if it is a number."""

    text: str
    value: str | int | float | bool | None
    place: Place
    is_quoted: bool = False
    number: Fraction | None = None


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    place: Place

    def __iter__(self) -> Iterator["Node"]:
        return iter(self.items)


@dataclass(frozen=True)
class Entry:
    """The value of a key and where the key stands."""

    key_place: Place
    node: "Node"


@dataclass(frozen=True)
class Fields:
    """A mapping; the typed readers are for keys that the schema has checked already.

    A key whose value is null counts as absent.
    """

    entries: Mapping[str, Entry]
    place: Place

    def get(self, key: str) -> "Node | None":
        """The node of a key, or None."""
        entry = self.entries.get(key)
        if entry is None or (isinstance(entry.node, Scalar) and entry.node.value is None):
            return None
        return entry.node

    def scalar(self, key: str) -> Scalar | None:
        """The scalar of a key, or None."""
        node = self.get(key)
        return node if isinstance(node, Scalar) else None

    def text(self, key: str, default: str = "") -> str:
        """The text of a key as written."""
        node = self.scalar(key)
        return default if node is None else node.text

    def number(self, key: str) -> Fraction | None:
        """The exact number of a key, or None."""
        node = self.scalar(key)
        return None if node is None else node.number

    def real(self, key: str) -> float | None:
        """The number of a key as the nearest float, or None."""
        number = self.number(key)
        return None if number is None else float(number)

    def integer(self, key: str) -> int | None:
        """The whole number of a key, or None."""
        number = self.number(key)
        return None if number is None else int(number)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The boolean of a key."""
        node = self.scalar(key)
        return default if node is None else node.value is True

    def items(self, key: str) -> tuple["Node", ...]:
        """The nodes of a list, none if the key is absent."""
        node = self.get(key)
        return node.items if isinstance(node, Items) else ()

    def fields(self, key: str) -> "Fields | None":
        """The mapping of a key, or None."""
        node = self.get(key)
        return node if isinstance(node, Fields) else None

    def plain(self, key: str) -> Mapping[str, object] | None:
        """The mapping of a key as plain data, or None."""
        node = self.fields(key)
        return None if node is None else {name: plain(entry.node) for name, entry in node.entries.items()}

    def place_of(self, key: str) -> Place:
        """Where the value of a key stands, or the mapping itself when there is no such key."""
        entry = self.entries.get(key)
        return self.place if entry is None else entry.node.place

    def key_place(self, key: str) -> Place:
        """Where a key stands, or the mapping itself when there is no such key."""
        entry = self.entries.get(key)
        return self.place if entry is None else entry.key_place


Node = Scalar | Items | Fields


def plain(node: Node) -> object:
    """The tree as dicts, lists and values, as a JSON reader would give it."""
    match node:
        case Scalar(value=value):
            return value
        case Items(items=items):
            return [plain(item) for item in items]
        case Fields(entries=entries):
            return {key: plain(entry.node) for key, entry in entries.items()}


def node_at(root: Node, path: Iterable[str | int]) -> Node:
    """The node at a path of keys and indices; the last one that exists if the path goes too far."""
    node = root
    for step in path:
        if isinstance(node, Fields) and step in node.entries:
            node = node.entries[str(step)].node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def owner_place(root: Node, path: tuple[str | int, ...]) -> Place:
    """Where to point for a whole node: at its key if it has one, else at its start."""
    if path and isinstance(path[-1], str):
        parent = node_at(root, path[:-1])
        if isinstance(parent, Fields):
            return parent.key_place(path[-1])
    return node_at(root, path).place
