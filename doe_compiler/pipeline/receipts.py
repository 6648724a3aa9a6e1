"""The audit trail of a project, `.doe/receipts.jsonl`: appended to by every write, read to remember jobs.

A line is one step: who, when, which study, recipe and rows, which job, the request and its answer. It holds
no secrets. Deleting it changes nothing about what apply does, except that jobs which people have deleted or
renamed on the platform are then no longer missed.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from doe_compiler.apply.conduct import Step

FILE = "receipts.jsonl"


class Receipts:
    """The receipts of one project, for one account on one platform."""

    def __init__(
        self, folder: Path, host: str, account: str, now: Callable[[], datetime] | None = None
    ) -> None:
        self._folder = folder
        self._scope = {"host": host, "account": account}
        self._now = now or (lambda: datetime.now(UTC))
        self._submitted: dict[str, dict[str, str]] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / FILE

    def add(self, step: Step) -> None:
        """Append an answered step; raises OSError if it cannot be written."""
        if not step.answer:
            return
        line = {
            "time": self._now().isoformat(),
            **self._scope,
            "action": step.what,
            "study": step.study,
            "recipe": step.recipe,
            "rows": step.rows,
            "generation": step.generation,
            "job": step.job_id,
            "name": step.name,
            "request": step.request,
            "answer": step.answer,
        }
        self._remember(line)
        self._folder.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def submitted(self, study: str) -> Mapping[str, str]:
        """The jobs of a study that were submitted from here and not deleted since: their names by id."""
        return self._known().get(study, {})

    def name_of(self, job_id: str) -> str | None:
        """The name that a remembered job was submitted with."""
        return next((jobs[job_id] for jobs in self._known().values() if job_id in jobs), None)

    def _known(self) -> dict[str, dict[str, str]]:
        if self._submitted is None:
            self._submitted = {}
            try:
                text = self.path.read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            for row in text.splitlines():
                try:
                    line = json.loads(row)
                except ValueError:
                    continue
                if isinstance(line, dict):
                    self._remember(line)
        return self._submitted

    def _remember(self, line: Mapping[str, object]) -> None:
        if self._submitted is None or any(line.get(key) != value for key, value in self._scope.items()):
            return
        jobs = self._submitted.setdefault(str(line.get("study")), {})
        job_id, answer = str(line.get("job")), line.get("answer")
        if line.get("action") == "submit" and answer == "done":
            jobs[job_id] = str(line.get("name"))
        elif line.get("action") in {"delete", "forget"} and answer in {"done", "gone"}:
            for known in self._submitted.values():
                known.pop(job_id, None)
