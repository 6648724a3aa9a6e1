"""Archives: good ones are unpacked as they are, bad ones are refused, whatever they try."""

import gzip
import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.archives import entries
from doe_compiler.archives.entries import ArchiveError
from doe_compiler.archives.members import members as members_of
from doe_compiler.platform.execute.outputs import wipe
from doe_compiler.platform.execute.unpacking import unpack


def _tar(*members, mode="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o755 if kind == tarfile.DIRTYPE or name.endswith(".sh") else 0o644
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return buffer.getvalue()


def _zip(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _unpacked(tmp_path, name, content):
    (tmp_path / "blob").write_bytes(content)
    target = tmp_path / "in" / "target"
    target.mkdir(parents=True)
    unpack(tmp_path / "blob", name, target)
    return target


REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.TGZ", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")]
)
def test_a_tar_comes_out_as_it_went_in(tmp_path, name, mode):
    members = [
        ("d/sub/f", REG, b"x" * 1000),
        ("d/run.sh", REG, b"#!"),
        ("d/l", SYM, "sub/f"),
        ("h", LNK, "d/sub/f"),
        ("e", DIR, ""),
    ]
    target = _unpacked(tmp_path, name, _tar(*members, mode=mode))
    assert (target / "d/l").readlink() == Path("sub/f")
    assert (target / "h").read_bytes() == b"x" * 1000
    assert (target / "e").is_dir()
    assert [(target / each).stat().st_mode & 0o777 for each in ("d/run.sh", "d/sub/f")] == [0o755, 0o644]


def test_many_files_are_unpacked_in_one_pass(tmp_path):
    members = [(f"d{n % 7}/f{n}", REG, bytes([n % 256]) * (n * 37 % 5000)) for n in range(2000)]
    target = _unpacked(tmp_path, "a.tar.gz", _tar(*members))
    assert all((target / name).read_bytes() == content for name, _, content in members)


def test_a_zip_comes_out_as_it_went_in(tmp_path):
    target = _unpacked(tmp_path, "a.zip", _zip(("d/f", b"x"), ("e/", b""), ("./g", b"y")))
    assert ((target / "d/f").read_bytes(), (target / "g").read_bytes()) == (b"x", b"y")
    assert (target / "e").is_dir()


@pytest.mark.parametrize(
    "members",
    [
        [("../x", REG, b"x")],
        [("a/../../x", REG, b"x")],
        [("/tmp/x", REG, b"x")],
        [("l", SYM, "/etc")],
        [("l", SYM, "..")],
        [("a/l", SYM, "../..")],
        [("a/b/l", SYM, "x/../../../..")],
        [("l", SYM, "inside"), ("l/x", REG, b"x")],
        [("l", LNK, "/etc/passwd")],
        [("l", LNK, "../x")],
        [("l", LNK, "f")],
        [("l", SYM, "."), ("l/m", SYM, "../..")],
        [("d", DIR, ""), ("l", SYM, "d"), ("m", SYM, "l/../../x")],
        [("d/e", DIR, ""), ("l", SYM, "d/e"), ("d/e", SYM, "."), ("m", SYM, "l/../..")],
        [("null", tarfile.CHRTYPE, "")],
        [("pipe", tarfile.FIFOTYPE, "")],
    ],
)
def test_what_leads_outside_is_refused(tmp_path, members):
    (tmp_path / "in").mkdir()
    with pytest.raises(ArchiveError):
        _unpacked(tmp_path, "a.tar.gz", _tar(*members))
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["target"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "in"]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_a_zip_that_leads_outside_is_refused(tmp_path, name):
    with pytest.raises(ArchiveError, match="outside"):
        _unpacked(tmp_path, "a.zip", _zip((name, b"x")))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tbz2", "a.txz"])
