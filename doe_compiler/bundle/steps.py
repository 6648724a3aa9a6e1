"""The shell around a run: the wrapper that leaves the exit code behind, and the post-processing step."""

import inspect
import json
import re
import shlex
from collections.abc import Mapping, Sequence

from doe_compiler.extraction import (
    decoding,
    header,
    json_path,
    marks,
    reading,
    run,
    table,
    told,
    values,
    watch,
)
from doe_compiler.extraction.watch import LONGEST_READING_S
from doe_compiler.kernel.canonical import canonical_json, digest
from doe_compiler.spec.model import (
    CommandExtractor,
    CsvExtractor,
    Declared,
    JsonExtractor,
    RegexExtractor,
    Response,
    Script,
    Spec,
)

EXIT_FILE = "doe_exit.txt"
EXIT_NAME = "doe_exit"
POST_SCRIPT = "doe_post.sh"
POST_COMMAND = f". ./{POST_SCRIPT}"
TIMEOUT_FILE = "doe_timeout.txt"
TIMEOUT_NAME = "doe_timed_out"
_LISTED = "# Responses: "
_REPORT = 'doe_exit=$?; [ -n "$doe_late" ] || echo "$doe_exit" >&3; exit "$doe_exit"'
_LONGEST_MARKER = 1 << 14


# A run may empty, move or remove its directory, and its PATH may be anything: `command -p` looks where the system's are.
HOME = "doe_home=$PWD\n"
_SYSTEM_PATH = "PATH=$PATH:/usr/local/bin:/usr/bin:/bin"
_BACK = (
    '{ cd "$doe_home" || { command -p mv "$(pwd -P)" "$doe_home"; command -p mkdir -p "$doe_home"; cd "$doe_home"; }; '
    "[ -w . ] || command -p chmod u+rwx .; } 2>/dev/null"
)
_PUT = (
    'doe_put() { { printf \'%s\\n\' "$2" > "$1" || { command -p rm -rf "./$1"; '
    'printf \'%s\\n\' "$2" > "$1"; }; } 2>/dev/null; }\n'
)
# A command that ends its shell, or that no shell can read, must not leave the exit code of the one before it.
_BEFORE = (
    f"doe_before=0; [ ! -f {EXIT_FILE} ] || read -r doe_before < {EXIT_FILE}; command -p rm -f {EXIT_FILE}\n"
    f"doe_timed=; [ ! -f {TIMEOUT_FILE} ] || read -r doe_timed < {TIMEOUT_FILE}\n"
)


def wrapped_command(
    command: str, run_timeout_s: int | None, *, is_first: bool, kept: Sequence[str] = ()
) -> str:
    """The user's command, its exit code in `doe_exit.txt`, ended after `run_timeout_s` seconds.

    Of several analyses the first that fails decides; a run that is timed out has exit code 124. The generated
    files that later steps need, `kept`, are put back as they were, whatever the command has done to the directory.
    """
    body = f"( {command}\n)" if run_timeout_s is None else timed_command(command, run_timeout_s)
    copies, back = _kept(kept)
    before, decided = "", ""
    if not is_first:
        before = _BEFORE
        decided = (
            f'[ -z "$doe_timed" ] || doe_put {TIMEOUT_FILE} "$doe_timed"; '
            '[ "$doe_before" = 0 ] || doe_told=$doe_before; '
        )
    return (
        f"{HOME}{_PUT}{copies}{before}{body}\ndoe_exit=$?; doe_told=$doe_exit; {_BACK}; {back}{decided}"
        f'doe_put {EXIT_FILE} "$doe_told"; exit "$doe_exit"'
    )


def guarded_command(command: str, kept: Sequence[str]) -> str:
    """A command without an exit code to leave behind; the generated files that later steps need are put back."""
    if not kept:
        return command
    copies, back = _kept(kept)
    return f'{HOME}{_PUT}{copies}( {command}\n)\ndoe_exit=$?; {_BACK}; {back}exit "$doe_exit"'


