"""Members: equal for equal trees, however they were packed, and different for whatever a run could see."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import zipfile

import pytest

from doe_compiler.archives.entries import ArchiveError
from doe_compiler.archives.members import Member, MemberKind, members

REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def tar_of(*entries, mode="w", **keys):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, **keys) as archive:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o755 if name.endswith(".sh") else 0o644
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return stream.getvalue()


def file(path, content, *, is_executable=False):
    return Member(path, MemberKind.FILE, is_executable, hashlib.sha256(content).hexdigest())


def folder(path):
    return Member(path, MemberKind.FOLDER)


def link(path, target):
    return Member(path, MemberKind.LINK, target=target)


@pytest.fixture
def case(tmp_path):
    """A folder with all that an archive can carry."""
    root = tmp_path / "case"
    (root / "0" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "0" / "U").write_bytes(b"U 1\n" * 1000)
    (root / "0" / "deep" / ("long" * 40)).write_bytes(b"long")
    (root / "größe ß.dat").write_bytes(bytes(range(256)))
    (root / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "latest").symlink_to("0/U")
    return root


EXPECTED = (
    file("case/0/U", b"U 1\n" * 1000),
    file("case/0/deep/" + "long" * 40, b"long"),
    folder("case/empty"),
    file("case/größe ß.dat", bytes(range(256))),
    link("case/latest", "0/U"),
    file("case/run.sh", b"#!/bin/sh\n", is_executable=True),
)


def _made(root, *command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    subprocess.run(command, cwd=root.parent, check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "pax", "posix"])
@pytest.mark.parametrize("packing", ["", "z", "j", "J"])
def test_the_forms_and_packings_of_tar_are_one(case, form, packing):
    _made(case, "tar", f"-c{packing}f", "case.tar", f"--format={form}", "case")
    assert members(case.parent / "case.tar") == EXPECTED


def test_times_owners_and_order_do_not_count(case):
    os.utime(case / "0" / "U", (1, 1))
    (case / "0" / "U").chmod(0o600)
    names = ["case/run.sh", "case/latest", "case/größe ß.dat", "case/empty", "case/0"]
    _made(case, "tar", "-cf", "case.tar", "--owner=nobody:65534", "--mtime=@12345", *names)
    assert members(case.parent / "case.tar") == EXPECTED


def test_paths_with_a_dot_in_front_are_the_same(case):
    _made(case, "tar", "-cf", "case.tar", "./case/.", "./case/0/U")
    assert members(case.parent / "case.tar") == EXPECTED


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("level", ["-0", "-9"])
def test_a_zip_is_the_same(case, monkeypatch, locale, level):
    monkeypatch.setenv("LC_ALL", locale)
    _made(case, "zip", "-qry", level, "case.zip", "case")
    assert members(case.parent / "case.zip") == EXPECTED
    assert members((case.parent / "case.zip").read_bytes()) == EXPECTED


def test_a_zip_that_was_written_to_a_pipe_is_the_same(case):
    class Pipe(io.BytesIO):
        def seek(self, *_):
            raise OSError

        def tell(self):
            raise OSError

    stream = Pipe()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(case / "0" / "U", "U")
    assert members(stream.getvalue()) == (file("U", b"U 1\n" * 1000),)


def test_a_folder_has_the_members_of_its_packing(case):
    assert members(case) == EXPECTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("a/b", REG, b"x")], [("a", DIR, ""), ("./a//b", REG, b"x")]),
        ([("a", REG, b"x"), ("b", REG, b"y")], [("b", REG, b"y"), ("a", REG, b"x")]),
        ([("a", REG, b"new")], [("a", REG, b"old"), ("a", REG, b"new")]),
        ([("a", REG, b"new")], [("a", SYM, "b"), ("a", REG, b"new")]),
        ([("a", REG, b"new")], [("a", DIR, ""), ("a", REG, b"new")]),
        ([("a/b", REG, b"x")], [("a", REG, b"x"), ("a", DIR, ""), ("a/b", REG, b"x")]),
        ([("a", REG, b"x"), ("b", REG, b"x")], [("a", REG, b"x"), ("b", LNK, "a")]),
        ([("a", REG, b"x"), ("b", REG, b"x")], [("b", LNK, "./a"), ("a", REG, b"x")]),
        ([(n, REG, b"x") for n in "abc"], [("c", LNK, "b"), ("b", LNK, "a"), ("a", REG, b"x")]),
        ([("a", REG, b"1"), ("b", REG, b"2")], [("a", REG, b"2"), ("b", LNK, "a"), ("a", REG, b"1")]),
        ([("a", SYM, "f"), ("b", SYM, "f")], [("a", SYM, "f"), ("b", LNK, "a")]),
        ([("a/x", REG, b"x"), ("l", SYM, "a")], [("a", DIR, ""), ("l", SYM, "a"), ("l/x", REG, b"x")]),
        ([("l/x", REG, b"x"), ("a", DIR, "")], [("a", DIR, ""), ("l", SYM, "a"), ("l", DIR, ""), ("l/x", REG, b"x")]),
    ],
)  # fmt: skip
def test_equal_trees_have_equal_members(one, other):
    assert members(tar_of(*one)) == members(tar_of(*other, mode="w:gz")) != ()


@pytest.mark.parametrize(
    "changed",
    [
        [("a", REG, b"y")],
        [("A", REG, b"x")],
        [("a.sh", REG, b"x")],
        [("a", SYM, "x")],
        [("a", DIR, "")],
        [("a", REG, b"x"), ("empty", DIR, "")],
        [],
    ],
)
def test_what_a_run_could_see_counts(changed):
    assert members(tar_of(("a", REG, b"x"))) != members(tar_of(*changed))


def test_the_execute_bit_counts():
    def made(mode):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            info = zipfile.ZipInfo("a")
            info.external_attr = mode << 16
            archive.writestr(info, b"x")
        return members(stream.getvalue())

    assert made(0o100644) == made(0) == made(0o100400) != made(0o100755) == made(0o100700)


def test_links_are_told_by_their_targets():
    assert members(tar_of(("l", SYM, "a/../b"), ("a", DIR, ""))) == (folder("a"), link("l", "a/../b"))


def test_what_is_no_archive_has_no_members(tmp_path):
    (tmp_path / "a.tar").write_text("text")
    with pytest.raises(ArchiveError, match="damaged or of another kind"):
        members(tmp_path / "a.tar")
    assert members(bytes(10240)) == ()
