"""What every launcher does alike: what runs are given, what they leave, how they end; on this machine and in Slurm."""

import hashlib
import os

import pytest

SUCCESS = "Completed successfully"
FAILED = "A run failed"


@pytest.fixture(params=["local", pytest.param("slurm", marks=pytest.mark.xdist_group("slurm"))])
def api(request, api_on, tmp_path):
    """A platform with each of the executors."""
    if request.param == "slurm":
        request.getfixturevalue("slurm_cluster")
    return api_on(tmp_path / ".doe" / "platform", executor=request.param, slurm={"pollSeconds": 1})


class TestEveryLauncher:
    """One class of tests for all of them."""

    def test_a_run_gets_its_row_and_leaves_its_files(self, api):
        script = b'#!/bin/sh\nread a b < deck/in.txt\necho "$a+$b" > out.txt\necho said\n'
        analysis = api.analysis(
            "./run.sh",
            inputs=[("run.sh", script)],
            templates=[("deck/in.txt", b'${x} ${y?string("0.00")}\n')],
            slots=2,
        )
        job, reason = api.ran(analysis, table="x, y\na b,1.005\nc,2\n")
        assert reason == SUCCESS
        assert api.content(job, "out.txt", 1) == b"a+b 1.00\n"
        assert api.content(job, "out.txt", 2) == b"c+2.00\n"
        assert api.content(job, "process_output.log", 2) == b"said\n"
        out = api.outputs(job, 2)["out.txt"]
        assert out["md5"] == hashlib.md5(b"c+2.00\n").hexdigest()
        assert out["path"].endswith(f"/output/job_{job}/run2/out.txt")
        assert out["typeId"] == 5
        assert set(api.outputs(job)) == {"deck/in.txt", "out.txt", "process_output.log", "run.sh"}
        first = api.runs(job)[0]
        assert (first["id"], first["outputFileCount"]) == ("1", 4)
        assert first["dateStarted"] <= first["dateCompleted"]
        assert [(v["name"], v["value"], v["displayValue"]) for v in first["variables"]] == [
            ("x", None, "a b"),
            ("y", 1.005, "1.005"),
        ]
        assert api.get(f"jobs/{job}/files/", search="OUT.txt")["count"] == 2
        words = [each["status"] for each in api.get(f"jobs/{job}/statuses/")["results"]]
        assert words == ["Completed", "Executing", "Validated", "Started", "Queued", "Pending"]
        words = [each["status"] for each in api.get(f"jobs/{job}/cluster_statuses/")["results"]]
        assert words == ["Stopped", "Stopping", "Stop Requested", "Started", "Starting", "Not Started"]

    def test_a_template_may_be_the_command_itself(self, api):
        job, reason = api.ran(
            api.analysis("./go one", templates=[("go", b"#!/bin/sh\necho $1 ${x}\n")]), table="x\n7\n"
        )
        assert (reason, api.content(job, "process_output.log")) == (SUCCESS, b"one 7\n")

    def test_steps_go_in_order_and_printed_pairs_become_variables(self, api):
        pre = {
            "preProcessScript": {"id": api.upload("pre.sh", b"echo pre\n")["id"]},
            "preProcessScriptCommand": "sh pre.sh",
        }
        post = {
            "postProcessScript": {
                "id": api.upload(
                    "post.sh", b"printf 'Cd\\t0.5\\nnoise\\nname\\tNACA 0012\\n'; echo oops >&2\n"
                )["id"]
            },
            "postProcessScriptCommand": "sh post.sh",
        }
        first = api.analysis("echo one; echo $A", envVars={"A": "1"}, **pre)
        second = api.analysis("echo two; echo $A; cd /; exit 0", envVars={"A": "it's"}, **post)
        job, reason = api.ran(first, second, table="x\n1\n2\n3\n")
        assert reason == SUCCESS
        for number, run in enumerate(api.runs(job), 1):
            assert api.content(job, "process_output.log", number) == (
                b"pre\none\n1\ntwo\nit's\noops\nCd\t0.5\nnoise\nname\tNACA 0012\n"
            )
            found = {each["name"]: (each["value"], each["displayValue"]) for each in run["variables"]}
            assert found == {"x": (number, str(number)), "Cd": (0.5, "0.5"), "name": (None, "NACA 0012")}

    @pytest.mark.parametrize(
        ("step", "log"),
        [
            ({"preProcessScriptCommand": "exit 3"}, b"The pre-processing ended with status 3"),
            ({"postProcessScriptCommand": "set -e; false; true"}, b"The post-processing ended with status 1"),
            ({"postProcessScriptCommand": "if"}, b"The post-processing ended with status"),
        ],
    )
    def test_a_failing_step_fails_its_run(self, api, step, log):
        job, reason = api.ran(api.analysis("echo ran", **step))
        assert reason == FAILED
        assert log in api.content(job, "process_output.log")

    @pytest.mark.parametrize(
        "command",
        ["exit 7", "./missing.sh", "no-such-program", "kill -9 $$", "kill -SEGV $$", "if", "./data.txt"],
    )
    def test_a_failing_run_does_not_stop_the_others(self, api, command):
        analysis = api.analysis(
            f"[ $(cat n) = 2 ] || exit 0\n{command}", inputs=[("data.txt", b"x")], templates=[("n", b"${n}")]
        )
        job, reason = api.ran(analysis, table="n\n1\n2\n3\n")
        assert reason == FAILED
        assert all(run["dateCompleted"] for run in api.runs(job))
        assert api.counted_runs(job) == (3, 1)

    def test_a_program_that_cannot_be_started_says_so_in_the_log(self, api):
        job, reason = api.ran(api.analysis("./missing.sh"))
        assert reason == FAILED
        assert b"missing.sh" in api.content(job, "process_output.log")

    def test_a_chatty_run_is_kept_whole(self, api):
        job, reason = api.ran(api.analysis("yes 0123456 | head -c 8000000"))
        assert reason == SUCCESS
        assert api.outputs(job)["process_output.log"]["decryptedSize"] == 8_000_000

    @pytest.mark.parametrize("has_post", [False, True])
    @pytest.mark.parametrize(
        "cleaning",
        [
            "rm -rf *",
            "rm -rf .* * 2>/dev/null",
            "find . -mindepth 1 -delete",
            'rm -rf "$PWD"',
            'rm -rf "$PWD" && touch "$RESCALE_WORK_PATH"',
            'mv "$PWD" "$PWD.moved"',
            'mv "$PWD" "$PWD.moved" && ln -s "$PWD.moved" "$RESCALE_WORK_PATH"',
            'mv "$PWD" "$PWD.moved" && mkdir "$RESCALE_WORK_PATH"',
            "rm process_output.log; ln -s /etc/passwd process_output.log",
            "rm process_output.log; mkdir process_output.log",
            "mkdir old; mv process_output.log old; chmod 555 .",
        ],
    )
    @pytest.mark.parametrize("code", [0, 3])
    def test_a_run_is_judged_right_whatever_it_does_to_its_directory(self, api, cleaning, code, has_post):
        post = {"postProcessScriptCommand": "pwd; printf 'y\\t1\\n'"} if has_post else {}
        job, reason = api.ran(api.analysis(f"echo begun; {cleaning}; echo ended; exit {code}", **post))
        assert reason == (FAILED if code else SUCCESS)
        lines = api.content(job, "process_output.log").decode().split("\n")
        assert [line for line in lines if line in ("begun", "ended")] == ["begun", "ended"]
        assert (api.data / "jobs" / job / "run1" / "process_output.log").is_file()
        run = api.runs(job)[0]
        assert run["exitCode"] == code
        assert [each["name"] for each in run["variables"]] == (["y"] if has_post and not code else [])

    def test_what_a_run_puts_in_the_place_of_its_log_is_kept_beside_it(self, api):
        job, _ = api.ran(api.analysis("echo said; rm process_output.log; echo mine > process_output.log"))
        assert api.content(job, "process_output.log") == b"said\n"
        assert api.content(job, "process_output.log.1") == b"mine\n"

    def test_a_moved_directory_comes_back_with_its_outputs(self, api):
        job, _ = api.ran(api.analysis('echo x > out; mv "$PWD" "$PWD.moved"'))
        assert api.content(job, "out") == b"x\n"
        assert sorted(path.name for path in (api.data / "jobs" / job).iterdir()) == ["journal", "run1"]

    def test_a_step_begins_in_the_directory_that_the_step_before_has_left(self, api):
        post = {"postProcessScriptCommand": "printf 'y\\t%s\\n' \"$(cat out)\""}
        for leaving in (
            'echo 5 > out; mv "$PWD" "$PWD.moved"',
            'cp -R . ../new; rm -rf "$PWD"; echo 5 > ../new/out; mv ../new "$PWD"',
        ):
            job, reason = api.ran(api.analysis(leaving, **post))
            assert reason == SUCCESS, api.content(job, "process_output.log")
            assert api.runs(job)[0]["variables"][0]["value"] == 5

    def test_a_run_sees_no_keys_and_its_own_settings(self, api, monkeypatch):
        for name in ("RESCALE_API_KEY", "DOE_TOKEN", "AWS_SECRET"):
            monkeypatch.setenv(name, "secret")
        job, _ = api.ran(api.analysis("env; pwd", envVars={"MINE": "a b"}))
        log = api.content(job, "process_output.log").decode()
        assert "secret" not in log
        for line in (
            f"RESCALE_JOB_ID={job}",
            "RESCALE_CORES_PER_SLOT=1",
            "RESCALE_CORE_TYPE=emerald",
            "MINE=a b",
        ):
            assert line in log.split("\n")
        directory = str(api.data / "jobs" / job / "run1")
        assert f"RESCALE_WORK_PATH={directory}" in log.split("\n")
        assert log.endswith(directory + "\n")

    def test_a_dry_run_only_fills_in_the_templates(self, api):
        analysis = api.analysis("touch ran", inputs=[("i", b"")], templates=[("t", b"${x}")])
        job, reason = api.ran(analysis, table="x\n1\n2\n", isTemplateDryRun=True)
        assert reason == SUCCESS
        assert set(api.outputs(job, 2)) == {"t"}
        assert api.content(job, "t", 2) == b"2"

    def test_an_unknown_placeholder_fails_every_run_with_the_reason(self, api):
        job, reason = api.ran(api.analysis("true", templates=[("t", b"a\n${typo}")]), table="x\n1\n2\n")
        assert reason.startswith(FAILED)
        assert api.counted_runs(job) == (2, 2)
        assert b"typo" in api.content(job, "process_output.log", 2)

    def test_a_cell_that_cannot_be_formatted_fails_its_run_only(self, api):
        job, reason = api.ran(
            api.analysis("touch ran", templates=[("t", b'${x?string("0.0")}')]), table="x\n1\nword\n3\n"
        )
        assert reason == FAILED
        assert ["ran" in api.outputs(job, run) for run in (1, 2, 3)] == [True, False, True]

    def test_links_are_not_outputs_and_odd_names_are(self, api):
        job, _ = api.ran(
            api.analysis(
                "ln -s /etc/passwd link; mkfifo pipe; printf x > \"$(printf 'a\\377b')\"; mkdir d; echo y > 'd/ü ö'"
            )
        )
        assert set(api.outputs(job)) == {"a?b", "d/ü ö", "process_output.log"}
        assert api.content(job, "a?b") == b"x"

    def test_at_most_as_many_runs_at_a_time_as_slots(self, api, tmp_path):
        command = (
            f"mkdir {tmp_path}/one || exit 1; for i in 1 2 3 4 5 6 7 8 9; do :; done; rmdir {tmp_path}/one"
        )
        assert api.ran(api.analysis(command, slots=1), table="x\n" + "1\n" * 30)[1] == SUCCESS

    def test_slots_run_at_the_same_time(self, api, tmp_path):
        if len(os.sched_getaffinity(0)) < 2:
            pytest.skip("needs two cores")
        command = f"echo > {tmp_path}/at$(cat n); until [ -e {tmp_path}/at1 ] && [ -e {tmp_path}/at2 ]; do sleep 0.01; done"
        assert (
            api.ran(api.analysis(command, slots=2, templates=[("n", b"${n}")]), table="n\n1\n2\n")[1]
            == SUCCESS
        )

    def test_a_stopped_job_ends_and_its_runs_are_not_completed(self, api, tmp_path, until):
        job = api.create(api.analysis(f"echo begun > {tmp_path}/begun; sleep 1000"), table="x\n1\n2\n")
        api.submit(job)
        until((tmp_path / "begun").exists)
        assert api.call("DELETE", f"jobs/{job}/")[0] == 400
        assert api.call("POST", f"jobs/{job}/stop/")[:2] == (202, b"")
        assert api.finished(job) == "Stopped by the user"
        assert [run["dateCompleted"] for run in api.runs(job)] == [None, None]
        assert api.counted_runs(job) == (0, 0)
        assert "process_output.log" in api.outputs(job)
        assert api.call("DELETE", f"jobs/{job}/")[0] == 204
        assert not (api.data / "jobs" / job).exists()

    def test_a_run_that_ignores_the_request_to_end_is_killed(self, api, tmp_path, until):
        job = api.create(
            api.analysis(f"trap '' TERM; echo begun > {tmp_path}/begun; while :; do sleep 0.1; done")
        )
        api.submit(job)
        until((tmp_path / "begun").exists)
        api.call("POST", f"jobs/{job}/stop/")
        assert api.finished(job) == "Stopped by the user"

    @pytest.mark.parametrize("after", [1, 7, 20, 41])
    def test_a_kill_loses_and_repeats_no_finished_run(self, api, tmp_path, until, after):
        marks = tmp_path / "marks"
        marks.touch()
        post = {"postProcessScriptCommand": "printf 'n\\t%s\\n' $(cat n)"}
        analysis = api.analysis(f"echo $(cat n) >> {marks}", templates=[("n", b"${n}")], slots=2, **post)
        job = api.create(analysis, table="n\n" + "".join(f"{n}\n" for n in range(1, 61)))
        api.submit(job)
        until(lambda: len(marks.read_text().split()) >= after)
        api.kill_executor()
        done = {run["id"] for run in api.runs(job) if run["dateCompleted"]}
        assert api.finished(job) == SUCCESS
        runs = api.runs(job)
        assert all(run["dateCompleted"] for run in runs)
        assert [run["variables"][-1]["displayValue"] for run in runs] == [str(n) for n in range(1, 61)]
        times = marks.read_text().split()
        assert set(times) == {str(n) for n in range(1, 61)}
        assert all(times.count(number) == 1 for number in done)
        assert len(times) <= 60 + 2