def _kept(names: Sequence[str]) -> tuple[str, str]:
    """What copies the files before a command, and what puts them back."""
    copies = "".join(f"doe_kept{number}=$(command -p cat {name})\n" for number, name in enumerate(names, 1))
    back = "".join(f'doe_put {name} "$doe_kept{number}"; ' for number, name in enumerate(names, 1))
    return copies, back


_TIMER = """\
import os, signal, subprocess, sys
child = subprocess.Popen(["/bin/sh", "-c", sys.argv[2]], start_new_session=True)
try:
    code = child.wait(float(sys.argv[1]))
except subprocess.TimeoutExpired:
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
    sys.exit(124)
code = code if code >= 0 else 128 - code
os.write(3, b"%d" % code)
sys.exit(code)
"""


def timed_command(command: str, seconds: int) -> str:
    """The command, ended with its children after some seconds, then with exit code 124 and `doe_timeout.txt`.

    A command that ends by itself says so through descriptor 3, which it cannot write itself: its own 124, or 137,
    is not a time-out.
    """
    own = f"doe_late=; trap doe_late=1 TERM\n( {command}\n) 3>&-\n{_REPORT}"
    return (
        f"{HOME}doe_began=$(command -p date +%s)\n{{ doe_ended=$(\n"
        f"if doe_timer=$({_SYSTEM_PATH}; command -v timeout); then "
        f'"$doe_timer" -k 10 {seconds} /bin/sh -c {shlex.quote(own)} 3>&1 >&4 4>&-\n'
        f"else doe_timer=$({_SYSTEM_PATH}; command -v python3); "
        f'"$doe_timer" -I -c {shlex.quote(_TIMER)} {seconds} {shlex.quote(command)} 3>&1 >&4 4>&-; fi\n'
        f'); }} 4>&1\ndoe_exit=$?\n{_BACK}\ncase "$doe_ended,$doe_exit" in\n'
        f",124) echo {seconds} > {TIMEOUT_FILE};;\n"
        f",137) [ $(($(command -p date +%s) - doe_began)) -lt {seconds} ] || "
        f"{{ doe_exit=124; echo {seconds} > {TIMEOUT_FILE}; }};;\n"
        'esac\n( exit "$doe_exit" )'
    )


def post_script(
    responses: Sequence[Response], user: Script | None, seconds: float = LONGEST_READING_S, before: str = ""
) -> bytes:
    """The generated post-processing step: the user's script first, then the exit code and the responses.

    `before` prepares the environment of the user's script and commands. The responses are read within so many
    seconds; Python runs isolated, so that neither files of the run with the
    names of its modules nor the study's environment change it.

    It fails only if the user's own script does. An image without Python 3 loses no run: what is not
    printed here is extracted from the stored outputs later.
    """
    lines = ["# Generated by doe: prints the run's exit code and responses as name<TAB>value."]
    lines += [
        *_listed_digests(responses),
        HOME.rstrip("\n"),
        f"doe_exit=; [ ! -f {EXIT_FILE} ] || read -r doe_exit < {EXIT_FILE}",
        f"doe_timed=; [ ! -f {TIMEOUT_FILE} ] || doe_timed=1",
        "doe_post=0",
    ]
    if user is not None:
        lines += [f"( {before}{user.command}", ") || doe_post=$?", _BACK]
    lines += [
        f'[ -z "$doe_exit" ] || printf \'{EXIT_NAME}\\t%s\\n\' "$doe_exit"',
        f"[ -z \"$doe_timed\" ] || printf '{TIMEOUT_NAME}\\t1\\n'",
    ]
    program = reading_program(responses, seconds)
    if program:
        lines += [
            f"( {before}if doe_python=$({_SYSTEM_PATH}; command -v python3); then \"$doe_python\" -I - <<'END_OF_DOE'",
            program.rstrip("\n"),
            "END_OF_DOE",
            "fi ) || :",
        ]
    return ("\n".join([*lines, '[ "$doe_post" = 0 ]']) + "\n").encode()


