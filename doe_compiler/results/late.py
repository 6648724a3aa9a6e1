"""Responses by command that are read after the run, in a scratch copy of its directory: what is stored stays as it is."""

import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from doe_compiler.bundle.preparation import exported
from doe_compiler.bundle.steps import reading_time_s
from doe_compiler.extraction.reading import Outcome
from doe_compiler.extraction.run import run_outcomes
from doe_compiler.spec.model import CommandExtractor, Response, Spec

_INHERITED = ("HOME", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "LD_LIBRARY_PATH")


class LateCommands:
    """Runs the commands of responses where the outputs of a run lie on this machine.

    `run_directory` tells where they lie, or None; of `environ` the commands see what a run sees, no keys.
    """

    def __init__(
        self, spec: Spec, run_directory: Callable[[str, int], Path | None], environ: Mapping[str, str]
    ) -> None:
        self._spec = spec
        self._run_directory = run_directory
        self._environ = {name: environ[name] for name in _INHERITED if name in environ}

    def outcomes(
        self, responses: Sequence[Response], job_id: str, run: int, inputs: Mapping[str, str]
    ) -> list[Outcome]:
        """What the commands print for the run with these inputs, all within the time for its reading."""
        directory = self._run_directory(job_id, run)
        if directory is None or not directory.is_dir():
            return [Outcome(None, "the outputs of the run do not lie on this machine")] * len(responses)
        before = exported(self._spec.analyses[-1], inputs)
        commands = [
            {"kind": "command", "command": self._alone(before + response.extractor.command)}
            for response in responses
            if isinstance(response.extractor, CommandExtractor)
        ]
        try:
            with tempfile.TemporaryDirectory(prefix="doe-", ignore_cleanup_errors=True) as folder:
                scratch = Path(folder, "run")
                _copy(directory, scratch)
                return run_outcomes(str(scratch), commands, reading_time_s(self._spec))
        except (OSError, shutil.Error) as error:
            reason = getattr(error, "strerror", None) or "some of its files cannot be read"
            return [Outcome(None, f"the outputs of the run cannot be copied: {reason}")] * len(responses)

    def _alone(self, command: str) -> str:
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in self._environ.items())
        return f"exec env -i {settings} /bin/sh -c {shlex.quote(command)}"


def _copy(directory: Path, scratch: Path) -> None:
    """Copy regular files, folders and links; a link to a place in the directory leads to the copy."""
    shutil.copytree(directory, scratch, symlinks=True, copy_function=_copied)
    real = os.path.realpath(directory)
    for folder, folders, files in os.walk(scratch):
        for name in folders + files:
            path = Path(folder, name)
            target = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115 (as it is written)
            inside = next((root for root in (str(directory), real) if target.startswith(f"{root}/")), None)
            if inside is not None:
                path.unlink()
                path.symlink_to(str(scratch) + target.removeprefix(inside))


def _copied(source: str, target: str) -> str:
    if stat.S_ISREG(os.lstat(source).st_mode):
        shutil.copy2(source, target)
    return target
