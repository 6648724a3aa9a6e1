"""The tutorial of studies in pull requests is run as it stands; CI templates call `doe` as it is."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from tests.cli.in_process import LEAVES

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "gitops.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
WHO = {
    f"GIT_{role}_{what}": text
    for role in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "A"), ("EMAIL", "a@b.org"))
}


def test_the_tutorial_runs_against_a_real_repository_and_a_real_server(serving, tmp_path):
    assert len(BLOCKS) >= 8
    env = serving()
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_", "GIT_"))
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(BLOCKS)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL,
        env={
            **kept, **env, **WHO, "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (tmp_path / "lab" / "comment.md").read_text().startswith("<!-- doe-plan -->\n")


def commands_in(node):
    """The `doe` commands in the scripts of a template."""
    if isinstance(node, dict):
        for value in node.values():
            yield from commands_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from commands_in(value)
    elif isinstance(node, str):
        for line in node.splitlines():
            if line.strip().startswith("doe "):
                yield shlex.split(line)


@pytest.mark.parametrize("name", ["github/doe.yml", "gitlab/doe.yml"])
def test_templates_call_commands_and_options_that_there_are(name):
    commands = list(commands_in(yaml.safe_load((ROOT / "ci-templates" / name).read_text())))
    assert {words[1] for words in commands} == {"validate", "plan", "apply"}
    for _, verb, *words in commands:
        command = LEAVES[verb]
        command.make_parser(click.Context(command)).parse_args(list(words))


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_documents_name_commands_files_and_options_that_there_are(path):
    text = path.read_text()
    for verb in re.findall(r"`doe ([a-z]+)", text):
        assert any(name.split()[0] == verb for name in LEAVES), verb
    for file in re.findall(r"`((?:schemas|examples|doe_compiler|ci-templates|docs)/[\w./-]+)`", text):
        assert (ROOT / file).exists(), file
    known = {option for command in LEAVES.values() for p in command.params for option in p.opts}
    for option in re.findall(r"`(--[a-z-]+)", text):
        assert option in known, option
