"""The audit trail of a project, `.doe/receipts.jsonl`: appended to by every write, and read by nobody but people.

A line is one request that was answered: who, when, which study, recipe and rows, which job, the answer. It holds no
secrets.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from doe_compiler.apply.conduct import Receipt

FILE = "receipts.jsonl"


class Receipts:
    """The receipts of one project, for one account on one platform."""

    def __init__(
        self, folder: Path, host: str, account: str, now: Callable[[], datetime] | None = None
    ) -> None:
        self._folder = folder
        self._scope = {"host": host, "account": account}
        self._now = now or (lambda: datetime.now(UTC))

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / FILE

    def add(self, step: Receipt) -> None:
        """Append an answered request; raises OSError if it cannot be written."""
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
        self._folder.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
