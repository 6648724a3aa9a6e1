"""Packing a folder: the same bytes everywhere, readable by every tar, and nothing that leaves the folder."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc

import pytest

from doe_compiler.archives.members import members
from doe_compiler.archives.packing import PackingError, packed


def _bytes(folder, name=None):
    result = packed(folder, name)
    content = b"".join(result.chunks())
    assert (result.size, result.sha256()) == (len(content), hashlib.sha256(content).hexdigest())
    return content


def _fill(root, *, backwards=False):
    root.mkdir(parents=True)
    names = ["b/x", "a", "b.c", "é", "run.sh", "n" * 120 + "/" + "m" * 200]
    for name in reversed(names) if backwards else names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)
    (root / "run.sh").chmod(0o700)
    (root / "empty").mkdir()
    (root / "l").symlink_to("b/x")
    (root / "b" / "up").symlink_to("../a")
    return root


def test_one_folder_one_tar(tmp_path):
    one, other = _fill(tmp_path / "1" / "case"), _fill(tmp_path / "2" / "case", backwards=True)
    os.utime(other / "a", (5, 5))
    (other / "b").chmod(0o700)
    for name in (".git", "b/.git", ".doe"):
        (other / name).mkdir()
        (other / name / "x").write_text("x")
    assert _bytes(one) == _bytes(other)
    assert _bytes(one, "name") != _bytes(one)


def test_the_bytes_stay_what_they_are(tmp_path):
    digest = "206b3eff49641b0e16a8df3005936f05f5f60afb5966b16669b057e95ec0fca0"
    assert packed(_fill(tmp_path / "case")).sha256() == digest


def test_tar_unpacks_it(tmp_path):
    case = _fill(tmp_path / "case")
    (tmp_path / "x.tar").write_bytes(_bytes(case))
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "x.tar", "-C", out], check=True, timeout=60)
    subprocess.run(["diff", "-r", "--no-dereference", case, out / "case"], check=True, timeout=60)
    assert (out / "case" / "run.sh").stat().st_mode & 0o777 == 0o755


def test_python_reads_it(tmp_path):
    content = _bytes(_fill(tmp_path / "case"))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        infos = archive.getmembers()
    assert {(i.mtime, i.uid, i.gid, i.uname, i.gname) for i in infos} == {(0, 0, 0, "", "")}
    assert [i.name for i in infos][:4] == ["case", "case/a", "case/b", "case/b/up"]
    assert members(content) == members(tmp_path / "case")


def test_names_that_are_no_text_are_kept(tmp_path):
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / os.fsdecode(b"gr\xf6\xdfe")).write_text("x")
    assert [os.fsencode(m.path) for m in members(_bytes(tmp_path / "case"))] == [b"case/gr\xf6\xdfe"]


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../case/a", "b/../../x", "l2", "b/out"])
def test_a_link_that_leaves_the_folder_is_told(tmp_path, target):
    case = _fill(tmp_path / "case")
    (case / "bad").symlink_to(target)
    (case / "l2").symlink_to("b/x" if target != "l2" else "../..")
    if target == "b/out":
        (case / "b" / "out").symlink_to("../../out")
    with pytest.raises(PackingError, match="leaves the folder") as caught:
        packed(case)
    assert caught.value.path in ("bad", "l2", "b/out")


def test_a_pipe_is_told(tmp_path):
    os.mkfifo(_fill(tmp_path / "case") / "b" / "p")
    with pytest.raises(PackingError, match="'b/p' is neither"):
        packed(tmp_path / "case")


def test_a_file_that_changes_meanwhile_is_told(tmp_path):
    case = _fill(tmp_path / "case")
    result = packed(case)
    (case / "b" / "x").write_text("longer than before")
    with pytest.raises(PackingError, match="'b/x' changed"):
        result.sha256()
    shutil.rmtree(case / "b")
    with pytest.raises(PackingError, match="'b/x' cannot be read: No such file"):
        result.sha256()


def test_a_large_folder_takes_little_memory(tmp_path):
    case = tmp_path / "case"
    case.mkdir()
    with (case / "large").open("wb") as file:
        file.truncate(200 << 20)
    tracemalloc.start()
    assert packed(case).size == sum(map(len, packed(case).chunks()))
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
