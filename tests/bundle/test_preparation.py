"""What stands before the steps of a run, executed by real shells."""

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.preparation import generated_pre, preparation, unprepared
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import Analysis, Hardware, InputFile, LocalFile, Script

SHELLS = [found for found in map(shutil.which, ("dash", "bash")) if found]


def analysis(env=None, names=(), **more):
    return Analysis(
        "user_included",
        None,
        "true",
        Hardware("emerald"),
        Place("s", 1, 1),
        env_vars=env,
        shell_names=names,
        **more,
    )


def printed(shell, prepared, cells, names, folder, env=None):
    text = prepared.variables.decode()
    for name, cell in cells.items():
        text = text.replace(f"${{{name}}}", cell)
    if prepared.variables_name:
        (folder / prepared.variables_name).write_text(text)
    show = "; ".join(f'printf "%s\\n" "${name}"' for name in names)
    done = subprocess.run(
        [shell, "-c", prepared.before + show],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("shell", SHELLS)
def test_columns_and_the_environment_are_filled_in_and_nothing_else_is(shell, tmp_path):
    values = {
        "PATH": "/opt/x/bin:$PATH",
        "ALPHA": "a${alpha}b$alpha.",
        "UNSET": "$NOT_SET and ${NOT_SET} stay",
        "PRICE": "$$5 of $HERE",
        "QUOTES": "\"q\" 'q' `date` $(date) \\ $1 ${x:-1} of $HERE",
        "LATER": "$ALPHA!",
    }  # fmt: skip
    prepared = preparation(analysis(values, ("alpha",)), 0)
    found = printed(shell, prepared, {"alpha": "1.50"}, values, tmp_path, {"HERE": "here"})
    assert found == [
        "/opt/x/bin:/usr/bin:/bin",
        "a1.50b1.50.",
        "$NOT_SET and ${NOT_SET} stay",
        "$5 of here",
        "\"q\" 'q' `date` $(date) \\ $1 ${x:-1} of here",
        "a1.50b1.50.!",
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(st.characters(exclude_characters="\0\r\n$", exclude_categories=["Cs"]), max_size=20))
def test_any_text_around_a_name_is_kept(tmp_path, text):
    prepared = preparation(analysis({"A": f"{text}$HERE{'.' if text[:1].isalnum() else ''}"}), 0)
    (found,) = printed(SHELLS[0], prepared, {}, ["A"], tmp_path, {"HERE": "h"})
    assert found.startswith(text + "h")


def test_a_step_without_its_file_of_columns_fails(tmp_path):
    prepared = preparation(analysis(None, ("alpha",)), 0)
    done = subprocess.run(
        [SHELLS[0], "-c", prepared.before + "echo ran"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"ran" not in done.stdout


def test_execute_bits_are_set_before_the_own_preprocessing(tmp_path):
    solver = LocalFile("x/solve it", "solve it", "0" * 64, 1, True)
    script = Script(LocalFile("x/pre.sh", "pre.sh", "1" * 64, 1), "echo pre; exit 3")
    from doe_compiler.spec.model import InputFile

    prepared = preparation(analysis(input_files=(InputFile(solver),), pre_process=script), 0)
    (tmp_path / "solve it").write_text("")
    (tmp_path / prepared.script_name).write_bytes(prepared.script)
    done = subprocess.run(
        ["/bin/sh", "-c", f". ./{prepared.script_name}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "pre\n")
    assert (tmp_path / "solve it").stat().st_mode & 0o111
    assert generated_pre(prepared.script) == "echo pre; exit 3"


@pytest.mark.parametrize("env", [None, {"A": "$HOME"}, {"A": "two\nlines $HOME"}])
@pytest.mark.parametrize("names", [(), ("alpha",)])
def test_what_stands_before_a_command_comes_off_again(env, names):
    before = preparation(analysis(env, names), 1).before
    found = unprepared(before + "./solve\n./more")
    assert (found.command, found.env_vars) == ("./solve\n./more", env or {})


def test_a_platform_that_knows_programs_needs_no_step_for_them():
    solver = InputFile(LocalFile("solve", "solve", "0" * 64, 1, True, is_program=True))
    data = InputFile(LocalFile("data", "data", "1" * 64, 1, True))
    assert preparation(analysis(input_files=(solver,)), 0, knows_programs=True).script == b""
    script = preparation(analysis(input_files=(solver, data)), 0, knows_programs=True).script
    assert b"data" in script
    assert b"solve" not in script
