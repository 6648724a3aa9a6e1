"""An end that the user wants comes after the write that is under way, and what is said of it is true."""

import os
import shlex
import signal
import time

import pytest

from doe_compiler.cli.interruption import halting
from doe_compiler.kernel.errors import Terminated

WANTED = ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated))


def end_of(act):
    """What ends something that is done under a halt; None: its own end."""
    try:
        with halting() as halt:
            act(halt)
    except (KeyboardInterrupt, Terminated) as error:
        return type(error)
    return None


@pytest.mark.parametrize(("number", "raised"), WANTED)
def test_a_signal_lets_the_write_under_way_end_and_begins_no_other(number, raised):
    done = []

    def act(halt):
        for write in range(5):
            halt.go_on()
            if write == 2:
                os.kill(os.getpid(), number)
            done.append(write)

    assert end_of(act) is raised
    assert done == [0, 1, 2]


@pytest.mark.parametrize(("number", "raised"), WANTED)
def test_the_second_signal_ends_at_once_as_the_first_asked(number, raised):
    other = signal.SIGTERM if number == signal.SIGINT else signal.SIGINT
    reached = []

    def act(_halt):
        os.kill(os.getpid(), number)
        reached.append("once")
        os.kill(os.getpid(), other)
        time.sleep(60)

    assert end_of(act) is raised
    assert reached == ["once"]


@pytest.mark.parametrize(("number", "raised"), WANTED)
def test_a_sleep_ends_with_the_signal(number, raised):
    def act(halt):
        os.kill(os.getpid(), number)
        halt.sleep(60)

    assert end_of(act) is raised


def test_without_a_signal_nothing_is_raised():
    def act(halt):
        halt.go_on()
        halt.sleep(0)

    assert end_of(act) is None


@pytest.mark.parametrize("asks", [True, False])
def test_the_handlers_and_the_timer_are_as_before_afterwards(asks):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]

    def act(halt):
        assert signal.getsignal(signal.SIGTERM) == halt.ask
        os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        if asks:
            halt.go_on()

    assert end_of(act) is (Terminated if asks else None)
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_write_that_does_not_end_is_waited_for_no_longer_than_the_patience():
    def act(_halt):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, 0.01)  # as when the patience has passed
        time.sleep(60)

    assert end_of(act) is Terminated


def test_runs_that_do_not_end_in_time_are_told_and_the_same_command_goes_on(doe, study_at, tmp_path):
    study = study_at(
        command=f'"[ -e {tmp_path}/go ] || sleep 300; echo 1 > y.txt"',
        design="{method: monte-carlo, runs: 2}",
    )
    done = doe("apply", study, "--yes", "--timeout", "2")
    assert done.returncode == 75, done.stderr
    assert "did not end within the --timeout" in done.stderr
    assert "the same command goes on" in done.stderr
    (tmp_path / "go").touch()
    assert "2 done" in doe("apply", study, "--yes").stderr


@pytest.mark.parametrize("has_plan", [True, False])
def test_who_does_not_wait_is_told_a_command_that_works(doe, study_at, until_true, has_plan):
    study = study_at("a folder", name="one", design="{method: monte-carlo, runs: 1}")
    (study.parent / "two.yaml").write_text(study.read_text().replace("study: one", "study: two"))
    if has_plan:
        assert doe("plan", study.parent, "-o", "p.json").returncode == 0
    done = doe(*(["apply", "p.json"] if has_plan else ["apply", study.parent, "--yes"]), "--no-wait")
    assert done.returncode == 0, done.stderr
    told = [line.split("doe ", 1)[1] for line in done.stderr.splitlines() if "doe status" in line]
    assert len(told) == 2
    for command in told:
        words = shlex.split(command)
        assert doe(*words).returncode == 0, command
        until_true(lambda words=words: "1 done" in doe(*words).stdout)


def test_a_plan_is_applied_where_the_data_of_its_studies_lies(doe, study_at):
    """Outside of a repository, and from another folder than that of the study: nothing may run twice."""
    study = study_at("sub", design="{method: monte-carlo, runs: 1}")
    for _ in range(2):
        assert doe("plan", study, "-o", "p.json").returncode == 0
        done = doe("apply", "p.json")
        assert done.returncode == 0, done.stderr
        assert doe("plan", study, "--detailed-exitcode").returncode == 0
    assert "Nothing to do" in done.stderr
    study.write_text(study.read_text().replace("runs: 1", "runs: 2"))
    assert doe("plan", study, "-o", "p.json").returncode == 0
    assert "2 done" in doe("apply", "p.json").stderr
