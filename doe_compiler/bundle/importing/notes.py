"""What the study language cannot say of a job: each a comment in the YAML, and a warning to the user."""

from collections.abc import Mapping

from doe_compiler.spec.yaml_text import Path


class Notes:
    """The notes so far, each with the path of the key that it stands above."""

    def __init__(self) -> None:
        self._notes: list[tuple[Path, str]] = []

    def add(self, path: Path, message: str) -> None:
        """Note something about the place at a path, which need not exist in the end."""
        if (path, message) not in self._notes:
            self._notes.append((path, message))

    @property
    def messages(self) -> tuple[str, ...]:
        """The notes as warnings, with their places."""
        return tuple(f"{_shown(path)}: {message}" if path else message for path, message in self._notes)

    def comments(self, document: Mapping[str, object]) -> dict[Path, list[str]]:
        """The notes by a path that the document has: the place itself, or the nearest around it."""
        comments: dict[Path, list[str]] = {}
        for path, message in self._notes:
            comments.setdefault(_existing(document, path), []).append(message)
        return comments


def _shown(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _existing(document: Mapping[str, object], path: Path) -> Path:
    value: object = document
    for depth, step in enumerate(path):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
            continue
        if not isinstance(value, list) or not isinstance(step, int) or step >= len(value):
            return path[:depth]
        value = value[step]
    return path
