"""The responses of a run as the study defines them now: as it printed them, or read from its stored outputs."""

import hashlib
import json
import posixpath
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from doe_compiler.bundle.observation import SeenJob
from doe_compiler.bundle.steps import (
    EXIT_FILE,
    EXIT_NAME,
    TIMEOUT_FILE,
    TIMEOUT_NAME,
    extractor_settings,
    listed_digests,
    reading_time_s,
    response_digests,
    settings_digest,
)
from doe_compiler.client.answers import RunEntry
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound, TooLarge
from doe_compiler.extraction.reading import FileReading, Outcome
from doe_compiler.extraction.told import READING_NAME, told_in
from doe_compiler.extraction.values import NoValue, plain
from doe_compiler.extraction.watch import Watch
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, TryAgain
from doe_compiler.results.late import LateCommands
from doe_compiler.spec.measured import input_paths
from doe_compiler.spec.model import CommandExtractor, Declared, Response, Spec

_LARGEST_EXIT_FILE = 1 << 10
_LARGEST_SCRIPT = 1 << 28


@dataclass(slots=True)
class RunOutputs:
    """A run's exit code and responses by name; why responses have no value, and notes to others.

    `unread` are those by command that the run was not asked for.
    """

    values: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    is_timed_out: bool = False
    unread: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: Outcome) -> None:
        """What reading a response gave."""
        if outcome.value is None:
            self.missing[name] = outcome.told
            return
        self.values[name] = outcome.value
        if outcome.told:
            self.notes[name] = outcome.told


