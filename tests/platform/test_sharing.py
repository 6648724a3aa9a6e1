"""Inputs are stored once: what runs left unchanged is linked to it, what they changed is their own."""

import io
import os
import tarfile

import pytest

from doe_compiler.platform.execute.outputs import stored_outputs
from doe_compiler.platform.execute.sharing import Sharing
from doe_compiler.platform.store.runuser import reached

SUCCESS = "Completed successfully"
LARGE = os.urandom(8 << 20)
EIGHT = "n\n" + "".join(f"{number}\n" for number in range(1, 9))


def _disk_bytes(folder):
    """What a folder takes on the disk, as du counts it."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(f"{place}/{name}")
            found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def _tar(**members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, (content, mode) in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize(
    "command", ["cmp large.bin large.bin", "chmod a+x large.bin", "touch -d 1999-01-01 large.bin"]
)
def test_eight_runs_of_a_large_input_take_little_more_than_one(api, command):
    job, reason = api.ran(api.analysis(command, inputs=[("large.bin", LARGE)], slots=2), table=EIGHT)
    assert reason == SUCCESS
    assert _disk_bytes(api.data) < 1.3 * len(LARGE)
    places = [api.data / "jobs" / job / f"run{number}" / "large.bin" for number in range(1, 9)]
    assert {place.read_bytes() == LARGE for place in places} == {True}
    assert {place.stat().st_mode & 0o777 for place in places} == {0o555 if "chmod" in command else 0o444}
    assert api.outputs(job, 8)["large.bin"]["decryptedSize"] == len(LARGE)


def test_eight_runs_of_an_archive_share_its_members(api):
    small = {f"folder/small{number}": (os.urandom(3000), 0o644) for number in range(1000)}
    archive = _tar(**{"folder/solve": (LARGE[: 4 << 20], 0o755)}, **small)
    job, reason = api.ran(
        api.analysis("test -x folder/solve", inputs=[("in.tar", archive)], slots=2), table=EIGHT
    )
    assert reason == SUCCESS
    assert _disk_bytes(api.data / "jobs") < 1.5 * len(archive)
    assert (api.data / "jobs" / job / "run8" / "folder" / "solve").stat().st_mode & 0o777 == 0o555


@pytest.mark.parametrize(
    "change",
    [
        "printf x | dd of=large.bin conv=notrunc bs=1 2>/dev/null",
        "cp -p large.bin old; printf x | dd of=large.bin conv=notrunc bs=1 2>/dev/null; touch -r old large.bin; rm old",
        "printf x >> large.bin",
        ": > large.bin",
        "echo x > new; mv new large.bin",
        "rm large.bin; mkdir large.bin; touch large.bin/x",
        "mv large.bin other.bin; ln -s other.bin large.bin",
    ],
)
def test_what_a_run_changes_is_its_own(api, change):
    command = f"cmp large.bin $RESCALE_WORK_PATH/../../../blobs/??/?????* >/dev/null 2>&1; stat -c %h large.bin > links; {change}"
    job, reason = api.ran(
        api.analysis(
            f"[ $(cat n) != 3 ] || {{ {command}; }}",
            inputs=[("large.bin", LARGE)],
            templates=[("n", b"${n}")],
        ),
        table=EIGHT,
    )
    assert reason == SUCCESS
    home = api.data / "jobs" / job
    assert (home / "run3" / "links").read_text() == "1\n"
    changed = home / "run3" / "large.bin"
    assert not changed.is_file() or changed.is_symlink() or changed.read_bytes() != LARGE
    for number in (1, 2, 4, 5, 6, 7, 8):
        assert (home / f"run{number}" / "large.bin").read_bytes() == LARGE
    again, reason = api.ran(api.analysis("true", inputs=[("large.bin", LARGE)]))
    assert (reason, api.content(again, "large.bin")) == (SUCCESS, LARGE)


def test_deleting_a_job_leaves_the_others(api):
    first, _ = api.ran(api.analysis("true", inputs=[("large.bin", LARGE)]))
    second, _ = api.ran(api.analysis("true", inputs=[("large.bin", LARGE)]))
    assert api.call("DELETE", f"jobs/{first}/")[0] == 204
    assert api.content(second, "large.bin") == LARGE
    third, reason = api.ran(api.analysis("true", inputs=[("large.bin", LARGE)]))
    assert (reason, api.content(third, "large.bin")) == (SUCCESS, LARGE)


def test_a_stored_file_that_somebody_changed_is_told_and_mended_by_an_upload(api):
    analysis = api.analysis("cp large.bin copy", inputs=[("large.bin", LARGE)])
    job, _ = api.ran(analysis)
    linked = api.data / "jobs" / job / "run1" / "large.bin"
    linked.chmod(0o644)
    with linked.open("r+b") as file:
        file.write(b"changed")
    again, reason = api.ran(analysis)
    assert "large.bin is not what was uploaded" in reason
    assert b"changed in place" in api.content(again, "process_output.log")
    mended, reason = api.ran(api.analysis("true", inputs=[("large.bin", LARGE)]))
    assert (reason, api.content(mended, "large.bin")) == (SUCCESS, LARGE)


def test_what_must_keep_its_time_is_not_linked(tmp_path):
    (tmp_path / "blob").write_bytes(LARGE)
    for name in ("kept", "linked"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_bytes(LARGE)
    originals = {"kept": tmp_path / "blob", "linked": tmp_path / "blob"}
    sharing = Sharing(originals, tmp_path / "inputs", apart=["kept"])
    with reached(str(tmp_path / "run"), None) as run:
        sharing.apply(run.root, stored_outputs(run))
    assert [(tmp_path / "run" / name).stat().st_nlink for name in ("kept", "linked")] == [1, 2]


def test_small_inputs_are_left_alone(api):
    job, _ = api.ran(api.analysis("true", inputs=[("small.txt", b"x" * 5000)]))
    status = (api.data / "jobs" / job / "run1" / "small.txt").stat()
    assert (status.st_nlink, status.st_mode & 0o777) == (1, 0o644)
