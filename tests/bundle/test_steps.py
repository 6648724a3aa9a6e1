"""The wrapper and the post-processing step, run by a real shell."""

import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.importing.unwrapping import generated_post
from doe_compiler.bundle.preparation import PRE, VARIABLES
from doe_compiler.bundle.steps import (
    EXIT_FILE,
    POST_COMMAND,
    POST_SCRIPT,
    TIMEOUT_FILE,
    extractor_digests,
    extractor_settings,
    guarded_command,
    listed_digests,
    output_reading,
    post_script,
    reading_program,
    response_digests,
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
    Take,
)
from doe_compiler.spec.reserved import is_reserved

from .specs import a_spec, an_analysis

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


# Real shells, commands of every kind

SHELLS = [found for found in map(shutil.which, ("dash", "bash")) if found]
WORDS = st.lists(
    st.sampled_from(
        [
            "true",
            "false",
            "exit 3",
            "echo a",
            "echo \"b\" 'c'",
            "set -e",
            "(exit 7)",
            "! true",
            "sh -c 'exit 9'",
            ":",
        ]
    ),
    min_size=1,
    max_size=4,
)


def executed(shell_path, command, folder):
    return subprocess.run(
        [shell_path, "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("shell_path", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(words=WORDS, glue=st.sampled_from(["\n", "; ", " && ", " || "]), is_timed=st.booleans())
def test_a_wrapped_command_prints_and_ends_as_it_does_alone(tmp_path, shell_path, words, glue, is_timed):
    command = glue.join(words)
    alone = executed(shell_path, f"( {command}\n)", tmp_path)
    wrapped = wrapped_command(command, 60 if is_timed else None, is_first=True)
    done = executed(shell_path, wrapped, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (alone.returncode, alone.stdout, alone.stderr)
    assert (tmp_path / EXIT_FILE).read_text() == f"{alone.returncode}\n"


ODD_COMMANDS = [
    ("echo a \\", 0, "a\n"),
    ("echo a # b", 0, "a\n"),
    ("cat <<'E'\n$x `y`\nE", 0, "$x `y`\n"),
    ("exec sh -c 'exit 4'", 4, ""),
    ("trap 'echo bye' EXIT; exit 6", 6, "bye\n"),
    ("set -eu; false; echo no", 1, ""),
    ("x=1; export x; sh -c 'echo $x'", 0, "1\n"),
    ("doe_exit=0; doe_home=/; doe_kept1=; cd /; exit 2", 2, ""),
    ("echo é ü 日本", 0, "é ü 日本\n"),
    ("\n\necho a\n\n", 0, "a\n"),
    ("case a in a) echo yes;; esac", 0, "yes\n"),
    ("f() { return 5; }; f", 5, ""),
    ("cat", 0, ""),
]


@pytest.mark.parametrize("shell_path", SHELLS)
@pytest.mark.parametrize("timeout_s", [None, 60])
@pytest.mark.parametrize(("command", "code", "printed"), ODD_COMMANDS)
def test_an_odd_command_is_judged_by_its_own_end(tmp_path, shell_path, timeout_s, command, code, printed):
    done = executed(
        shell_path, f"{{ {wrapped_command(command, timeout_s, is_first=True)}\n}} < /dev/null", tmp_path
    )
    assert (done.returncode, done.stdout) == (code, printed)
    assert (tmp_path / EXIT_FILE).read_text() == f"{code}\n"


BROKEN = [
    "echo a)",
    "echo 'a",
    'echo "a',
    "if true; then echo a",
    "cat <<E\na",
    "( echo a",
    "kill -9 $$",
    "fi",
]


@pytest.mark.parametrize("shell_path", SHELLS)
@pytest.mark.parametrize("timeout_s", [None, 60])
@pytest.mark.parametrize("command", BROKEN)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_command_that_no_shell_reads_never_looks_as_if_it_had_ended_well(
    tmp_path, shell_path, timeout_s, command, is_first
):
    if not is_first:
        executed(shell_path, wrapped_command("true", None, is_first=True), tmp_path)
    executed(shell_path, wrapped_command(command, timeout_s, is_first=is_first), tmp_path)
    (tmp_path / POST_SCRIPT).write_bytes(post_script([], None))
    printed = executed(shell_path, POST_COMMAND, tmp_path).stdout
    assert "doe_exit\t0" not in printed


@pytest.mark.parametrize("shell_path", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(codes=st.lists(st.sampled_from([0, 0, 1, 3, 124, 255]), min_size=1, max_size=4), timed=st.booleans())
def test_of_many_analyses_the_first_that_fails_is_told(tmp_path, shell_path, codes, timed):
    (tmp_path / EXIT_FILE).unlink(missing_ok=True)
    for number, code in enumerate(codes):
        command = wrapped_command(f"exit {code}", 60 if timed else None, is_first=number == 0)
        assert executed(shell_path, command, tmp_path).returncode == code
    first = next((code for code in codes if code), 0)
    assert (tmp_path / EXIT_FILE).read_text() == f"{first}\n"


KEPT_TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40
).map(lambda text: text.rstrip("\n") + "\n")


@pytest.mark.parametrize("shell_path", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(one=KEPT_TEXT, two=KEPT_TEXT, spoils=st.sampled_from(CLEANING))
def test_every_kept_file_is_put_back_byte_for_byte(tmp_path_factory, shell_path, one, two, spoils):
    home = tmp_path_factory.mktemp("run")
    names = ["doe_variables.sh", "doe_pre2.sh"]
    for name, text in zip(names, (one, two), strict=True):
        (home / name).write_bytes(text.encode())
    executed(shell_path, wrapped_command(spoils, None, is_first=True, kept=names), home)
    assert [(home / name).read_bytes() for name in names] == [one.encode(), two.encode()]


def test_a_killed_solver_is_told_by_its_signal(tmp_path):
    for signal, code in (("9", 137), ("15", 143), ("11", 139)):
        shell(wrapped_command(f"sh -c 'kill -{signal} $$'", 60, is_first=True), tmp_path)
        assert (tmp_path / EXIT_FILE).read_text() == f"{code}\n"
        assert not (tmp_path / TIMEOUT_FILE).exists()


def test_a_time_out_of_one_analysis_is_told_after_the_next(tmp_path):
    shell(wrapped_command("sleep 60", 1, is_first=True), tmp_path)
    shell(wrapped_command("true", 60, is_first=False), tmp_path)
    assert posted(tmp_path, []).stdout == "doe_exit\t124\ndoe_timed_out\t1\n"


# The program that reads


def test_what_a_run_reads_is_told_in_one_form_to_every_reader():
    responses = [
        Response("a", RegexExtractor("log", "(.)", Take.MAX), PLACE),
        Response("b", JsonExtractor("o.json", "a[0]"), PLACE),
        Response("c", CsvExtractor("o.csv", "p", Take.MEAN), PLACE),
        Response("d", CommandExtractor("cat x"), PLACE),
        Response("e", Declared(), PLACE),
    ]
    spec = replace(a_spec(analyses=(an_analysis(run_timeout_s=7), an_analysis())), responses=tuple(responses))
    told = output_reading(spec)
    assert told == {
        "seconds": 7,
        "variables": [
            {"name": "a", "kind": "regex", "file": "log", "regex": "(.)", "take": "max"},
            {"name": "b", "kind": "json", "file": "o.json", "path": "a[0]"},
            {"name": "c", "kind": "csv", "file": "o.csv", "column": "p", "take": "mean"},
            {"name": "d", "kind": "command", "command": "cat x"},
        ],
    }
    assert list(generated_post(post_script(responses, None)).extractors) == told["variables"]
    assert output_reading(replace(spec, responses=(responses[4],))) is None
    assert reading_program([responses[4]], 5) == ""


REGEXES = st.text("abc\\'\"$`\n\té()[]|.*+", max_size=12)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), REGEXES))
def test_any_settings_come_back_out_of_the_generated_script(regexes):
    responses = [
        Response(name, RegexExtractor(f"f {regex}", regex), PLACE) for name, regex in regexes.items()
    ]
    script = post_script(responses, None)
    assert list(generated_post(script).extractors) == [extractor_settings(each) for each in responses]


@given(REGEXES, REGEXES)
def test_a_value_is_current_exactly_while_its_extractor_is_the_same(one, two):
    digests = [
        response_digests([Response("r", RegexExtractor("f", regex), PLACE)])["r"] for regex in (one, two)
    ]
    assert (digests[0] == digests[1]) is (one == two)


@pytest.mark.parametrize(
    "other",
    [
        RegexExtractor("g", "(.)"), RegexExtractor("f", "(.)", Take.FIRST), JsonExtractor("f", "(.)"),
        CsvExtractor("f", "(.)"), CommandExtractor("(.)"), Declared(),
    ],
)  # fmt: skip
def test_every_setting_of_an_extractor_is_in_its_digest(other):
    one = response_digests([Response("r", RegexExtractor("f", "(.)"), PLACE)])
    assert response_digests([Response("r", other, PLACE)]) != one
    assert response_digests([Response("r", RegexExtractor("f", "(.)"), PLACE, unit="m", minimum=0)]) == one


def test_very_many_responses_are_listed_in_the_script_and_not_in_the_environment():
    responses = [Response(f"response_{n}", RegexExtractor("f", f"{n}(.)"), PLACE) for n in range(2000)]
    assert list(extractor_digests(responses)) == [""]
    assert listed_digests(post_script(responses, None)) == response_digests(responses)
    few = responses[:3]
    assert extractor_digests(few) == response_digests(few)
    assert listed_digests(post_script(few, None)) == {}


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"null", b"1e999", b"{}", b'{"a": [1]}', b"\xff", b"[" * 20_000]
)
def test_a_damaged_list_of_digests_is_no_list(line):
    found = listed_digests(b"# Generated by doe: x\n# Responses: " + line + b"\n")
    assert all(isinstance(name, str) and isinstance(text, str) for name, text in found.items())
