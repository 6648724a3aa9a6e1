"""A small real study on disk, and commands run as a user runs them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from doe_compiler.client.client import Client
from doe_compiler.platform.api.service import open_platform
from tests.forked import Forks

hypothesis.settings.register_profile("doe", deadline=None)
hypothesis.settings.load_profile("doe")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flag that writes the golden files anew."""
    parser.addoption("--rewrite-goldens", action="store_true", help="write tests/golden anew")


STUDY = """\
doe: 1
study: {name}
seed: 7
variables:
{variables}
design: {design}
analyses:
  - analysis: {{code: user_included}}
    command: {command}
    hardware: {{coreType: standard-plus, slots: 2, walltime: 1}}
    templates: [{{source: deck.template, target: deck.txt}}]
{analysis}
responses:
{responses}
{rest}
"""
DECK = "x = ${x}\n"
TIMEOUT_S = 120


@pytest.fixture
def study_at(tmp_path: Path) -> Callable[..., Path]:
    """Write a study whose runs add one to x; every part of it can be given."""

    def write(
        folder: str = "study",
        *,
        name: str = "adder",
        variables: str = "  x: {generator: Uniform, min: 0, max: 10}",
        design: str = "{method: monte-carlo, runs: 5}",
        command: str = "\"awk '{print $3 + 1}' deck.txt > y.txt\"",
        responses: str = "  y: {file: y.txt, regex: '(\\S+)'}",
        analysis: str = "",
        rest: str = "",
        deck: str = DECK,
    ) -> Path:
        where = tmp_path / folder
        where.mkdir(parents=True, exist_ok=True)
        (where / "deck.template").write_text(deck)
        text = STUDY.format(
            name=name, variables=variables, design=design, command=command,
            responses=responses, analysis=analysis, rest=rest,
        )  # fmt: skip
        (where / "study.yaml").write_text(text)
        return where / "study.yaml"

    return write


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of an embedded platform that is opened for it."""
    platform = open_platform(tmp_path / "data")
    opened = Client.embedded(platform.answer)
    yield opened
    opened.close()
    platform.close()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """What commands are forked from."""
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def doe(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the `doe` command as a process of its own, with an empty home.

    It is forked from one that has imported everything, unless the module is marked `started` or an environment is
    given that the interpreter reads when it starts.
    """
    is_started = request.node.get_closest_marker("started") is not None

    def run(
        *arguments: object, env: dict[str, str] | None = None, cwd: str | Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
        words = [str(argument) for argument in arguments]
        environment = {**kept, "HOME": str(home), "COLUMNS": "100", **(env or {})}
        folder = Path(cwd or tmp_path)
        if not is_started and not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env or {}):
            return request.getfixturevalue("forks").run(words, environment, folder, TIMEOUT_S)
        return subprocess.run(
            [sys.executable, "-m", "doe_compiler", *words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False,
            env=environment, cwd=folder,
        )  # fmt: skip

    return run


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., dict[str, str]]]:
    """Start `doe serve` as a process of its own; gives the environment that leads to it."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, data: str = "served") -> dict[str, str]:
        folder = tmp_path / data
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "doe_compiler", "serve", "--port", "0", "--data", str(folder), *arguments],
            stdout=subprocess.PIPE, text=True, env={**kept, "HOME": str(tmp_path)},
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        address, _, file = process.stdout.readline().split(" at ")[1].rstrip("\n").partition(", token in ")
        assert process.stdout.readline().startswith("export RESCALE_API_URL=")
        return {"RESCALE_API_URL": address, "RESCALE_API_KEY": Path(file).read_text().split()[0]}

    yield start
    for process in started:
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        process.stdout.close()
