"""What happens as JSON lines, in the envelope that consumers of Terraform's machine-readable UI parse."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from doe_compiler import __version__
from doe_compiler.apply.conduct import Receipt
from doe_compiler.kernel.errors import DoeError

UI_VERSION = "1.2"
_PAST = {
    "create": "created",
    "submit": "submitted",
    "delete": "deleted",
    "stop": "stopped",
}
_ACTIONS = {"create": "create", "submit": "update", "delete": "delete", "stop": "update"}


class Events:
    """Writes events to some streams; the first one is `version`."""

    def __init__(self, streams: list[TextIO], now: Callable[[], datetime] | None = None) -> None:
        self._streams = streams
        self._now = now or (lambda: datetime.now(UTC))
        self._began: dict[tuple[str, str], datetime] = {}
        self.tell("version", f"doe {__version__}", terraform=None, doe=__version__, ui=UI_VERSION)

    def tell(self, kind: str, message: str, level: str = "info", **more: object) -> None:
        """Write one event."""
        event = {
            "@level": level,
            "@message": message,
            "@module": "doe.ui",
            "@timestamp": self._now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "type": kind,
            **{key: value for key, value in more.items() if value is not None},
        }
        for stream in list(self._streams):
            try:
                stream.write(json.dumps(event, ensure_ascii=False) + "\n")
                stream.flush()
            except BrokenPipeError:
                self._streams.remove(stream)

    def plan(self, document: Mapping[str, Any], summary: str) -> None:
        """A planned_change an action, then the change_summary."""
        totals = {"add": 0, "change": 0, "remove": 0}
        for study in document["studies"]:
            for action in study["actions"]:
                kind = {"create": "create", "supersede": "replace", "delete": "delete"}.get(
                    action["action"], "noop" if action["action"] == "attention" else "update"
                )
                counted = {"create": "add", "replace": "add", "update": "change", "delete": "remove"}.get(
                    kind
                )
                if counted:
                    totals[counted] += 1
                self.tell(
                    "planned_change",
                    f"{study['study']}: Plan to {action['action']}",
                    change={
                        "resource": _resource(study["study"], action["job"] or action["rows"]),
                        "action": kind,
                        "reason": action["reason"]["code"],
                    },
                )
        self.tell("change_summary", summary, changes={**totals, "import": 0, "operation": "plan"})

    def step(self, step: Receipt) -> None:
        """A step of an apply: apply_start, apply_complete or apply_errored of its job."""
        if step.what in {"wait", "warn"}:
            level = "warn" if step.what == "warn" else "info"
            self.tell("log" if step.what == "wait" else "diagnostic", _said(step), level)
            return
        hook: dict[str, object] = {
            "resource": _resource(step.study, step.job_id or step.rows),
            "action": _ACTIONS.get(step.what, "update"),
            "request": step.request,
        }
        key = (step.what, step.request or step.name)
        if not step.answer:
            self._began[key] = self._now()
            self.tell("apply_start", f"{step.study}: {step.what}", hook=hook)
            return
        hook["elapsed_seconds"] = (self._now() - self._began.pop(key, self._now())).total_seconds()
        if step.job_id:
            hook |= {"id_key": "id", "id_value": step.job_id}
        is_done = step.answer in {"done", "gone"}
        self.tell(
            "apply_complete" if is_done else "apply_errored",
            f"{step.study}: {_PAST.get(step.what, step.what)} {step.job_id} ({step.answer})",
            "info" if is_done else "warn",
            hook=hook,
        )

    def error(self, error: DoeError) -> None:
        """A diagnostic of what went wrong."""
        self.tell(
            "diagnostic",
            f"Error: {error.message}",
            "error",
            diagnostic={"severity": "error", "summary": error.message, "detail": error.hint},
        )


def _resource(study: str, key: str) -> dict[str, object]:
    address = f"doe_job.{study}"
    return {
        "addr": f'{address}["{key}"]' if key else address,
        "module": "",
        "resource": address,
        "implied_provider": "doe",
        "resource_type": "doe_job",
        "resource_name": study,
        "resource_key": key or None,
    }


def _said(step: Receipt) -> str:
    return f"waiting {step.seconds:.3g} s: {step.name}" if step.what == "wait" else step.name
