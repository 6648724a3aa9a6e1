"""Where a study is applied from: the repository, as all its clones name it, and the path in it."""

import os
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

_BRANCHES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_COMMIT_REF_NAME",
)
_WORK_TREE = re.compile(r"^\s*worktree\s*=\s*\"?(.+?)\"?\s*$", re.MULTILINE)


def project_folder(path: Path) -> Path:
    """The git work tree that holds a study's folder; outside of any, where runs are kept already, or the folder.

    So a study finds its runs whether it was applied by itself or with others by a folder above it.
    """
    folder = path.absolute()
    above = (folder, *folder.parents)
    tree = next((parent for parent in above if (parent / ".git").exists()), None)
    return tree or next((parent for parent in above if (parent / ".doe" / "platform").is_dir()), folder)


def shared_folder(path: Path) -> Path:
    """The folder that all work trees of a repository have in common: the main one, or else the repository's own.

    Without a second work tree, a repository or a readable `.git` file it is the project's folder.
    """
    folder = project_folder(path)
    repository = _common_git_folder(folder / ".git")
    if repository is None:
        return folder
    if repository.name == ".git":
        return repository.parent
    try:
        found = _WORK_TREE.search((repository / "config").read_text(errors="surrogateescape"))
    except OSError:
        return folder
    return Path(os.path.normpath(repository / found[1])) if found else repository


def _common_git_folder(link: Path) -> Path | None:
    """Where a `.git` file leads to; None for a folder, and for a file that leads nowhere."""
    if not link.is_file():
        return None
    try:
        key, _, target = link.read_text(errors="surrogateescape").strip().partition("gitdir:")
        git = Path(os.path.normpath(link.parent / target.strip()))
        if key or not (git / "HEAD").exists():
            return None
        common = git / "commondir"
        if not common.exists():
            return git
        found = Path(os.path.normpath(git / common.read_text(errors="surrogateescape").strip()))
    except (OSError, ValueError):
        return None
    return found if (found / "HEAD").exists() else None


def origin_of(study: Path, environ: Mapping[str, str]) -> str:
    """Where a study is applied from: `REPOSITORY:PATH@BRANCH`, REPOSITORY being the id of its first commit.

    That is one in every clone, whatever its address; a shallow clone does not know it, and has no origin (empty).
    Outside of git a folder is one by its place on this machine. In a checkout without a branch the variables of CI
    systems name it.
    """
    folder = project_folder(study.parent)
    path = study.absolute().relative_to(folder).as_posix()
    if not (folder / ".git").exists():
        return f"{socket.gethostname()}:{folder / path}"
    if _git(folder, "rev-parse", "--is-shallow-repository") == "true":
        return ""
    first = _git(folder, "rev-list", "--max-parents=0", "HEAD").rsplit("\n", 1)[-1]
    if not first:
        return ""
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    branch = branch or next((environ[name] for name in _BRANCHES if environ.get(name)), "")
    return f"{first}:{path}@{branch}"


def _git(folder: Path, *words: str) -> str:
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
