"""What the platform answers, parsed once: unknown fields are ignored, missing ones are a garbled answer."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from doe_compiler.client.errors import Garbled, printable

_RUN_PATH = re.compile(r"output/job_[^/]+/run(\d{1,15})/")

_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A row of the job list; an empty `status` is a draft, any other word counts as submitted.

    `status_reason` and, of jobs that have ended, `runs_failed` are told by the embedded platform only; None is not told.
    """

    id: str
    name: str
    status: str
    date_inserted: datetime
    owner: str
    cluster_status: str = ""
    status_reason: str | None = None
    shared_with: tuple[str, ...] = ()
    runs_failed: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A whole job: `environment` are those of all analyses (the first wins), `raw` is what came."""

    id: str
    name: str
    owner: str
    environment: Mapping[str, str]
    param_file: str | None
    case_file: str | None
    expected_runs: int | None
    date_inserted: datetime | None
    raw: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """A word of a status history, when it was reached, and why (empty if nothing was said)."""

    status: str
    date: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RunVariable:
    """A variable of a run: `value` is a number or None, `display_value` the text of the template."""

    name: str
    value: float | str | None
    display_value: str


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run, counted from 1; a date is None until it happens; inputs come before outputs.

    `exit_code` is told by the embedded platform only.
    """

    number: int
    started: datetime | None
    completed: datetime | None
    variables: tuple[RunVariable, ...]
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A stored file; `size` in bytes, checksums in lower-case hex, `run` for an output of a run."""

    id: str
    name: str
    size: int
    md5: str | None
    sha512: str | None
    relative_path: str
    type_id: int | None
    is_usable: bool
    run: int | None


@dataclass(frozen=True, slots=True)
class CoreType:
    """A kind of machine: the numbers of cores a slot may have, prices per core-hour (None: not told)."""

    code: str
    name: str
    cores: tuple[int, ...]
    price: float | None
    low_priority_price: float | None
    is_deprecated: bool
    is_walltime_required: bool


@dataclass(frozen=True, slots=True)
class Analysis:
    """A software that the platform offers, with the codes of its versions."""

    code: str
    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: how many there are in all, these rows, and where the next ones are."""

    count: int
    rows: tuple[object, ...]
    next: str | None


