"""What the platform offers and who asks: core types, analyses, prices, the user, the addresses."""

from itertools import chain

from doe_compiler.kernel.wire import Response
from doe_compiler.platform.api import catalogue
from doe_compiler.platform.api.answers import json_response, whole_list
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.store.database import User

DEFAULT_NAME = "Default"
ADDITIONS = ("outputReading", "draftTag")
ROOT = (
    "jobs",
    "files",
    "coretypes",
    "analyses",
    "storage-devices",
    "users/me",
    "users/me/projects",
    "billing/computeprices",
)


def root(call: Call) -> Response:
    """The addresses of the lists, and of the description of what this platform adds to the API."""
    addresses = {path: f"{call.view.base}{path}/" for path in ROOT}
    return json_response(200, {**addresses, **dict.fromkeys(ADDITIONS, f"{call.view.base}openapi.json")})


def core_types(call: Call) -> Response:
    """The core types."""
    return whole_list(
        call.request, [catalogue.core_type_json(each) for each in catalogue.CORE_TYPES.values()]
    )


def analyses(call: Call) -> Response:
    """The software."""
    return whole_list(call.request, [catalogue.analysis_json(each) for each in catalogue.ANALYSES.values()])


def storage_devices(call: Call) -> Response:
    """The storage devices: none, for a run has this machine's disk."""
    return whole_list(call.request, [])


def compute_prices(_: Call) -> Response:
    """The price of a core-hour of each core type by each plan, all at once."""
    priced = map(catalogue.prices_json, catalogue.CORE_TYPES.values())
    return json_response(200, list(chain.from_iterable(priced)))


def me(call: Call) -> Response:
    """The user whose token came with the request, alone in a company with the one project."""
    user = call.viewer
    return json_response(
        200,
        {
            "id": user.id,
            "email": user.email,
            "username": user.email,
            "firstName": "",
            "lastName": "",
            "company": {"id": user.id, "name": DEFAULT_NAME, "projects": _projects(user)},
            "workspace": {"id": user.id, "name": DEFAULT_NAME},
        },
    )


def projects(call: Call) -> Response:
    """The user's projects: one, for every job without another `projectId`."""
    return whole_list(call.request, _projects(call.viewer))


def _projects(user: User) -> list[object]:
    return [{"id": user.id, "name": DEFAULT_NAME}]
