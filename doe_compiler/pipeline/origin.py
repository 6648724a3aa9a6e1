"""Where a study is applied from: the repository, as all its clones name it, and the path in it."""

import os
import re
import socket
import subprocess
from pathlib import Path

from doe_compiler.kernel.canonical import digest

_SCHEME = re.compile(r"^[a-z+]+://(?:[^@/]*@)?")
_WORK_TREE = re.compile(r"^\s*worktree\s*=\s*\"?(.+?)\"?\s*$", re.MULTILINE)
_SCP_LIKE = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!/)")


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


def origin_of(study: Path) -> str:
    """A digest of repository and path, 16 hex digits: the same in every clone, whatever its address looks like.

    A folder without a remote is one by its place on this machine.
    """
    folder = project_folder(study.parent)
    path = study.absolute().relative_to(folder).as_posix()
    remote = _remote(folder)
    place = normalised(remote) if remote else f"{socket.gethostname()}:{shared_folder(folder)}"
    return digest("doe1-origin", [place, path])[:16]


def normalised(address: str) -> str:
    """`host/owner/name` of a remote's address: without scheme, user and `.git`."""
    plain = _SCHEME.sub("", address.strip())
    if plain == address.strip():
        plain = _SCP_LIKE.sub(r"\1/", plain)
    return plain.rstrip("/").removesuffix(".git").rstrip("/")


def _remote(folder: Path) -> str:
    if not (folder / ".git").exists():
        return ""
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), "config", "--get", "remote.origin.url"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
