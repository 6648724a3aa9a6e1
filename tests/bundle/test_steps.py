"""The wrapper and the post-processing step, run by a real shell."""

import json
import os
import subprocess

import pytest

from doe_compiler.bundle.preparation import PRE, VARIABLES
from doe_compiler.bundle.steps import (
    EXIT_FILE,
    POST_COMMAND,
    POST_SCRIPT,
    TIMEOUT_FILE,
    guarded_command,
    post_script,
    timed_command,
    wrapped_command,
)
from doe_compiler.bundle.texts import TEXTS_FILE
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import (
    CommandExtractor,
    CsvExtractor,
    Declared,
    JsonExtractor,
    LocalFile,
    RegexExtractor,
    Response,
    Script,
)
from doe_compiler.spec.reserved import is_reserved

PLACE = Place("study.yaml", 1, 1)


def shell(command, folder):
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("exit 3", 3),
        ("false # no", 1),
        ("cat <<X\nhello\nX", 0),
        ("sh -c 'kill -9 $$'", 137),
        ("echo it\\'s", 0),
    ],
)
@pytest.mark.parametrize("timeout_s", [None, 30])
def test_the_exit_code_is_left_behind_and_passed_on(tmp_path, command, code, timeout_s):
    done = shell(wrapped_command(command, timeout_s, is_first=True), tmp_path)
    assert done.returncode == code
    assert (tmp_path / EXIT_FILE).read_text() == f"{code}\n"


def test_a_run_that_takes_too_long_is_ended_with_its_children(tmp_path):
    done = shell(wrapped_command("sleep 60 & sleep 60; echo late", 1, is_first=True), tmp_path)
    assert (done.returncode, done.stdout) == (124, "")


def test_without_timeout_python_keeps_the_time(tmp_path):
    hidden = wrapped_command("sleep 60", 1, is_first=True).replace("command -v timeout", "false")
    assert shell(hidden, tmp_path).returncode == 124
    assert (tmp_path / EXIT_FILE).read_text() == "124\n"


@pytest.mark.parametrize("code", [0, 5, 124, 137])
@pytest.mark.parametrize("hides", ["nothing", "command -v timeout"])
def test_a_run_that_ends_by_itself_is_not_timed_out(tmp_path, code, hides):
    command = timed_command(f"exit {code}", 30).replace(hides, "false")
    assert shell(command, tmp_path).returncode == code
    assert not (tmp_path / TIMEOUT_FILE).exists()


@pytest.mark.parametrize(
    ("command", "hides"),
    [
        ("sleep 60; exit 5", "nothing"),
        ("trap '' TERM; sleep 60; sleep 60", "nothing"),
        ("sleep 60; exit 5", "command -v timeout"),
    ],
)
def test_a_time_out_leaves_its_mark_behind(tmp_path, command, hides):
    done = shell(timed_command(command, 1).replace(hides, "false"), tmp_path)
    assert (done.returncode, (tmp_path / TIMEOUT_FILE).read_text()) == (124, "1\n")
    assert "doe_timed_out\t1\n" in posted(tmp_path, []).stdout


def test_what_a_timed_command_prints_and_reads_is_its_own(tmp_path):
    (tmp_path / "in").write_text("hello")
    done = shell("{ " + timed_command("cat; echo oops >&2; sleep 60 >&- 2>&- &", 30) + "; } < in", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "oops\n")


