"""What is sent, executed as a platform does: inputs laid down, templates filled in, then each step by a real shell."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.pack import for_reading_platform, parameter_file
from doe_compiler.spec.model import CommandExtractor, Declared, RegexExtractor, Response
from doe_compiler.templates.parser import platform_template
from doe_compiler.templates.substitution import substituted

from .specs import (
    PLACE,
    a_script,
    a_spec,
    a_template,
    an_analysis,
    an_input,
    bundle_of,
    constant,
    levels,
    with_analysis,
)

SHELLS = [found for found in map(shutil.which, ("dash", "bash")) if found]
ODD = 'CH4:1, it\'s "$HOME" `x` \\n'


def run_of(folder, spec, row, *, shell=SHELLS[0], is_ours=False):
    """The directory of a run of a study, and what its last post-processing has printed."""
    bundle = bundle_of(spec)
    bundle = for_reading_platform(bundle) if is_ours else bundle
    job = bundle.job([row])
    table = parameter_file(job)
    payload = job.payload(bundle, name="n", parameters=table.reference if table else None)
    lines = table.content.decode().split("\n")
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    files = {f"sha256:{file.reference}": file for file in (*bundle.files, *job.own_files)}
    for analysis in payload["jobanalyses"]:
        for entry in analysis["inputFiles"]:
            lay_down(folder, files[entry["id"]])
        for kind in ("preProcessScript", "postProcessScript"):
            if analysis[kind] is not None:
                lay_down(folder, files[analysis[kind]["id"]])
        for task in analysis["templateTasks"]:
            content = files[task["templateFile"]["id"]].content.decode("utf-8", "surrogateescape")
            text = substituted(platform_template(content), cells)
            (folder / task["processedFilename"]).write_bytes(text.encode("utf-8", "surrogateescape"))
    printed = ""
    for analysis in payload["jobanalyses"]:
        for command in ("preProcessScriptCommand", "command", "postProcessScriptCommand"):
            done = subprocess.run(
                [shell, "-c", analysis[command]],
                cwd=folder, capture_output=True, check=False, timeout=60,
                env={"PATH": "/usr/bin:/bin", **analysis["envVars"]},
            )  # fmt: skip
            printed = done.stdout.decode("utf-8", "surrogateescape")
            if done.returncode and command == "preProcessScriptCommand":
                return printed
    return printed


def lay_down(folder, file):
    path = folder / file.name
    path.write_bytes(file.content)
    path.chmod(0o644)


def seen(folder, name):
    return (folder / name).read_bytes().decode("utf-8", "surrogateescape")


CELLS = st.one_of(
    st.sampled_from(["1", "0.1", "1e-7", "9007199254740993", "kEpsilon", ODD, "a\nb", " lead", "é", "50%", "doe_text_", "%s", "-n"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12),
)  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(cell=CELLS)
def test_every_text_reaches_the_deck_the_shell_and_the_environment(tmp_path_factory, shell, cell):
    folder = tmp_path_factory.mktemp("run")
    shows = 'printf "%s." "$x" > shell.txt; printf "%s." "$A" > env.txt'
    analysis = an_analysis(
        shows, shell_names=("x",), env_vars={"A": "<${x}>"}, templates=(a_template("[${x}]\n"),)
    )
    run_of(folder, a_spec(levels("x", cell), analyses=[analysis]), 0, shell=shell)
    assert seen(folder, "deck.txt") == f"[{cell}]\n"
    assert seen(folder, "env.txt") == f"<{cell}>."
    assert seen(folder, "shell.txt") == f"{cell}."


STEPS = a_spec(
    levels("x", "1", ODD),
    constant("c", "2.50"),
    analyses=[
        an_analysis(
            './solve "$x" > one.txt',
            input_files=(an_input("solve", '#!/bin/sh\nprintf "%s|%s\\n" "$1" "$(cat deck.txt)"\n', is_executable=True),),
            templates=(a_template("${c}"),),
            pre_process=a_script("pre.sh", '. ./pre.sh; printf "%s" "$x" > pre.txt', "test -x ./solve && echo pre > order.txt\n"),
            shell_names=("x",),
        ),
        an_analysis(
            'cat two.inp "$MINE" > two.txt',
            templates=(a_template("${x} ${c?string(\"0\")}", "two.inp", "two.template"),),
            env_vars={"MINE": "one.txt"},
            post_process=a_script("post.sh", "sh post.sh", "printf 'mine\\t7\\n'; echo post >> order.txt\n"),
        ),
    ],
    responses=(
        Response("y", RegexExtractor("two.txt", r"\|(\S+)"), PLACE),
        Response("z", CommandExtractor("wc -l < order.txt | tr -d ' '"), PLACE),
        Response("mine", Declared(), PLACE),
    ),
)  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("row", "cell"), [(0, "1"), (1, ODD)])
def test_two_analyses_with_scripts_of_the_users_compute_what_the_study_says(tmp_path, shell, row, cell):
    printed = run_of(tmp_path, STEPS, row, shell=shell)
    assert seen(tmp_path, "pre.txt") == cell
    assert seen(tmp_path, "one.txt") == f"{cell}|2.50\n"
    assert seen(tmp_path, "two.inp") == f"{cell} 2"
    assert seen(tmp_path, "two.txt") == seen(tmp_path, "two.inp") + seen(tmp_path, "one.txt")
    assert printed == "mine\t7\ndoe_exit\t0\ny\t2.50\nz\t2\n"
    assert seen(tmp_path, "order.txt") == "pre\npost\n"


@pytest.mark.parametrize("cleaning", ["rm -rf ./* .??*", 'rm -rf "$PWD"', "chmod 555 .", ": > doe_post.sh"])
@pytest.mark.parametrize(("step", "cell"), [("command", "1"), ("command", ODD), ("pre", "1")])
def test_a_step_that_cleans_the_directory_costs_no_later_step_its_columns(tmp_path, cleaning, step, cell):
    home = tmp_path / "run"
    home.mkdir()
    last = an_analysis('printf "%s" "$x" > last.txt; exit 5', shell_names=("x",))
    first = an_analysis(cleaning if step == "command" else "true", shell_names=("x",))
    if step == "pre":
        first = replace(first, pre_process=a_script("pre.sh", cleaning, ""))
    printed = run_of(home, a_spec(levels("x", cell), analyses=[first, last]), 0)
    assert printed == "doe_exit\t5\n"
    assert seen(home, "last.txt") == cell


@pytest.mark.parametrize("cleaning", ["rm -rf ./* .??*", 'rm -rf "$PWD"'])
def test_a_pre_processing_that_removes_filled_in_columns_is_told_as_failed(tmp_path, cleaning):
    home = tmp_path / "run"
    home.mkdir()
    analysis = an_analysis("true", shell_names=("x",), pre_process=a_script("pre.sh", cleaning, ""))
    printed = run_of(home, a_spec(levels("x", ODD), analyses=[analysis]), 0)
    assert printed.startswith("doe_exit\t")
    assert "doe_exit\t0" not in printed


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("command", "code"), [("exit 3", "3"), ("sleep 60", "124"), ("kill -9 $$", None), ("echo a)", None)]
)
def test_a_run_is_told_as_failed_whichever_analysis_fails(tmp_path, number, command, code):
    spec = with_analysis(STEPS, number, command=command, run_timeout_s=1 if "sleep" in command else None)
    printed = run_of(tmp_path, spec, 0)
    told = dict(line.split("\t") for line in printed.splitlines())
    assert told.get("doe_exit") != "0"
    if code is not None:
        assert told["doe_exit"] == code
    assert ("doe_timed_out" in told) is (command == "sleep 60")


def test_a_failing_pre_processing_is_the_steps_own_failure(tmp_path):
    spec = with_analysis(STEPS, pre_process=a_script("pre.sh", "exit 4", ""))
    run_of(tmp_path, spec, 0)
    assert not (tmp_path / "one.txt").exists()


def test_on_our_own_platform_the_steps_compute_the_same(tmp_path):
    """There programs are made executable and outputs are read by the platform: here by hand."""
    spec = replace(STEPS, responses=(STEPS.responses[0], STEPS.responses[2]))
    spec = with_analysis(spec, command='sh ./solve "$x" > one.txt', pre_process=None)
    for name, is_ours in (("ours", True), ("others", False)):
        (tmp_path / name).mkdir()
        run_of(tmp_path / name, spec, 1, is_ours=is_ours)
    assert seen(tmp_path / "ours", "two.txt") == seen(tmp_path / "others", "two.txt")
    assert not list((tmp_path / "ours").glob("doe_exit.txt"))


def test_a_deck_in_its_own_encoding_is_filled_in_byte_for_byte(tmp_path):
    deck = b"\xb0 ${x}\n".decode("utf-8", "surrogateescape")
    template = a_template(deck, takes_utf8=False, encoding="latin-1")
    run_of(tmp_path, a_spec(levels("x", "Prüf, 1"), analyses=[an_analysis("true", templates=(template,))]), 0)
    assert (tmp_path / "deck.txt").read_bytes() == b"\xb0 " + "Prüf, 1\n".encode("latin-1")
