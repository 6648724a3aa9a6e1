"""Files that responses read: among the inputs already, made by nothing; and pointers of Git LFS."""

import io
import tarfile

import pytest

from tests.spec.conftest import HEAD

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2380763\n"
STUDY = (
    HEAD
    + """variables: {x: {levels: [1, 2]}}
analyses:
  - analysis: {code: CODE}
    command: COMMAND
    hardware: {coreType: emerald}
    inputFiles: [INPUTS]
    templates: [{source: in.template, target: in.txt}]
responses:
  y: {file: READ, regex: 'y = (\\S+)'}
"""
)


def archive(**members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


@pytest.fixture
def codes_of(read, codes):
    def _codes(command, reads, inputs="", files=None, code="user_included"):
        text = STUDY.replace("CODE", code).replace("COMMAND", command)
        text = text.replace("INPUTS", inputs).replace("READ", reads)
        reading = read(text, {"in.template": "${x}", **(files or {})})
        return codes(reading), reading

    return _codes


@pytest.mark.parametrize(
    ("inputs", "files", "reads"),
    [
        ("case.tar", {"case.tar": archive(case__log="y = 7\n")}, "case/log"),
        ("case.tar", {"case.tar": archive(case__log="y = 7\n")}, "./case//log"),
        ("case", {"case/log": "y = 7\n"}, "case/log"),
        ("old/log", {"old/log": "y = 7\n"}, "log"),
    ],
)
def test_a_file_that_is_there_before_a_run_is_told(codes_of, inputs, files, reads):
    found, reading = codes_of("./solve", reads, inputs, files)
    assert found == ["E319"]
    assert "log" in reading.findings[0].message
    assert reading.spec is not None


def test_a_packed_archive_that_stays_packed_holds_no_file_of_a_run(codes_of):
    files = {"case.tar": archive(case__log="y = 7\n")}
    found, _ = codes_of("./solve", "case/log", "{path: case.tar, decompress: false}", files)
    assert found == []


def test_the_result_of_a_template_is_made_for_the_run(codes_of):
    found, _ = codes_of("./solve", "in.txt", "old/in.txt", {"old/in.txt": "old"})
    assert found == []


@pytest.mark.parametrize(
    ("command", "reads", "inputs", "files", "found"),
    [
        ("cat in.txt > out.txt", "ouput.txt", "", {}, ["E320"]),
        ("cat in.txt > out.txt", "out.txt", "", {}, []),
        ("A=1 sh run.sh && true", "res.csv", "run.sh", {"run.sh": "cat in.txt > out.txt"}, ["E320"]),
        ("A=1 sh run.sh && true", "res.csv", "run.sh", {"run.sh": "cat in.txt > res.csv"}, []),
        ("./run.sh", "a/res.csv", "run.sh", {"run.sh": "cat in.txt > $1/res.$2"}, []),
        ("./run.sh", "process_output.log", "run.sh", {"run.sh": "cat in.txt"}, []),
        # What cannot be looked through may make any file.
        ("solver in.txt", "res.csv", "", {}, []),
        ("cat in.txt; ./solver", "res.csv", "", {}, []),
        ("./run", "res.csv", "run", {"run": b"\x7fELF\0"}, []),
        ("./run", "res.csv", "run", {"run": b"#" * 70000}, []),
        ("sh a/run.sh", "res.csv", "a.tar", {"a.tar": archive(a__run__sh="true")}, []),
    ],
)
def test_a_file_that_nothing_mentions_is_told(codes_of, command, reads, inputs, files, found):
    assert codes_of(command, reads, inputs, files)[0] == found


def test_software_makes_files_by_itself(codes_of):
    assert codes_of("cat in.txt", "res.csv", code="openfoam")[0] == []


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("inputFiles: [mesh.msh]", {"mesh.msh": POINTER}),
        ("inputFiles: [{path: mesh.zip, decompress: false}]", {"mesh.zip": POINTER}),
        ("inputFiles: [mesh.zip]", {"mesh.zip": POINTER}),
        ("templates: [{source: deck, target: d}]", {"deck": POINTER}),
        ("preProcess: {script: pre.sh, command: sh pre.sh}", {"pre.sh": POINTER}),
        ("postProcess: {script: pre.sh, command: sh pre.sh}", {"pre.sh": POINTER}),
    ],
)
def test_a_pointer_of_git_lfs_is_no_file(read, codes, text, files):
    study = f"""{HEAD}variables: {{}}
analyses:
  - analysis: {{code: user_included}}
    command: ./solve
    hardware: {{coreType: emerald}}
    {text}
"""
    reading = read(study, files)
    assert codes(reading) == ["E318"]
    assert "git lfs pull" in reading.findings[0].hint


def test_a_table_is_no_pointer_of_git_lfs(read, codes):
    study = f"""{HEAD}variables: {{x: {{}}}}
design: {{method: table, file: runs.csv}}
analyses:
  - analysis: {{code: user_included}}
    command: ./solve ${{x}}
    hardware: {{coreType: emerald}}
"""
    assert "E318" in codes(read(study, {"runs.csv": POINTER}))


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_pointer_in_an_archive_or_folder_is_told(codes_of, is_packed):
    files = {"case.tar": archive(case__mesh=POINTER)} if is_packed else {"case/mesh": POINTER}
    found, reading = codes_of("./solve", "log", "case.tar" if is_packed else "case", files)
    assert found == ["E318"]
    assert reading.spec is not None
    assert "case/mesh" in reading.findings[0].message


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("cat r.txt", ["E319"]),
        ("tail -n 1 ./r.txt | cut -c 3-", ["E319"]),
        ("python3 post.py out.txt", []),
        ("cat out.txt", []),
    ],
)
def test_a_command_that_names_an_input_is_told(read, codes, command, found):
    text = STUDY.replace("CODE", "user_included").replace("COMMAND", "./solve > out.txt")
    text = text.replace("INPUTS", "r.txt, post.py").replace(
        "{file: READ, regex: 'y = (\\S+)'}", f"{{command: '{command}'}}"
    )
    reading = read(text, {"in.template": "${x}", "r.txt": "99\n", "post.py": ""})
    assert codes(reading) == found
