"""Commands that only read: they leave no trace, and need no right to write."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

NOBODY = 65534


def state_of(folder):
    """Every file and folder with its content, mode and times; a folder's time is when its entries changed."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        known = path.lstat()
        content = path.read_bytes() if path.is_file() else sorted(p.name for p in path.iterdir())
        found[str(path.relative_to(folder))] = (content, known.st_mode, path.is_file() and known.st_mtime_ns)
    return found


def readings(job, file):
    return [
        ("validate", "study.yaml"),
        ("design", "study.yaml"),
        ("plan", "study.yaml"),
        ("plan", "study.yaml", "--json", "--retry-failed", "--prune"),
        ("status", "study.yaml"),
        ("results", "study.yaml"),
        ("results", "study.yaml", "--format", "csv"),
        ("drift", "study.yaml"),
        ("gc", "study.yaml", "--dry-run", "--older-than", "0"),
        ("jobs", "list"),
        ("jobs", "get", job),
        ("jobs", "files", job),
        ("jobs", "statuses", job),
        ("jobs", "tags", job),
        ("runs", "list", job),
        ("runs", "get", job, "1"),
        ("runs", "files", job, "1"),
        ("runs", "tail", job, "1"),
        ("files", "list"),
        ("files", "get", file),
        ("coretypes",),
        ("analyses",),
    ]


MOST_READ = (
    ("plan", "study.yaml"),
    ("status", "study.yaml"),
    ("results", "study.yaml"),
    ("drift", "study.yaml"),
    ("jobs", "list"),
    ("coretypes",),
)


def first_id(listed):
    return listed.stdout.splitlines()[2].split()[0]


