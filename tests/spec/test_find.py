"""Which files a folder of studies holds."""

import pytest

from doe_compiler.kernel.errors import ExitCode, WrongUsage
from doe_compiler.spec.read import find_studies


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "a.yaml": "# comment\ndoe: 1\n",
        "b/c.yml": "study: x\n'doe': 1\n",
        "b/other.yaml": "kind: x\nspec:\n  doe: 1\n",
        "b/doe.txt": "doe: 1\n",
        ".git/d.yaml": "doe: 1\n",
        ".doe/e.yaml": "doe: 1\n",
        "node_modules/f.yaml": "doe: 1\n",
        ".hidden.yaml": "doe: 1\n",
        "z/bom.yaml": "\ufeffdoe: 1\n",
        "none/x.yaml": "a: 1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_folders_are_searched_in_order(folder):
    assert find_studies([folder]) == [folder / "a.yaml", folder / "b/c.yml", folder / "z/bom.yaml"]


def test_files_are_taken_as_they_are_and_once(folder):
    assert find_studies([folder / "b/doe.txt", folder / "a.yaml", str(folder / "a.yaml")]) == [
        folder / "b/doe.txt",
        folder / "a.yaml",
    ]


def test_a_path_that_is_not_there_is_wrong_usage(folder):
    with pytest.raises(WrongUsage, match="does not exist") as caught:
        find_studies([folder / "a.yml"])
    assert "a.yaml" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_folder_without_a_study_is_wrong_usage(folder):
    with pytest.raises(WrongUsage, match="no study"):
        find_studies([folder / "none"])


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_paths_that_cannot_be_are_wrong_usage(name):
    with pytest.raises(WrongUsage):
        find_studies([name])
