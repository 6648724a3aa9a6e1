"""`doe render` shows and writes what runs will read; `doe compile --explain` tells how it gets there."""

import os
import subprocess
import sys
import time

from doe_compiler.pipeline.rendering import edits

from .test_jinja import DECK, layered, results

__all__ = ["layered"]


def test_a_rendered_run_is_what_the_run_reads(doe, layered, tmp_path):
    study = layered()
    doe("apply", study, "--yes")
    assert doe("render", study, "-o", tmp_path / "decks").stderr == f"wrote 6 files to {tmp_path / 'decks'}\n"
    for row in results(doe, study):
        read = (study.parent / row["directory"] / "deck.inp").read_bytes()
        assert (tmp_path / "decks" / f"run{row['run']}" / "deck.inp").read_bytes() == read
    shown = subprocess.run(
        [sys.executable, "-m", "doe_compiler", "render", str(study), "--run", "3"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert shown.stdout == (tmp_path / "decks" / "run3" / "deck.inp").read_bytes()


def test_a_folder_is_replaced_only_if_doe_rendered_all_of_it(doe, layered, tmp_path):
    study, out = layered(), tmp_path / "decks"
    assert doe("render", study, "-o", out).returncode == 0
    layered(runs=3)
    assert doe("render", study, "-o", out).returncode == 0
    assert sorted(path.name for path in out.iterdir()) == [".doe-rendered", "run1", "run2", "run3"]
    (out / "run1" / "mine.txt").write_text("mine")
    refused = doe("render", study, "-o", out)
    assert refused.returncode == 64
    assert "holds other files than rendered ones: run1/mine.txt" in refused.stderr
    assert doe("render", study, "--run", "2", "-o", tmp_path / "one").returncode == 0
    assert (tmp_path / "one" / "deck.inp").read_bytes() == (out / "run2" / "deck.inp").read_bytes()


def test_two_runs_side_by_side(doe, layered):
    study = layered(deck="same\n{{ n }} {{ mat }} {{ x }}\n")
    shown = doe("render", study, "--diff", "1", "2").stdout.splitlines()
    assert shown[:2] == ["--- run1/deck.inp", "+++ run2/deck.inp"]
    assert [line[0] for line in shown[3:]] == [" ", "-", "+"]
    assert doe("render", study, "--diff", "1", "1").stdout == ""


def test_what_cannot_be_rendered_is_wrong_usage(doe, layered):
    study = layered()
    assert doe("render", study).returncode == 64
    assert "there is no run 7: the study has 6" in doe("render", study, "--run", "7").stderr
    assert doe("render", study, "--run", "1", "--diff", "1", "2").returncode == 64


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing has changed"
        time.sleep(0.05)


def rendered_as(folder, *texts):
    """Whether the deck in a folder holds one of some texts; while the folder is replaced, there is none."""
    try:
        content = (folder / "deck.inp").read_bytes()
    except FileNotFoundError:
        return False
    return any(text in content for text in texts)


def test_no_edit_is_missed_that_is_made_while_it_renders_first(layered):
    study = layered()
    changes = edits(study.parent, None)
    layered(deck="{{ x }} another")
    began = time.monotonic()
    next(changes)
    assert time.monotonic() - began < 30


def test_a_watched_template_is_rendered_as_it_is_edited(layered, tmp_path):
    study, out = layered(), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "doe_compiler",
        "render",
        str(study),
        "--run",
        "1",
        "-o",
        str(out),
        "--watch",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ}) as watching:
        until(lambda: rendered_as(out, b"small", b"BIG"))
        layered(deck=DECK.replace("BIG", "LARGE").replace("small", "tiny"))
        until(lambda: rendered_as(out, b"tiny", b"LARGE"))
        layered(deck="{{ unknown }}")
        layered(deck=DECK)
        until(lambda: rendered_as(out, b"small", b"BIG"))
        watching.send_signal(2)
        assert watching.wait(10) == 130


def test_explain_tells_the_way_of_each_template(doe, layered):
    told = doe("compile", layered(), "--explain").stdout
    assert "deck.inp from deck.j2 (jinja): placeholders, " in told
    assert "columns of the study: mat, x" in told
    assert "by name: for i in range(n)" in told or "by name: {% for i in range(n) -%}" in told
    assert "x * rho }} (" in told
    whole = "{% set ns = namespace(t=0) %}{% for i in range(n) %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}{{ mat }}"
    told = doe("compile", layered(deck=f"first\n{whole}"), "--explain").stdout
    assert "deck.inp from deck.j2 (jinja): a text a run" in told
    assert "because a namespace is changed where a run's variables decide" in told
    assert "deck.j2:2)" in told


def test_a_change_of_a_template_is_told_as_it_is_written(doe, layered):
    study = layered()
    doe("apply", study, "--yes")
    layered(deck=DECK.replace("round(2)", "round(3)"))
    told = doe("plan", study).stdout
    assert "{{ (x**2)|round(2) }}, 4.9' is now '…" in told
    assert "{{ (x**2)|round(3) }}, 4.9'" in told
    assert "doe_" not in told
