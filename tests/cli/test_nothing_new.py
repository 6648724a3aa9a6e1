"""What means the same buys nothing again: other spellings, another order, another checkout, files sent once more."""

import pytest

VARIABLES = "  x: {generator: Uniform, min: 0, max: 10}\n  k: {value: 0.5}"
WRITTEN = {"variables": VARIABLES, "deck": "x = ${x} k = ${k}\n", "rest": "limits: {runs: 100}"}


def reordered(path):
    """The same study with its sections the other way round, block by block."""
    head, *blocks = [
        block for block in path.read_text().replace("\n  ", "\n\0").replace("\n", "\n\n").replace("\n\n\0", "\n  ").split("\n\n") if block
    ]  # fmt: skip
    path.write_text("\n".join([head, *reversed(blocks)]) + "\n")


CHANGES = {
    "comments": lambda path: path.write_text("# a comment\n" + path.read_text().replace("seed: 7", "seed: 7   # lucky")),
    "order of sections": reordered,
    "order of variables": lambda path: path.write_text(
        path.read_text().replace(VARIABLES, "\n".join(reversed(VARIABLES.splitlines())))
    ),
    "spelling of numbers": lambda path: path.write_text(
        path.read_text().replace("max: 10", "max: 1.0e1").replace("value: 0.5", "value: 5.0e-1").replace("min: 0", "min: 0.0")
    ),
    "style of YAML": lambda path: path.write_text(
        path.read_text().replace("  x: {generator: Uniform, min: 0, max: 10}", "  x:\n    generator: 'Uniform'\n    min: 0\n    max: 10")
    ),
    "line ends": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
    "limits and hardware": lambda path: path.write_text(
        path.read_text().replace("runs: 100", "runs: 99").replace("slots: 2", "slots: 1")
    ),
    "description": lambda path: path.write_text(path.read_text() + "description: what it is\n"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_means_the_same_buys_nothing(doe, study_at, change):
    study = study_at(".", **WRITTEN)
    assert doe("apply", study, "--yes").returncode == 0
    before = study.read_bytes()
    CHANGES[change](study)
    assert study.read_bytes() != before
    planned = doe("plan", study, "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr


def test_files_that_are_sent_again_and_another_checkout_buy_nothing(doe, study_at, serving):
    env = serving()
    on = ("--on", env["RESCALE_API_URL"])
    study = study_at("here", **WRITTEN)
    assert doe("apply", study, "--yes", *on, env=env).returncode == 0
    assert doe("files", "upload", study.parent / "deck.template", "--type", "2", *on, env=env).returncode == 0
    there = study_at("there", **WRITTEN)
    assert doe("plan", there, "--detailed-exitcode", *on, env=env).returncode == 0
    assert doe("apply", there, "--yes", "--no-wait", *on, env=env).returncode == 0
    assert len(doe("jobs", "list", "--json", *on, env=env).stdout.splitlines()) == 1
