"""Every address of the API: its function, and what the OpenAPI document says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from doe_compiler.kernel.wire import Response
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.api.endpoints import files, jobs, offers, runs

Handler = Callable[[Call], Response]
Address = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    `gives` names the schema of the answer ("" for none) and `takes` that of the body; `is_list` makes the
    answer a page of it, `is_bare` all of them as an array. `query` are further arguments of the address, `headers` headers of the request that
    count, `refusals` further statuses.
    """

    handle: Handler
    status: int = 200
    gives: str = ""
    takes: str = ""
    is_list: bool = False
    is_bare: bool = False
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.handle.__doc__ or "").strip().split("\n")[0]


def _list(handle: Handler, gives: str, *query: str, refusals: tuple[int, ...] = ()) -> Operation:
    return Operation(handle, gives=gives, is_list=True, query=query, refusals=refusals)


# `*` stands for an id; `**`, at the end, for a path with slashes.
TABLE: Mapping[Address, Mapping[str, Operation]] = MappingProxyType(
    {
        (): {"GET": Operation(offers.root, gives="Root")},
        ("files",): {"GET": _list(files.listed, "File", "search")},
        ("files", "contents"): {
            "POST": Operation(files.upload, 201, "File", "Upload", refusals=(507,)),
            "PUT": Operation(files.upload, 201, "File", "Upload", refusals=(507,)),
        },
        ("files", "*"): {
            "GET": Operation(files.metadata, gives="File"),
            "PATCH": Operation(files.change, gives="File", takes="FileChange", refusals=(403,)),
            "DELETE": Operation(files.delete, 204, refusals=(400, 403)),
        },
        ("files", "*", "contents"): {"GET": Operation(files.contents, gives="Bytes", refusals=(206, 416))},
        ("files", "*", "lines"): {"GET": Operation(files.lines, gives="Lines")},
        ("jobs",): {
            "GET": _list(
                jobs.listed, "JobItem", "state", "t", "job_status", "search", "ordering", refusals=(400,)
            ),
            "POST": Operation(jobs.create, 201, "Job", "JobForm"),
        },
        ("jobs", "*"): {
            "GET": Operation(jobs.get, gives="Job"),
            "PUT": Operation(jobs.replace, gives="Job", takes="JobForm", refusals=(403,)),
            "PATCH": Operation(jobs.change, gives="Job", takes="JobChange", refusals=(403,)),
            "DELETE": Operation(jobs.delete, 204, headers=("If-Match",), refusals=(400, 403, 412)),
        },
        ("jobs", "*", "submit"): {"POST": Operation(jobs.submit, refusals=(400, 403, 507))},
        ("jobs", "*", "stop"): {"POST": Operation(jobs.stop, 202, refusals=(400, 403))},
        ("jobs", "*", "share"): {
            "POST": Operation(jobs.share, gives="Share", takes="ShareForm", refusals=(403,))
        },
        ("jobs", "*", "statuses"): {"GET": _list(jobs.statuses, "Status")},
        ("jobs", "*", "cluster_statuses"): {"GET": _list(jobs.cluster_statuses, "Status")},
        ("jobs", "*", "files"): {"GET": _list(jobs.outputs, "File", "search")},
        ("jobs", "*", "instances"): {"GET": _list(jobs.instances, "Instance")},
        ("jobs", "*", "logs"): {"GET": _list(jobs.logs, "LogEntry")},
        ("jobs", "*", "tags"): {
            "GET": _list(jobs.tags, "Tag"),
            "POST": Operation(jobs.add_tag, 201, "Tag", "TagForm", refusals=(403,)),
            "DELETE": Operation(jobs.remove_tag, 204, takes="TagChoice", refusals=(403,)),
        },
        ("jobs", "*", "tags", "*"): {"DELETE": Operation(jobs.remove_tag_of_id, 204, refusals=(403,))},
        ("jobs", "*", "custom-fields"): {
            "GET": Operation(jobs.custom_fields, gives="CustomFields"),
            "POST": Operation(
                jobs.set_custom_fields, 201, "CustomFields", "CustomFieldsForm", refusals=(403,)
            ),
        },
        ("jobs", "*", "runs"): {"GET": _list(runs.listed, "Run")},
        ("jobs", "*", "runs", "*"): {"GET": Operation(runs.get, gives="Run")},
        ("jobs", "*", "runs", "*", "stop"): {"POST": Operation(runs.stop, 202, "Run", refusals=(400, 403))},
        ("jobs", "*", "runs", "*", "snapshot"): {
            "POST": Operation(runs.snapshot, 202, "Run", refusals=(400, 403))
        },
        ("jobs", "*", "runs", "*", "files"): {"GET": _list(runs.outputs, "File", "search")},
        ("jobs", "*", "runs", "*", "directory-contents"): {
            "GET": Operation(runs.directory_contents, gives="DirectoryEntry", is_bare=True, refusals=(400,))
        },
        ("jobs", "*", "runs", "*", "tail", "**"): {
            "GET": Operation(runs.tail, gives="Lines", query=("lines",), refusals=(400,))
        },
        ("coretypes",): {"GET": _list(offers.core_types, "CoreType")},
        ("storage-devices",): {"GET": _list(offers.storage_devices, "StorageDevice")},
        ("analyses",): {"GET": _list(offers.analyses, "Analysis")},
        ("users", "me"): {"GET": Operation(offers.me, gives="User")},
        ("users", "me", "projects"): {"GET": _list(offers.projects, "Project")},
        ("billing", "computeprices"): {
            "GET": Operation(offers.compute_prices, gives="ComputePrice", is_bare=True)
        },
    }
)