# In the order in which they use each other; what they import of each other is left out.
_MODULES = (json_path, values, decoding, header, marks, table, watch, reading, run, told)
_OWN_IMPORT = re.compile(r"^from doe_compiler\.[\w.]+ import (?:\([^)]*\)|[^(\n]*)\n", re.MULTILINE)
_MAIN = """
import sys

os.environ["PYTHONIOENCODING"] = "utf-8"
outcomes = run_outcomes(".", RESPONSES, SECONDS)
sys.stdout.buffer.write(printed_lines(zip([response["name"] for response in RESPONSES], outcomes)))
"""


def reading_program(responses: Sequence[Response], seconds: float) -> str:
    """The Python program that prints the responses; empty where there is nothing to read.

    It is the source of the room `extraction`, so that a run prints what `doe results` would read.
    """
    settings = [found for found in map(extractor_settings, responses) if found is not None]
    if not settings:
        return ""
    listed = json.dumps(settings, ensure_ascii=True, sort_keys=True)
    source = "\n\n".join(_OWN_IMPORT.sub("", inspect.getsource(module)) for module in _MODULES)
    return f"{source}\n\nSECONDS = {seconds!r}\nRESPONSES = json.loads({listed!r})\n{_MAIN}"


def reading_time_s(spec: Spec) -> float:
    """The seconds for the reading of one run's responses: not more than a run itself may take."""
    limits = [analysis.run_timeout_s for analysis in spec.analyses if analysis.run_timeout_s is not None]
    return min([LONGEST_READING_S, *limits])


def output_reading(spec: Spec) -> dict[str, object] | None:
    """What a platform that reads outputs itself is to read of every run; None for nothing."""
    settings = [found for found in map(extractor_settings, spec.responses) if found is not None]
    return {"seconds": reading_time_s(spec), "variables": settings} if settings else None


def extractor_settings(response: Response) -> dict[str, str] | None:
    """The extractor as plain data, as `extraction` takes it, or None where the user's own script prints it."""
    extractor = response.extractor
    match extractor:
        case RegexExtractor():
            found = {"kind": "regex", "file": extractor.file, "regex": extractor.regex}
            found["take"] = extractor.take.value
        case JsonExtractor():
            found = {"kind": "json", "file": extractor.file, "path": extractor.path}
        case CsvExtractor():
            found = {"kind": "csv", "file": extractor.file, "column": extractor.column}
            found["take"] = extractor.take.value
        case CommandExtractor():
            found = {"kind": "command", "command": extractor.command}
        case Declared():
            return None
    return {"name": response.name, **found}


def response_digests(responses: Sequence[Response]) -> dict[str, str]:
    """A short digest of each response's extractor, by name: tells later which values are still current."""
    return {response.name: settings_digest(extractor_settings(response)) for response in responses}


def settings_digest(settings: Mapping[str, object] | None) -> str:
    """A short digest of an extractor as plain data."""
    return digest("doe1-extractor", settings)[:12]


def extractor_digests(responses: Sequence[Response]) -> dict[str, str]:
    """The digests for a run's environment; where they are too many, `{"": DIGEST}`.

    Then the generated script lists them: an environment variable holds 128 KiB, a study any number of responses.
    """
    found = response_digests(responses)
    is_short = len(canonical_json(found)) <= _LONGEST_MARKER
    return found if is_short else {"": digest("doe1-extractors", found)[:12]}


def _listed_digests(responses: Sequence[Response]) -> list[str]:
    listed = canonical_json(response_digests(responses)).decode()
    return [_LISTED + listed] if len(listed) > _LONGEST_MARKER else []


def listed_digests(script: bytes) -> dict[str, str]:
    """The digests that a generated script lists; none where it lists none."""
    for line in script.decode(errors="replace").split("\n")[:3]:
        if line.startswith(_LISTED):
            try:
                found = json.loads(line.removeprefix(_LISTED))
            except (ValueError, RecursionError):
                return {}
            return {str(name): str(each) for name, each in found.items()} if isinstance(found, dict) else {}
    return {}
