"""The responses of one run out of the files in its directory, each by itself, within a time."""

import os
import signal
import stat
import subprocess

from doe_compiler.extraction.reading import FileReading, Outcome
from doe_compiler.extraction.values import NoValue, plain
from doe_compiler.extraction.watch import OutOfTime, Watch

# The first of January 2000: an input that a response names has this time, give or take a time zone, until it is written.
BEFORE_RUN_S = 946684800
_DAY_S = 86400
_PIECE = 1 << 18
_MOST_PRINTED = 1 << 20


def run_outcomes(directory: str, extractors: "list[dict[str, str]]", seconds: float) -> "list[Outcome]":
    """The outcomes in the order of the extractors; one file is read once for all of its responses.

    An extractor is plain data, as `FileReading` takes it; one of kind `command` is run in the directory.
    """
    outcomes = [Outcome(None, "it was not read")] * len(extractors)
    files = {}  # type: dict[str, list[int]]
    with Watch(seconds) as watch:
        for index, extractor in enumerate(extractors):
            if extractor["kind"] != "command":
                files.setdefault(extractor["file"], []).append(index)
        for name, indices in files.items():
            reading = FileReading([extractors[index] for index in indices], watch)
            for index, outcome in zip(indices, _read(directory, name, reading)):
                outcomes[index] = outcome
        for index, extractor in enumerate(extractors):
            if extractor["kind"] == "command":
                outcomes[index] = _printed(extractor["command"], directory, watch)
    return outcomes


def _read(directory: str, name: str, reading: FileReading) -> "list[Outcome]":
    try:
        descriptor = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return reading.fail(f"there is no file '{name}'")
    except (OSError, ValueError) as error:
        return reading.fail(f"'{name}' cannot be opened: {getattr(error, 'strerror', error)}")
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        return reading.fail(f"'{name}' is no regular file")
    if abs(state.st_mtime - BEFORE_RUN_S) <= _DAY_S:
        os.close(descriptor)
        return reading.fail(f"'{name}' is an input that the run has not written")
    with open(descriptor, "rb", buffering=0) as file:
        left = state.st_size
        try:
            while left > 0 and not reading.is_settled:
                piece = file.read(min(_PIECE, left))
                if not piece:
                    break
                left -= len(piece)
                reading.feed(piece)
        except OSError as error:
            return reading.fail(f"'{name}' cannot be read: {error.strerror}")
        return reading.finish()


def _printed(command: str, directory: str, watch: Watch) -> Outcome:
    """What a command prints; it is ended with its children where it takes too long."""
    found = []  # type: list[Outcome]
    try:
        child = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Outcome(None, f"the command cannot be started: {error}")
    try:
        watch.step(lambda: found.append(_answer(child)), watch.seconds)
    except OutOfTime as error:
        return Outcome(None, f"the command was stopped: {error}")
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except OSError:
            pass
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return found[0]


def _answer(child: "subprocess.Popen[bytes]") -> Outcome:
    if child.stdout is None:
        return Outcome(None, "it prints nothing")
    text = child.stdout.read(_MOST_PRINTED + 1)
    if len(text) > _MOST_PRINTED:
        return Outcome(None, f"the command prints more than {_MOST_PRINTED >> 20} MiB")
    code = child.wait()
    if code:
        return Outcome(None, f"the command ended with status {code}")
    try:
        return Outcome(plain(text.decode("utf-8", "replace")), "")
    except NoValue as error:
        return Outcome(None, f"what the command prints: {error}")
