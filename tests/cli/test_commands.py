"""Exit codes, streams, and what is not imported."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"numpy", "httpx2", "starlette", "uvicorn", "sqlite3", "rich", "orjson"}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["apply", "--help"], set()),
        (["validate", "STUDY"], {"numpy", "orjson"}),
    ],
)
def test_nothing_heavy_is_imported_where_it_is_not_needed(arguments, needed, study_at):
    program = (
        "import sys, doe_compiler.cli.main as m\n"
        "try:\n    m.run()\n"
        "except SystemExit as e:\n    assert not e.code, e.code\n"
        f"heavy = {HEAVY - needed} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    study = str(study_at())
    words = [study if word == "STUDY" else word for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        "  x: {levels: [1, 2]}\n  z: {expression: 1 / (x - 1)}",
        "  x: {levels: [0.11, 0.12], format: '0.0'}",
        "  x: {levels: [1, 2]}\n  z: {expression: sqrt(x - 2)}",
    ],
)
def test_what_design_refuses_validate_tells_in_the_same_words(doe, study_at, variables):
    study = study_at(variables=variables, design="{}", deck="${x} ${z}\n" if "z" in variables else "${x}\n")
    validated, designed = doe("validate", study), doe("design", study)
    assert (validated.returncode, designed.returncode) == (3, 3)
    message = validated.stdout.splitlines()[0]
    assert message.split("  ")[1] in designed.stderr
    assert message in designed.stderr


def test_findings_are_all_told_with_their_place(doe, study_at):
    study = study_at(
        variables="  x: {generator: Uniform, min: 30, max: 10}\n  y: {generator: Unifrom, min: 0, max: 1}",
        deck="${x} ${y} ${z}\n",
    )
    done = doe("validate", study)
    assert done.returncode == 3
    assert (
        f"{study}:5:37  E104  'max' (10) is not above 'min' (30)" in done.stdout
        or "E104  'max' (10) is not above 'min' (30)" in done.stdout
    )
    assert "Uniform" in done.stdout
    assert "^" in done.stdout
    assert "Traceback" not in done.stderr


def test_findings_for_machines(doe, study_at):
    done = doe("validate", study_at(variables="  x: {generator: Uniform, min: 30, max: 10}"), "--json")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert report["valid"] is False
    (finding,) = report["findings"]
    assert (finding["code"], finding["line"]) == ("E104", 5)


@pytest.mark.parametrize("command", ["design", "plan", "apply", "status", "results", "stop"])
def test_an_invalid_study_stops_every_command(doe, study_at, command):
    study = study_at(variables="  x: {generator: Uniform, min: 30, max: 10}")
    done = doe(command, study)
    assert done.returncode == 3
    assert "E104" in done.stderr
    assert not (study.parent / ".doe").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["aply"],
        ["apply", "--unknown"],
        ["design", ".", "--format", "xml"],
        ["plan", "missing.yaml"],
        ["plan", "."],
        ["compile", "."],
    ],
)
def test_wrong_usage_is_64(doe, arguments):
    done = doe(*arguments)
    assert done.returncode == 64, done.stderr
    assert "Traceback" not in done.stderr


def test_a_near_miss_of_a_command_is_suggested(doe):
    assert "Did you mean 'apply'?" in doe("aply").stderr


def test_apply_refuses_where_it_cannot_ask(doe, study_at):
    study = study_at()
    done = doe("apply", study)
    assert done.returncode == 64
    assert "--yes" in done.stderr
    assert json.loads(doe("status", study, "--json").stdout)["jobs"] == []


def test_a_limit_forbids_before_anything_is_created(doe, study_at):
    study = study_at(rest="limits: {runs: 4}")
    for command in (["plan", study], ["apply", study, "--yes"]):
        done = doe(*command)
        assert done.returncode == 5
        assert "5 runs; its own limits allow 4" in done.stderr
    assert not (study.parent / ".doe" / "platform" / "jobs").exists() or not list(
        (study.parent / ".doe" / "platform" / "jobs").iterdir()
    )


def test_without_a_key_there_is_no_way_in(doe, study_at):
    done = doe("plan", study_at(), "--on", "rescale")
    assert done.returncode == 7
    assert "RESCALE_API_KEY" in done.stderr


def test_a_platform_that_does_not_answer_is_try_again(doe, study_at):
    done = doe("plan", study_at(), "--on", "http://127.0.0.1:9/api/v2/", env={"RESCALE_API_KEY": "k"})
    assert done.returncode == 75
    assert "Traceback" not in done.stderr


def test_the_design_as_csv_is_the_compiled_csv(doe, study_at, tmp_path):
    study = study_at()
    doe("compile", study, "-o", tmp_path / "out")
    assert (
        doe("design", study, "--format", "csv").stdout == (tmp_path / "out" / "jobs" / "0001.csv").read_text()
    )
    doe("design", study, "--format", "csv", "-o", tmp_path / "design.csv")
    assert (tmp_path / "design.csv").read_text() == (tmp_path / "out" / "jobs" / "0001.csv").read_text()
    runs = json.loads(doe("design", study, "--format", "json").stdout)["runs"]
    assert [run["x"] for run in runs] == (tmp_path / "design.csv").read_text().split()[1:]


def test_compiling_elsewhere_gives_the_same_bytes(doe, study_at, tmp_path):
    def compiled(folder, **more):
        out = tmp_path / f"out-{folder}"
        assert doe("compile", study_at(folder), "-o", out, **more).returncode == 0
        return {
            str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }

    assert compiled("here") == compiled(
        "there", env={"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
    )


def test_compile_replaces_a_bundle_and_nothing_else(doe, study_at, tmp_path):
    out = tmp_path / "out"
    assert doe("compile", study_at(), "-o", out).returncode == 0
    assert doe("compile", study_at(rest="job: {runsPerJob: 2}"), "-o", out).returncode == 0
    assert len(list((out / "jobs").glob("*.json"))) == 3
    assert doe("compile", study_at(), "-o", out).returncode == 0
    assert len(list((out / "jobs").glob("*.json"))) == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").write_text("mine")
    refused = doe("compile", study_at(), "-o", other)
    assert refused.returncode == 64
    assert [path.name for path in other.iterdir()] == ["precious"]


def test_the_schema_is_printed(doe):
    for name in ("study", "plan", "policy"):
        assert json.loads(doe("schema", name).stdout)["title"] == f"A doe {name}"
    assert doe("schema").stdout == doe("schema", "study").stdout


def test_a_reader_that_leaves_early_is_no_error(doe, study_at):
    study = study_at(design="{method: monte-carlo, runs: 20000}")
    done = subprocess.run(
        f"{sys.executable} -m doe_compiler design {study} --format csv | head -1",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("x\n", "")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("target", [".", "/", ""])
def test_a_folder_is_no_file_to_write_to(doe, study_at, form, target):
    done = doe("design", study_at(), "--format", form, "-o", target)
    assert done.returncode == 64
    assert "is a folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_pipe_is_never_replaced_and_never_waited_for(doe, study_at, tmp_path, form):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = doe("design", study_at(), "--format", form, "-o", pipe)
    assert done.returncode == 1
    assert f"cannot write '{pipe}'" in done.stderr
    assert pipe.is_fifo()


def test_an_answer_goes_to_where_a_link_points(doe, study_at, tmp_path):
    (tmp_path / "link").symlink_to("real.csv")
    assert doe("design", study_at(), "--format", "csv", "-o", tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("x\n")


@pytest.mark.parametrize("manifest", ['{"name": "web"}', "[]", "{", '{"doe": 1, "files": {}}'])
def test_compile_never_deletes_what_it_did_not_write(doe, study_at, tmp_path, manifest):
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)
    (folder / "precious").write_text("x")
    done = doe("compile", study_at(), "-o", folder)
    assert done.returncode == 64
    assert (folder / "manifest.json").read_text() == manifest
    assert (folder / "precious").read_text() == "x"


def test_compile_replaces_its_own_bundle_through_a_link(doe, study_at, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    for _ in range(2):
        assert doe("compile", study_at(), "-o", tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out" / "manifest.json").is_file()
    (tmp_path / "out" / "mine.txt").write_text("x")
    done = doe("compile", study_at(), "-o", tmp_path / "link")
    assert done.returncode == 64
    assert "mine.txt" in done.stderr


def test_init_writes_through_no_link(doe, tmp_path):
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "study.yaml").symlink_to(tmp_path / "elsewhere")
    assert doe("init", tmp_path / "n").returncode == 64
    assert not (tmp_path / "elsewhere").exists()
