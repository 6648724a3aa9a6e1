"""What people see of tables and plans is bounded, in line, and never more or less than there is."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doe_compiler.cli.plan_shown import MARKER, plan_markdown, plan_text, summary_line
from doe_compiler.cli.tables import text_table

CELL = st.text(max_size=12) | st.integers(-(10**9), 10**9).map(str)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6))
@example([["a\nb", "\x1b[31mred", "\u2028"]])
def test_a_table_has_one_line_a_row_whatever_its_cells_hold(rows):
    lines = text_table(["run", "x [\u00b5m]", "why"], rows).split("\n")
    assert len(lines) == len(rows) + 3
    assert all(line.isprintable() for line in lines)
    for row, line in zip(rows, lines[2:], strict=False):
        for cell in row:
            assert "".join(char if char.isprintable() else " " for char in cell).strip() in line


@given(
    st.lists(st.lists(st.text("ab 1", max_size=40), min_size=4, max_size=4), min_size=1, max_size=5),
    st.integers(20, 120),
)
def test_a_table_is_no_wider_than_it_may_be_and_names_what_it_leaves_out(rows, limit):
    titles = ["run", "alpha", "beta", "state"]
    text = text_table(titles, rows, limit)
    lines = text.splitlines()
    assert max(map(len, lines)) <= limit
    absent = [title for title in titles if title not in lines[0].split()]
    assert "state" not in absent
    for title in absent:
        assert title in "".join(lines[len(rows) + 2 :])


def action(kind, number, text="new rows", **more):
    return {
        "action": kind, "symbol": "+", "job": None if kind == "create" else f"job{number}", "runs": number,
        "rows": f"1-{number}", "emails": ["a@b.org"], "generation": 0,
        "reason": {"code": "c", "text": text, "changes": []}, **more,
    }  # fmt: skip


def study(name, actions, **more):
    nothing = {"expected": None, "atMost": None}
    return {
        "study": name, "actions": actions, "jobsToCreate": len(actions), "runsWanted": 9, "runsToCreate": 3,
        "runsToRetry": 0, "runsFailed": "", "runsToSupersede": 0, "runsUnchanged": 1, "submits": 1, "throttledSeconds": 0,
        "coreHours": nothing, "cost": nothing, "warnings": [], **more,
    }  # fmt: skip


def document(*studies, account="me"):
    return {"studies": list(studies), "host": "local", "account": account, "sha256": "0" * 64}


KINDS = ["create", "supersede", "stop", "delete", "share", "attention"]
TOLD = st.text(max_size=200) | st.sampled_from(["```\n</details>", "|x|", "<script>"])


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), TOLD, st.integers(0, 3)), max_size=12),
    st.sampled_from([1, 300]),
)
def test_a_comment_is_bounded_found_again_and_closes_what_it_opens(told, times):
    actions = [
        action(kind, number + 1, text * times, generation=generation)
        for number, (kind, text, generation) in enumerate(told)
    ]
    comment = plan_markdown(document(study("s", actions), study("idle", [])))
    assert len(comment) <= 60_000
    assert comment.startswith(MARKER)
    assert comment.count("```") % 2 == 0
    if len(comment) < 50_000:
        assert comment.count("```diff") == (1 if actions else 0)
    alarming = sum(kind in {"supersede", "stop", "delete"} for kind, *_ in told)
    assert ("[!CAUTION]" in comment) == (alarming > 0)
    assert "0" * 64 in comment


def test_a_comment_of_very_many_actions_says_how_many_lines_it_leaves_out():
    comment = plan_markdown(document(study("s", [action("create", n, "x" * 300) for n in range(1, 900)])))
    assert len(comment) <= 60_000
    assert "lines left out: doe show PLANFILE" in comment
    assert comment.count("```") == 2
    assert summary_line(document(study("s", [action("create", 1)] * 899))) in comment


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_is_told_with_its_reason_its_try_and_its_job(kind):
    told = plan_text(document(study("s", [action(kind, 2, "because of it", generation=1)])))
    assert "because of it, try 2" in told
    assert ("job2" in told) == (kind != "create")
    assert told.splitlines()[-1].startswith("Plan: ")


def test_several_changes_have_lines_of_their_own_and_many_are_counted():
    changes = [f"part {n} is new" for n in range(30)]
    reason = {
        "code": "c",
        "text": "what a run computes has changed: " + "; ".join(changes),
        "changes": changes,
    }
    told = plan_text(document(study("s", [action("supersede", 2, reason=reason)])))
    assert told.count("is new") == 20
    assert "and 10 more" in told
    assert "changed)" in told


def test_cells_with_line_ends_and_escapes_are_shown_in_line_and_kept_in_files(doe, study_at):
    study = study_at(variables='  x: {levels: ["a\\nb", "\\x1b[31mc"]}', design="{}")
    for command in ("design", "results"):
        shown = doe(command, study)
        assert shown.returncode == 0, shown.stderr
        assert "\x1b" not in shown.stdout
        assert len(shown.stdout.partition("\n\n")[0].splitlines()) == 4
        kept = json.loads(doe(command, study, "--format", "json").stdout)["runs"]
        cells = [run["x"] if command == "design" else run["inputs"]["x"] for run in kept]
        assert cells == ["a\nb", "\x1b[31mc"]


def test_warnings_are_told_on_the_terminal_and_in_the_comment():
    shown = document(study("s", [], warnings=["the walltime *may* not do"]))
    assert "    warning: the walltime *may* not do" in plan_text(shown)
    assert "> - s: the walltime \\*may\\* not do" in plan_markdown(shown).splitlines()
    assert "WARNING" not in plan_markdown(document(study("s", [])))