class CurrentResponses:
    """The responses as the study defines them now: those printed by an older extractor are read anew.

    Whatever is wrong with the outputs of one run is told of that run. Only what the whole platform refuses
    (a key that is not taken, a host that does not answer) is raised: it says nothing of the run.
    """

    def __init__(
        self,
        client: Client,
        spec: Spec,
        *,
        is_for_retries: bool = False,
        late: LateCommands | None = None,
        kept: MutableMapping[str, str] | None = None,
    ) -> None:
        """With `is_for_retries` a file that cannot be had for now is raised: it is no reason to run again.

        With `late` responses by command are read, too, and what is read is put into `kept`, which is always asked.
        """
        self._late = late
        self._kept: MutableMapping[str, str] = {} if kept is None else kept
        self.spec = spec
        self._is_for_retries = is_for_retries
        self._client = client
        self._digests = response_digests(spec.responses)
        self._inputs = input_paths(spec.analyses)
        self._seconds = reading_time_s(spec)
        self._has_timeout = any(each.run_timeout_s is not None for each in spec.analyses)
        self._of_job: dict[str, Mapping[str, str]] = {}
        self._listed: tuple[tuple[str, int], Mapping[str, str]] = (("", 0), {})

    def outputs(self, job: SeenJob, run: RunEntry, inputs: Mapping[str, str]) -> RunOutputs:
        """The run's responses and exit code; what the job did not print is extracted from files."""
        found = RunOutputs()
        if run.completed is None:
            return found
        printed = {v.name: v.display_value for v in run.variables if v.name not in inputs}
        code = self._exit_code(job, run, printed.get(EXIT_NAME))
        if code:
            found.values[EXIT_NAME] = code
        found.is_timed_out = code == "124" and self._has_timeout and self._is_timed_out(job, run, printed)
        then = self._digests_of(job.id)
        told = told_in(printed.get(READING_NAME, ""))
        unread: list[Response] = []
        for response in self.spec.responses:
            name = response.name
            if isinstance(response.extractor, Declared):
                found.add(name, _printed(name, printed, ""))
            elif then.get(name) != self._digests[name] or (name not in printed and name not in told.missing):
                unread.append(response)
            elif name in told.missing:
                found.missing[name] = told.missing[name]
            else:
                found.add(name, _printed(name, printed, told.notes.get(name, "")))
        unread = [each for each in unread if not self._take_kept(each, job, run, found)]
        commands = [each for each in unread if isinstance(each.extractor, CommandExtractor)]
        self._read([each for each in unread if each not in commands], job, run, found)
        if commands and self._late is not None:
            outcomes = self._late.outcomes(commands, job.id, run.number, inputs)
            for response, outcome in zip(commands, outcomes, strict=True):
                found.add(response.name, outcome)
        elif commands:
            asked = [each.name for each in commands if then.get(each.name) == self._digests[each.name]]
            found.missing |= dict.fromkeys(asked, "the run did not print it")
            found.unread += [each.name for each in commands if each.name not in asked]
        if self._late is not None:
            self._keep(unread, job, run, found)
        return found

    def _take_kept(self, response: Response, job: SeenJob, run: RunEntry, found: RunOutputs) -> bool:
        """Take what an earlier command has read with the same extractor; whether there is such a value."""
        text = self._kept.get(self._key(response, job, run))
        if text is not None:
            found.values[response.name] = text
        return text is not None

    def _keep(self, read: Sequence[Response], job: SeenJob, run: RunEntry, found: RunOutputs) -> None:
        for response in read:
            if response.name in found.values and response.name not in found.notes:
                self._kept[self._key(response, job, run)] = found.values[response.name]

    def _key(self, response: Response, job: SeenJob, run: RunEntry) -> str:
        return f"{job.id} {run.number} {self._digests[response.name]}"

    def _exit_code(self, job: SeenJob, run: RunEntry, printed: str | None) -> str:
        """As printed, or as the platform tells it (a failed post-processing too), or as the wrapper left it."""
        if printed not in {None, "0"}:
            return printed or ""
        if run.exit_code is not None:
            return str(run.exit_code)
        return printed or self._small_text(job, run, EXIT_FILE)

    def _is_timed_out(self, job: SeenJob, run: RunEntry, printed: Mapping[str, str]) -> bool:
        return TIMEOUT_NAME in printed or TIMEOUT_FILE in self._files(job, run)

    def _small_text(self, job: SeenJob, run: RunEntry, path: str) -> str:
        try:
            file_id = self._files(job, run).get(path)
            content = b"" if file_id is None else self._client.read_file(file_id, _LARGEST_EXIT_FILE)
        except (NotAllowedIn, TryAgain):
            raise
        except DoeError:
            return ""
        return content.decode(errors="replace").strip()

    def _read(self, responses: Sequence[Response], job: SeenJob, run: RunEntry, found: RunOutputs) -> None:
        """Read responses from the stored outputs: each file once, for all that need it."""
        of_file: dict[str, list[tuple[str, dict[str, str]]]] = {}
        for response in responses:
            settings = extractor_settings(response)
            if settings is not None:
                of_file.setdefault(settings["file"], []).append((response.name, settings))
        if not of_file:
            return
        with Watch(self._seconds) as watch:
            for path, named in of_file.items():
                reading = FileReading([settings for _, settings in named], watch)
                for (name, _), outcome in zip(named, self._read_file(path, reading, job, run), strict=True):
                    found.add(name, outcome)

    def _read_file(self, path: str, reading: FileReading, job: SeenJob, run: RunEntry) -> list[Outcome]:
        try:
            file_id = self._files(job, run).get(posixpath.normpath(path))
            if file_id is None:
                return reading.fail(f"there is no file '{path}'")
            if self._is_untouched(path, file_id):
                return reading.fail(f"'{path}' is an input that the run has not changed")
            self._client.download(file_id, lambda piece: _fed(reading, piece))
        except _Settled:
            pass
        except DoeError as error:
            if isinstance(error, NotAllowedIn | TryAgain):
                self._check_platform(error, job, run)
            return reading.fail(f"'{path}' cannot be read: {error.message}")
        return reading.finish()

    def _is_untouched(self, path: str, file_id: str) -> bool:
        """Whether a file that lies where an input lay still is that input."""
        _, as_input = self._inputs.get(posixpath.normpath(path), ("", ""))
        if not as_input:
            return False
        sha256 = hashlib.sha256()
        self._client.download(file_id, sha256.update)
        return sha256.hexdigest() == as_input

    def _check_platform(self, error: DoeError, job: SeenJob, run: RunEntry) -> None:
        """Raise what is wrong with the platform as a whole; if it answers, only this file cannot be had."""
        if self._is_for_retries:
            raise error
        self._listed = (("", 0), {})
        self._files(job, run)

    def _files(self, job: SeenJob, run: RunEntry) -> Mapping[str, str]:
        if self._listed[0] != (job.id, run.number):
            files = {file.relative_path: file.id for file in self._client.run_files(job.id, run.number)}
            self._listed = ((job.id, run.number), files)
        return self._listed[1]

    def _digests_of(self, job_id: str) -> Mapping[str, str]:
        if job_id not in self._of_job:
            self._of_job[job_id] = self._read_digests(job_id)
        return self._of_job[job_id]

    def _read_digests(self, job_id: str) -> Mapping[str, str]:
        job = self._client.job(job_id)
        try:
            found = json.loads(job.environment.get("DOE_RESPONSES", "{}"))
        except ValueError:
            return {}
        if not isinstance(found, dict) or "" not in found:
            return found if isinstance(found, dict) else {}
        script = _script_of(job)
        if job.raw.get("outputReading"):
            return _digests_read(job)
        if script is None:
            return {}
        try:
            return listed_digests(self._client.read_file(script, _LARGEST_SCRIPT))
        except (NotFound, TooLarge):
            return {}


class _Settled(Exception):
    """Nothing more of a file is needed."""


def _fed(reading: FileReading, piece: bytes) -> None:
    reading.feed(piece)
    if reading.is_settled:
        raise _Settled


def _printed(name: str, printed: Mapping[str, str], note: str) -> Outcome:
    if name not in printed:
        return Outcome(None, "the post-processing did not print it")
    try:
        return Outcome(plain(printed[name]), note)
    except NoValue as error:
        return Outcome(None, str(error))


def _digests_read(job: Job) -> dict[str, str]:
    """The digests of the extractors that the platform was given."""
    asked = job.raw.get("outputReading")
    listed = asked.get("variables") if isinstance(asked, Mapping) else None
    settings = [each for each in listed or () if isinstance(each, Mapping)]
    return {str(each.get("name")): settings_digest(each) for each in settings}


def _script_of(job: Job) -> str | None:
    """The id of the post-processing script of the job's last analysis."""
    analyses = job.raw.get("jobanalyses")
    last = analyses[-1] if isinstance(analyses, list) and analyses else None
    script = last.get("postProcessScript") if isinstance(last, Mapping) else None
    found = script.get("id") if isinstance(script, Mapping) else None
    return found if isinstance(found, str) else None
