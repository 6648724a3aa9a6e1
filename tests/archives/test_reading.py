"""Reading: whatever `tar` and `unzip` take is taken as they do, and nothing damaged or dangerous is."""

import bz2
import contextlib
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.archives.entries import ArchiveError, UnsafeArchive
from doe_compiler.archives.members import MemberKind, members
from doe_compiler.archives.names import is_archive

REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def _tar(*entries, mode="w", **keys):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, **keys) as archive:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return stream.getvalue()


def _zip(*entries, **attributes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return stream.getvalue()


def _paths(content, name=""):
    return [member.path for member in members(content, name)]


def _refusal(content, name):
    with pytest.raises(ArchiveError) as caught:
        members(content, name)
    return caught.value


def _needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here")


def test_kinds_are_told_by_their_names():
    assert all(
        map(is_archive, ("a.zip", "A.ZIP", "a.tar.gz", "a.tgz", "a.tar", "a.tar.xz", "a.tbz2", "a.tzst"))
    )
    assert not any(map(is_archive, ("a.gz", "zip", "a.tar.txt", "tar")))


STREAM = _tar(("a", REG, b"x" * 3000), ("b", REG, b"y"))


@pytest.mark.parametrize(
    "content",
    [
        STREAM,
        gzip.compress(STREAM),
        gzip.compress(STREAM[:1500]) + gzip.compress(STREAM[1500:]),
        gzip.compress(STREAM) + bytes(700),
        bz2.compress(STREAM),
        bz2.compress(STREAM[:1500]) + bz2.compress(STREAM[1500:]),
        lzma.compress(STREAM),
        STREAM.rstrip(b"\0") + bytes(512 - len(STREAM.rstrip(b"\0")) % 512),
        STREAM + b"anything after the end",
    ],
)
def test_a_tar_is_read_however_it_is_packed_and_whatever_its_name_says(content):
    assert _paths(content, "a.tar") == _paths(content, "a.tgz") == ["a", "b"]


def test_zstd_is_read_where_python_has_it_and_told_where_not():
    if sys.version_info >= (3, 14):
        from compression import zstd

        assert _paths(zstd.compress(STREAM), "a.tar.zst") == ["a", "b"]
        return
    error = _refusal(b"\x28\xb5\x2f\xfd" + bytes(20), "a.tar.zst")
    assert "zstd" in str(error)
    assert "decompress: false" in error.hint


@pytest.mark.parametrize(
    "form", [[], ["--format=posix"], *[["--sparse-version", v] for v in ("0.0", "0.1", "1.0")]]
)
def test_a_file_with_holes_is_whole(tmp_path, form):
    with (tmp_path / "holes").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"middle")
        file.truncate(3 << 20)
    form = [*form, "--format=posix"] if form[:1] == ["--sparse-version"] else form
    subprocess.run(["tar", "-cSf", "a.tar", *form, "holes"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "a.tar").stat().st_size < 1 << 20
    plain = _tar(("holes", REG, (tmp_path / "holes").read_bytes()))
    assert members(tmp_path / "a.tar") == members(plain)


def test_labels_and_dumps_of_gnu_tar_are_taken(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    command = ["tar", "-cf", "a.tar", "-V", "a label", "-g", "snapshot", "d"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert _paths((tmp_path / "a.tar").read_bytes()) == ["d/f"]


def test_a_type_that_nobody_knows_is_a_file():
    assert [member.kind for member in members(_tar(("a", b"Z", b"x")))] == [MemberKind.FILE]


def test_names_of_a_tar_are_bytes():
    raw = b"gr\xf6\xdfe\\x".decode("utf-8", "surrogateescape")
    content = _tar((raw, REG, b"x"), format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape")
    assert _paths(content) == [raw]


@pytest.mark.parametrize("at", [0, 148, 156, 300])
def test_a_damaged_header_in_the_middle_is_not_the_end(at):
    content = bytearray(_tar(("a", REG, b"x"), ("b", REG, b"y")))
    content[1024 + at] ^= 0xFF
    assert "damaged" in str(_refusal(bytes(content), "a.tar"))


@pytest.mark.parametrize("length", [1, 511, 512, 600, 1023, 1025, 1500, 1537])
def test_a_tar_that_ends_early_is_refused(length):
    assert "damaged" in str(_refusal(_tar(("a", REG, b"x"), ("b", REG, b"y" * 600))[:length], "a.tar"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packing_that_ends_early_or_is_wrong_is_refused(pack):
    content = pack(_tar(("a", REG, bytes(range(256)) * 60)))
    assert "damaged" in str(_refusal(content[:-9], "a.tgz"))
    assert "damaged" in str(_refusal(content[:-9] + b"\1" * 9, "a.tgz"))


def test_text_after_a_gzip_is_refused_as_gzip_does():
    assert "damaged" in str(_refusal(gzip.compress(STREAM) + b"text", "a.tgz"))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("../x", REG, b"")], "leads outside"),
        ([("a/../x", REG, b"")], "leads outside"),
        ([("/x", REG, b"")], "leads outside"),
        ([("/x", DIR, "")], "leads outside"),
        ([("l", SYM, "/etc")], "leads outside"),
        ([("l", SYM, "..")], "leads outside"),
        ([("a/l", SYM, "../../x")], "leads outside"),
        ([("m", SYM, "l/.."), ("l", SYM, "."), ("n", SYM, "m/x")], "leads outside"),
        ([("l", LNK, "/etc/passwd")], "leads outside"),
        ([("l", LNK, "a/../../x")], "leads outside"),
        ([("l", SYM, "/etc"), ("l/x", REG, b"")], "leads outside"),
        ([("c", tarfile.CHRTYPE, "")], "device or a pipe"),
        ([("p", tarfile.FIFOTYPE, "")], "device or a pipe"),
    ],
)
def test_what_is_not_safe_is_told_as_such(entries, words):
    error = _refusal(_tar(*entries), "a.tar")
    assert isinstance(error, UnsafeArchive)
    assert words in str(error)


@pytest.mark.parametrize(
    "entries",
    [
        [("l", SYM, "in"), ("l/x", REG, b"")],
        [("l", SYM, "l"), ("l/x", REG, b"")],
        [("a/b", REG, b""), ("a", REG, b"")],
        [("a/b", REG, b""), ("a", SYM, "c")],
        [("a", REG, b""), ("a/b", REG, b"")],
        [("l", LNK, "nothing")],
        [("a", DIR, ""), ("l", LNK, "a")],
        [("l", LNK, "m"), ("m", LNK, "l")],
        [("./", REG, b"x")],
        [("l", SYM, "")],
        [("n" * 300, REG, b"")],
        [("a/" * 2000 + "b", REG, b"")],
        [("l", SYM, "x" * 5000)],
        [("v", b"M", b"x")],
    ],
)
def test_what_tar_could_not_make_is_refused(entries):
    content = _tar(*entries, format=tarfile.GNU_FORMAT)
    assert not isinstance(_refusal(content, "a.tar"), UnsafeArchive)


def test_a_long_chain_of_links_ends():
    entries = [(f"l{n}", SYM, f"l{n + 1}") for n in range(200)]
    assert len(members(_tar(*entries))) == 200


def test_links_that_lead_through_each_other_for_long_are_refused():
    entries = [(f"l{n}", SYM, "x/../" * 500 + f"l{n + 1}") for n in range(1000)]
    assert "too many" in str(_refusal(_tar(*entries, format=tarfile.GNU_FORMAT), "a.tar"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("case\\sub\\a.txt", "case/sub/a.txt"),
        ("case\\", "case"),
        ("case\\sub/a.txt", "case/sub/a.txt"),
        (".\\a", "a"),
        ("größe", "größe"),
        ("a b\tc", "a b\tc"),
    ],
)
def test_names_of_a_zip(name, path):
    assert _paths(_zip((name, b"")), "a.zip") == [path]


@pytest.mark.parametrize(
    "name", ["C:\\x", "c:/x", "\\x", "..\\x", "a\\..\\..\\x", "\\\\server\\share\\x", "/x", "../x"]
)
def test_names_of_a_zip_that_lead_outside_are_refused(name):
    assert "leads outside" in str(_refusal(_zip((name, b"x")), "a.zip"))


def _renamed(raw, system=0, extra=b""):
    """A zip of one file with a name of these bytes, not said to be UTF-8."""
    content = _zip(("N" * len(raw), b"x"), create_system=system, extra=extra)
    return content.replace(b"N" * len(raw), raw)


def test_a_name_without_a_word_on_its_encoding_is_of_dos_or_of_unix():
    assert _paths(_renamed("größe".encode("cp437")), "a.zip") == ["größe"]
    assert _paths(_renamed("größe".encode(), 3), "a.zip") == ["größe"]
    assert _paths(_renamed("größe".encode("latin-1"), 3), "a.zip") == ["gr\udcf6\udcdfe"]


def test_the_name_that_info_zip_adds_counts_if_it_belongs_there():
    def extra(crc):
        return struct.pack("<HHBI", 0x7075, 9, 1, crc) + "ñ€"[:1].encode() + b"ab"

    raw = b"?ab"
    assert _paths(_renamed(raw, extra=extra(zipfile.crc32(raw))), "a.zip") == ["ñab"]  # type: ignore[attr-defined]
    assert _paths(_renamed(raw, extra=extra(1)), "a.zip") == ["?ab"]


def test_a_folder_of_windows_needs_no_slash():
    found = members(_zip(("case", b""), create_system=0, external_attr=0x10))
    assert [(member.path, member.kind) for member in found] == [("case", MemberKind.FOLDER)]


def test_a_zip_with_a_program_before_it_is_read():
    content = b"#!/bin/sh\nexit\n" * 100 + _zip(("a", b"x"))
    assert _paths(content, "a.zip") == ["a"]
    assert [member.path for member in members(content)] == ["a"]


def test_a_tar_that_ends_with_a_zip_is_a_tar():
    assert [m.path for m in members(_tar(("z", REG, _zip(("a", b"x")))))] == ["z"]


@_needs("zip")
def test_an_encrypted_zip_is_refused(tmp_path):
    (tmp_path / "a").write_text("x")
    subprocess.run(["zip", "-qP", "word", "a.zip", "a"], cwd=tmp_path, check=True, timeout=60)
    error = _refusal((tmp_path / "a.zip").read_bytes(), "a.zip")
    assert (str(error), error.hint) == ("it is encrypted", "pack it without a password")


def test_a_wrong_checksum_is_refused():
    content = bytearray(_zip(("a", b"x"), compress_type=zipfile.ZIP_STORED))
    content[content.index(b"ax") + 1] = ord("y")
    assert "CRC" in str(_refusal(bytes(content), "a.zip"))


@pytest.mark.parametrize("method", [1, 6, 9, 98])
def test_a_compression_that_is_not_supported_is_refused(method):
    content = bytearray(_zip(("a", b"x")))
    struct.pack_into("<H", content, 8, method)
    struct.pack_into("<H", content, content.index(b"PK\1\2") + 10, method)
    assert "not supported" in str(_refusal(bytes(content), "a.zip"))


def test_a_zip_is_no_tar_and_a_tar_no_zip():
    assert "of another kind" in str(_refusal(_zip(("a", b"x")), "a.tgz"))
    assert "of another kind" in str(_refusal(STREAM, "a.zip"))


def test_later_entries_of_a_zip_win():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = _zip(("x", b"1"), ("x", b"2"))
    assert members(content) == members(_zip(("x", b"2")))


WHOLE = (
    _tar(("d/a", REG, b"x" * 700), ("l", SYM, "d/a"), ("h", LNK, "d/a"), ("é" * 80, REG, b"y")),
    _zip(("d/a", b"x" * 700), ("b\\c", b"y"), ("é", b"")),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_damage_is_refused_or_harmless_and_never_anything_else(content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))])
    name = "a.zip" if content.startswith(b"PK") else "a.tar"
    with contextlib.suppress(ArchiveError):
        members(damaged, name)
