"""The house keeps its own rules: examples, schema lines, one owner of each thing."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/study.yaml"))
MODULES = sorted((ROOT / "doe_compiler").rglob("*.py"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_the_first_line_of_an_example_names_a_schema_that_is_there(folder):
    first = (folder / "study.yaml").read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found
    assert (folder / found[1]).resolve() == ROOT / "schemas" / "study.schema.json"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(module):
    assert ast.get_docstring(ast.parse(module.read_text()))


def test_the_readme_tells_every_command():
    from doe_compiler.cli.main import COMMANDS

    readme = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"`doe {name}" not in readme] == []
