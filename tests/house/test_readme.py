"""What the README says of the commands is what they have."""

import importlib
import re
from pathlib import Path

import click
import pytest

from doe_compiler.cli.main import COMMANDS
from doe_compiler.kernel.errors import ExitCode

README = (Path(__file__).parents[2] / "README.md").read_text()
ROWS = [(match[1], line) for line in README.splitlines() if (match := re.match(r"\| `doe ([a-z]+)", line))]


def options_of(command):
    own = {name for parameter in command.params for name in parameter.opts}
    if isinstance(command, click.Group):
        for part in command.commands.values():
            own |= options_of(part)
    return own


def found(name):
    return importlib.import_module(f"doe_compiler.cli.{name}_command").command


def test_every_command_has_its_row():
    named = {name for name, _ in ROWS} | set(re.findall(r"`doe ([a-z]+)`", README))
    assert set(COMMANDS) <= named
    assert {name for name, _ in ROWS} <= set(COMMANDS)


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_row_names_only_what_the_command_has(name, row):
    command = found(name)
    said = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", row.replace("\\|", " ")))
    assert said <= options_of(command), said - options_of(command)
    if isinstance(command, click.Group):
        usage = re.match(r"\| `doe [a-z]+ ([a-z\\|-]+)", row)
        assert usage
        assert set(usage[1].split("\\|")) <= set(command.commands)


def test_options_in_the_text_belong_to_a_command():
    known = set().union(*(options_of(found(name)) for name in COMMANDS)) | {"--help", "--version"}
    assert set(re.findall(r"`(--[a-z][a-z-]*)", README)) <= known


def test_every_exit_code_is_listed():
    (listed,) = re.findall(r"Exit codes: (.*?)\.\n", README, re.DOTALL)
    numbers = {int(number) for number in re.findall(r"\b\d+\b", listed)}
    assert numbers == {int(code) for code in ExitCode}


def test_files_that_are_named_exist():
    root = Path(__file__).parents[2]
    for path in re.findall(r"`((?:schemas|examples|doe_compiler)/[\w./-]+)`", README):
        assert (root / path).exists(), path