@pytest.mark.parametrize("content", [b"", b"x", b"\x00" * 100, b"PK\x03\x04", b"\x1f\x8b\x08"])
def test_what_is_no_archive_is_refused_or_empty(tmp_path, name, content):
    try:
        target = _unpacked(tmp_path, name, content)
    except ArchiveError:
        return
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("length", [20, 200, 2000])
def test_a_truncated_archive_is_refused(tmp_path, length):
    whole = _tar(("f", REG, bytes(range(256)) * 40), ("g", REG, gzip.compress(bytes(range(256)) * 99)))
    assert len(whole) > 300
    with pytest.raises(ArchiveError):
        _unpacked(tmp_path, "a.tgz", whole[: min(length, len(whole) - 20)])


def test_a_bomb_is_refused_early(tmp_path):
    bomb = _zip(*[(f"f{n}", b"\0" * (10 << 20)) for n in range(10)])
    assert len(bomb) < 200_000
    with pytest.raises(ArchiveError, match="unfolds"):
        _unpacked(tmp_path, "a.zip", bomb)
    assert sum(path.stat().st_size for path in (tmp_path / "in").rglob("*")) < 80 << 20


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "MOST_ENTRIES", 50)
    with pytest.raises(ArchiveError, match="entries"):
        _unpacked(tmp_path, "a.tar", _tar(*[(f"f{n}", REG, b"") for n in range(51)], mode="w"))


def test_a_tar_of_a_million_entries_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "MOST_ENTRIES", 10_000)  # to the real limit it takes some seconds
    info = tarfile.TarInfo("d")
    info.type = tarfile.DIRTYPE
    block = info.tobuf(tarfile.USTAR_FORMAT) * 1000
    with gzip.open(tmp_path / "many.tgz", "wb", compresslevel=1) as archive:
        for _ in range(1000):
            archive.write(block)
    (tmp_path / "target").mkdir()
    with pytest.raises(ArchiveError, match="entries"):
        unpack(tmp_path / "many.tgz", "many.tgz", tmp_path / "target")


def test_a_zip_of_a_million_entries_is_refused_before_it_fills_the_memory(tmp_path):
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"f"
    assert len(entry) == 47
    count, size = 1_000_000, 47_000_000
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, size, 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    zipped = entry * count + end64 + locator + end
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="entries"):
        _unpacked(tmp_path, "a.zip", zipped)
    assert tracemalloc.get_traced_memory()[1] < 150 << 20
    tracemalloc.stop()


def test_a_device_in_a_zip_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("null")
        info.external_attr = (stat.S_IFCHR | 0o666) << 16
        archive.writestr(info, b"")
    with pytest.raises(ArchiveError, match="device"):
        _unpacked(tmp_path, "a.zip", buffer.getvalue())


@pytest.mark.parametrize("target", ["/etc", "..", "a/../.."])
def test_a_link_of_a_zip_that_leads_outside_is_refused(tmp_path, target):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("l")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    with pytest.raises(ArchiveError, match="outside"):
        _unpacked(tmp_path, "a.zip", buffer.getvalue())


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_packed_bomb_is_refused_early(tmp_path, kind):
    bomb = _tar(("f", REG, b"\0" * (80 << 20)), mode=f"w:{kind}")
    with pytest.raises(ArchiveError, match="unfolds"):
        _unpacked(tmp_path, f"a.tar.{kind}", bomb)


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path):
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    info.size = 7 << 30
    with pytest.raises(ArchiveError, match="header"):
        _unpacked(tmp_path, "a.tar", info.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 1024)


def test_a_job_gets_its_archive_unpacked_with_a_template_inside(api):
    archive = _tar(
        ("case/run.sh", REG, b"#!/bin/sh\nold\n"), ("case/0/U", REG, b"old"), ("case/now", SYM, "0/U")
    )
    analysis = api.analysis(
        "cd case && ./run.sh && cat now",
        inputs=[("case.tar.gz", archive)],
        templates=[("case/run.sh", b"echo ${x}\n"), ("case/0/U", b"U ${x}\n")],
    )
    job, reason = api.ran(analysis, table="x\n5\n")
    assert (reason, api.content(job, "process_output.log")) == ("Completed successfully", b"5\nU 5\n")


def test_an_archive_is_left_alone_when_asked(api):
    analysis = api.analysis("ls")
    analysis["inputFiles"] = [{"id": api.upload("a.zip", _zip(("f", b"x")))["id"], "decompress": "false"}]
    job, _ = api.ran(analysis)
    assert set(api.outputs(job)) == {"a.zip", "process_output.log"}


