"""What stands before the steps of a run, executed by real shells."""

import re
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.preparation import (
    exported,
    generated_pre,
    made_executable,
    preparation,
    static_environment,
    unprepared,
)
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


# Laws

VALUES = st.lists(
    st.sampled_from(["a", "$HERE", "${HERE}", "$NOT", "${NOT}", "$alpha", "${alpha}", "$$", "`x`", "$(x)", '"', "'", "\\", "\n", " ", "$1", "${x:-1}", "é", "%s", "-n", "#", "!", "*", "~"]),
    min_size=1, max_size=6,
).map("".join)  # fmt: skip
CELLS = st.sampled_from(["1.50", "kEpsilon", "-n", "%s", "a b", "*", "\\n", "`x`", "#"])


def meant(value, cell):
    """What an entry of `envVars` means: columns and variables of the platform filled in, `$$` a `$`."""

    def part(found):
        name = found["name"] or found["plain"]
        known = {"alpha": cell, "HERE": "here"}
        return "$" if name is None else known.get(name, found[0])

    return re.sub(r"\$\$|\$\{(?P<name>[A-Za-z_]\w*)\}|\$(?P<plain>[A-Za-z_]\w*)", part, value, flags=re.ASCII)


@pytest.mark.parametrize("shell", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(value=VALUES, cell=CELLS)
def test_an_entry_of_the_environment_means_one_thing_in_every_shell(tmp_path, shell, value, cell):
    prepared_for = analysis({"A": value}, ("alpha",))
    prepared = preparation(prepared_for, 0)
    env = {"HERE": "here", **static_environment(prepared_for)}
    (tmp_path / prepared.variables_name).write_text(prepared.variables.decode().replace("${alpha}", cell))
    done = subprocess.run(
        [shell, "-c", f'{prepared.before}printf "%s." "$A"'],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == meant(value, cell) + "."


@given(VALUES, VALUES)
def test_an_entry_is_sent_in_the_payload_or_set_by_the_step_and_never_both(one, two):
    prepared_for = analysis({"A": one, "B": two})
    sent, before = static_environment(prepared_for), preparation(prepared_for, 0).before
    for name in ("A", "B"):
        assert (name in sent) is not (f"{name}=" in before and f"; export {name}\n" in before)


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), VALUES),
    st.sampled_from([(), ("alpha",)]),
    st.integers(0, 3),
    VALUES,
)
def test_whatever_is_set_before_a_command_comes_off_again(env, names, number, command):
    prepared_for = analysis(env, names)
    before, sent = preparation(prepared_for, number).before, static_environment(prepared_for)
    found = unprepared(before + command)
    assert found.command == command
    again = analysis(
        {**{name: value.replace("$", "$$") for name, value in sent.items()}, **found.env_vars}, names
    )
    assert static_environment(again) == sent
    assert preparation(again, number).before == before


@pytest.mark.parametrize("shell", SHELLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(cell=CELLS, value=VALUES)
def test_a_command_outside_of_a_run_is_prepared_as_in_one(tmp_path, shell, cell, value):
    prepared_for = analysis({"A": value}, ("alpha",))
    done = subprocess.run(
        [shell, "-c", exported(prepared_for, {"alpha": cell}) + 'printf "%s|%s." "$A" "$alpha"'],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HERE": "here"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{meant(value, cell)}|{cell}."


FILE_NAMES = st.lists(
    st.sampled_from(["a", "b c", "it's", "-x", "$HOME", "*", "é", ";", "`x`", '"', "\\"]),
    min_size=1,
    max_size=3,
    unique=True,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(FILE_NAMES)
def test_execute_bits_are_set_whatever_a_file_is_called_and_on_no_other(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("run")
    files = tuple(InputFile(LocalFile(name, name, "0" * 64, 1, True)) for name in names)
    prepared = preparation(analysis(input_files=files), 0)
    for name in (*names, "other"):
        (folder / name).write_text("")
        (folder / name).chmod(0o644)
    (folder / prepared.script_name).write_bytes(prepared.script)
    subprocess.run(["/bin/sh", "-c", f". ./{prepared.script_name}"], cwd=folder, check=True)
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o111} == set(names)
    assert made_executable(prepared.script) == tuple(names)
    assert generated_pre(prepared.script) == ""


def test_what_an_archive_unpacks_to_has_its_own_bits():
    archive = InputFile(LocalFile("a.tar", "a.tar", "0" * 64, 1, True))
    kept = InputFile(LocalFile("a.tar", "a.tar", "0" * 64, 1, True), decompress=False)
    assert preparation(analysis(input_files=(archive,)), 0).script == b""
    assert b"a.tar" in preparation(analysis(input_files=(kept,)), 0).script


@given(st.binary(max_size=80))
def test_a_script_of_others_is_never_taken_for_ours(content):
    assert generated_pre(content) is None
    assert made_executable(content) == ()


def test_nothing_is_generated_where_nothing_is_needed():
    prepared = preparation(analysis({"A": "1", "B": "$$5"}), 3)
    assert (
        prepared.before,
        prepared.variables_name,
        prepared.variables,
        prepared.script_name,
        prepared.script,
    ) == ("", "", b"", "", b"")


def test_files_of_several_analyses_have_names_of_their_own():
    names = {preparation(analysis(names=("alpha",)), number).variables_name for number in range(3)}
    assert names == {"doe_variables.sh", "doe_variables2.sh", "doe_variables3.sh"}


def test_an_untouched_input_is_old_and_one_that_is_not_there_is_not_made(tmp_path):
    prepared = preparation(analysis(), 0, untouched=("y.txt", "gone it's.txt"))
    (tmp_path / "y.txt").write_text("1")
    (tmp_path / prepared.script_name).write_bytes(prepared.script)
    subprocess.run(
        ["/bin/sh", "-c", f". ./{prepared.script_name}"],
        cwd=tmp_path,
        check=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )
    assert (tmp_path / "y.txt").stat().st_mtime < 1e9
    assert {path.name for path in tmp_path.iterdir()} == {"y.txt", "doe_pre.sh"}
