"""The system user as whom runs execute where the platform itself is root, and whose rights touch what runs have made.

A run may lay links and change what lies in its directory at any moment. Done with the rights of its user, the system
refuses whatever that user could not do.
"""

import contextlib
import ctypes
import functools
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage
from doe_compiler.platform.store.below import FILE, FOLDER, Entries, folder_of, folders_below, within

NAME = "run-as"
PASSED, CLOSED = 0o711, 0o700
_NOBODY = ctypes.c_uint(-1)
_OF_ROOT = ("TMPDIR",)


@dataclass(frozen=True, slots=True)
class RunUser:
    """A user who is not root, with their groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str

    def environment(self, of_root: Mapping[str, str]) -> dict[str, str]:
        """The environment of root with what differs for the user."""
        kept = {name: value for name, value in of_root.items() if name not in _OF_ROOT}
        return {**kept, "HOME": self.home, "SHELL": self.shell, "USER": self.name, "LOGNAME": self.name}

    def serve_apart(self) -> None:
        """Let this process, a server or an executor, make no file that others can reach; see `take_groups`."""
        self.take_groups()
        os.umask(0o077)

    def take_groups(self) -> None:
        """Let this process be in the user's groups instead of root's, as `rights` needs.

        Raises PreconditionFailed if it is not root's.
        """
        if os.geteuid() != 0:
            raise PreconditionFailed(f"the runs here execute as {self.name}, and only root can see to that")
        os.setgroups(self.groups)

    @contextlib.contextmanager
    def rights(self) -> Iterator[None]:
        """This thread touches files as the user, in all else it stays root."""
        touch_files_as(self.uid, self.gid)
        try:
            yield
        finally:
            touch_files_as(0, 0)

    def give(self, directory: str) -> None:
        """Make the directory the user's, with all that is in it; nobody else has had access to it so far."""
        for folder, directories, names in os.walk(directory):
            for name in (*directories, *names):
                os.lchown(f"{folder}/{name}", self.uid, self.gid)
        os.lchown(directory, self.uid, self.gid)

    def make_file(self, path: str) -> None:
        """Make an empty file of the user in a folder of root, or empty it."""
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        os.fchown(descriptor, self.uid, self.gid)
        os.close(descriptor)


def touch_files_as(uid: int, gid: int) -> None:
    """Let this thread touch files as another user; raises PermissionError if the system does not let it."""
    libc = _libc()
    libc.setfsgid(gid)
    libc.setfsuid(uid)
    if (libc.setfsuid(_NOBODY), libc.setfsgid(_NOBODY)) != (uid, gid):
        raise PermissionError(f"files cannot be touched as user {uid}")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


