"""Responses in the shapes of the API: JSON, pages, errors."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from doe_compiler.kernel.wire import Request, Response

LARGEST_BODY = 32 << 20
DEEPEST_JSON = 64
DEFAULT_PAGE_SIZE = 10
LARGEST_PAGE_SIZE = 5000


class Refusal(Exception):
    """The request is answered with an error; `response` is the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(status: int, value: object, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """The value as compact JSON."""
    body = orjson.dumps(_encodable(value)) if _has_surrogates(value) else orjson.dumps(value)
    all_headers = (("content-type", "application/json"), ("content-length", str(len(body))), *headers)
    return Response(status, all_headers, (body,))


def empty_response(status: int) -> Response:
    """No data."""
    return Response(status, () if status == 204 else (("content-length", "0"),), ())


def _has_surrogates(value: object) -> bool:
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(inner) for inner in value]
    return value


def detail(status: int, message: str, headers: Sequence[tuple[str, str]] = ()) -> Refusal:
    """An error with one sentence."""
    return Refusal(json_response(status, {"detail": message}, headers))


def not_found() -> Refusal:
    """404: there is no such thing, or no such address."""
    return detail(404, "Not found.")


def json_body(request: Request) -> object:
    """The request's JSON, bounded in size and depth; an empty body is an empty object."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", ""):
        raise detail(415, f'Unsupported media type "{kind[:80]}" in request.')
    try:
        body = request.read(LARGEST_BODY)
    except ValueError:
        raise detail(413, f"The body is larger than {LARGEST_BODY} bytes.") from None
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise detail(400, f"JSON parse error - {error}") from None
    if _too_deep(value):
        raise detail(400, f"JSON parse error - nested deeper than {DEEPEST_JSON} levels")
    return value


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST_JSON):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def base_url(request: Request) -> str:
    """Scheme and host as the client sees them."""
    scheme = request.headers.get("x-forwarded-proto", "http").partition(",")[0].strip()
    host = request.headers.get("host", "")
    return f"{scheme if scheme in ('http', 'https') else 'http'}://{host if HOST.fullmatch(host) else 'localhost'}"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: page numbers count from 1."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.number - 1) * self.size


def wanted_page(request: Request) -> Page:
    """The page that the query asks for; sizes beyond the largest are cut to it."""
    size_text = request.first("page_size") or ""
    number_text = request.first("page") or "1"
    size = int(size_text) if size_text.isascii() and size_text.isdigit() and len(size_text) < 10 else 0
    if (
        not (number_text.isascii() and number_text.isdigit() and len(number_text) < 12)
        or int(number_text) < 1
    ):
        raise detail(404, "Invalid page.")
    return Page(int(number_text), min(size, LARGEST_PAGE_SIZE) or DEFAULT_PAGE_SIZE)


def page_response(request: Request, page: Page, count: int, results: list[object]) -> Response:
    """A page of a list of `count` items; a page past the end is 404, an empty list has one empty page."""
    if page.number > 1 and page.offset >= count:
        raise detail(404, "Invalid page.")
    following = page.number + 1 if page.offset + page.size < count else None
    before = page.number - 1 if page.number > 1 else None
    return json_response(
        200,
        {
            "count": count,
            "next": _page_url(request, following),
            "previous": _page_url(request, before),
            "results": results,
        },
    )


def _page_url(request: Request, number: int | None) -> str | None:
    if number is None:
        return None
    query = [(name, value) for name, value in request.query if name != "page"]
    encoded = urlencode([*query, ("page", str(number))], errors="replace")
    return f"{base_url(request)}{request.path}?{encoded}"


def paged(request: Request, load: Callable[[int, int], tuple[int, list[object]]]) -> Response:
    """The page that is wanted of a list that `load(offset, limit)` reads, with its count."""
    page = wanted_page(request)
    count, results = load(page.offset, page.size)
    return page_response(request, page, count, results)


def whole_list(request: Request, items: Sequence[object]) -> Response:
    """A page of a list that is in memory."""
    return paged(request, lambda offset, limit: (len(items), list(items[offset : offset + limit])))
