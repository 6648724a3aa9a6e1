"""The configuration of a machine: the nearer file wins, key by key; what is wrong has its line."""

import pytest

from doe_compiler.spec.report import Report
from doe_compiler.spec.site import read_site

NEAR = "executor: slurm\ncoretypes:\n  emerald: {partition: long}\nslurm: {pollSeconds: 60}\n"
FAR = """\
# of all projects
home: run
coretypes:
  emerald: {partition: short, account: cfd}
  granite: {options: [--exclusive]}
slurm: {runs: /scratch, pollSeconds: 10}
"""


def read(folder, near=None, far=None):
    files = (folder / "near.yaml", folder / "far.yaml")
    for file, text in zip(files, (near, far), strict=True):
        if text is not None:
            file.write_text(text)
    report = Report()
    return read_site(files, report), report.findings


def test_the_nearer_wins_key_by_key(tmp_path):
    assert read(tmp_path, NEAR, FAR) == (
        {
            "home": "run",
            "executor": "slurm",
            "coretypes": {
                "emerald": {"partition": "long", "account": "cfd"},
                "granite": {"options": ["--exclusive"]},
            },
            "slurm": {"runs": "/scratch", "pollSeconds": 60},
        },
        [],
    )


def test_files_that_are_not_there_or_empty_say_nothing(tmp_path):
    assert read(tmp_path) == ({}, [])
    assert read(tmp_path, "# nothing yet\n", "") == ({}, [])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("executor: slrum\n", 1, "slurm"),
        ("home: run\nexecuter: slurm\n", 2, "executer"),
        ("slurm:\n  runs: scratch\n", 2, "runs"),
        ("coretypes:\n  emerald: {memory: lots}\n", 2, "memory"),
        ("slurm: {runsPerTask: 0}\n", 1, "runsPerTask"),
        ("coretypes: {emerald: {options: [exclusive]}}\n", 1, "exclusive"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, line, said):
    found, findings = read(tmp_path, text)
    assert found == {}
    assert [finding.place.line for finding in findings] == [line]
    assert said in findings[0].message + findings[0].hint
