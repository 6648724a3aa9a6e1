"""What a run executes: one program where that is enough, else one shell that goes through the steps."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from doe_compiler.platform.store.form import Analysis, JobForm

PLAIN_WORDS = re.compile(r"[A-Za-z0-9_.+-]*/[A-Za-z0-9_./+-]*( +[A-Za-z0-9_./:,@%+-]+)*", re.ASCII)
SHELL = "/bin/sh"
INHERITED = (
    "HOME",
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "USER",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
)
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1 takes what the post-processing prints, which is then copied to the log; 3 is how far it has been. The others are
# the steps. A step is evaluated in a subshell, so
# that its `exit`, `cd` or syntax error is its own, and outside of any condition, so that its `set -e` holds. It
# begins in the run's directory, also if the one before has moved or removed that.
PROLOGUE = """\
doe_home() {
  cd "$RESCALE_WORK_PATH" ||
    { command -p mv "$(pwd -P)" "$RESCALE_WORK_PATH"; command -p mkdir -p "$RESCALE_WORK_PATH"; cd "$RESCALE_WORK_PATH"; }
} 2>/dev/null
doe_step() { ( exec 3<&-; doe_text=$1; set --; eval "$doe_text" ) }
doe_end() { [ "$1" = 0 ] || { echo "[platform] $2 ended with status $1"; exit "$1"; }; }
"""


# Before a prologue that says `module`: the shell of a run has not read what a login shell reads.
MODULES = """\
command -v module >/dev/null 2>&1 || {
  for doe_init in /etc/profile.d/*modules.sh /etc/profile.d/*lmod.sh "$MODULESHOME/init/sh" "$LMOD_PKG/init/sh"; do
    if [ -r "$doe_init" ]; then . "$doe_init"; break; fi
  done
}
"""
FOR_MODULES = ("MODULEPATH", "MODULESHOME", "LMOD_PKG", "LMOD_CMD", "LMOD_DIR")


@dataclass(frozen=True, slots=True)
class Steps:
    """A job's steps: the arguments of the one process that a run starts, and its environment.

    `fallback` does the same through a shell, for programs that the system cannot start by itself.
    """

    arguments: tuple[str, ...]
    fallback: tuple[str, ...]
    environment: Mapping[str, str]
    has_post_process: bool

    def of_run(
        self, directory: str, post_output: str, home: str = ""
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """The arguments and the environment of the run in `directory`; `home` is its own HOME, if it has one."""
        environment = {**self.environment, "PWD": directory, "RESCALE_WORK_PATH": directory}
        if home:
            environment["HOME"] = home
        if not self.has_post_process:
            return self.arguments, environment
        return (*self.arguments[:4], post_output, *self.arguments[5:]), environment


def steps_of_job(
    form: JobForm,
    job_id: str,
    own_environment: Mapping[str, str],
    prologues: Mapping[str, str] = MappingProxyType({}),
) -> Steps:
    """The steps of every analysis in order; the first that ends with another status than 0 fails the run.

    `prologues` are shell commands before each step, by the analysis' code.
    """
    inherited = (*INHERITED, *FOR_MODULES) if any(prologues.values()) else INHERITED
    base = {name: own_environment[name] for name in inherited if name in own_environment}
    base = {"PATH": DEFAULT_PATH, **base}
    only = form.analyses[0]
    first = {**base, **only.env_vars, **_rescale_environment(only, job_id)}
    if len(form.analyses) == 1 and not only.pre_process_command and not only.post_process_command:
        command = _prologue(only, prologues) + only.command
        through_shell = (SHELL, "-c", command)
        is_plain = PLAIN_WORDS.fullmatch(command) is not None and not command.startswith("//")
        return Steps(tuple(command.split()) if is_plain else through_shell, through_shell, first, False)
    script, texts = [PROLOGUE], []
    for number, analysis in enumerate(form.analyses):
        settings = _exports({**analysis.env_vars, **_rescale_environment(analysis, job_id)}) if number else ""
        for text, title, redirection, copying in (
            (analysis.pre_process_command, "The pre-processing", "", ""),
            (analysis.command, "The command", "", ""),
            (analysis.post_process_command, "The post-processing", ' >>"$1"', "command -p cat <&3; "),
        ):
            if text.strip():
                texts.append(settings + _prologue(analysis, prologues) + text)
                script.append(
                    f'doe_home; doe_step "${{{len(texts) + 1}}}"{redirection}\n'
                    f'doe_status=$?; {copying}doe_end "$doe_status" "{title}"\n'
                )
    has_post = any(analysis.post_process_command.strip() for analysis in form.analyses)
    truncation = ': >"$1"; exec 3<"$1"\n' if has_post else ""
    arguments = (SHELL, "-c", truncation + "".join(script), "sh", os.devnull, *texts)
    return Steps(arguments, arguments, first, has_post)


def _prologue(analysis: Analysis, prologues: Mapping[str, str]) -> str:
    """What comes before a step's text; a prologue that fails fails the run."""
    text = prologues.get(analysis.code, "").strip()
    if not text:
        return ""
    failed = 'doe_status=$?; echo "[platform] The prologue ended with status $doe_status"; exit $doe_status'
    modules = MODULES if "module" in text else ""
    return f"{modules}{{ {text}\n}} || {{ {failed}; }}\n"


def _rescale_environment(analysis: Analysis, job_id: str) -> dict[str, str]:
    hardware = analysis.hardware
    return {
        "RESCALE_JOB_ID": job_id,
        "RESCALE_CORES_PER_SLOT": str(hardware.cores_per_slot),
        "RESCALE_NODES_PER_SLOT": "1",
        "RESCALE_CORE_TYPE": hardware.core_type,
    }


def _exports(settings: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
