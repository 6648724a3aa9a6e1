"""A plan as a document: for machines, for a pull request, and saved so that just that is applied later.

The sha256 covers everything, the payloads and parameter CSVs of the jobs to create included; equal inputs
give equal bytes. A saved plan binds to content: which account on which host, which rows, which jobs.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from doe_compiler.apply.looking import Look
from doe_compiler.apply.order import Order
from doe_compiler.bundle.pack import PARAMETERS, BundleFile
from doe_compiler.bundle.rows import Keys, RowSet, row_set
from doe_compiler.bundle.wanted import ReadyJob, Wanted
from doe_compiler.kernel.canonical import canonical_json, sha256_hex
from doe_compiler.kernel.errors import DoeError, InvalidStudy, PreconditionFailed, WrongUsage
from doe_compiler.kernel.findings import has_errors
from doe_compiler.pipeline.planning import Planned, PlannedStudy
from doe_compiler.plan.account import Account
from doe_compiler.plan.action import CREATING, Action, Decision, Kind
from doe_compiler.plan.decide import Wishes
from doe_compiler.plan.estimate import Estimate
from doe_compiler.plan.limits import Need, check
from doe_compiler.plan.memory import Agreed
from doe_compiler.spec.model import Limits, Share
from doe_compiler.spec.policy import policies_of
from doe_compiler.spec.report import Report

FORMAT, VERSION = "doe-plan", 3

Document = dict[str, object]


def plan_document(plan: Planned, *, root: Path, with_contents: bool = True) -> Document:
    """The whole plan as plain data; paths are relative to `root`.

    Without contents (payloads, parameters, row keys) there is no sha256 either.
    """
    document: Document = {
        "format": FORMAT,
        "version": VERSION,
        "host": plan.host,
        "account": plan.account,
        "studies": [_study(study, root, with_contents) for study in plan.studies],
    }
    if not with_contents:
        return document
    return {**document, "sha256": plan_digest(document)}


def plan_digest(document: Mapping[str, object]) -> str:
    """The digest of a plan, without the digest that stands in it."""
    return sha256_hex(canonical_json({key: value for key, value in document.items() if key != "sha256"}))


def without_contents(document: Mapping[str, object]) -> Document:
    """The plan without what only apply needs: payloads, parameters, row keys; its sha256 is the whole plan's."""
    studies = document["studies"]
    assert isinstance(studies, list)
    brief = [{key: value for key, value in study.items() if key != "contents"} for study in studies]
    return {**document, "studies": brief}


