"""Which folder the work trees of a repository have in common, with real repositories."""

import subprocess

import pytest

from doe_compiler.pipeline.connection import apart, hidden_folder, platform_folder
from doe_compiler.pipeline.origin import origin_of, shared_folder


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def repository_at(folder, *arguments):
    folder.mkdir(parents=True)
    git(folder, "init", *arguments)
    git(folder, "commit", "--allow-empty", "-m", "first")
    return folder


def test_work_trees_share_the_folder_of_the_main_one(tmp_path):
    main = repository_at(tmp_path / "main tree")
    git(main, "worktree", "add", tmp_path / "second")
    git(main, "worktree", "add", main / "inside")
    for tree in (main, tmp_path / "second", main / "inside"):
        (tree / "a" / "b").mkdir(parents=True)
        assert shared_folder(tree / "a" / "b") == main
        assert platform_folder({}, tree / "a" / "b") == main / ".doe" / "platform"
        assert apart({}, tree / "a") is None
    assert platform_folder({"DOE_DATA": "/elsewhere"}, tmp_path / "second").as_posix() == "/elsewhere"


def test_a_study_has_one_origin_in_all_work_trees(tmp_path):
    main = repository_at(tmp_path / "main")
    git(main, "worktree", "add", tmp_path / "second")
    assert (
        origin_of(main / "s.yaml", {}).partition("@")[0]
        == origin_of(tmp_path / "second" / "s.yaml", {}).partition("@")[0]
    )
    assert origin_of(main / "s.yaml", {}) != origin_of(main / "t.yaml", {})


def test_an_origin_is_the_first_commit_the_path_and_the_branch(tmp_path):
    main = repository_at(tmp_path / "main", "-b", "trunk")
    git(main, "commit", "--allow-empty", "-m", "second")
    asked = subprocess.run(["git", "rev-list", "HEAD"], cwd=main, capture_output=True, text=True, check=True)
    first = asked.stdout.split()[-1]
    (main / "sub").mkdir()
    assert origin_of(main / "sub" / "s.yaml", {}) == f"{first}:sub/s.yaml@trunk"
    git(tmp_path, "clone", main, "again")
    git(tmp_path / "again", "checkout", "--detach")
    assert origin_of(tmp_path / "again" / "s.yaml", {}) == f"{first}:s.yaml@"
    environ = {"GITHUB_REF_NAME": "trunk", "GITHUB_HEAD_REF": ""}
    assert origin_of(tmp_path / "again" / "s.yaml", environ) == f"{first}:s.yaml@trunk"


def test_a_shallow_clone_and_one_without_a_commit_have_no_origin(tmp_path):
    main = repository_at(tmp_path / "main")
    git(main, "commit", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "--depth", "1", main.as_uri(), "shallow")
    assert origin_of(tmp_path / "shallow" / "s.yaml", {}) == ""
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init")
    assert origin_of(tmp_path / "empty" / "s.yaml", {}) == ""


def test_outside_of_git_a_study_is_told_by_its_place(tmp_path):
    assert origin_of(tmp_path / "s.yaml", {}).endswith(f":{tmp_path}/s.yaml")


def test_work_trees_of_a_bare_repository_share_it(tmp_path):
    git(repository_at(tmp_path / "main"), "clone", "--bare", ".", tmp_path / "all.git")
    for name in ("one", "two"):
        git(tmp_path / "all.git", "worktree", "add", "-b", name, tmp_path / name)
        assert shared_folder(tmp_path / name) == tmp_path / "all.git"


def test_a_git_folder_elsewhere_is_shared_by_all_its_work_trees(tmp_path):
    main = repository_at(tmp_path / "main", "--separate-git-dir", tmp_path / "elsewhere")
    git(main, "worktree", "add", tmp_path / "second")
    assert shared_folder(main) == shared_folder(tmp_path / "second")


def test_a_submodule_is_a_project_of_its_own(tmp_path):
    part = repository_at(tmp_path / "part")
    main = repository_at(tmp_path / "main")
    git(main, "submodule", "add", part, "sub")
    git(main / "sub", "worktree", "add", tmp_path / "of-sub")
    assert shared_folder(main / "sub") == main / "sub"
    assert shared_folder(tmp_path / "of-sub") == main / "sub"


@pytest.mark.parametrize("text", ["", "gitdir: /nowhere", "gitdir:", "something else", "gitdir: \0"])
def test_a_git_file_that_leads_nowhere_leaves_the_project_where_it_is(tmp_path, text):
    (tmp_path / ".git").write_text(text)
    assert shared_folder(tmp_path) == tmp_path


def test_an_older_platform_in_a_work_tree_goes_on_being_used_and_is_told(tmp_path):
    main = repository_at(tmp_path / "main")
    git(main, "worktree", "add", tmp_path / "second")
    (tmp_path / "second" / ".doe" / "platform").mkdir(parents=True)
    assert hidden_folder(tmp_path / "second") == tmp_path / "second" / ".doe"
    told = apart({}, tmp_path / "second")
    assert str(tmp_path / "second" / ".doe" / "platform") in told
    assert str(main / ".doe" / "platform") in told
    assert apart({"DOE_DATA": "x"}, tmp_path / "second") is None
    assert hidden_folder(main) == main / ".doe"


def test_what_one_work_tree_has_run_another_does_not_run_again(doe, study_at, tmp_path):
    main = repository_at(tmp_path / "main")
    study_at("main")
    git(main, "add", "-A")
    git(main, "commit", "-m", "study")
    git(main, "worktree", "add", tmp_path / "second")
    assert doe("apply", "main", "--yes").returncode == 0
    planned = doe("plan", "second", "--detailed-exitcode")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert "5 done" in doe("results", "second").stderr
    assert not (tmp_path / "second" / ".doe").exists()
    (tmp_path / "second" / ".doe" / "platform").mkdir(parents=True)
    older = doe("plan", "second", "--detailed-exitcode")
    assert older.returncode == 2
    assert "goes on with jobs of its own" in older.stderr
