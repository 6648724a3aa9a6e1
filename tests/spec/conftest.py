"""A study in a folder of its own, and the reading of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from doe_compiler.spec.read import Reading, read_study

HEAD = "doe: 1\nstudy: beam\n"
ANALYSES = """analyses:
  - analysis: {code: user_included}
    command: ./solve
    hardware: {coreType: emerald}
    templates: [{source: in.template, target: in.txt}]
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Reading]:
    """Read a study's text; `files` lie beside it."""

    def _read(text: str | bytes, files: Mapping[str, str | bytes] | None = None) -> Reading:
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        path = tmp_path / "study.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_study(path, root=tmp_path)

    return _read


@pytest.fixture
def read_variables(read: Callable[..., Reading]) -> Callable[..., Reading]:
    """Read a study with these variables, `{name: flow mapping}`; a template uses all of them."""

    def _read(variables: Mapping[str, str], design: str = "", more: str = "", files=None) -> Reading:
        lines = "".join(f"  {name}: {keys}\n" for name, keys in variables.items())
        template = " ".join(f"${{{name}}}" for name in variables)
        text = f"{HEAD}variables:\n{lines}{ANALYSES}{design and f'design: {design}'}\n{more}"
        return read(text, {"in.template": template, **(files or {})})

    return _read


@pytest.fixture
def codes() -> Callable[[Reading], list[str]]:
    """The codes of the findings, in reading order."""
    return lambda reading: [finding.code for finding in reading.findings]