def test_a_job_with_a_bad_archive_fails_with_the_reason(api):
    job, reason = api.ran(
        api.analysis("true", inputs=[("a.tgz", _tar(("../x", REG, b"x")))]), table="x\n1\n2\n"
    )
    assert reason.startswith("A run failed: a.tgz cannot be unpacked")
    assert b"a.tgz" in api.content(job, "process_output.log", 2)
    assert not (api.data / "jobs" / job / "x").exists()


def _tree(root):
    """What lies below: kind, execute bit and content by path."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = Path(folder) / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                content = os.readlink(path)  # noqa: PTH115 - a Path drops `./`
            else:
                content = None if stat.S_ISDIR(mode) else path.read_bytes()
            has_bit = stat.S_ISREG(mode) and bool(mode & 0o100)
            found[str(path.relative_to(root))] = (stat.S_IFMT(mode), has_bit, content)
    return found


def _compared(tmp_path, name, content, *command):
    """What a real program makes of an archive, and what we make of it; None if it is refused."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [*command, tmp_path / name], cwd=tmp_path / "theirs", check=False, capture_output=True, timeout=60
    )
    theirs = _tree(tmp_path / "theirs") if done.returncode == 0 else None
    try:
        return theirs, _tree(_unpacked(tmp_path, name, content))
    except ArchiveError:
        return theirs, None


NAMES = st.sampled_from(["a", "b", "c", "d.sh", "a/b", "a/c", "b/a.sh", "a/b/c", "./a", "c/"])
ENTRIES = st.lists(
    st.one_of(
        st.tuples(NAMES, st.just(REG), st.sampled_from([b"", b"1", b"2" * 1000])),
        st.tuples(NAMES, st.just(DIR), st.just("")),
        st.tuples(NAMES, st.just(SYM), st.sampled_from(["a", "b", "./a/c", "no", "a/b/c"])),
        st.tuples(NAMES, st.just(LNK), st.sampled_from(["a", "b", "./a/b"])),
    ),
    max_size=7,
)


@settings(max_examples=100, deadline=None)
@given(ENTRIES)
def test_a_tar_becomes_what_tar_makes_of_it(entries):
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = _compared(Path(folder), "a.tar.gz", _tar(*entries), "tar", "-xf")
        has_hard_links = any(kind == LNK for _, kind, _ in entries)
        # A hard link to what comes later, tar cannot make.
        assert ours == theirs or (has_hard_links and theirs is None)


@settings(max_examples=100, deadline=None)
@given(ENTRIES, st.integers(0, 10_000), st.integers(0, 255))
def test_telling_members_refuses_what_unpacking_refuses_with_the_same_words(entries, at, byte):
    content = bytearray(_tar(*entries, mode="w"))
    content[at % len(content)] = byte
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for read in (
            lambda: members_of(bytes(content), "a.tar"),
            lambda: _unpacked(Path(folder), "a.tar", content),
        ):
            try:
                read()
                told.append("")
            except ArchiveError as error:
                told.append(str(error))
    assert told[0] == told[1]


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip here")
@pytest.mark.parametrize(
    "members",
    [
        [("d/f", b"x"), ("e/", b""), ("./g", b"y")],
        [("größe", b"x"), ("a b/c'd\"", b"y")],
        [("x" * 200, b"\0" * 100_000)],
    ],
)
def test_a_zip_becomes_what_unzip_makes_of_it(tmp_path, monkeypatch, members):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    theirs, ours = _compared(tmp_path, "a.zip", _zip(*members), "unzip", "-qo")
    assert ours == theirs is not None


def test_a_zip_made_on_windows_has_folders(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("case\\", "case\\sub\\a.txt"):
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, b"" if name.endswith("\\") else b"a 5\n")
    target = _unpacked(tmp_path, "a.zip", buffer.getvalue())
    assert (target / "case" / "sub" / "a.txt").read_bytes() == b"a 5\n"


