"""The one tree of errors that `doe` raises on purpose; each class has the exit code of its kind."""

import enum
from collections.abc import Mapping

from doe_compiler.kernel.findings import Finding


class ExitCode(enum.IntEnum):
    """What the process answers; a contract with scripts, see the README."""

    DONE = 0
    FAILED = 1
    CHANGES = 2
    INVALID = 3
    PRECONDITION = 4
    FORBIDDEN = 5
    DOUBLE_SUBMIT = 6
    NOT_ALLOWED_IN = 7
    USAGE = 64
    TRY_AGAIN = 75
    INTERRUPTED = 130
    TERMINATED = 143


class Terminated(BaseException):
    """SIGTERM arrived."""


class DoeError(Exception):
    """A failure that a person can act on: what is wrong, and in `hint` what to do next."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidStudy(DoeError):
    """The user's files have findings; nothing was created or changed.

    `lines` holds the source lines by file name, for the excerpts.
    """

    exit_code = ExitCode.INVALID

    def __init__(self, findings: list[Finding], lines: Mapping[str, list[str]]) -> None:
        super().__init__(f"{len(findings)} finding{'s' if len(findings) != 1 else ''}")
        self.findings = findings
        self.lines = lines


class PreconditionFailed(DoeError):
    """What was planned for is no longer what is there."""

    exit_code = ExitCode.PRECONDITION


class LimitExceeded(DoeError):
    """A limit of the study forbids what was asked for."""

    exit_code = ExitCode.FORBIDDEN


class TooManyFailures(DoeError):
    """So many runs have failed that the others are not worth it."""


class DoubleSubmit(DoeError):
    """A row was submitted more than once."""

    exit_code = ExitCode.DOUBLE_SUBMIT


class NotAllowedIn(DoeError):
    """The platform refuses the key, or there is none."""

    exit_code = ExitCode.NOT_ALLOWED_IN


class WrongUsage(DoeError):
    """The command line makes no sense."""

    exit_code = ExitCode.USAGE


class TryAgain(DoeError):
    """The platform cannot be reached or is overloaded; nothing is known to be wrong."""

    exit_code = ExitCode.TRY_AGAIN
