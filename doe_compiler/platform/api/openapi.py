"""The OpenAPI document of the API, made from the table of its addresses."""

from collections.abc import Iterator, Mapping

from doe_compiler import __version__
from doe_compiler.platform.api.answers import DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE
from doe_compiler.platform.api.endpoints.jobs import DRAFT_TAG, KINDS
from doe_compiler.platform.api.endpoints.table import TABLE, Address, Operation
from doe_compiler.platform.api.schemas import SCHEMAS, reference
from doe_compiler.platform.store.states import JOB_STATUSES
from doe_compiler.platform.store.store import ORDERINGS, STATES

JsonObject = dict[str, object]
ID_NAMES = {"jobs": "job_id", "files": "file_id", "runs": "run_number", "tail": "path", "tags": "tag_id"}
ID_PATTERNS = {"run_number": "^[1-9][0-9]{0,8}$", "path": "^[A-Za-z0-9._-]+$"}
MEANINGS = {
    200: "Done.",
    201: "Made.",
    202: "Asked for; it happens soon.",
    204: "Deleted.",
    206: "The range that was asked for.",
    400: "What was sent cannot be used; a map of fields, or one sentence.",
    401: "No token, or not a known one.",
    403: "It belongs to somebody else, who only shares it.",
    404: "There is no such thing, or it is not visible to this user.",
    405: "The address has no such method.",
    412: "A condition of the call does not hold: the job is no draft.",
    413: "The body is too large.",
    415: "The body is of another type.",
    416: "The range begins past the end.",
    429: "Too many calls; see Retry-After.",
    503: "Not now; see Retry-After.",
    507: "The disk is full, or refuses.",
}
ALWAYS = (401, 404, 405, 429, 503, 507)
WITH_BODY = (400, 413, 415)
QUERY: Mapping[str, JsonObject] = {
    "search": {"description": "Only what has this text in its name.", "schema": {"type": "string"}},
    "state": {
        "description": "How far the jobs are; drafts are not submitted, complete ones have ended, drafts are among "
        "those that are not completed.",
        "schema": {"type": "string", "enum": list(STATES)},
    },
    "job_status": {
        "description": "Only jobs whose last status is this word, in any case.",
        "schema": {"type": "string", "enum": list(JOB_STATUSES)},
        "example": "Completed",
    },
    "t": {
        "description": "1: only jobs that are queued or running.",
        "schema": {"type": "string", "enum": [kind for kind in KINDS if kind]},
    },
    "ordering": {
        "description": "By which field; with a minus the largest first.",
        "schema": {"type": "string", "enum": [sign + name for name in ORDERINGS for sign in ("", "-")]},
    },
    "lines": {
        "description": "How many lines.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 100},
    },
    "page": {
        "description": "The page, from 1; one past the last is 404.",
        "schema": {"type": "integer", "minimum": 1, "default": 1},
    },
    "page_size": {
        "description": "Rows on a page; larger sizes are cut.",
        "schema": {
            "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE,
        },
    },
}  # fmt: skip

HEADERS: Mapping[str, JsonObject] = {
    "If-Match": {
        "description": "The tag of a draft, as `statuses/` gives it: only then is the job deleted.",
        "schema": {"type": "string", "enum": [DRAFT_TAG]},
    },
}


def openapi_document(server: str) -> JsonObject:
    """The document for the server at this address (scheme and host)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The embedded platform of doe",
            "version": __version__,
            "description": "The part of the Rescale REST API v2 that jobs need. Unknown keys of a body are ignored; "
            "every address answers with and without the slash at its end, and under /api/v3/, too.",
        },
        "servers": [{"url": f"{server}/api/v2"}],
        "security": [{"token": []}],
        "paths": {_path(address): _path_item(address, methods) for address, methods in TABLE.items()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token KEY`",
                }
            },
        },
    }


def _path(address: Address) -> str:
    words = [
        f"{{{ID_NAMES[address[place - 1]]}}}" if word in ("*", "**") else word
        for place, word in enumerate(address)
    ]
    return "/".join(["", *words, ""])


def _path_item(address: Address, methods: Mapping[str, Operation]) -> JsonObject:
    names = [ID_NAMES[address[place - 1]] for place, word in enumerate(address) if word in ("*", "**")]
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": ID_PATTERNS.get(name, "^[A-Za-z0-9]{1,40}$")},
        }
        for name in names
    ]
    item: JsonObject = {"parameters": parameters} if parameters else {}
    for method, operation in methods.items():
        item[method.lower()] = _operation(method, address, operation)
    return item


def _operation(method: str, address: Address, operation: Operation) -> JsonObject:
    words = [word for word in address if word not in ("*", "**")]
    arguments = (*operation.query, *(("page", "page_size") if operation.is_list else ()))
    described: JsonObject = {
        "operationId": "-".join(
            [method.lower(), *(words or ["root"]), *(["one"] if address[-1:] == ("*",) else [])]
        ),
        "summary": operation.summary,
        "tags": [words[0] if words else "root"],
        "responses": dict(_responses(operation)),
    }
    parameters = [
        *({"name": name, "in": "query", **QUERY[name]} for name in arguments),
        *({"name": name, "in": "header", **HEADERS[name]} for name in operation.headers),
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.takes:
        kind = "multipart/form-data" if operation.takes == "Upload" else "application/json"
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": reference(operation.takes)}},
        }
    return described


def _responses(operation: Operation) -> Iterator[tuple[str, JsonObject]]:
    refused = {*ALWAYS, *operation.refusals, *(WITH_BODY if operation.takes else ())}
    for status in sorted({operation.status, *refused}):
        response: JsonObject = {"description": MEANINGS[status]}
        if status in (operation.status, 206):
            content = _content(operation)
            if content:
                response["content"] = content
        else:
            response["content"] = {"application/json": {"schema": reference("Error")}}
        yield str(status), response


def _content(operation: Operation) -> JsonObject:
    if not operation.gives:
        return {}
    if operation.gives == "Bytes":
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    schema: JsonObject = reference(operation.gives)
    if operation.is_bare:
        schema = {"type": "array", "items": schema}
    if operation.is_list:
        schema = {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "minimum": 0},
                "next": {"type": ["string", "null"]},
                "previous": {"type": ["string", "null"]},
                "results": {"type": "array", "items": schema},
            },
        }
    return {"application/json": {"schema": schema}}
