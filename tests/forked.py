"""`doe` in processes that are forked from one which has imported it: what a command does, without what a start costs.

A request comes with the command's standard streams and a pipe for its end: a JSON of arguments, environment and
folder. A process in between waits for the command, so that any number of them may be under way.
"""

import atexit
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

ROOT = Path(__file__).parent.parent
LONGEST_REQUEST = 1 << 20
STREAMS = 4


class Forks:
    """The process that commands are forked from; used by one thread or several."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], cwd=ROOT, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        theirs.close()

    def close(self) -> None:
        self._socket.close()
        self._process.wait(timeout=30)

    def run(
        self, arguments: list[str], environment: dict[str, str], folder: Path, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """A command to its end, with what it printed; raises TimeoutExpired."""
        null = os.open(os.devnull, os.O_RDONLY)
        pipes = [os.pipe() for _ in range(STREAMS - 1)]
        request = json.dumps([arguments, environment, str(folder)]).encode()
        socket.send_fds(self._socket, [request], [null, *(write for _, write in pipes)])
        for descriptor in (null, *(write for _, write in pipes)):
            os.close(descriptor)
        told: list[bytes] = [b""] * len(pipes)

        def read(place: int) -> None:
            with os.fdopen(pipes[place][0], "rb") as file:
                if place == len(pipes) - 1:
                    told[place] = file.readline()
                told[place] += file.read()

        readers = [threading.Thread(target=read, args=(place,), daemon=True) for place in range(len(pipes))]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout_s)
        out, error, end = told
        if any(reader.is_alive() for reader in readers):
            with suppress(ValueError, ProcessLookupError):
                os.kill(int(end.split()[0]) if end else 0, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout_s, out, error)
        code = int(end.split()[1])
        return subprocess.CompletedProcess(arguments, code, *(_text(each) for each in (out, error)))


def _text(content: bytes) -> str:
    return content.decode().replace("\r\n", "\n").replace("\r", "\n")


def main(descriptor: int) -> None:
    """Fork commands until nobody asks any more."""
    import doe_compiler

    for module in pkgutil.walk_packages(doe_compiler.__path__, "doe_compiler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    requests = socket.socket(fileno=descriptor)
    while True:
        content, streams, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, STREAMS)
        if not content:
            return
        if os.fork() == 0:
            requests.close()
            _wait_for(json.loads(content), streams)
        for stream in streams:
            os.close(stream)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _wait_for(request: tuple[list[str], dict[str, str], str], streams: list[int]) -> NoReturn:
    try:
        pid = os.fork()
        if pid == 0:
            _command(*request, streams)
        end = streams.pop()
        for stream in streams:
            os.close(stream)
        os.write(end, f"{pid}\n".encode())
        os.write(end, f" {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}".encode())
    finally:
        os._exit(0)


def _command(arguments: list[str], environment: dict[str, str], folder: str, streams: list[int]) -> NoReturn:
    """Be the command."""
    code = 1
    try:
        for place, stream in enumerate(streams):
            if place < STREAMS - 1:
                os.dup2(stream, place)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = _printing(2)
        sys.argv[1:] = arguments
        runpy.run_module("doe_compiler", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)


def _printing(descriptor: int) -> TextIO:
    """Standard error as Python opens it."""
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