class Fields:
    """A JSON object as typed fields; raises Garbled with the name of the field that is not as promised."""

    def __init__(self, value: object, what: str) -> None:
        self._what = what
        if not isinstance(value, dict):
            raise self._garbled("is no object")
        self.raw: Mapping[str, object] = value

    def _garbled(self, problem: str) -> Garbled:
        return Garbled(f"garbled answer: {self._what} {problem}")

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.raw.get(name) is not None

    def required(self, name: str) -> object:
        """The field's value, null too."""
        if name not in self.raw:
            raise self._garbled(f"has no `{name}`")
        return self.raw[name]

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.required(name)
        if not isinstance(value, str):
            raise self._garbled(f"has a `{name}` that is no text")
        return value

    def id(self, name: str = "id") -> str:
        """An id: a text that is not empty, or a number."""
        value = self.required(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value:
            raise self._garbled(f"has a `{name}` that is no id")
        return value

    def text_or(self, name: str, default: str) -> str:
        """A text, or the default where it is missing or null."""
        return self.text(name) if self.has(name) else default

    def whole(self, name: str) -> int:
        """A whole number from 0, also written as text."""
        value = self.required(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._garbled(f"has a `{name}` that is no whole number")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """A whole number, or None where it is missing or null."""
        return self.whole(name) if self.has(name) else None

    def number_or_none(self, name: str) -> float | None:
        """A number, also written as text, or None where it is missing or null."""
        value = self.raw.get(name)
        if value is None:
            return None
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise self._garbled(f"has a `{name}` that is no number") from None

    def flag(self, name: str, default: bool) -> bool:
        """A truth value, or the default where it is missing or null."""
        value = self.raw.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._garbled(f"has a `{name}` that is neither true nor false")
        return value

    def date(self, name: str) -> datetime:
        """An ISO 8601 date, in UTC; one without a zone is in UTC already."""
        text = self.text(name)
        try:
            date = datetime.fromisoformat(text)
            return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._garbled(f"has a `{name}` that is no date") from None

    def date_or_none(self, name: str) -> datetime | None:
        """A date, or None where it is missing or null."""
        return self.date(name) if self.has(name) else None

    def rows(self, name: str) -> tuple[object, ...]:
        """A list that must be there."""
        value = self.required(name)
        if not isinstance(value, list):
            raise self._garbled(f"has a `{name}` that is no list")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a list; what is no list or no text is left out."""
        value = self.raw.get(name)
        return tuple(row for row in value if isinstance(row, str)) if isinstance(value, list) else ()

    def rows_or_none(self, name: str) -> tuple[object, ...]:
        """A list, empty where it is missing or null."""
        return self.rows(name) if self.has(name) else ()

    def file_id(self, name: str) -> str | None:
        """The id in a file object that must be there and may be null."""
        value = self.required(name)
        return None if value is None else Fields(value, f"`{name}` of {self._what}").id()

    def each(self, name: str, parse: Callable[[object], _Parsed]) -> tuple[_Parsed, ...]:
        """Every row of a list, parsed; empty where the list is missing or null."""
        return tuple(parse(row) for row in self.rows_or_none(name))


def mapping(value: object) -> Mapping[str, object]:
    """An object as the platform sent it."""
    return Fields(value, "an entry").raw


def lines(value: object) -> tuple[str, ...]:
    """The lines of a text."""
    found = Fields(value, "a text").required("lines")
    if not isinstance(found, list) or not all(isinstance(line, str) for line in found):
        raise Garbled("garbled answer: the lines are no texts")
    return tuple(found)


def page(value: object) -> Page:
    """A page; a plain list is one page that holds all."""
    if isinstance(value, list):
        return Page(len(value), tuple(value), None)
    fields = Fields(value, "a list")
    return Page(fields.whole("count"), fields.rows("results"), fields.text_or("next", "") or None)


def custom_fields(value: object) -> Mapping[str, object]:
    """A job's custom fields as a map; a list of them, or a page of it, has a `name` and a `value` a row."""
    if isinstance(value, dict) and not isinstance(value.get("results"), list):
        return value
    rows = (Fields(row, "a custom field") for row in page(value).rows)
    return {row.text("name"): row.raw.get("value") for row in rows}


def job_entry(value: object) -> JobEntry:
    """A row of the job list. A job without a status word is garbled, never a draft."""
    fields = Fields(value, "a job in the list")
    return JobEntry(
        id=fields.id(),
        name=fields.text("name"),
        status=_content(fields.required("jobStatus"), "`jobStatus` of a job in the list"),
        date_inserted=fields.date("dateInserted"),
        owner=fields.text("owner"),
        cluster_status=_content(
            fields.raw["clusterStatusDisplay"], "`clusterStatusDisplay` of a job in the list"
        )
        if fields.has("clusterStatusDisplay")
        else "",
        status_reason=_text_or_none(fields.raw.get("statusReason")),
        shared_with=fields.texts("sharedWith"),
        runs_failed=fields.whole_or_none("runsFailed"),
    )


def _content(value: object, what: str) -> str:
    return value if isinstance(value, str) else Fields(value, what).text("content")


def job(value: object) -> Job:
    """A whole job. A job without `paramFile` (null is one) is garbled: its rows would be overlooked."""
    fields = Fields(value, "a job")
    environment: dict[str, str] = {}
    for analysis in fields.rows("jobanalyses"):
        inner = Fields(analysis, "an analysis of a job")
        variables = Fields(inner.raw.get("envVars") or {}, "`envVars` of an analysis")
        for name in variables.raw:
            environment.setdefault(name, _plain_text(variables.raw[name]))
    return Job(
        id=fields.id(),
        name=fields.text("name"),
        owner=fields.text_or("owner", ""),
        environment=environment,
        param_file=fields.file_id("paramFile"),
        case_file=fields.file_id("caseFile") if fields.has("caseFile") else None,
        expected_runs=fields.whole_or_none("expectedRuns"),
        date_inserted=fields.date_or_none("dateInserted"),
        raw=fields.raw,
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _plain_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def status(value: object) -> Status:
    """A row of a status history."""
    fields = Fields(value, "a status")
    return Status(fields.text("status"), fields.date("statusDate"), fields.text_or("statusReason", ""))


def run_entry(value: object) -> RunEntry:
    """A row of a job's runs."""
    fields = Fields(value, "a run")
    return RunEntry(
        number=fields.whole("id"),
        started=fields.date_or_none("dateStarted"),
        completed=fields.date_or_none("dateCompleted"),
        variables=fields.each("variables", _run_variable),
        exit_code=fields.whole_or_none("exitCode"),
    )


def _run_variable(value: object) -> RunVariable:
    fields = Fields(value, "a variable of a run")
    number = fields.raw.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float | str | None):
        raise Garbled("garbled answer: a variable of a run has a `value` that is neither number nor text")
    shown = fields.raw.get("displayValue")
    return RunVariable(fields.text("name"), number, _plain_text(number if shown is None else shown))


def file_entry(value: object) -> FileEntry:
    """A file object, of a list or of an upload."""
    fields = Fields(value, "a file")
    name = fields.text("name")
    path = _RUN_PATH.search(fields.text_or("path", ""))
    return FileEntry(
        id=fields.id(),
        name=name,
        size=fields.whole("decryptedSize"),
        md5=fields.text_or("md5", "").lower() or None,
        sha512=_sha512(fields.each("fileChecksums", lambda row: Fields(row, "a checksum of a file"))),
        relative_path=fields.text_or("relativePath", "") or name,
        type_id=fields.whole_or_none("typeId"),
        is_usable=fields.flag("isUploaded", default=True) and not fields.flag("isDeleted", default=False),
        run=int(path[1]) if path else None,
    )


def _sha512(checksums: Iterable[Fields]) -> str | None:
    for checksum in checksums:
        if checksum.text_or("hashFunction", "").lower() in {"sha512", "sha-512"}:
            return checksum.text_or("fileHash", "").lower() or None
    return None


def core_type(value: object) -> CoreType:
    """A row of the core types."""
    fields = Fields(value, "a core type")
    code = fields.text("code")
    return CoreType(
        code=code,
        name=fields.text_or("name", code),
        cores=fields.each("cores", lambda cores: Fields({"cores": cores}, "a core type").whole("cores")),
        price=fields.number_or_none("price"),
        low_priority_price=fields.number_or_none("lowPriorityPrice"),
        is_deprecated=fields.flag("isDeprecated", default=False),
        is_walltime_required=fields.flag("walltimeRequired", default=False),
    )


def analysis(value: object) -> Analysis:
    """A row of the analyses."""
    fields = Fields(value, "an analysis")
    code = fields.text("code")
    return Analysis(
        code=code,
        name=fields.text_or("name", code),
        versions=fields.each(
            "versions", lambda row: Fields(row, "a version of an analysis").id("versionCode")
        ),
    )


def email(value: object) -> str:
    """The address of the account's owner, in one printable line."""
    return printable(Fields(value, "the user").text("email"))


def user_id(value: object) -> str:
    """The opaque id of the account."""
    return Fields(value, "the user").id("id")
