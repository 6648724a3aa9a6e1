"""What the tests of the examples share: their folders, their studies, and decks filled by plain replacement."""

import importlib.util
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Example:
    """One folder under `examples/`."""

    def __init__(self, name):
        self.folder = EXAMPLES / name
        self.study = yaml.safe_load((self.folder / "study.yaml").read_text(encoding="utf-8"))

    def fill(self, directory, values):
        """Write every template of the study to its target in `directory`; all placeholders must have a value."""
        for analysis in self.study["analyses"]:
            for task in analysis["templates"]:
                text = (self.folder / task["source"]).read_text(encoding="utf-8")
                for name, value in values.items():
                    text = text.replace(f"${{{name}}}", str(value))
                assert "${" not in text, f"{task['source']} has a placeholder without a value"
                (directory / task["target"]).write_text(text, encoding="utf-8")

    def script(self, name):
        """Import one of the example's scripts as a module."""
        spec = importlib.util.spec_from_file_location(name, self.folder / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@pytest.fixture(scope="session")
def airfoil2d():
    return Example("airfoil2d")


@pytest.fixture(scope="session")
def cantilever():
    return Example("cantilever")
