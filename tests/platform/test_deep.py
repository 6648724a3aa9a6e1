"""Folders in folders without end, which a run can make in a second: they stop nobody."""

import os

import pytest

from doe_compiler.platform.execute.outputs import stored_outputs, wipe
from doe_compiler.platform.store.below import DEEPEST, folders_below
from doe_compiler.platform.store.runuser import reached

DEEP = "import os\nfor _ in range(1990):\n    os.mkdir('a'); os.chdir('a')\nopen('end', 'w').close()\n"
SUCCESS = "Completed successfully"


@pytest.mark.parametrize("home", ["run", "user"])
def test_deep_folders_are_removed_and_others_go_on(api_on, tmp_path, home):
    api = api_on(tmp_path / "platform", home=home)
    drop = [{"action": "drop", "source": "any", "pattern": "*.tmp"}]
    in_home = "cd; " if home == "run" else ""
    analysis = api.analysis(f"touch b.tmp c.txt; {in_home}python3 deep.py || python3 $HOME/work/deep.py",
                            inputs=[("deep.py", DEEP.encode())])  # fmt: skip
    job = api.create(analysis, resourceFilters=drop)
    api.submit(job)
    assert api.finished(job) == SUCCESS
    assert "b.tmp" not in api.outputs(job)
    assert "c.txt" in api.outputs(job)
    status, listed = api.call("GET", f"jobs/{job}/runs/1/directory-contents/")[:2]
    assert status == 200
    assert len(listed) < 2 * DEEPEST + 10
    assert api.call("DELETE", f"jobs/{job}/")[0] == 204
    assert not (api.data / "jobs" / job).exists()
    assert api.ran(api.analysis("true"))[1] == SUCCESS


def made_deep(folder, depth):
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    for level in range(depth):
        os.mkdir("a", dir_fd=descriptor)
        os.close(os.open(f"f{level}", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
        inner = os.open("a", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)


def test_what_is_wiped_is_gone_however_deep(tmp_path):
    made_deep(tmp_path / "deep", 5000)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kept").touch()
    (tmp_path / "deep" / "a" / "link").symlink_to(tmp_path / "other")
    wipe(str(tmp_path / "deep"))
    assert not (tmp_path / "deep").exists()
    assert (tmp_path / "other" / "kept").exists()


@pytest.mark.parametrize("put", [lambda path, there: path.symlink_to(there), lambda path, _: path.touch()])
def test_what_stands_in_the_place_of_a_directory_is_removed_and_nothing_behind_it(tmp_path, put):
    there = tmp_path / "there"
    there.mkdir()
    (there / "kept").touch()
    put(tmp_path / "run1", there)
    wipe(str(tmp_path / "run1"))
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["kept", "there"]


def test_what_lies_too_deep_is_not_there_for_anybody(tmp_path):
    made_deep(tmp_path / "deep", DEEPEST + 50)
    with reached(str(tmp_path / "deep"), None) as run:
        assert len(stored_outputs(run)) == DEEPEST + 1
    wipe(str(tmp_path / "deep"))


def test_folders_are_gone_through_in_order_and_links_are_not_followed(tmp_path):
    for name in ("b/x", "b/a/y", "a/z"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "f").touch()
    with reached(str(tmp_path), None) as run:
        found = [
            (prefix, [entry.name for entry in entries]) for prefix, _, entries in folders_below(run.root)
        ]
    assert found == [
        ("", ["a", "b"]), ("a/", ["loop", "z"]), ("a/z/", []),
        ("b/", ["a", "f", "x"]), ("b/a/", ["y"]), ("b/a/y/", []), ("b/x/", []),
    ]  # fmt: skip
