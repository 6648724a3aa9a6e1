"""What the platform offers and who asks: core types, analyses, prices, the user, the addresses."""

from doe_compiler.kernel.wire import Response
from doe_compiler.platform.api import catalogue
from doe_compiler.platform.api.answers import json_response, whole_list
from doe_compiler.platform.api.call import Call

ADDITIONS = ("outputReading", "draftTag")
ROOT = ("jobs", "files", "coretypes", "analyses", "users/me", "users/me/projects", "billing/computeprices")


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


def compute_prices(call: Call) -> Response:
    """The price of a core-hour of each core type."""
    return whole_list(
        call.request,
        [
            {
                "coreType": each.code,
                "price": each.price,
                "lowPriorityPrice": each.low_priority_price,
                "currency": "USD",
            }
            for each in catalogue.CORE_TYPES.values()
        ],
    )


def me(call: Call) -> Response:
    """The user whose token came with the request."""
    user = call.viewer
    return json_response(
        200, {"id": user.id, "email": user.email, "username": user.email, "firstName": "", "lastName": ""}
    )


def projects(call: Call) -> Response:
    """The user's projects: one, for every job without another `projectId`."""
    return whole_list(call.request, [{"id": call.viewer.id, "name": "Default"}])