def applied(doe, study):
    done = doe("apply", study, "--yes", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    return first_id(doe("jobs", "list", cwd=study.parent)), first_id(doe("files", "list", cwd=study.parent))


def test_reading_leaves_everything_as_it_was(doe, study_at, tmp_path):
    study = study_at()
    job, file = applied(doe, study)
    before = state_of(study.parent)
    for arguments in readings(job, file):
        done = doe(*arguments, cwd=study.parent)
        assert done.returncode == 0, (arguments, done.stderr)
        assert state_of(study.parent) == before, arguments
    assert doe("compile", "study.yaml", "-o", tmp_path / "out", cwd=study.parent).returncode == 0
    assert doe("plan", "study.yaml", "-o", tmp_path / "p.json", cwd=study.parent).returncode == 0
    assert doe("show", tmp_path / "p.json", cwd=study.parent).returncode == 0
    assert state_of(study.parent) == before


def test_reading_makes_no_data_where_there_is_none(doe, study_at):
    study = study_at()
    before = state_of(study.parent)
    for arguments in MOST_READ:
        done = doe(*arguments, cwd=study.parent)
        assert done.returncode == 0, (arguments, done.stderr)
        assert state_of(study.parent) == before, arguments


def test_a_plan_that_was_saved_before_there_was_any_data_is_applied(doe, study_at):
    study = study_at()
    assert doe("plan", study, "-o", "p.json", cwd=study.parent).returncode == 0
    assert not (study.parent / ".doe").exists()
    done = doe("apply", "p.json", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    assert "5 done" in done.stderr


def test_reading_leaves_the_journal_of_a_killed_executor_alone(doe, study_at):
    study = study_at()
    applied(doe, study)
    database = study.parent / ".doe" / "platform" / "platform.sqlite"
    child = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute(\"UPDATE jobs SET name = name || '!'\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", child, str(database)], check=True)
    assert database.with_name("platform.sqlite-wal").stat().st_size
    before = state_of(study.parent)
    for arguments in MOST_READ:
        assert doe(*arguments, cwd=study.parent).returncode == 0
    assert "!" in doe("jobs", "list", "--wide", cwd=study.parent).stdout
    after = state_of(study.parent)
    for known in (before, after):  # read marks of connections, which are no data
        known.pop(".doe/platform/platform.sqlite-shm")
    assert after == before


def _as_nobody():
    """How root becomes a user who may read everything and write nothing, wherever this Python lies."""
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here")
    able = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *able]
    if subprocess.run([*prefix, sys.executable, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("root may not become somebody else here")
    return prefix


@pytest.fixture
def colleague(tmp_path):
    """A folder that others may read, and a way to run `doe` there as somebody who may not write."""
    folder = Path(tempfile.mkdtemp(prefix="doe-shared-"))
    (folder / "home").mkdir()
    prefix = _as_nobody() if os.geteuid() == 0 else []

    def run(*arguments):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
        return subprocess.run(
            [*prefix, sys.executable, "-m", "doe_compiler", *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
            cwd=folder / "study", env={**kept, "HOME": str(folder / "home"), "COLUMNS": "100"},
        )  # fmt: skip

    def share(writable):
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                is_open = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                mode = 0o755 if is_open else 0o644
                path.chmod(mode if writable else mode & 0o555)

    run.folder, run.share = folder, share
    yield run
    share(writable=True)
    shutil.rmtree(folder)


def test_a_colleague_may_only_read_and_sees_everything(doe, study_at, colleague):
    made = study_at(deck="x = ${x}\n")
    shutil.copytree(made.parent, colleague.folder / "study")
    study = colleague.folder / "study" / "study.yaml"
    job, _ = applied(doe, study)
    asked = (*MOST_READ, ("runs", "list", job), ("runs", "tail", job, "1"))
    own = {arguments: doe(*arguments, cwd=study.parent).stdout for arguments in asked}
    colleague.share(writable=os.geteuid() == 0)
    before = state_of(colleague.folder)
    for arguments, stdout in own.items():
        done = colleague(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout == stdout, arguments
        assert "DOE_DATA" not in done.stderr
    assert state_of(colleague.folder) == before
    assert not list(Path(tempfile.gettempdir()).glob("doe-read-*"))
    refused = colleague("apply", "study.yaml", "--yes")
    assert refused.returncode == 4
    assert "DOE_DATA" in refused.stderr
    assert "move the whole data folder away" not in refused.stderr
    assert state_of(colleague.folder) == before


def test_a_colleague_sees_runs_that_are_running(doe, study_at, colleague, until_true):
    made = study_at(command='"sleep 100"', design="{method: monte-carlo, runs: 2}")
    shutil.copytree(made.parent, colleague.folder / "study")
    study = colleague.folder / "study" / "study.yaml"
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    try:
        until_true(lambda: "2 running" in doe("status", study).stdout)
        colleague.share(writable=os.geteuid() == 0)
        done = colleague("status")
        assert done.returncode == 0, done.stderr
        assert "2 running" in done.stdout
    finally:
        colleague.share(writable=True)
        assert doe("stop", study).returncode == 0
        until_true(lambda: "Completed" in doe("status", study).stdout)


def test_who_may_not_even_read_is_told_so(doe, study_at, colleague):
    from doe_compiler.platform.api.service import open_platform_for_reading
    from doe_compiler.platform.store.database import StoreError

    made = study_at()
    shutil.copytree(made.parent, colleague.folder / "study")
    applied(doe, colleague.folder / "study" / "study.yaml")
    colleague.share(writable=True)
    data = colleague.folder / "study" / ".doe" / "platform"
    (data / "platform.sqlite").chmod(0o000)
    is_root = os.geteuid() == 0
    if is_root:  # this process, for a new one of another user could not read this Python
        os.seteuid(NOBODY)
    try:
        with pytest.raises((StoreError, OSError), match="Permission denied") as told:
            open_platform_for_reading(data)
    finally:
        if is_root:
            os.seteuid(0)
    assert "move" not in str(told.value) + (getattr(told.value, "hint", "") or "")


def test_a_copy_is_whole_while_others_write(tmp_path):
    """A colleague's copy of a database that is written and checkpointed without a pause adds up."""
    from doe_compiler.platform.store.private_copy import copied

    database = tmp_path / "d.sqlite"
    writer = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute('PRAGMA wal_autocheckpoint = 400')\n"
        "c.execute('PRAGMA synchronous = OFF')\n"
        "c.execute('CREATE TABLE t(n INTEGER PRIMARY KEY, v, filler)')\n"
        "c.executemany('INSERT INTO t VALUES (?, 100, zeroblob(3000))', [(n,) for n in range(300)])\n"
        "print('ready', flush=True); i = 0\n"
        "while True:\n"
        "    i += 1\n"
        "    c.execute('BEGIN IMMEDIATE')\n"
        "    c.execute('UPDATE t SET v = v - 1 WHERE n = ?', (i * 7 % 300,))\n"
        "    c.execute('UPDATE t SET v = v + 1 WHERE n = ?', (i * 131 % 300,))\n"
        "    c.execute('COMMIT')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", writer, str(database)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        give_up = time.monotonic() + 30
        for number in range(8):
            folder = tmp_path / str(number)
            folder.mkdir()
            copy = copied(database, folder)
            with_sum = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
            with_sum += "print(c.execute('SELECT sum(v) FROM t').fetchone()[0], "
            with_sum += "c.execute('PRAGMA integrity_check').fetchone()[0])"
            told = subprocess.run(
                [sys.executable, "-c", with_sum, str(copy)], capture_output=True, text=True, check=True
            )
            assert told.stdout.split() == ["30000", "ok"]
            assert time.monotonic() < give_up
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_an_unusable_database_is_told_as_broken_only_if_it_is(doe, study_at):
    study = study_at()
    applied(doe, study)
    database = study.parent / ".doe" / "platform" / "platform.sqlite"
    content = database.read_bytes()
    database.write_bytes(b"nonsense" * 1000)
    for command in (("plan",), ("apply", "--yes")):
        broken = doe(*command, study)
        assert broken.returncode == 4
        assert "move the whole data folder away" in broken.stderr
    database.write_bytes(content)
    assert doe("plan", study).returncode == 0