@functools.cache
def run_user(name: str) -> RunUser:
    """The user; raises WrongUsage if there is none."""
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise WrongUsage(f"there is no user '{name}' on this machine") from error
    groups = tuple(os.getgrouplist(name, found.pw_gid))
    return RunUser(name, found.pw_uid, found.pw_gid, groups, found.pw_dir, found.pw_shell or "/bin/sh")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's directory, open: nothing in it is reached through a link, and no file is read that its `user` could not.

    `root` is its descriptor, -1 where it is not there; `user` is None where it is not another user's.
    """

    directory: str
    root: int
    user: RunUser | None

    def folders(self) -> Iterator[tuple[str, int, Entries]]:
        """What is in it, folder by folder; see `folders_below`."""
        return folders_below(self.root) if self.root >= 0 else iter(())

    def folder_of(self, relative: str) -> contextlib.AbstractContextManager[tuple[int, str]]:
        """The open folder of a path, and its last name; raises OSError."""
        self._require()
        return folder_of(self.root, relative)

    def within(self, relative: str) -> str:
        """The path without links, those that stay in the directory followed; raises OSError for others."""
        self._require()
        return within(self.root, self.directory, relative)

    def opened(self, relative: str) -> int:
        """A descriptor of the regular file; raises OSError."""
        with self.folder_of(relative) as (folder, name):
            return self.opened_in(folder, name)

    def opened_in(self, folder: int, name: str) -> int:
        """A descriptor of the regular file in an open folder; raises OSError."""
        if self.user is None:
            descriptor = os.open(name, FILE, dir_fd=folder)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
            raise FileNotFoundError(name)
        known = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(known).st_mode):
                raise FileNotFoundError(name)
            with self.user.rights():  # no name is looked up any more
                return os.open(f"/proc/self/fd/{known}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        finally:
            os.close(known)

    def added_to(self, name: str) -> int:
        """A descriptor that adds to the file of this name, which is made if it is not there; raises OSError."""
        self._require()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with contextlib.nullcontext() if self.user is None else self.user.rights():
            return os.open(name, flags, 0o644, dir_fd=self.root)

    def take_back(self) -> None:
        """Make it root's, with all that is in it: the run has ended, and no other of its user is to change it any more.

        A link to a file of somebody else that the user could not read is removed.
        """
        user = self.user
        if user is None or self.root < 0:
            return
        for _, folder, entries in folders_below(self.root, _close_to_others):
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    continue
                if status.st_uid == user.uid:
                    os.chown(entry.name, 0, 0, dir_fd=folder, follow_symlinks=False)
                    os.chmod(entry.name, stat.S_IMODE(status.st_mode) & 0o700, dir_fd=folder)
                elif status.st_nlink > 1 and not self._can_read(folder, entry.name):
                    os.unlink(entry.name, dir_fd=folder)

    def _can_read(self, folder: int, name: str) -> bool:
        try:
            os.close(self.opened_in(folder, name))
        except OSError:
            return False
        return True

    def _require(self) -> None:
        if self.root < 0:
            raise FileNotFoundError(self.directory)


def _close_to_others(folder: int) -> None:
    os.fchown(folder, 0, 0)
    os.fchmod(folder, CLOSED)


@contextlib.contextmanager
def reached(directory: str, user: RunUser | None) -> Iterator[RunFolder]:
    """A run's directory, as long as the context lasts; `user` is as whom runs execute."""
    try:
        descriptor = os.open(directory, FOLDER)
    except OSError:
        yield RunFolder(directory, -1, None)
        return
    try:
        is_theirs = user is not None and os.fstat(descriptor).st_uid == user.uid
        yield RunFolder(directory, descriptor, user if is_theirs else None)
    finally:
        os.close(descriptor)


def checked_user(name: str) -> RunUser:
    """The user as whom runs shall execute; raises WrongUsage if they cannot."""
    if sys.platform != "linux":
        raise WrongUsage(f"--run-as {name}: only Linux can do that")
    if os.geteuid() != 0:
        raise WrongUsage(
            f"--run-as {name}: only root can run as another user",
            hint="start the server as root, or as that user, without --run-as",
        )
    user = run_user(name)
    if user.uid == 0:
        raise WrongUsage(f"--run-as {name}: that is root, who can reach everything", hint="name another user")
    return user


def keep_run_user(root: Path, jobs: Path, user: RunUser) -> None:
    """Let the runs of a data folder execute as the user from now on, and close to them what is not theirs.

    None is executing, and this process is in the user's groups. Raises PreconditionFailed where the user cannot get at
    the directories of runs.
    """
    require_passage(reversed(root.parents), user)
    root.chmod(PASSED)
    jobs.chmod(PASSED)
    for path in (*root.iterdir(), *jobs.iterdir()):
        if path != jobs and not path.is_symlink():
            path.chmod(CLOSED if path.is_dir() else 0o600)
    (root / NAME).write_text(f"{user.name}\n", "utf-8")


def require_passage(folders: Iterable[Path], user: RunUser) -> None:
    """Raise PreconditionFailed for a folder that the user cannot get through."""
    for folder in folders:
        try:
            with user.rights():
                os.stat(f"{folder}/.")  # noqa: PTH116 (a Path drops the dot)
        except PermissionError as error:
            raise PreconditionFailed(
                f"user {user.name} cannot get through the folder '{folder}' to the directories of runs",
                hint=f"chmod o+x '{folder}', or choose another --data, such as /srv/doe",
            ) from error


def kept_run_user(root: Path) -> RunUser | None:
    """The user as whom the runs of a data folder execute; None if they do as whoever starts them."""
    try:
        name = (root / NAME).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    return run_user(name)
