"""Files that a study names: inside the project, readable, told from where they are named."""

import gzip
import io
import os
import tarfile
import zipfile

import pytest

from doe_compiler.archives import entries
from doe_compiler.archives.entries import ArchiveError
from doe_compiler.platform.execute.unpacking import unpack
from doe_compiler.spec.files import target_problem
from doe_compiler.spec.read import read_study

STUDY = """doe: 1
study: beam
variables: {x: {levels: [1, 2]}}
analyses:
  - analysis: {code: user_included}
    command: ./solve
    hardware: {coreType: emerald}
    inputFiles: [INPUTS]
    templates: [{source: in.template, target: in.txt}]
"""


@pytest.fixture
def read_inputs(read):
    def _read(inputs, files=None):
        return read(STUDY.replace("INPUTS", inputs), {"in.template": "${x}", **(files or {})})

    return _read


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("nothing.txt", "E301"),
        ("{path: folder, decompress: false}", "E302"),
        (".", "E302"),
        ("pipe", "E303"),
        ("/etc/passwd", "E304"),
        ("~/x", "E304"),
        ("'C:\\x'", "E304"),
        ("../outside.txt", "E304"),
        ("link_out", "E304"),
        ("link_out_folder/outside.txt", "E304"),
        ("loop", "E301"),
        ('"a\\0b"', "E303"),
        ("' '", "E303"),
        ("a" * 900, "E303"),
        ("{path: nothing.txt}", "E301"),
    ],
)
def test_what_is_no_file_of_the_project_is_a_finding(tmp_path, read_inputs, codes, named, code):
    root = tmp_path
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    outside = root.parent / "outside.txt"
    outside.write_text("secret")
    (root / "link_out").symlink_to(outside)
    (root / "link_out_folder").symlink_to(root.parent)
    (root / "loop").symlink_to("loop")
    reading = read_inputs(named)
    assert codes(reading) in ([code], ["E303"] if named == "loop" else [code])
    assert reading.findings[0].place.line == 8


def test_a_near_miss_is_suggested(read_inputs):
    finding = read_inputs("mehs.txt", {"mesh.txt": "x"}).findings[0]
    assert "'mesh.txt'" in finding.hint


def test_a_folder_up_is_fine_inside_of_the_work_tree(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "shared.txt").write_text("x")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "in.template").write_text("${x}")
    (folder / "study.yaml").write_text(STUDY.replace("INPUTS", "../../shared.txt"))
    reading = read_study(folder / "study.yaml")
    assert reading.findings == ()
    source = reading.spec.analyses[0].input_files[0].source
    assert (source.name, source.size) == ("shared.txt", 1)


def test_without_a_work_tree_the_folder_is_the_border(tmp_path):
    (tmp_path / "shared.txt").write_text("x")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "in.template").write_text("${x}")
    (tmp_path / "a" / "study.yaml").write_text(STUDY.replace("INPUTS", "../shared.txt"))
    assert [f.code for f in read_study(tmp_path / "a" / "study.yaml").findings] == ["E304"]


def test_two_inputs_of_one_name_hide_each_other(read_inputs, codes):
    assert codes(read_inputs("a/m.txt, b/m.txt", {"a/m.txt": "1", "b/m.txt": "2"})) == ["E309"]


@pytest.mark.parametrize(
    "name",
    [
        "doe_post.sh",
        "doe_pre.sh",
        "doe_pre2.sh",
        "doe_variables.sh",
        "doe_texts.txt",
        "doe_exit.txt",
        "doe_timeout.txt",
        "process_output.log",
    ],
)
def test_a_name_that_a_run_needs_itself_is_a_finding(read_inputs, codes, name):
    assert codes(read_inputs(f"a/{name}", {f"a/{name}": "1"})) == ["E321"]
    assert codes(read_inputs("in.tar", {"in.tar": _tar("w", **{name: b"1"})})) == ["E321"]
    assert codes(read_inputs("in.tar", {"in.tar": _tar("w", **{f"old/{name}": b"1"})})) == []
    assert codes(read_inputs("folder", {f"folder/{name}": "1"})) == []


def test_digest_size_and_execute_bit_are_known(tmp_path, read_inputs):
    (tmp_path / "solve").write_bytes(b"abc")
    (tmp_path / "solve").chmod(0o755)
    source = read_inputs("solve").spec.analyses[0].input_files[0].source
    assert source.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (source.size, source.is_executable, source.content) == (3, True, b"abc")