def written_plan(document: Mapping[str, object]) -> bytes:
    """The bytes of a saved plan."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _study(study: PlannedStudy, root: Path, with_contents: bool) -> Document:
    decision, wanted = study.decision, study.order.wanted
    names = {job.id: job.name for job in study.look.seen.jobs}

    def runs(*kinds: Kind) -> int:
        return sum(action.runs or 0 for action in decision.of(*kinds))

    return {
        "study": wanted.study,
        "file": _relative(Path(study.bundle.spec.file), root),
        "recipe": wanted.recipe,
        "runsWanted": None if wanted.unit else decision.runs_wanted,
        "runsUnchanged": decision.runs_unchanged,
        "runsToCreate": sum(action.runs or 0 for action in decision.of(Kind.CREATE) if not action.generation),
        "runsToRetry": sum(action.runs or 0 for action in decision.of(Kind.CREATE) if action.generation),
        "runsToSupersede": runs(Kind.SUPERSEDE),
        "runsFailed": ranges_text(decision.failed),
        "jobsToCreate": study.new_jobs,
        "submits": study.submits,
        "throttledSeconds": round(study.throttled_s, 1),
        "coreHours": _amounts(study.new.core_hours, study.new.most_core_hours),
        "cost": _amounts(study.new.cost, study.new.most_cost),
        "needs": _needs(study.need),
        "warnings": list(study.warnings),
        "wishes": {
            "retryFailed": study.order.wishes.retry_failed,
            "retryMissing": study.order.wishes.retry_missing,
            "replace": study.order.wishes.replace,
            "prune": study.order.wishes.prune,
        },
        "actions": [_action(action, names) for action in decision.actions],
        **({"contents": _contents(study.order, study.look, decision, root)} if with_contents else {}),
    }


def _relative(path: Path, root: Path) -> str:
    absolute = path.absolute()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name


def _needs(need: Need) -> Document:
    return {
        "runs": need.runs,
        "coreTypes": list(need.core_types),
        "analyses": list(need.analyses),
        "tags": list(need.tags),
        "coreHours": _amounts(need.estimate.core_hours, need.estimate.most_core_hours),
        "cost": _amounts(need.estimate.cost, need.estimate.most_cost),
    }


def _need_from(needs: Mapping[str, Any]) -> Need:
    hours, cost = needs["coreHours"], needs["cost"]
    return Need(
        needs["runs"],
        tuple(needs["coreTypes"]),
        tuple(needs["analyses"]),
        tuple(needs["tags"]),
        Estimate(hours["expected"], hours["atMost"], cost["expected"], cost["atMost"]),
    )


def _amounts(expected: float | None, most: float | None) -> Document:
    return {"expected": expected, "atMost": most}


def _action(action: Action, names: Mapping[str, str]) -> Document:
    return {
        "action": action.kind.value,
        "symbol": action.kind.symbol,
        "reason": {
            "code": action.reason.why.value,
            "text": str(action.reason),
            "changes": list(action.reason.changes),
        },
        "runs": action.runs,
        "rows": ranges_text(action.rows),
        "job": action.job_id,
        "name": names.get(action.job_id or ""),
        "generation": action.generation,
        "emails": list(action.emails),
    }


def ranges_text(rows: Sequence[int]) -> str:
    """`1-50,60` for the indices 0 to 49 and 59."""
    parts: list[list[int]] = []
    for row in sorted(rows):
        if parts and parts[-1][1] == row - 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ",".join(f"{a + 1}" if a == b else f"{a + 1}-{b + 1}" for a, b in parts)


def rows_of(text: str) -> tuple[int, ...]:
    """The indices that `ranges_text` wrote."""
    rows: list[int] = []
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        rows.extend(range(int(first) - 1, int(last or first)))
    return tuple(rows)


def _contents(order: Order, look: Look, decision: Decision, root: Path) -> Document:
    wanted, agreed = order.wanted, look.memory.agreed
    assert agreed is not None
    planned = [
        (wanted.job(rows), rows, action.generation)
        for action in decision.of(*CREATING)
        for rows in wanted.packs(action.rows)
    ]
    own = {file.reference: file for ready, _, _ in planned for file in ready.own}
    return {
        "keys": _packed(wanted.keys),
        "lost": {job_id: _packed(keys) for job_id, keys in sorted(agreed.lost.items())},
        "rowsToBuy": _packed(agreed.rows),
        "unit": wanted.unit,
        "varied": list(wanted.varied),
        "share": [{"email": share.email, "message": share.message} for share in wanted.share],
        "parts": dict(wanted.parts),
        "texts": dict(wanted.texts),
        "files": [_file(file, root) for file in (*wanted.files, *own.values())],
        "jobs": [_job(*each) for each in planned],
    }


def _packed(keys: Keys) -> str:
    return base64.b64encode(keys.astype("<u8").tobytes()).decode()


def _unpacked(text: object) -> Keys:
    return np.frombuffer(base64.b64decode(str(text)), "<u8").astype(np.uint64)


def _job(ready: ReadyJob, rows: Sequence[int], generation: int) -> Document:
    parameters = ready.parameters
    return {
        "title": ready.title,
        "runs": ready.runs,
        "rows": ",".join(map(str, (row + 1 for row in rows))) if _is_shuffled(rows) else ranges_text(rows),
        "generation": generation,
        "payload": dict(ready.payload),
        "parameters": None
        if parameters is None
        else {"name": parameters.name, "text": (parameters.content or b"").decode()},
    }


def _is_shuffled(rows: Sequence[int]) -> bool:
    return list(rows) != sorted(set(rows))


def _file(file: BundleFile, root: Path) -> Document:
    content = file.content
    return {
        "name": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "typeId": file.type_id,
        "base64": None if content is None else base64.b64encode(content).decode(),
        "path": None if file.path is None else _relative(Path(file.path), root),
    }


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was read from a file, with the orders that it stands for."""

    document: Mapping[str, object]
    host: str
    account: str
    sha256: str
    orders: tuple[Order, ...]
    files: tuple[str, ...]
    needs: tuple[Need, ...]

    def check_policies(self, root: Path) -> None:
        """Raise LimitExceeded if a study breaks a policy that lies where the study does, below `root`."""
        for file, need in zip(self.files, self.needs, strict=True):
            report = Report()
            policies = policies_of(root / file, report)
            if has_errors(report.findings):
                raise InvalidStudy(report.findings, report.lines)
            check(need, Limits(), policies)

    def check(self, host: str, account: str) -> None:
        """Raise PreconditionFailed unless this is the account and host of the plan."""
        for what, then, now in (("host", self.host, host), ("account", self.account, account)):
            if then != now:
                raise PreconditionFailed(
                    f"the plan was made for {what} {then}, this is {now}",
                    hint="apply it where it was made, or plan anew",
                )

    def check_looks(self, looks: Sequence[Look]) -> None:
        """Raise PreconditionFailed, before anything is done, if rows are missing that the plan did not find missing.

        What stands by now is no difference, so the plan can be applied again.
        """
        for order, look in zip(self.orders, looks, strict=True):
            account = Account(order.wanted.keys, look.seen, look.memory)
            beyond = account.due - account.missing
            if beyond.any():
                rows = ranges_text(account.indices(beyond).tolist())
                raise PreconditionFailed(
                    f"study '{order.wanted.study}' is no longer as the plan found it: runs {rows} stood then and are "
                    "missing now",
                    hint="nothing was done; plan anew, and have that reviewed",
                )


