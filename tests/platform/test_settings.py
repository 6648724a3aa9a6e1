"""What the configuration of a machine does to runs: prologues of analysis codes, and whose HOME a run has."""

import json
import os

import pytest

from doe_compiler.platform.api.service import open_platform, settings_of

SUCCESS = "Completed successfully"


@pytest.fixture
def configured(api, tmp_path):
    """A platform with a configuration."""
    opened = []

    def on(**content):
        data = tmp_path / f"configured{len(opened)}"
        opened.append(open_platform(data, settings=settings_of(content)))
        return type(api)(opened[-1], data)

    yield on
    for platform in opened:
        platform.close()


def with_prologue(text):
    return {"analyses": {"user_included": {"prologue": text}}}


def test_a_prologue_comes_before_each_step_of_its_code(configured):
    api = configured(**with_prologue("export A=$((A + 1))"))
    job, reason = api.ran(
        api.analysis(
            "echo command $A",
            preProcessScriptCommand="echo pre $A",
            postProcessScriptCommand='printf "a\\t$A\\n"',
        )
    )
    assert (reason, api.content(job, "process_output.log")) == (SUCCESS, b"pre 1\ncommand 1\na\t1\n")
    assert {each["name"]: each["value"] for each in api.runs(job)[0]["variables"]} == {"a": 1}


def test_a_prologue_is_of_its_code_only(configured):
    api = configured(analyses={"openfoam": {"prologue": "exit 1"}})
    assert api.ran(api.analysis("true"))[1] == SUCCESS


def test_a_prologue_that_fails_fails_the_run_and_says_so(configured):
    api = configured(**with_prologue("false"))
    job, reason = api.ran(api.analysis("echo never"))
    assert reason == "A run failed"
    assert api.content(job, "process_output.log") == b"[platform] The prologue ended with status 1\n"


def test_module_is_found_where_its_shell_function_is(configured, tmp_path, monkeypatch):
    """As a login shell would have it: Environment Modules define a function in an init file."""
    (tmp_path / "init").mkdir()
    (tmp_path / "init/sh").write_text('module() { echo "module $*"; export LOADED=$2; }\n')
    monkeypatch.setenv("MODULESHOME", str(tmp_path))
    api = configured(**with_prologue("module load openfoam/2312"))
    job, reason = api.ran(api.analysis("echo $LOADED"))
    expected = b"module load openfoam/2312\nopenfoam/2312\n"
    assert (reason, api.content(job, "process_output.log")) == (SUCCESS, expected)


def test_home_is_the_users_in_process(configured):
    api = configured()
    job, _ = api.ran(api.analysis('echo "$HOME"'))
    assert api.content(job, "process_output.log").decode().strip() == os.environ["HOME"]


def test_a_home_of_its_own_keeps_dotfiles_from_the_outputs(configured):
    api = configured(home="run")
    command = 'touch "$HOME/.cache" && echo one > "$HOME/work/out.txt" && echo "$HOME"'
    job, reason = api.ran(api.analysis(command, slots=2), table="x\n1\n2\n")
    assert reason == SUCCESS
    assert set(api.outputs(job, 1)) == {"out.txt", "process_output.log"}
    homes = {api.content(job, "process_output.log", number) for number in (1, 2)}
    assert len(homes) == 2
    assert os.environ["HOME"].encode() not in homes
    assert sorted(path.name for path in (api.data / "jobs" / job).iterdir() if path.is_dir()) == [
        "run1",
        "run2",
    ]


def test_a_server_gives_runs_homes_of_their_own(serve_at, tmp_path, until):
    server = serve_at(tmp_path / "data")
    body = {
        "name": "home",
        "jobanalyses": [
            {
                "analysis": {"code": "user_included", "version": "0"},
                "command": 'echo "$HOME"',
                "hardware": {"coreType": "emerald", "coresPerSlot": 1},
            }
        ],
    }
    _, content, _ = server.call("POST", "jobs/", body)
    job = json.loads(content)["id"]
    server.call("POST", f"jobs/{job}/submit/")
    until(lambda: server.get(f"jobs/{job}/statuses/")["results"][0]["status"] == "Completed")
    log = tmp_path / "data" / "jobs" / job / "run1" / "process_output.log"
    assert log.read_text().strip() == str(tmp_path / "data" / "jobs" / job / "home1")
