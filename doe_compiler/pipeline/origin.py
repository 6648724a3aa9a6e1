"""Where a study is applied from: the repository, as all its clones name it, and the path in it."""

import re
import socket
import subprocess
from pathlib import Path

from doe_compiler.kernel.canonical import digest

_SCHEME = re.compile(r"^[a-z+]+://(?:[^@/]*@)?")
_SCP_LIKE = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!/)")


def project_folder(path: Path) -> Path:
    """The git work tree that holds a study's folder, or else the folder itself."""
    folder = path.absolute()
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def origin_of(study: Path) -> str:
    """A digest of repository and path, 16 hex digits: the same in every clone, whatever its address looks like.

    A folder without a remote is one by its place on this machine.
    """
    folder = project_folder(study.parent)
    path = study.absolute().relative_to(folder).as_posix()
    remote = _remote(folder)
    place = normalised(remote) if remote else f"{socket.gethostname()}:{folder}"
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