def _tar(mode="w:gz", **members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    # Without the time: test processes tell their tests apart by what they hold.
    return gzip.compress(stream.getvalue(), mtime=0) if mode == "w:gz" else stream.getvalue()


def _zip(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            if isinstance(content, str):
                info.external_attr = 0o120777 << 16
            archive.writestr(info, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tar", _tar("w", **{"a/b": b"x", "l": (tarfile.SYMTYPE, "a/b")}), []),
        ("a.tar.gz", _tar(**{"a/b": b"x", "a/l": (tarfile.SYMTYPE, "../a/b")}), []),
        ("a.tgz", _tar(x=b"1"), []),
        ("a.tar.bz2", _tar("w:bz2", x=b"1"), []),
        ("a.tar.xz", _tar("w:xz", x=b"1"), []),
        ("a.zip", _zip(**{"a/b": b"x", "a/l": "../c"}), []),
        ("a.tar.gz", _tar(**{"../x": b"1"}), ["E308"]),
        ("a.tar.gz", _tar(**{"/x": b"1"}), ["E308"]),
        ("a.tar.gz", _tar(l=(tarfile.SYMTYPE, "/etc")), ["E308"]),
        ("a.tar.gz", _tar(l=(tarfile.SYMTYPE, "..")), ["E308"]),
        ("a.tar.gz", _tar(**{"a/l": (tarfile.LNKTYPE, "../x")}), ["E308"]),
        ("a.tar.gz", _tar(p=(tarfile.FIFOTYPE, "")), ["E308"]),
        ("a.zip", _zip(**{"../x": b"1"}), ["E308"]),
        ("a.zip", _zip(**{"/x": b"1"}), ["E308"]),
        ("a.zip", _zip(l="../x"), ["E308"]),
        ("a.tar.gz", _tar(x=b"1" * 100_000)[:-40], ["E307"]),
        ("a.tar", b"", ["E307"]),
        ("a.zip", b"", ["E307"]),
        ("a.zip", b"PK\3\4 not a zip", ["E307"]),
        ("a.tar.gz", b"text", ["E307"]),
        ("a.zip", _tar(x=b"1"), ["E307"]),
        ("a.txt", _tar(**{"../x": b"1"}), []),
    ],
)
def test_archives_are_looked_into(read_inputs, codes, name, content, expected):
    assert codes(read_inputs(name, {name: content})) == expected


@pytest.mark.parametrize(
    "content", [b"text", _tar(**{"../x": b"1"}), _tar(x=b"1" * 9000)[:-9], _tar(l=(tarfile.LNKTYPE, "no"))]
)
def test_what_unpacking_refuses_is_told_in_its_words(tmp_path, read_inputs, content):
    finding = read_inputs("a.tgz", {"a.tgz": content}).findings[0]
    (tmp_path / "target").mkdir()
    with pytest.raises(ArchiveError) as refused:
        unpack(tmp_path / "a.tgz", "a.tgz", tmp_path / "target")
    assert finding.message == f"'a.tgz' cannot be unpacked: {refused.value}"
    assert (finding.hint, finding.place.line) == (refused.value.hint, 8)


def test_a_folder_that_could_not_be_unpacked_is_told(read_inputs, codes, monkeypatch):
    monkeypatch.setattr(entries, "MOST_ENTRIES", 2)
    reading = read_inputs("case", {"case/a": "", "case/b": "", "case/c": ""})
    assert codes(reading) == ["E307"]
    assert "more than 2 entries" in reading.findings[0].message


def test_an_archive_that_is_not_unpacked_is_not_looked_into(read_inputs):
    assert read_inputs("{path: a.zip, decompress: false}", {"a.zip": "text"}).findings == ()


@pytest.mark.parametrize("content", [_tar(**{"a/b": b"x" * 3000}), _zip(**{"a/b": b"x" * 300, "c": b""})])
def test_damaged_archives_never_break_the_reading(read_inputs, content):
    name = "a.zip" if content.startswith(b"PK") else "a.tgz"
    for position in range(0, len(content), max(1, len(content) // 60)):
        damaged = content[:position] + bytes([content[position] ^ 0x5A]) + content[position + 1 :]
        assert {f.code for f in read_inputs(name, {name: damaged}).findings} <= {"E307", "E308"}
        assert {f.code for f in read_inputs(name, {name: content[:position]}).findings} <= {"E307", "E308"}


@pytest.mark.parametrize(
    "path", ["/a", "../a", "a/../b", "a/", ".", "a/..", "", " ", "a\nb", "C:\\a", "a\\b", "~/a"]
)
def test_paths_that_are_not_inside_of_the_run_are_told(path):
    assert target_problem(path)


@pytest.mark.parametrize("path", ["a", "a/b", "./a", "a b", "a..b", ".hidden", "a/./b"])
def test_paths_inside_of_the_run_are_fine(path):
    assert target_problem(path) == ""


def test_inputs_that_bring_a_file_twice_are_told_if_it_differs(read_inputs, codes, tmp_path):
    def tar_of(name, text):
        with tarfile.open(tmp_path / name, "w") as archive:
            entry = tarfile.TarInfo("mesh.txt")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))

    tar_of("one.tar", b"old")
    tar_of("two.tar", b"new")
    tar_of("three.tar", b"new")
    (tmp_path / "mesh.txt").write_text("new")
    assert codes(read_inputs("mesh.txt, one.tar")) == ["E322"]
    assert codes(read_inputs("one.tar, two.tar")) == ["E322"]
    assert codes(read_inputs("two.tar, three.tar, mesh.txt")) == []
