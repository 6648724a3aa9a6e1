"""Open the platform that a command names: the embedded one, an address, or the Rescale cloud."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import InvalidStudy, PreconditionFailed, WrongUsage
from doe_compiler.pipeline.origin import origin_of, project_folder, shared_folder
from doe_compiler.plan.memory import ELSEWHERE, OURS, Times

if TYPE_CHECKING:
    from doe_compiler.platform.api.service import Platform


CONFIG = "config.yaml"


@dataclass(frozen=True, slots=True)
class Connection:
    """An open platform: its client, the protocol's times on it, and its own hands if it is embedded.

    `start_runs(tied)` starts what is queued on the embedded platform: tied to this process, or detached.
    `run_directory` tells where the files of a run lie on this machine. `reads_outputs`: the platform tells exit codes
    and reads outputs itself; it is asked once, when that is to be known. `is_paced`: the throttles of the cloud are
    kept. `reads_only`: nothing is written, on this machine either. `is_executing()`: somebody carries on what was
    submitted; `goes_on_in` names what does so whether or not a command is there. `origin` tells where a study is applied
    from. `free_contents(dry_run)`: how many contents of deleted files and jobs were freed on the embedded platform, and
    their bytes.
    """

    client: Client
    host: str
    times: Callable[[], Times]
    start_runs: Callable[[bool], None]
    run_directory: Callable[[str, int], Path | None]
    reads_outputs: Callable[[], bool] = lambda: False
    is_embedded: bool = False
    is_paced: bool = False
    reads_only: bool = False
    is_executing: Callable[[], bool] = lambda: True
    goes_on_in: str = ""
    origin: Callable[[Path], str] = lambda _study: ""
    free_contents: Callable[[bool], tuple[int, int]] = lambda _dry_run: (0, 0)

    def throttle(self) -> tuple[int, float]:
        """How many submits may be sent at once, and the seconds until the next one."""
        left = self.client.submits_left()
        return (1 << 30 if left is None else left), self.client.seconds_to_submit()


@contextmanager
def connected(
    on: str,
    *,
    environ: Mapping[str, str],
    home: Path,
    study_folder: Path,
    rps: float | None = None,
    reads_only: bool = False,
) -> Iterator[Connection]:
    """Connect to `local`, `rescale` or an http(s) address; closes what it opened.

    `rps` are requests a second at most, to a platform that is not embedded. With `reads_only` the embedded one
    needs no right to write; what it has not, it shows as an empty one.
    """
    origin = partial(origin_of, environ=environ)
    if on == "local":
        site = site_of(study_folder, home)
        with _embedded(platform_folder(environ, study_folder), site, reads_only=reads_only) as connection:
            yield replace(connection, origin=origin)
        return
    from doe_compiler.client.settings import account, account_for

    if on == "rescale":
        found = account(environ, home)
    elif on.startswith(("http://", "https://")):
        found = account_for(on, environ, home)
    else:
        raise WrongUsage(f"--on {on}: not a platform", hint="say local, rescale, or an http(s) address")
    client = Client.connect(found, rps=rps)
    try:
        yield Connection(
            client,
            found.url,
            cache(lambda: OURS if on != "rescale" and client.understands("draftTag") else ELSEWHERE),
            lambda _tied: None,
            lambda _job, _run: None,
            reads_outputs=cache(lambda: on != "rescale" and client.understands("outputReading")),
            is_paced=not found.is_on_this_machine,
            reads_only=reads_only,
            origin=origin,
        )
    finally:
        client.close()


def platform_folder(environ: Mapping[str, str], study_folder: Path) -> Path:
    """Where the embedded platform keeps its data: DOE_DATA, or `platform` in the project's `.doe`."""
    if environ.get("DOE_DATA"):
        return Path(environ["DOE_DATA"]).absolute()
    return hidden_folder(study_folder) / "platform"


def hidden_folder(study_folder: Path) -> Path:
    """The `.doe` of the project: one for all work trees of a repository, or beside a study outside of any.

    A work tree that has a platform of its own, from before they were shared, keeps it.
    """
    own = project_folder(study_folder) / ".doe"
    return own if (own / "platform").is_dir() else shared_folder(study_folder) / ".doe"


def site_of(study_folder: Path, home: Path) -> dict[str, object]:
    """The configuration of this machine, the project's before the user's; raises InvalidStudy with all findings."""
    files = (hidden_folder(study_folder) / CONFIG, home / ".config" / "doe" / CONFIG)
    if not any(file.is_file() for file in files):
        return {}
    from doe_compiler.spec.report import Report
    from doe_compiler.spec.site import read_site

    report = Report()
    site = read_site(files, report)
    if report.findings:
        raise InvalidStudy(report.findings, report.lines)
    return site


def apart(environ: Mapping[str, str], study_folder: Path) -> str | None:
    """What to tell of a work tree that does not share the platform of its repository; None if it does."""
    shared = shared_folder(study_folder) / ".doe"
    used = hidden_folder(study_folder)
    if environ.get("DOE_DATA") or used == shared:
        return None
    return (
        f"this work tree goes on with jobs of its own, in '{used / 'platform'}'; "
        f"the other work trees of the repository share '{shared / 'platform'}'"
    )


@contextmanager
def _embedded(data: Path, site: Mapping[str, object], *, reads_only: bool) -> Iterator[Connection]:
    platform = _opened(data, site, reads_only=reads_only)
    client = Client.embedded(platform.answer)

    def start_runs(tied: bool) -> None:
        platform.check_executor()
        platform.ensure_executor(detached=not tied)

    def free_contents(dry_run: bool) -> tuple[int, int]:
        freed = platform.free_contents(dry_run=dry_run)
        return freed.files, freed.size

    try:
        yield Connection(
            client,
            "local",
            lambda: OURS,
            start_runs,
            lambda job, run: data / "jobs" / job / f"run{run}",
            reads_outputs=lambda: True,
            is_embedded=True,
            reads_only=reads_only,
            is_executing=platform.is_executing,
            free_contents=free_contents,
            goes_on_in=platform.goes_on_in,
        )
    finally:
        client.close()
        platform.close()


def _opened(data: Path, site: Mapping[str, object], *, reads_only: bool) -> "Platform":
    from doe_compiler.platform.api.service import open_platform, open_platform_for_reading, settings_of

    try:
        settings = settings_of(site)
        return (
            open_platform_for_reading(data, settings)
            if reads_only
            else open_platform(data, settings=settings)
        )
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        raise PreconditionFailed(
            f"the jobs in '{data}' cannot be {'read' if reads_only else 'written'}: {error.strerror or error}{where}",
            hint="DOE_DATA names another folder for jobs",
        ) from error
