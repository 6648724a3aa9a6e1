"""Archives: good ones are unpacked as they are, bad ones are refused, whatever they try."""

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from doe_compiler.platform import archives
from doe_compiler.platform.archives import ArchiveError, is_archive, unpack


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
        [("inside", DIR, ""), ("l", SYM, "inside"), ("l/x", REG, b"x")],
        [("l", LNK, "/etc/passwd")],
        [("l", LNK, "../x")],
        [("s", SYM, "f"), ("l", LNK, "s")],
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
    monkeypatch.setattr(archives, "MOST_ENTRIES", 50)
    with pytest.raises(ArchiveError, match="entries"):
        _unpacked(tmp_path, "a.tar", _tar(*[(f"f{n}", REG, b"") for n in range(51)], mode="w"))


def test_a_tar_of_a_million_entries_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 10_000)  # to the real limit it takes some seconds
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


def test_kinds_are_told_by_their_names():
    assert all(map(is_archive, ("a.zip", "A.ZIP", "a.tar.gz", "a.tgz", "a.tar", "a.tar.xz", "a.tbz2")))
    assert not any(map(is_archive, ("a.gz", "zip", "a.tar.txt", "tar")))


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
