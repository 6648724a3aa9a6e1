"""A plan as a person reads it: on a terminal, and as the comment on a pull request."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from doe_compiler.cli.shown import plural

Document = Mapping[str, Any]

MARKER = "<!-- doe-plan -->"
_VERBS = {
    "create": "create and submit",
    "supersede": "run again by a new recipe",
    "stop": "stop",
    "delete": "delete",
    "share": "share",
    "attention": "look at",
}
_COLOURS = {
    "create": "green",
    "supersede": "red",
    "stop": "red",
    "delete": "red",
    "share": "cyan",
    "attention": "magenta",
}
_ALARMING = ("supersede", "stop", "delete")
_LONGEST_COMMENT = 60_000
_LONGEST_ROWS = 60
_MOST_CHANGES = 20


def plan_text(document: Document) -> str:
    """A plan for people: the actions of every study, then the line that scripts may look for."""
    lines = []
    for study in document["studies"]:
        account = f" as {document['account']}" if document["account"] else ""
        lines.append(f"{study['study']} on {document['host']}{account}")
        lines.append("")
        for action in study["actions"]:
            lines += [_action_line(action), *(f"      {change}" for change in _listed_changes(action))]
        if study["runsFailed"]:
            lines.append(
                f"    failed, and not tried again: runs {study['runsFailed']} (--retry-failed tries failed runs again, "
                "those of --only, as often as --retries allows)"
            )
        lines += [click.style(f"    warning: {warning}", fg="yellow") for warning in study["warnings"]]
        if study["actions"] or study["runsFailed"] or study["warnings"]:
            lines.append("")
    return "\n".join([*lines, summary_line(document)])


def summary_line(document: Document) -> str:
    """The plan in one line."""
    studies = document["studies"]
    jobs = _sum(studies, "jobsToCreate")
    sampled = sum(study["runsWanted"] is None for study in studies)
    if studies and sampled == len(studies):
        what = f"{plural(jobs, 'job')} to create, sampled by the platform."
    else:
        created, retried = _sum(studies, "runsToCreate"), _sum(studies, "runsToRetry")
        superseded = _sum(studies, "runsToSupersede")
        what = (
            f"{plural(created, 'run')} in {plural(jobs, 'job')} to create, "
            f"{retried:,} to retry, {superseded:,} to supersede. "
            f"{plural(_sum(studies, 'runsUnchanged'), 'run')} unchanged."
        )
    return f"Plan: {what}{_estimate_text(studies)}{_throttle_text(studies)}"


def left_text(left: int, is_executing: bool, verb: str = "", goes_on_in: str = "") -> str:
    """What is to be known of submitted runs that have not ended; `verb` is what this command does with them.

    `goes_on_in` names what runs them although no command of doe is there.
    """
    runs, is_one = plural(left, "submitted run"), left == 1
    them = "it" if is_one else "them"
    if is_executing:
        return f"{runs} {'has' if is_one else 'have'} not ended: under way."
    if goes_on_in:
        collects = f"{verb} {them}" if verb else f"doe apply collects {them}, doe stop ends {them}"
        return f"{runs} {'goes' if is_one else 'go'} on in {goes_on_in}: {collects}."
    goes_on = f"{verb} {them}" if verb else f"doe apply goes on with {them}"
    return f"{runs} {'is' if is_one else 'are'} left unfinished, and nothing runs {them} now: {goes_on}."


def _sum(studies: Sequence[Document], key: str) -> int:
    return sum(int(study[key] or 0) for study in studies)


def _total(studies: Sequence[Document], amount: str, kind: str) -> float | None:
    values = [study[amount][kind] for study in studies]
    return None if any(value is None for value in values) else float(sum(values))


def _estimate_text(studies: Sequence[Document]) -> str:
    hours, most_hours = _total(studies, "coreHours", "expected"), _total(studies, "coreHours", "atMost")
    cost, most_cost = _total(studies, "cost", "expected"), _total(studies, "cost", "atMost")
    if hours:
        cap = ""
        if cost is not None and most_cost is not None:
            cap = f" (at most {most_cost:.2f})"
        elif most_hours is not None:
            cap = f" (at most {most_hours:.4g} core-hours)"
        return f" About {_amounts(hours, cost)}{cap}."
    return f" At most {_amounts(most_hours, most_cost)}." if most_hours else ""


def _amounts(core_hours: float, cost: float | None) -> str:
    return f"{core_hours:.4g} core-hours" + ("" if cost is None else f", USD {cost:.2f}")


def _throttle_text(studies: Sequence[Document]) -> str:
    seconds = sum(study["throttledSeconds"] for study in studies)
    if not seconds:
        return ""
    return (
        f" {plural(_sum(studies, 'submits'), 'submit')} take {seconds / 60:.0f} min at the platform's pace."
    )


def _action_line(action: Document) -> str:
    symbol = click.style(action["symbol"].rjust(3), fg=_COLOURS[action["action"]], bold=True)
    return f"{symbol} {_action_text(action)}  ({_reason_text(action)}{_try_text(action)})"


def _reason_text(action: Document) -> str:
    """The reason with what changed, if that is one thing; several have lines of their own."""
    reason = action["reason"]
    text = str(reason["text"])
    return text.removesuffix(": " + "; ".join(reason["changes"])) if _listed_changes(action) else text


def _listed_changes(action: Document) -> list[str]:
    changes = list(action["reason"]["changes"])
    if len(changes) < 2:
        return []
    more = [f"and {len(changes) - _MOST_CHANGES} more"] if len(changes) > _MOST_CHANGES else []
    return changes[:_MOST_CHANGES] + more


def _action_text(action: Document) -> str:
    kind = action["action"]
    if kind == "share":
        return f"share job {action['job']} with {', '.join(action['emails'])}"
    runs = plural(action["runs"], "run") if action["runs"] is not None else "runs that the platform samples"
    rows = f" ({_shortened(action['rows'])})" if action["rows"] and action["job"] is None else ""
    job = f" of job {action['job']}" if action["job"] else ""
    return f"{_VERBS[kind]} {runs}{rows}{job}"


def _shortened(rows: str) -> str:
    return rows if len(rows) <= _LONGEST_ROWS else rows[:_LONGEST_ROWS].rsplit(",", 1)[0] + ",…"


def _try_text(action: Document) -> str:
    return f", try {action['generation'] + 1}" if action["generation"] else ""


def plan_markdown(document: Document, left: str = "") -> str:
    """The comment on a pull request, at most 60,000 characters; found again by its first line.

    `left` tells of submitted runs that have not ended.
    """
    studies = document["studies"]
    alarming = [action for study in studies for action in study["actions"] if action["action"] in _ALARMING]
    head = [MARKER, f"### `doe plan`: {_headline(studies, left)}", ""]
    if alarming:
        runs = sum(action["runs"] or 0 for action in alarming)
        head += [
            "> [!CAUTION]",
            f"> {plural(len(alarming), 'action')} here stop, delete or buy again what was paid for: "
            f"{plural(runs, 'run')}.",
            "",
        ]
    head += [
        "| study | create | retry | supersede | unchanged | core-hours | cost (USD) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_table_row(study) for study in studies),
        "",
    ]
    warnings = [
        f"- {_escaped(study['study'])}: {_escaped(text)}" for study in studies for text in study["warnings"]
    ]
    if warnings:
        head += ["> [!WARNING]", *(f"> {line}" for line in warnings), ""]
    details = [line for study in studies if study["actions"] for line in _details(study)]
    tail = [
        "",
        f"`{summary_line(document)}`",
        "",
        *([left, ""] if left else []),
        f"Plan `{document['sha256']}`{_for_whom(document)} on {_escaped(document['host'])}.",
        "",
    ]
    return _cut(head, details, tail)


def _for_whom(document: Document) -> str:
    return f" for {_escaped(document['account'])}" if document["account"] else ""


def _headline(studies: Sequence[Document], left: str) -> str:
    changing = sum(any(a["action"] != "attention" for a in study["actions"]) for study in studies)
    if not changing:
        return "nothing to submit" if left else "nothing to do"
    return "1 study to apply" if changing == 1 else f"{changing:,} studies to apply"


def _table_row(study: Document) -> str:
    unknown = study["runsWanted"] is None
    counts = [
        "sampled there" if unknown else f"{study[key]:,}"
        for key in ("runsToCreate", "runsToRetry", "runsToSupersede", "runsUnchanged")
    ]
    amounts = [_range_text(study["coreHours"], "{:.4g}"), _range_text(study["cost"], "{:.2f}")]
    return f"| {_escaped(study['study'])} | {' | '.join([*counts, *amounts])} |"


def _range_text(amount: Document, form: str) -> str:
    expected, most = amount["expected"], amount["atMost"]
    if expected is None:
        return "?" if most is None else f"≤ {form.format(most)}"
    return form.format(expected) + ("" if most is None else f" (≤ {form.format(most)})")


def _details(study: Document) -> list[str]:
    lines = [
        f"<details><summary>{_escaped(study['study'])}: {plural(len(study['actions']), 'action')}</summary>",
        "",
    ]
    lines += ["```diff"]
    for action in study["actions"]:
        sign = {"create": "+", "share": "!", "attention": "!"}.get(action["action"], "-")
        text = f"{_action_text(action)}  ({_reason_text(action)}{_try_text(action)})"
        told = [text, *(f"    {change}" for change in _listed_changes(action))]
        lines += [f"{sign} {action['symbol']} {line}".replace("```", "'''") for line in told]
    return [*lines, "```", "</details>", ""]


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)


def _cut(head: Sequence[str], details: Sequence[str], tail: Sequence[str]) -> str:
    """Head and tail are kept; the details give way, from their middle."""
    whole = "\n".join([*head, *details, *tail])
    if len(whole) <= _LONGEST_COMMENT:
        return whole
    fixed = "\n".join([*head, *tail])
    if len(fixed) > _LONGEST_COMMENT - 200:
        half = _LONGEST_COMMENT // 2 - 100
        return f"{fixed[:half]}\n\n… cut …\n\n{fixed[-half:]}"
    room = _LONGEST_COMMENT - len(fixed) - 200
    kept: list[str] = []
    for line in details:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left_out = len(details) - len(kept)
    closing = (
        ["```", "</details>"] if kept and "```diff" in "\n".join(kept).rsplit("</details>", 1)[-1] else []
    )
    return "\n".join([*head, *kept, *closing, "", f"… {left_out} lines left out: doe show PLANFILE", *tail])
