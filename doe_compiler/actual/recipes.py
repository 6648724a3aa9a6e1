"""What has changed between the recipe of a job that exists and that of the study, told from the job itself."""

import json
from collections.abc import Callable, Iterator

from doe_compiler.bundle.importing.reading import entries, mapping, text
from doe_compiler.bundle.importing.unwrapping import plain_command
from doe_compiler.bundle.parts import HAS_CHANGED, line_changes, part_changes
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound, TooLarge

_LARGEST_TEXT = 1 << 20


def recipe_changes(client: Client, job: Job, wanted: Wanted) -> tuple[str, ...]:
    """A sentence for every part that differs: "command './a' is now './b'", "template a.inp: line 3: …"."""
    try:
        then = json.loads(job.environment.get("DOE_PARTS", "{}"))
    except ValueError:
        then = {}
    if not isinstance(then, dict) or not then:
        return ()
    found = part_changes(then, wanted.parts)
    texts = wanted.part_texts() if HAS_CHANGED in found.values() else {}
    before = dict(_texts_of(client, job)) if texts else {}
    told = []
    for name, change in found.items():
        if change == HAS_CHANGED and name in texts and name in before:
            lines = _line_changes(before[name], texts[name])
            told.append(f"{name}: {lines}" if lines else f"{name} {change}")
        else:
            told.append(f"{name} {change}")
    return tuple(told)


def _line_changes(before: Callable[[], bytes], now: bytes) -> str | None:
    try:
        return line_changes(before(), now)
    except (NotFound, TooLarge):
        return None


def _texts_of(client: Client, job: Job) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The texts of a job's commands, templates, scripts and inputs by the names of the recipe's parts."""

    def content(reference: object) -> Callable[[], bytes]:
        file_id = text(mapping(reference).get("id"))
        return lambda: client.read_file(file_id, _LARGEST_TEXT) if file_id else b""

    for number, analysis in enumerate(entries(job.raw.get("jobanalyses"))):
        where = f" of analysis {number + 1}" if number else ""
        command = plain_command(text(analysis.get("command")), is_first=number == 0).command
        yield f"command{where}", command.encode
        for task in entries(analysis.get("templateTasks")):
            yield f"template {text(task.get('processedFilename'))}{where}", content(task.get("templateFile"))
        for file in entries(analysis.get("inputFiles")):
            yield f"input {text(file.get('name'))}{where}", content(file)
        yield f"script of preProcess{where}", content(analysis.get("preProcessScript"))
