"""The API: a request in, a response out, whatever carries them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

from doe_compiler.kernel.wire import Request, Response
from doe_compiler.platform.api.answers import Refusal, base_url, detail, json_response
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.api.forms import Invalid
from doe_compiler.platform.api.openapi import openapi_document
from doe_compiler.platform.api.router import READING, VERSIONS, found_address
from doe_compiler.platform.execute.launch import ExecutorLauncher
from doe_compiler.platform.execute.settings import DEFAULTS, Settings, settings_of
from doe_compiler.platform.store.blobs import drop_abandoned
from doe_compiler.platform.store.database import DatabaseError, StoreError, login_name
from doe_compiler.platform.store.freeing import Freed, free_all
from doe_compiler.platform.store.locks import is_locked
from doe_compiler.platform.store.records import DataFolder, now_us
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.users import Holder
from doe_compiler.platform.store.view import View

__all__ = ["Platform", "open_platform", "open_platform_for_reading", "settings_of"]

ABANDONED_S = 24 * 3600
DOCUMENT_PATHS = tuple(f"/api/{version}/openapi.json" for version in VERSIONS)


class Platform:
    """One embedded platform, open; any number of threads may call `answer`."""

    def __init__(
        self,
        folder: DataFolder,
        token: str | None,
        others: Mapping[str, str],
        *,
        settings: Settings = DEFAULTS,
        reads_only: bool = False,
        quota: int | None = None,
    ) -> None:
        self._folder = folder
        user = folder.run_user()
        if user is not None:
            user.take_groups()
        self._store = Store(folder.database, durable=True, reads_only=reads_only)
        self._owner = self._store.owner(f"{login_name()}@localhost")
        self._asks = token is not None
        if token is not None:
            self._store.set_file_tokens({**others, self._owner.email: token})
        self._users = {**self._store.users(), self._owner.id: self._owner}
        self._settings = settings
        self._launcher = ExecutorLauncher(folder, settings)
        self.list_delay_s = 0.0
        self._quota = quota

    def answer(self, request: Request) -> Response:
        """The response to one call of the API; never raises for anything a client can send.

        Every answer is dated by the clock of the creation stamps.
        """
        return self.dated(self._answer(request))

    def dated(self, response: Response) -> Response:
        """The response with a `Date` by the clock of the creation stamps."""
        now = now_us()
        with suppress(DatabaseError):
            now = self._store.clock_us(now)
        date = formatdate(now // 1_000_000, usegmt=True)
        return replace(response, headers=(*response.headers, ("date", date)))

    def _answer(self, request: Request) -> Response:
        email = ""
        try:
            holder = self._holder(request)
            email = holder.user.email
            response = self._dispatch(request, holder)
        except Refusal as refusal:
            response = refusal.response
        except Invalid as invalid:
            response = json_response(400, invalid.detail)
        except OSError as error:
            response = json_response(507, {"detail": f"The platform cannot store this: {error.strerror}."})
        except DatabaseError as error:
            response = json_response(
                503, {"detail": f"The database cannot be used: {error}."}, (("retry-after", "1"),)
            )
        return replace(response, user=email)

    def _holder(self, request: Request) -> Holder:
        """Whose token came with the request; without tokens everybody is the owner. Raises the 401."""
        if not self._asks:
            return Holder(self._owner)
        scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
        challenge = (("www-authenticate", "Token"),)
        if scheme.lower() != "token" or not given.strip():
            raise detail(401, "Authentication credentials were not provided.", challenge)
        holder = self._store.holder(given.strip())
        if holder is None:
            raise detail(401, "Invalid token.", challenge)
        if holder.user.id not in self._users:
            self._users = self._store.users()
        return holder

    def _dispatch(self, request: Request, holder: Holder) -> Response:
        if holder.only_reads and request.method not in READING:
            raise detail(403, "This token only reads.")
        if request.path.rstrip("/") in DOCUMENT_PATHS and request.method in ("GET", "HEAD"):
            return json_response(200, openapi_document(base_url(request)))
        version, operations, ids = found_address(request.path)
        operation = operations.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            allowed = ", ".join(sorted(operations))
            raise detail(405, f'Method "{request.method[:20]}" not allowed.', (("allow", allowed),))
        view = View(f"{base_url(request)}/api/{version}/", self._users, is_idle=self._is_idle())
        call = Call(
            self._store,
            self._folder,
            request,
            view,
            holder.user,
            ids,
            self._ensure_tied_executor,
            self.list_delay_s,
            self._quota,
        )
        return operation.handle(call)

    def _ensure_tied_executor(self) -> None:
        self.ensure_executor(detached=False)

    @property
    def goes_on_in(self) -> str:
        """What runs the runs whether or not an executor is there; empty where nothing does."""
        return self._settings.goes_on_in

    def _is_idle(self) -> bool:
        return not self.is_executing() and not self._settings.goes_on_in

    def is_executing(self) -> bool:
        """Whether an executor is there; it ends when there is nothing to do."""
        return is_locked(self._folder.executor_lock)

    def has_work(self) -> bool:
        """Whether a job is queued or running."""
        try:
            return bool(self._store.live_jobs(1))
        except DatabaseError as error:
            raise StoreError(f"{self._folder.database} cannot be read: {error}") from error

    def ensure_executor(self, *, detached: bool) -> None:
        """See that an executor is there if there is work.

        A tied executor ends with this process and leaves its interrupted runs to the next one; a detached
        one goes on. Asking for a detached one unties the one that this process has started, and one that is tied to
        another process goes on when that ends, until the queue is empty. Whoever waits
        for a job calls this now and then: an executor of another process may have ended with it.
        """
        if detached:
            self._launcher.untie()
        if self.has_work():
            if detached:
                self._store.go_on()
            self._launcher.ensure(detached=detached)

    def check_executor(self) -> None:
        """Raise DoeError if the runs cannot go on, such as on a full disk."""
        self._launcher.check()

    def free_contents(self, *, dry_run: bool) -> Freed:
        """Remove the contents that no file and no job needs any more, or count them."""
        return free_all(self._store, self._folder.blobs, dry_run=dry_run)

    def _goes_on(self) -> bool:
        try:
            return self._store.is_to_go_on()
        except DatabaseError:
            return False

    def close(self) -> None:
        """Let go of the data; ends the tied executor that this process has started, and waits for its end.

        Where another process has asked for a detached one meanwhile, the tied one goes on in its place.
        """
        self._launcher.close(self._goes_on)
        self._store.close()


def made_folder(data: Path) -> DataFolder:
    """The data folder, made if it is not there; git knows nothing of a `.doe`."""
    folder = DataFolder(data.absolute())
    folder.root.mkdir(parents=True, exist_ok=True)
    if folder.root.parent.name == ".doe":
        ignore = folder.root.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    return folder


def open_platform(
    data: Path,
    *,
    token: str | None = None,
    others: Mapping[str, str] | None = None,
    settings: Settings = DEFAULTS,
    quota: int | None = None,
) -> Platform:
    """Open the platform in the folder `data`, and make it if it is not there.

    With a token, the owner's, every call needs it or one of the others' (by e-mail address) in
    `Authorization: Token ...`. With a quota, in bytes, uploads and submits beyond it are refused. Raises StoreError for a database that is none
    of ours, OSError for a folder that cannot be written.
    """
    folder = made_folder(data)
    folder.blobs.mkdir(exist_ok=True)
    folder.jobs.mkdir(exist_ok=True)
    drop_abandoned(folder.blobs, ABANDONED_S)
    return Platform(folder, token, others or {}, settings=settings, quota=quota)


def open_platform_for_reading(data: Path, settings: Settings = DEFAULTS) -> Platform:
    """Open the platform in the folder `data` and write nothing there; an empty one if it is not there.

    Raises StoreError for a database that is none of ours, OSError for one that cannot be read.
    """
    return Platform(DataFolder(data.absolute()), None, {}, settings=settings, reads_only=True)
