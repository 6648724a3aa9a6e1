"""Makers of drafts on one machine: who is known to be dead, and who counts as living."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doe_compiler.pipeline.makers import Makers

MAKER = """
import sys, pathlib
from doe_compiler.pipeline.makers import Makers
with Makers(pathlib.Path(sys.argv[1])).at_work() as sign:
    sign("a" * 16)
    sign("b" * 16)
    print("signed", flush=True)
    word = sys.stdin.readline()
    if word == "fail\\n":
        raise SystemExit("failed")
"""
SIGNED = {"a" * 16, "b" * 16}


@pytest.fixture
def maker(tmp_path):
    """A process that has signed two nonces, and goes on."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(tmp_path / "makers")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "signed\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def makers(tmp_path):
    return Makers(tmp_path / "makers")


def test_a_killed_maker_is_dead_and_a_living_or_stopped_one_is_not(maker, makers):
    assert makers.dead() == set()
    maker.send_signal(signal.SIGSTOP)
    assert makers.dead() == set()
    maker.kill()
    maker.wait()
    assert makers.dead() == SIGNED
    assert makers.dead() == SIGNED, "looking changes nothing"


def test_a_killed_maker_that_nobody_has_waited_for_is_dead(maker, makers):
    maker.kill()
    os.waitid(os.P_PID, maker.pid, os.WEXITED | os.WNOWAIT)
    assert makers.dead() == SIGNED


def test_a_maker_that_ends_well_leaves_nothing(maker, makers):
    maker.communicate("done\n")
    assert list(makers.folder.iterdir()) == []


def test_what_a_failed_maker_may_have_left_is_known_once_it_is_gone(maker, makers):
    maker.communicate("fail\n")
    assert makers.dead() == SIGNED


def test_a_maker_of_this_process_that_failed_lives_on_with_it(makers):
    def fails():
        with makers.at_work() as sign:
            sign("c" * 16)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert len(list(makers.folder.iterdir())) == 1
    assert makers.dead() == set()


def test_a_copy_of_the_folder_tells_nothing_of_the_living(maker, makers, tmp_path):
    copy = Makers(tmp_path / "copy")
    shutil.copytree(makers.folder, copy.folder)
    assert copy.dead() == set()
    maker.kill()
    maker.wait()
    assert copy.dead() == set()


@pytest.mark.parametrize("part", ["start of the machine", "number of the file", "process"])
def test_what_another_machine_start_or_process_has_written_counts_as_living(maker, makers, part):
    maker.kill()
    maker.wait()
    (path,) = makers.folder.iterdir()
    text = path.read_text()
    boot, file, _, process, start = text.split("\n")[0].split(" ")
    own_start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    changed = {
        "start of the machine": text.replace(boot, boot[::-1]),
        "number of the file": text.replace(file, file + "0"),
        "process": text.replace(f"process {process} {start}", f"process {os.getpid()} {own_start}"),
    }[part]
    with path.open("r+") as same:
        same.truncate()
        same.write(changed)
    assert makers.dead() == set()


def test_a_file_that_is_torn_or_none_of_ours_is_passed_over(makers):
    makers.folder.mkdir()
    (makers.folder / "empty").write_bytes(b"")
    (makers.folder / "binary").write_bytes(bytes(range(256)))
    (makers.folder / "folder").mkdir()
    os.mkfifo(makers.folder / "pipe")
    (makers.folder / "link").symlink_to(makers.folder / "nowhere")
    assert makers.dead() == set()


def test_a_folder_that_cannot_be_written_hinders_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    makers = Makers(tmp_path / "file" / "makers")
    with makers.at_work() as sign:
        sign("d" * 16)
    assert makers.dead() == set()


def test_files_of_the_dead_go_after_a_day_and_not_by_a_reading_command(maker, makers):
    maker.kill()
    maker.wait()
    (path,) = makers.folder.iterdir()
    os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    assert Makers(makers.folder, reads_only=True).dead() == SIGNED
    assert path.exists()
    assert makers.dead() == SIGNED
    assert not path.exists()
