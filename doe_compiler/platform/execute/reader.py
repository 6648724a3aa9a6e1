"""A reading process: reads the output variables of one ended run after the other, as the executor asks it to.

A request is a line of JSON, `{"directory", "seconds", "variables"}`; without variables they are those of the request
before. The answer is its length in ten digits, `+`, and the lines `name<TAB>value`. It ends with the executor, and
after an answer that needed much memory, with a `-` in place of the plus: the executor starts another.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

from doe_compiler.extraction.run import run_outcomes
from doe_compiler.extraction.told import printed_lines

LENGTH_DIGITS = 10
GOES_ON, ENDS = b"+", b"-"
LARGEST_MEMORY = 2 << 30
MOST_KEPT_KIB = 256 << 10
_PR_SET_PDEATHSIG = 1


def main(parent: int, uid: int = -1, gid: int = -1, *groups: int) -> None:
    """Answer until the requests end; as another user if one is given, whose groups follow."""
    if uid >= 0:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    _end_with(parent)
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, hard))
    variables: list[dict[str, str]] = []
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline():
        request = json.loads(line)
        variables = request.get("variables", variables)
        outcomes = run_outcomes(request["directory"], variables, request["seconds"])
        names = [variable["name"] for variable in variables]
        content = printed_lines(zip(names, outcomes, strict=True))
        goes_on = _most_memory_kib() <= MOST_KEPT_KIB
        answers.write(b"%0*d%s" % (LENGTH_DIGITS, len(content), GOES_ON if goes_on else ENDS) + content)
        answers.flush()
        if not goes_on:
            return


def _most_memory_kib() -> int:
    """The most memory that this program has had; on Linux what rusage tells is that of the executor too."""
    with (
        contextlib.suppress(OSError, StopIteration, ValueError),
        Path("/proc/self/status").open("rb") as status,
    ):
        return int(next(line for line in status if line.startswith(b"VmHWM:")).split()[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most >> 10 if sys.platform == "darwin" else most


def _end_with(parent: int) -> None:
    """Die with the executor, also in the middle of a regular expression; elsewhere than on Linux after it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