def is_plan(path: Path) -> bool:
    """Whether a file is a saved plan."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    return head.lstrip()[:1] == b"{" and path.suffix not in {".yaml", ".yml"}


def read_plan(path: Path, *, root: Path) -> SavedPlan:
    """A saved plan; files that it names by their paths are looked for below `root`.

    Raises PreconditionFailed if it is not whole, WrongUsage if it is no plan.
    """
    document = plan_from(path)
    if plan_digest(document) != document.get("sha256"):
        raise PreconditionFailed(
            f"'{path}' is not the plan that was made: its sha256 does not hold",
            hint="plan anew; a plan file must not be edited",
        )
    studies = document["studies"]
    assert isinstance(studies, list)
    return SavedPlan(
        document,
        str(document["host"]),
        str(document["account"]),
        str(document["sha256"]),
        tuple(_order_of(study, root) for study in studies),
        tuple(study["file"] for study in studies),
        tuple(_need_from(study["needs"]) for study in studies),
    )


def plan_from(path: Path) -> Document:
    """The document in a file, of a version that is known."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WrongUsage(f"'{path}' is no plan: {error}", hint="doe plan -o FILE writes one") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise WrongUsage(f"'{path}' is no plan", hint="doe plan -o FILE writes one")
    if document.get("version") != VERSION:
        raise DoeError(
            f"'{path}' is a plan of version {document.get('version')}; this doe knows version {VERSION}",
            hint="plan anew with this version of doe",
        )
    return document


