"""Words for the routes of the API, by which throttles and faults choose the calls that they are for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from doe_compiler.kernel.wire import Request
from doe_compiler.platform.api.router import READING

Words = tuple[str, ...]


def words_of(request: Request) -> Words:
    """The words of the path after `/api/v2/`: `("jobs", "AbC", "submit")`; none for another address."""
    words = tuple(request.path.strip("/").split("/"))
    return words[2:] if words[0] == "api" else ()


def is_read(request: Request) -> bool:
    """Whether the call changes nothing."""
    return request.method in READING


def _is(method: str, *pattern: str) -> Callable[[Request], bool]:
    """A test for a method and words, where `*` stands for any word."""

    def test(request: Request) -> bool:
        words = words_of(request)
        return (
            method in (request.method, "*")
            and len(words) == len(pattern)
            and all(known in ("*", word) for known, word in zip(pattern, words, strict=True))
        )

    return test


def _below(*pattern: str) -> Callable[[Request], bool]:
    """A test for addresses that begin with the words."""

    def test(request: Request) -> bool:
        words = words_of(request)
        return len(words) >= len(pattern) and all(
            known in ("*", word) for known, word in zip(pattern, words, strict=False)
        )

    return test


ROUTES: Mapping[str, Callable[[Request], bool]] = MappingProxyType(
    {
        "read": is_read,
        "write": lambda request: not is_read(request),
        "jobs": _below("jobs"),
        "files": _below("files"),
        "runs": _below("jobs", "*", "runs"),
        "list": _is("GET", "jobs"),
        "create": _is("POST", "jobs"),
        "get": _is("GET", "jobs", "*"),
        "delete": _is("DELETE", "jobs", "*"),
        "submit": _is("POST", "jobs", "*", "submit"),
        "stop": _is("POST", "jobs", "*", "stop"),
        "statuses": _is("GET", "jobs", "*", "statuses"),
        "upload": _is("*", "files", "contents"),
        "download": _is("GET", "files", "*", "contents"),
    }
)
