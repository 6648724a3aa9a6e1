"""The script of a task: it goes through its runs, one after the other, each claimed before it begins.

A claim is a file that is made exclusively, so that a run begins once, however many tasks of however many arrays name it.
What a run leaves are marks beside its directory: when it was claimed and by whom, and how it ended. A node opens no
database and needs nothing but a shell; Python reads output variables there if it is found.
"""

import shlex
import sys
from pathlib import Path

import doe_compiler
from doe_compiler.platform.execute.launcher import JobPlace
from doe_compiler.platform.execute.outputs import LOG
from doe_compiler.platform.execute.steps import SHELL

READING = "doe_compiler.platform.execute.slurm.reading"

BASH = "/bin/bash"  # gives each run a process group of its own without starting a program for that

_SCRIPT = """\
#!{shell}
# A task of a job of doe: goes through the runs in its line of the list.
{group}
doe_home=$1 doe_list=$2
doe_marks=$doe_home/slurm/marks
[ -d "$doe_marks" ] || exit 0
unset SLURM_EXPORT_ENV
{exports}
export HOME PWD RESCALE_WORK_PATH
doe_child= doe_mark= doe_ended= doe_done=

doe_stop() {{
  doe_signal=1
  if [ -n "$doe_child" ] && [ -e "$doe_marks/stop-$doe_mark" ]; then
    kill -s TERM -- "-$doe_child" 2>/dev/null
    ( sleep 2; kill -s KILL -- "-$doe_child" 2>/dev/null ) &
  fi
}}
doe_end() {{
  doe_ended=1 doe_signal=1
  [ -z "$doe_child" ] || kill -s TERM -- "-$doe_child" 2>/dev/null
}}
# Puts directory and log of a run back where they were; what stands in the log's place is kept beside it.
doe_restore() {{
  [ -d "$RESCALE_WORK_PATH" ] && ! [ -h "$RESCALE_WORK_PATH" ] || {{
    rm -f "$RESCALE_WORK_PATH"
    mv "$(pwd -P)" "$RESCALE_WORK_PATH" || mkdir -p "$RESCALE_WORK_PATH"
  }}
  doe_log=$RESCALE_WORK_PATH/{log}
  if [ -h "$doe_log" ] || ! [ "$doe_log" -ef "/proc/$$/fd/3" ]; then
    doe_next=1
    while [ -e "$doe_log.$doe_next" ] || [ -h "$doe_log.$doe_next" ]; do doe_next=$((doe_next + 1)); done
    ! [ -e "$doe_log" ] && ! [ -h "$doe_log" ] || mv "$doe_log" "$doe_log.$doe_next"
    cat "/proc/$$/fd/3" > "$doe_log"
  fi
}}
trap doe_stop USR1
trap doe_end TERM

for doe_item in $(sed -n "${{SLURM_ARRAY_TASK_ID}}{{p;q;}}" "$doe_list"); do
  [ -z "$doe_ended" ] || exit 143
  doe_run=${{doe_item%%.*}} doe_rest=${{doe_item#*.}}
  doe_attempt=${{doe_rest%%.*}} doe_slot=${{doe_rest#*.}}
  doe_mark=$doe_run.$doe_attempt
  set -C
  {{ echo "$SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID" > "$doe_marks/claim-$doe_mark"; }} 2>/dev/null
  doe_status=$?
  set +C
  [ "$doe_status" = 0 ] || continue
  RESCALE_WORK_PATH=$doe_home/run$doe_run PWD=$doe_home/run$doe_run
  {home}
  if cd "$RESCALE_WORK_PATH" && {{ exec 3>>{log}; }}; then
    $doe_apart {command} >&3 2>&1 </dev/null 3>&- &
    doe_child=$! doe_signal=
    wait "$doe_child"
    doe_status=$?
    while [ -n "$doe_signal" ] && [ "$doe_status" -gt 128 ]; do
      doe_signal=
      wait "$doe_child"
      doe_again=$?
      [ "$doe_again" = 127 ] || doe_status=$doe_again
    done
    # Who ends a task signals all its processes; this shell may learn of it after the run has died of it.
    if [ "$doe_status" -gt 128 ]; then sleep 1; elif [ "$doe_status" != 0 ]; then sleep 0.1 || sleep 1; fi
    [ -z "$doe_ended" ] || exit 143
    kill -s KILL -- "-$doe_child" 2>/dev/null
    doe_child=
    if [ -h "$RESCALE_WORK_PATH" ] || [ -h "$RESCALE_WORK_PATH/{log}" ] ||
      ! [ "$RESCALE_WORK_PATH/{log}" -ef "/proc/$$/fd/3" ]; then
      doe_restore 2>/dev/null
    fi
    exec 3>&-
  else
    doe_status=126
  fi
  cd /
  echo "$doe_status" > "$doe_marks/end-$doe_mark"
  doe_done="$doe_done $doe_mark"
done
{reading}
"""


def script(place: JobPlace, *, prefix: str = "", reads: bool) -> str:
    """The script of a job's tasks; `prefix` is a folder that comes first in PATH, `reads` whether Python reads outputs."""
    environment = dict(place.steps.environment)
    if prefix:
        environment["PATH"] = f"{prefix}:{environment['PATH']}"
    arguments = [shlex.quote(argument) for argument in place.steps.fallback]
    if place.steps.has_post_process:
        arguments[4] = '"$doe_home/post$doe_slot"'
    has_bash = Path(BASH).exists()
    return _SCRIPT.format(
        shell=BASH if has_bash else SHELL,
        group="set -m; doe_apart=" if has_bash else "doe_apart=setsid",
        exports="\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items()),
        home="HOME=$doe_home/home$doe_run" if place.has_own_homes else "",
        log=LOG,
        command=" ".join(arguments),
        reading=_reading() if reads else "",
    )


def _reading() -> str:
    """Read the outputs of what has ended; where that is not possible the executor reads them."""
    root = Path(doe_compiler.__file__).absolute().parent.parent
    call = f"PYTHONPATH={shlex.quote(str(root))} {shlex.quote(sys.executable)} -P -m {READING}"
    return f'[ -z "$doe_done" ] || {call} "$doe_home" $doe_done'


def mpi_shim() -> str:
    """What `mpirun` and `mpiexec` are where srun starts the processes of a run."""
    return """\
#!/bin/sh
# mpirun by srun: the number of processes is taken over, options of others are not known.
tasks=
while [ $# -gt 0 ]; do
  case $1 in
    -n | -np | -c | --n | --np) tasks=$2; shift 2 ;;
    --) shift; break ;;
    -*) echo "mpirun here is srun, which does not know $1; say mpi: mpirun in doe's configuration" >&2; exit 2 ;;
    *) break ;;
  esac
done
exec srun ${tasks:+--ntasks="$tasks"} "$@"
"""