def test_links_are_kept_as_they_are_written(tmp_path):
    target = _unpacked(tmp_path, "a.tar", _tar(("a/x", REG, b"x"), ("l", SYM, "./a//x"), mode="w"))
    assert _tree(target)["l"][2] == "./a//x"


def test_read_only_folders_can_be_filled_and_removed(api, tmp_path):
    (tmp_path / "case" / "closed").mkdir(parents=True)
    (tmp_path / "case" / "closed" / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "case" / "closed" / "run.sh").chmod(0o555)
    (tmp_path / "case" / "closed").chmod(0o555)
    subprocess.run(["tar", "-czf", "case.tar.gz", "case"], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "case" / "closed").chmod(0o755)
    content = (tmp_path / "case.tar.gz").read_bytes()
    analysis = api.analysis("case/closed/run.sh && rm -r case", inputs=[("case.tar.gz", content)])
    job, reason = api.ran(analysis)
    assert (reason, api.content(job, "process_output.log")) == ("Completed successfully", b"ran\n")


@pytest.mark.parametrize(
    ("head", "is_executable"),
    [
        (b"#!/bin/sh\n", True),
        (Path(sys.executable).read_bytes()[:64], True),
        (b"\xcf\xfa\xed\xfe\x07\0\0\1", True),
        (b"\xfe\xed\xfa\xce\0\0\0\7", True),
        (b"\xca\xfe\xba\xbe\0\0\0\2", True),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", False),
        (b"x 1\n", False),
        (b"", False),
        (b"#", False),
    ],
)
def test_an_upload_that_can_only_be_a_program_is_executable(api, head, is_executable):
    job, _ = api.ran(api.analysis("test -x solver && echo yes || echo no", inputs=[("solver", head)]))
    assert api.content(job, "process_output.log") == (b"yes\n" if is_executable else b"no\n")


def test_a_compiled_program_runs(api):
    program = Path(shutil.which("cat")).read_bytes()
    assert program.startswith(b"\x7fELF")
    analysis = api.analysis("./solver deck", inputs=[("solver", program), ("deck", b"x 1\n")])
    job, reason = api.ran(analysis)
    assert (reason, api.content(job, "process_output.log")) == ("Completed successfully", b"x 1\n")


def test_a_later_input_counts_behind_a_link_too(api):
    first = _tar(("v2/in", REG, b"old\n"), ("case", SYM, "v2"))
    analysis = api.analysis(
        "cat v2/in case/new",
        inputs=[("first.tgz", first), ("second.tgz", _tar(("case/new", REG, b"more\n")))],
        templates=[("case/in", b"x ${x}\n")],
    )
    job, reason = api.ran(analysis, table="x\n5\n")
    assert (reason, api.content(job, "process_output.log")) == ("Completed successfully", b"x 5\nmore\n")


def test_inputs_that_do_not_fit_together_are_told(api):
    one = api.analysis("true", inputs=[("a", b"x"), ("b.tgz", _tar(("a/b", REG, b"x")))])
    assert api.ran(one)[1] == "A run failed: a is a file of one input and a folder of another"
    first, second = _tar(("d/l", SYM, "up/.."), ("d/up/x", REG, b"")), _tar(("d/up", SYM, ".."))
    two = api.analysis("true", inputs=[("b.tgz", first), ("c.tgz", second)])
    assert api.ran(two)[1] == "A run failed: the link d/l leads outside of the work directory"


def test_what_a_run_closed_is_removed_all_the_same():
    root = Path(tempfile.mkdtemp())
    deep = root / "run" / "closed" / "deeper"
    deep.mkdir(parents=True)
    (deep / "f").write_text("x")
    (root / "outside").mkdir(mode=0o500)
    (deep / "link").symlink_to(root / "outside")
    deep.chmod(0o500)
    deep.parent.chmod(0o000)
    for path in (root, root / "run", deep.parent, deep, root / "outside"):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
    child = os.fork()
    if child == 0:  # as somebody for whom modes count
        if os.geteuid() == 0:
            os.setuid(65534)
        wipe(str(root / "run"))
        os._exit((root / "run").exists() + 2 * ((root / "outside").stat().st_mode & 0o777 != 0o500))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    shutil.rmtree(root)