@pytest.mark.parametrize("name", ["signal", "subprocess", "os"])
def test_files_of_a_run_with_names_of_the_library_do_not_stop_the_clock(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("raise SystemExit(3)\n")
    hidden = timed_command("exit 5", 30).replace("command -v timeout", "false")
    assert shell(hidden, tmp_path).returncode == 5


def test_the_first_of_several_analyses_that_fails_decides(tmp_path):
    shell(wrapped_command("exit 3", None, is_first=True), tmp_path)
    shell(wrapped_command("true", None, is_first=False), tmp_path)
    assert (tmp_path / EXIT_FILE).read_text() == "3\n"
    shell(wrapped_command("true", None, is_first=True), tmp_path)
    shell(wrapped_command("exit 4", None, is_first=False), tmp_path)
    assert (tmp_path / EXIT_FILE).read_text() == "4\n"


CLEANING = [
    "rm -rf *",
    "rm -rf .* * 2>/dev/null",
    "find . -mindepth 1 -delete",
    'rm -rf "$PWD"',
    'mv "$PWD" "$PWD.moved"',
    f": > {POST_SCRIPT}",
    f"rm -f {POST_SCRIPT} {EXIT_FILE}; mkdir {POST_SCRIPT} {EXIT_FILE}",
    "chmod 555 .",
    "exec 0<&- 1>&- 2>&- 3>&- 4>&-",
    "PATH=/nowhere",
    "export PYTHONHOME=/nowhere PYTHONPATH=/nowhere",
    "cd /; unset PWD HOME",
]


@pytest.mark.parametrize("timeout_s", [None, 30])
@pytest.mark.parametrize("cleaning", CLEANING)
@pytest.mark.parametrize("code", [0, 5, 124])
def test_a_run_is_judged_right_whatever_it_does(tmp_path, cleaning, code, timeout_s):
    home = tmp_path / "run"
    home.mkdir()
    (home / POST_SCRIPT).write_bytes(
        post_script([Response("y", RegexExtractor("log", r"y = (\S+)"), PLACE)], None)
    )
    command = f'{cleaning}\necho "y = 7" > "{tmp_path}/log"; exit {code}'
    kept = [POST_SCRIPT]
    done = shell(wrapped_command(command, timeout_s, is_first=True, kept=kept), home)
    assert done.returncode == code
    (tmp_path / "log").rename(home / "log")
    assert shell(POST_COMMAND, home).stdout == f"doe_exit\t{code}\ny\t7\n"


@pytest.mark.parametrize("timeout_s", [None, 30])
def test_a_path_that_leads_nowhere_stops_no_step(tmp_path, timeout_s):
    (tmp_path / POST_SCRIPT).write_bytes(
        post_script([Response("y", RegexExtractor("log", "(.)"), PLACE)], None)
    )
    command = wrapped_command("echo 7 > log; exit 5", timeout_s, is_first=True, kept=[POST_SCRIPT])
    assert shell(f"PATH=/nowhere PYTHONHOME=/nowhere; export PYTHONHOME\n{command}", tmp_path).returncode == 5
    assert (
        shell(f"PATH=/nowhere PYTHONHOME=/nowhere; export PYTHONHOME\n{POST_COMMAND}", tmp_path).stdout
        == "doe_exit\t5\ny\t7\n"
    )


@pytest.mark.parametrize("cleaning", CLEANING[:5])
def test_what_an_earlier_analysis_left_behind_stays(tmp_path, cleaning):
    home = tmp_path / "run"
    home.mkdir()
    shell(wrapped_command("sleep 60", 1, is_first=True), home)
    shell(wrapped_command(cleaning, None, is_first=False), home)
    assert [(home / name).read_text() for name in (EXIT_FILE, TIMEOUT_FILE)] == ["124\n", "1\n"]


def test_a_post_processing_that_empties_the_directory_hides_no_exit_code(tmp_path):
    script = LocalFile("post.sh", "post.sh", "0" * 64, 1)
    (tmp_path / EXIT_FILE).write_text("3\n")
    assert posted(tmp_path, [], Script(script, 'rm -rf "$PWD"')).stdout == "doe_exit\t3\n"


@pytest.mark.parametrize("cleaning", CLEANING)
@pytest.mark.parametrize("code", [0, 5])
def test_a_pre_processing_that_cleans_leaves_what_later_steps_need(tmp_path, cleaning, code):
    home = tmp_path / "run"
    home.mkdir()
    (home / POST_SCRIPT).write_text("one\n\n  two\n")
    done = shell(guarded_command(f"{cleaning}\nexit {code}", [POST_SCRIPT]), home)
    assert (done.returncode, (home / POST_SCRIPT).read_text()) == (code, "one\n\n  two\n")


def test_every_generated_name_is_reserved():
    names = [
        POST_SCRIPT,
        EXIT_FILE,
        TIMEOUT_FILE,
        TEXTS_FILE,
        *(f"{name}{n}.sh" for name in (PRE, VARIABLES) for n in ("", 2)),
    ]
    assert [name for name in names if not is_reserved(name)] == []


def posted(folder, responses, user=None):
    (folder / POST_SCRIPT).write_bytes(post_script(responses, user))
    return shell(POST_COMMAND, folder)


def test_every_extractor_prints_name_tab_value(tmp_path):
    (tmp_path / "log").write_text("Cd = 1\nCd = 2\n")
    (tmp_path / "out.json").write_text('{"a": [1.5]}')
    (tmp_path / "out.csv").write_text("t,p\n0,1\n1,3\n")
    (tmp_path / EXIT_FILE).write_text("0\n")
    responses = [
        Response("cd", RegexExtractor("log", r"Cd = (\S+)"), PLACE),
        Response("a", JsonExtractor("out.json", "a[0]"), PLACE),
        Response("p", CsvExtractor("out.csv", "p"), PLACE),
        Response("lines", CommandExtractor("wc -l < log | tr -d ' '"), PLACE),
        Response("mine", Declared(), PLACE),
    ]
    done = posted(tmp_path, responses)
    assert done.returncode == 0
    assert done.stdout == "doe_exit\t0\ncd\t2\na\t1.5\np\t3\nlines\t2\n"


def test_a_missing_output_costs_only_its_own_response(tmp_path):
    (tmp_path / "log").write_text("Cd = 1\n")
    done = posted(
        tmp_path,
        [
            Response("gone", RegexExtractor("gone", "(x)"), PLACE),
            Response("cd", RegexExtractor("log", r"Cd = (\S+)"), PLACE),
        ],
    )
    told = {"missing": {"there is no file 'gone'": ["gone"]}, "told": {}}
    printed = dict(line.split("\t") for line in done.stdout.splitlines())
    assert (done.returncode, done.stderr, printed["cd"]) == (0, "", "1")
    assert json.loads(printed["doe_reading"]) == told


def test_a_pipe_in_the_place_of_an_output_is_no_output(tmp_path):
    os.mkfifo(tmp_path / "log")
    (tmp_path / EXIT_FILE).write_text("0\n")
    done = posted(tmp_path, [Response("cd", RegexExtractor("log", r"Cd = (\S+)"), PLACE)])
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "doe_exit\t0")
    assert "'log' is no regular file" in done.stdout


def test_the_users_own_script_runs_first_and_decides(tmp_path):
    script = LocalFile("post.sh", "post.sh", "0" * 64, 1)
    (tmp_path / "post.sh").write_text("printf 'mine\\t1\\n'; exit 5\n")
    (tmp_path / EXIT_FILE).write_text("0\n")
    done = posted(tmp_path, [Response("mine", Declared(), PLACE)], Script(script, "sh post.sh"))
    assert (done.returncode, done.stdout) == (1, "mine\t1\ndoe_exit\t0\n")


@pytest.mark.parametrize(
    "regex", [r"it's (\d)", r'"q": (\d)', r"back\\slash (\d)", r"END_OF_DOE (\d)", r"Ångström (\d)"]
)
def test_any_regex_survives_the_shell(tmp_path, regex):
    text = regex.replace(r"\\", "\\").replace(r"(\d)", "7")
    (tmp_path / "log").write_text(text + "\n")
    assert posted(tmp_path, [Response("r", RegexExtractor("log", regex), PLACE)]).stdout == "r\t7\n"
