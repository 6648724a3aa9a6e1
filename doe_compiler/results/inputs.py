"""The inputs of a run as it had them, which today's study may say otherwise where no run computes anything else."""

from collections.abc import Mapping

from doe_compiler.client.answers import RunEntry
from doe_compiler.kernel.canonical import same_text
from doe_compiler.spec.model import is_generated


class InputDifferences:
    """Takes the inputs from the runs, and notes where the study says something else now.

    `texts` are those for which names stand in parameter CSVs, by name.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def as_run(self, number: int, inputs: Mapping[str, str], run: RunEntry) -> dict[str, str]:
        """The cells of the run's own row of the parameter CSV; a column that it lacks as the study has it."""
        had = {v.name: self._texts.get(v.display_value, v.display_value) for v in run.variables}
        shown = {name: had.get(name, cell) for name, cell in inputs.items()}
        for name, cell in inputs.items():
            if not is_generated(name) and not same_text(shown[name], cell):
                self._first.setdefault(name, f"run {number} had {shown[name]}, the study now says {cell}")
                self._count[name] = self._count.get(name, 0) + 1
        return shown

    def told(self) -> tuple[str, ...]:
        """A sentence for each column that differs."""
        return tuple(
            f"'{name}' is shown as it ran: {first}"
            + (f" (and {more} more)" if (more := self._count[name] - 1) else "")
            for name, first in self._first.items()
        )
