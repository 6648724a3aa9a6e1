"""The API: a request in, a response out, whatever carries them."""

import getpass
import hashlib
import hmac
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from doe_compiler.kernel.wire import Request, Response
from doe_compiler.platform import catalogue
from doe_compiler.platform.answers import (
    Refusal,
    base_url,
    detail,
    empty_response,
    json_body,
    json_response,
    not_found,
    paged,
    whole_list,
)
from doe_compiler.platform.blobs import blob_path, drop_abandoned
from doe_compiler.platform.contents import contents_response
from doe_compiler.platform.forms import Invalid
from doe_compiler.platform.jobs import created_job, file_json, job_item_json, job_json
from doe_compiler.platform.launch import ExecutorLauncher
from doe_compiler.platform.records import DataFolder, Job, JobState, iso_date, now_us
from doe_compiler.platform.runs import output_json, output_of_id, run_count, runs_json
from doe_compiler.platform.store import DatabaseError, Store, StoreError
from doe_compiler.platform.uploads import received_upload

ID = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
ABANDONED_S = 24 * 3600
RUN = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a handler sees it: what it is about, and what it may use."""

    store: Store
    folder: DataFolder
    request: Request
    base: str
    owner: str
    user: str
    ids: tuple[str, ...]
    submitted: Callable[[], None]

    def job(self) -> Job:
        """The job that the address names; raises the 404."""
        job = self.store.job(self.ids[0])
        if job is None:
            raise not_found()
        return job


class Platform:
    """One embedded platform, open; any number of threads may call `answer`."""

    def __init__(self, folder: DataFolder, token: str | None) -> None:
        self._folder = folder
        self._token_digest = _digest(token) if token is not None else None
        self._store = Store(folder.database, durable=True)
        self._user = self._store.user_id()
        self._owner = f"{_login_name()}@localhost"
        self._launcher = ExecutorLauncher(folder)

    def answer(self, request: Request) -> Response:
        """The response to one call of the API; never raises for anything a client can send."""
        try:
            self._check_token(request)
            return self._dispatch(request)
        except Refusal as refusal:
            return refusal.response
        except Invalid as invalid:
            return json_response(400, invalid.detail)
        except OSError as error:
            return json_response(507, {"detail": f"The platform cannot store this: {error.strerror}."})
        except DatabaseError as error:
            return json_response(
                503, {"detail": f"The database cannot be used: {error}."}, (("retry-after", "1"),)
            )

    def _check_token(self, request: Request) -> None:
        if self._token_digest is None:
            return
        scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
        challenge = (("www-authenticate", "Token"),)
        if scheme.lower() != "token" or not given.strip():
            raise detail(401, "Authentication credentials were not provided.", challenge)
        if not hmac.compare_digest(_digest(given.strip()), self._token_digest):
            raise detail(401, "Invalid token.", challenge)

    def _dispatch(self, request: Request) -> Response:
        segments = request.path.strip("/").split("/")
        if (
            len(segments) < 3
            or segments[0] != "api"
            or segments[1] not in ("v2", "v3")
            or "//" in request.path
        ):
            raise not_found()
        methods, ids = _route(tuple(segments[2:]))
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            raise detail(405, f'Method "{request.method[:20]}" not allowed.', (("allow", allowed),))
        base = f"{base_url(request)}/api/{segments[1]}/"
        call = Call(
            self._store, self._folder, request, base, self._owner, self._user, ids, self._ensure_tied_executor
        )
        return methods[method](call)

    def _ensure_tied_executor(self) -> None:
        self.ensure_executor(detached=False)

    def has_work(self) -> bool:
        """Whether a job is queued or running."""
        try:
            return bool(self._store.live_jobs(1))
        except DatabaseError as error:
            raise StoreError(f"{self._folder.database} cannot be read: {error}") from error

    def ensure_executor(self, *, detached: bool) -> None:
        """See that an executor is there if there is work.

        A tied executor ends with this process and leaves its interrupted runs to the next one; a detached
        one goes on. Asking for a detached one unties the one that this process has started. Whoever waits
        for a job calls this now and then: an executor of another process may have ended with it.
        """
        if detached:
            self._launcher.untie()
        if self.has_work():
            self._launcher.ensure(detached=detached)

    def check_executor(self) -> None:
        """Raise DoeError if the runs cannot go on, such as on a full disk."""
        self._launcher.check()

    def close(self) -> None:
        """Let go of the data; ends the tied executor that this process has started, and waits for its end."""
        self._launcher.close()
        self._store.close()


def open_platform(data: Path, *, token: str | None = None) -> Platform:
    """Open the platform in the folder `data`, and make it if it is not there.

    With a token every call needs `Authorization: Token ...`. Raises StoreError for a database that is none
    of ours, OSError for a folder that cannot be written.
    """
    folder = DataFolder(data.absolute())
    folder.root.mkdir(parents=True, exist_ok=True)
    if folder.root.parent.name == ".doe":
        ignore = folder.root.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    folder.blobs.mkdir(exist_ok=True)
    folder.jobs.mkdir(exist_ok=True)
    drop_abandoned(folder.blobs, ABANDONED_S)
    return Platform(folder, token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"


# Files


def _upload(call: Call) -> Response:
    with received_upload(call.request, call.folder.blobs) as (name, type_id, blob):
        file = call.store.add_file(name, blob.size, blob.md5, blob.sha512, type_id, now_us())
    return json_response(201, file_json(file, call.owner, call.user, call.base))


def _list_files(call: Call) -> Response:
    search = call.request.first("search") or ""

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, files = call.store.file_page(search, offset, limit)
        return count, [file_json(file, call.owner, call.user, call.base) for file in files]

    return paged(call.request, load)


def _get_file(call: Call) -> Response:
    file = call.store.files_by_id(call.ids).get(call.ids[0])
    if file is not None:
        return json_response(200, file_json(file, call.owner, call.user, call.base))
    output = output_of_id(call.store, call.ids[0])
    if output is None:
        raise not_found()
    return json_response(200, output_json(output, call.owner, call.user, call.base))


def _get_contents(call: Call) -> Response:
    file = call.store.files_by_id(call.ids).get(call.ids[0])
    if file is not None:
        return contents_response(call.request, blob_path(call.folder.blobs, file.sha512), file.name)
    output = output_of_id(call.store, call.ids[0])
    if output is None:
        raise not_found()
    path = call.folder.run_directory(output.job_id, output.run) / output.relative
    return contents_response(call.request, path, path.name)


# Jobs


def _list_jobs(call: Call) -> Response:
    request = call.request
    wanted = (request.first("jobStatus.content"), request.first("job_status"), request.first("jobStatus"))
    status = next((each for each in wanted if each is not None), None)

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, jobs = call.store.job_page(status, request.first("search") or "", offset, limit)
        return count, [job_item_json(job, call.owner) for job in jobs]

    return paged(request, load)


def _create_job(call: Call) -> Response:
    job = created_job(call.store, call.folder, json_body(call.request))
    return json_response(201, job_json(call.store, job, call.owner, call.user, call.base))


def _get_job(call: Call) -> Response:
    return json_response(200, job_json(call.store, call.job(), call.owner, call.user, call.base))


def _delete_job(call: Call) -> Response:
    state = call.store.delete_job(call.ids[0])
    if state is None:
        raise not_found()
    if state in (JobState.QUEUED, JobState.RUNNING):
        raise detail(400, "The job is still running: stop it before it is deleted.")
    shutil.rmtree(call.folder.jobs / call.ids[0], ignore_errors=True)
    return empty_response(204)


def _submit_job(call: Call) -> Response:
    state = call.store.submit(call.ids[0], now_us())
    if state is None:
        raise not_found()
    if state is not JobState.DRAFT:
        raise detail(400, "The job has been submitted before.")
    call.submitted()
    return empty_response(200)


def _stop_job(call: Call) -> Response:
    state = call.store.request_stop(call.ids[0], now_us())
    if state is None:
        raise not_found()
    if state is JobState.DRAFT:
        raise detail(400, "The job has not been submitted.")
    return empty_response(202)


def _statuses(call: Call, *, of_cluster: bool) -> Response:
    job = call.job()
    return whole_list(
        call.request,
        [
            {"status": each.status, "statusDate": iso_date(each.date_us), "statusReason": each.reason}
            for each in call.store.statuses(job, of_cluster=of_cluster)
        ],
    )


# Runs


def _list_runs(call: Call) -> Response:
    job = call.job()
    return paged(
        call.request,
        lambda offset, limit: (
            run_count(job),
            runs_json(call.store, call.folder, job, offset + 1, offset + limit),
        ),
    )


def _run_number(call: Call, job: Job) -> int:
    if not RUN.fullmatch(call.ids[1]) or int(call.ids[1]) > run_count(job):
        raise not_found()
    return int(call.ids[1])


def _get_run(call: Call) -> Response:
    job = call.job()
    number = _run_number(call, job)
    return json_response(200, runs_json(call.store, call.folder, job, number, number)[0])


def _outputs(call: Call, *, of_run: bool) -> Response:
    job = call.job()
    run = _run_number(call, job) if of_run else None
    search = call.request.first("search") or ""

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, outputs = call.store.output_page(job, run, search, offset, limit)
        return count, [output_json(output, call.owner, call.user, call.base) for output in outputs]

    return paged(call.request, load)


# What the platform offers


def _core_types(call: Call) -> Response:
    return whole_list(
        call.request, [catalogue.core_type_json(each) for each in catalogue.CORE_TYPES.values()]
    )


def _analyses(call: Call) -> Response:
    return whole_list(call.request, [catalogue.analysis_json(each) for each in catalogue.ANALYSES.values()])


def _me(call: Call) -> Response:
    return json_response(
        200,
        {"id": call.user, "email": call.owner, "username": call.owner, "firstName": "", "lastName": ""},
    )


Handler = Callable[[Call], Response]
ROUTES: Mapping[tuple[str, ...], Mapping[str, Handler]] = MappingProxyType(
    {
        ("files",): {"GET": _list_files},
        ("files", "contents"): {"POST": _upload, "PUT": _upload},
        ("files", "*"): {"GET": _get_file},
        ("files", "*", "contents"): {"GET": _get_contents},
        ("jobs",): {"GET": _list_jobs, "POST": _create_job},
        ("jobs", "*"): {"GET": _get_job, "DELETE": _delete_job},
        ("jobs", "*", "submit"): {"POST": _submit_job},
        ("jobs", "*", "stop"): {"POST": _stop_job},
        ("jobs", "*", "statuses"): {"GET": lambda call: _statuses(call, of_cluster=False)},
        ("jobs", "*", "cluster_statuses"): {"GET": lambda call: _statuses(call, of_cluster=True)},
        ("jobs", "*", "files"): {"GET": lambda call: _outputs(call, of_run=False)},
        ("jobs", "*", "runs"): {"GET": _list_runs},
        ("jobs", "*", "runs", "*"): {"GET": _get_run},
        ("jobs", "*", "runs", "*", "files"): {"GET": lambda call: _outputs(call, of_run=True)},
        ("coretypes",): {"GET": _core_types},
        ("analyses",): {"GET": _analyses},
        ("users", "me"): {"GET": _me},
    }
)


def _route(segments: tuple[str, ...]) -> tuple[Mapping[str, Handler], tuple[str, ...]]:
    """The handlers at an address by method, and the ids in it; raises the 404."""
    if segments in ROUTES and "*" not in segments:
        return ROUTES[segments], ()
    pattern = tuple("*" if place % 2 else word for place, word in enumerate(segments))
    ids = tuple(word for place, word in enumerate(segments) if place % 2)
    if pattern not in ROUTES or not all(ID.fullmatch(each) for each in ids):
        raise not_found()
    return ROUTES[pattern], ids
