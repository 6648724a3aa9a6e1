"""What makes no sense is told in words with exit code 64, by every command and option that there is."""

import click
import pytest

from tests.cli.in_process import LEAVES, options_of, run_doe

USAGE = 64
EXAMPLES = {
    "tokens": "AbCdEf",
    "study": "study.yaml", "studies": "study.yaml", "paths": "study.yaml", "job_id": "abcdef", "job_ids": "abcdef",
    "file_id": "abcdef", "file_ids": "abcdef", "run": "1", "email": "a@b.org", "payload": "job.json",
    "plan_file": "plan.json", "name": "n", "schema_name": "plan", "shell": "bash", "folder": "new", "path": "process_output.log",
}  # fmt: skip
TAKES_A_STUDY = [
    name for name, each in LEAVES.items() if {"study", "studies"} & {p.name for p in each.params}
]
ACTS_ON_A_JOB = [
    name for name, each in LEAVES.items() if each.params[0:1] and each.params[0].name in {"job_id", "job_ids"}
]


def arguments_of(name, /, **chosen):
    """Arguments that `doe` would take for a command, and the options that it requires."""
    words = name.split()
    required = [p for p in LEAVES[name].params if isinstance(p, click.Option) and p.required]
    for parameter in LEAVES[name].params:
        if isinstance(parameter, click.Argument) and (parameter.required or parameter.name in chosen):
            words.append(chosen.get(parameter.name, EXAMPLES[parameter.name]))
    return [*words, *(word for p in required for word in (p.opts[0], _value_of(p)))]


def _value_of(option):
    return option.type.choices[0] if isinstance(option.type, click.Choice) else "out"


@pytest.fixture
def told(monkeypatch, capfdbinary, tmp_path):
    """What `doe` says in a folder with one small study."""
    (tmp_path / "study.yaml").write_text(
        "doe: 1\nstudy: tiny\nvariables: {x: {levels: [1, 2]}}\ndesign: {}\nanalyses:\n"
        "  - {analysis: {code: user_included}, command: echo $x,"
        " hardware: {coreType: emerald, slots: 1}}\n"
    )
    (tmp_path / "job.json").write_text('{"name": "j"}')
    (tmp_path / "empty").mkdir()
    return lambda *words: run_doe(monkeypatch, capfdbinary, tmp_path, *words)


def is_told(done, code=USAGE):
    assert done.code == code, done
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert done.stderr.strip()
    return done.stderr


@pytest.mark.parametrize("name", LEAVES)
def test_an_unknown_option_or_argument_is_refused(told, name):
    assert "No such option" in is_told(told(*arguments_of(name), "--no-such-option"))
    if not any(p.nargs == -1 for p in LEAVES[name].params):
        given = [p.name for p in LEAVES[name].params if isinstance(p, click.Argument)]
        many = arguments_of(name, **{each: EXAMPLES[each] for each in given})
        assert "unexpected extra argument" in is_told(told(*many, "more"))


@pytest.mark.parametrize("name", [n for n, c in LEAVES.items() if any(p.required for p in c.params)])
def test_what_is_required_is_asked_for(told, name):
    assert "Missing" in is_told(told(*name.split()))


@pytest.mark.parametrize("name", LEAVES)
def test_help_tells_of_every_option(told, name):
    done = told(*name.split(), "--help")
    assert (done.code, done.stderr) == (0, "")
    for option, declared in options_of(name).items():
        assert option in done.stdout
        assert declared.help, f"{name} {option} has no help"


BOUNDED = [
    (name, option)
    for name in LEAVES
    for option, declared in options_of(name).items()
    if isinstance(declared.type, click.IntRange | click.FloatRange | click.Choice)
]


@pytest.mark.parametrize(("name", "option"), BOUNDED, ids=map(" ".join, BOUNDED))
def test_a_value_that_an_option_cannot_have_is_refused(told, name, option):
    more = ["1"] * (options_of(name)[option].nargs - 1)
    assert option in is_told(told(*arguments_of(name), option, "nonsense", *more))
    if isinstance(options_of(name)[option].type, click.IntRange | click.FloatRange):
        assert "range" in is_told(told(*arguments_of(name), option, "-1", *more))