def _order_of(study: Mapping[str, object], root: Path) -> Order:
    contents, wishes = study.get("contents"), study["wishes"]
    if not isinstance(contents, dict) or not isinstance(wishes, dict):
        raise WrongUsage(
            "this plan holds no payloads", hint="write it with doe plan -o FILE, not with --json"
        )
    keys = _unpacked(contents["keys"])
    jobs = PlannedJobs(keys, [_planned_job(entry) for entry in contents["jobs"]])
    wanted = Wanted(
        str(study["study"]),
        str(study["recipe"]),
        keys,
        contents["unit"],
        tuple(contents["varied"]),
        tuple(_planned_file(entry, root) for entry in contents["files"]),
        tuple(Share(entry["email"], entry["message"]) for entry in contents["share"]),
        contents["parts"],
        dict,
        contents["texts"],
        jobs.packs,
        jobs.job,
    )
    lost = {job_id: _unpacked(text) for job_id, text in contents["lost"].items()}
    return Order(
        wanted,
        Wishes(
            bool(wishes["retryFailed"]),
            bool(wishes["retryMissing"]),
            bool(wishes["replace"]),
            bool(wishes["prune"]),
        ),
        agreed=Agreed(lost, _unpacked(contents["rowsToBuy"])),
    )


def _planned_job(entry: Mapping[str, object]) -> tuple[tuple[int, ...], ReadyJob]:
    parameters, payload = entry["parameters"], entry["payload"]
    assert isinstance(payload, dict)
    environment = payload["jobanalyses"][0]["envVars"]
    count, _, total = str(environment["DOE_ROWS"]).partition("-")
    file = None
    if isinstance(parameters, dict):
        content = str(parameters["text"]).encode()
        file = BundleFile(str(parameters["name"]), sha256_hex(content), len(content), PARAMETERS, content)
    runs = entry["runs"]
    ready = ReadyJob(
        str(entry["title"]),
        runs if isinstance(runs, int) else None,
        None if count == "p" else RowSet(int(count), int(total, 16)),
        total if count == "p" else None,
        payload,
        file,
    )
    return rows_of(str(entry["rows"])), ready


@dataclass(frozen=True, slots=True)
class PlannedJobs:
    """The jobs of a plan, by the indices of their rows; `keys` are those of the design's rows, shape (n,)."""

    keys: Keys
    jobs: Sequence[tuple[tuple[int, ...], ReadyJob]]

    def packs(self, rows: Sequence[int]) -> list[Sequence[int]]:
        """Rows divided into the jobs of the plan, of which some may stand already in part."""
        left = set(rows)
        packs: list[Sequence[int]] = []
        for planned, _ in self.jobs:
            found = [row for row in planned if row in left]
            if found:
                packs.append(found)
                left.difference_update(found)
        if left:
            raise PreconditionFailed(
                f"runs {ranges_text(sorted(left))} are missing now, and the plan has no job of them",
                hint="plan anew, and have that reviewed",
            )
        return packs

    def job(self, rows: Sequence[int]) -> ReadyJob:
        """The planned job of some rows, or the part of it that they are."""
        planned, ready = next((p, r) for p, r in self.jobs if set(rows) <= set(p))
        if list(planned) == list(rows):
            return ready
        if ready.parameters is None or ready.payload.get("caseFile"):
            raise PreconditionFailed(
                f"of the planned job of runs {ranges_text(planned)} only runs {ranges_text(rows)} are missing now",
                hint="plan anew, and have that reviewed",
            )
        content = (ready.parameters.content or b"").decode()
        header, *lines = content.removesuffix("\n").split("\n")
        chosen = [lines[planned.index(row)] for row in rows]
        part = "\n".join([header, *chosen, ""]).encode()
        file = replace(ready.parameters, sha256=sha256_hex(part), size=len(part), content=part)
        digest = row_set(self.keys[list(rows)])
        payload = json.loads(
            json.dumps(ready.payload).replace(
                json.dumps(ready.parameters.reference)[1:-1], json.dumps(file.reference)[1:-1]
            )
        )
        payload["jobanalyses"][0]["envVars"]["DOE_ROWS"] = str(digest)
        return replace(ready, runs=len(rows), rows=digest, payload=payload, parameters=file)


def _planned_file(entry: Mapping[str, object], root: Path) -> BundleFile:
    content, path = entry["base64"], entry["path"]
    return BundleFile(
        str(entry["name"]),
        str(entry["sha256"]),
        int(str(entry["size"])),
        int(str(entry["typeId"])),
        None if content is None else base64.b64decode(str(content)),
        None if path is None else str(root / str(path)),
    )
