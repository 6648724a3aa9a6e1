"""The lock files install what `pyproject.toml` asks for, from nowhere in particular."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("build", "dev", "bench", "oldest")


def asked_for(extra):
    for text in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras:
                yield from asked_for(inner)
        else:
            yield requirement


def locked(name):
    lines = (ROOT / "locks" / f"{name}.txt").read_text().splitlines()
    found = {}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            found[canonicalize_name(requirement.name)] = pin.version
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_all_that_is_asked_for_within_its_bounds(name):
    versions = locked(name)
    for requirement in [*map(Requirement, PROJECT["dependencies"]), *asked_for(name)]:
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name):
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--" not in text


def test_the_oldest_versions_are_the_lower_bounds():
    versions = locked("oldest")
    for requirement in map(Requirement, PROJECT["dependencies"]):
        (lowest,) = (found.version for found in requirement.specifier if found.operator == ">=")
        oldest = versions[canonicalize_name(requirement.name)]
        assert oldest.split(".")[: len(lowest.split("."))] == lowest.split("."), requirement