@pytest.mark.parametrize("name", TAKES_A_STUDY)
def test_what_is_no_study_is_refused_by_its_name(told, name):
    key = "study" if "study" in {p.name for p in LEAVES[name].params} else "studies"
    for path in ("nothing.yaml", "empty"):
        said = is_told(told(*arguments_of(name, **{key: path})))
        assert f"'{path}'" in said
        assert "hint:" in said


@pytest.mark.parametrize("name", [name for name in LEAVES if "--target" in options_of(name)])
def test_a_target_that_no_study_has_is_refused_with_those_that_there_are(told, name):
    said = is_told(told(*arguments_of(name, studies="study.yaml"), "--target", "huge"))
    assert "no such study" in said
    assert "tiny" in said


WITH_COLUMNS = [name for name in LEAVES if "--columns" in options_of(name)]


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_columns_that_are_not_there_are_refused_wherever_they_are_asked_for(told, name):
    base = arguments_of(name)
    if name in {"design", "results", "status", "coretypes", "analyses", "jobs list", "files list"}:
        assert "no column 'nonsense'" in is_told(told(*base, "--columns", "nonsense"))
    machine = ["--json"] if "--json" in options_of(name) else ["--format", "json"]
    assert "--columns is for tables" in is_told(told(*base, "--columns", "id", *machine))


@pytest.mark.parametrize("name", [name for name in LEAVES if "--on" in options_of(name)])
@pytest.mark.parametrize(("on", "code"), [("rescale", 7), ("nonsense", 64), ("ftp://x.org/", 64)])
def test_a_platform_that_cannot_be_meant_is_told_and_no_key_is_a_closed_door(told, name, on, code):
    asked = [*arguments_of(name), "--on", on]
    if name == "files upload":
        asked[2] = "job.json"
    asked += {"jobs update": ["job.json"], "files download": ["abcdef"]}.get(name, [])
    if "--yes" in options_of(name):
        asked.append("--yes")
    is_told(told(*asked), code)


@pytest.mark.parametrize("name", ACTS_ON_A_JOB)
def test_a_job_that_is_not_there_is_named(told, name):
    base = arguments_of(name)
    base += ["--yes"] if "--yes" in options_of(name) else []
    base += ["--name", "other"] if name == "jobs update" else []
    done = told(*base)
    assert done.code in {1, 4, 64}
    assert "abcdef" in done.stderr or "no jobs here" in done.stderr, done.stderr


def test_jobs_and_studies_are_shared_with_addresses_only(told):
    for words in (("jobs", "share", "abcdef", "nobody"), ("share", "nobody")):
        said = is_told(told(*words))
        assert "'nobody' is no e-mail address" in said
        assert "hint:" in said


@pytest.mark.parametrize("words", [("--run", "1"), ("--search", "log")])
def test_what_is_for_the_outputs_of_a_job_is_refused_without_one(told, words):
    said = is_told(told("files", "download", "abcdef", *words))
    assert words[0] in said
    assert "--job" in said


def test_replacing_a_draft_needs_the_whole_of_it(told):
    assert "--replace" in is_told(told("jobs", "update", "abcdef", "--name", "n", "--replace"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1e999999}x'])
def test_a_payload_that_is_no_object_is_refused(told, tmp_path, content):
    (tmp_path / "job.json").write_bytes(content)
    said = is_told(told("jobs", "create", "job.json"))
    assert "'job.json'" in said


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"doePlan": 1}', b"a: b"])
@pytest.mark.parametrize("command", ["show", "apply"])
def test_a_file_that_is_no_plan_is_told(told, tmp_path, content, command):
    (tmp_path / "plan.json").write_bytes(content)
    done = told(command, "plan.json")
    assert done.code in {1, 3, 64}, done
    assert "plan.json" in done.stderr
