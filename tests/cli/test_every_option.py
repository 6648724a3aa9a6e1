"""Every option of every command has an effect that can be seen; a new option without a case here fails."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from tests.cli.in_process import LEAVES, options_of, run_doe
from tests.cli.test_upkeep import age_drafts

STUDY = """\
doe: 1
study: {name}
variables: {{x: {{levels: [1, 2, 3]}}, a_longer_name: {{value: 1.25}}}}
design: {{}}
analyses:
  - analysis: {{code: user_included}}
    command: echo begun; echo $x > y.txt; [ $x != 3 ] || exit 3
    hardware: {{coreType: emerald, slots: 2}}
responses: {{y: {{file: y.txt, regex: '(.*)', goal: maximize}}}}
"""
DRAFT = "A draft [doe2 {} 0123456789ab.1-0000000000000001.g0.{:08x}abcd1234]"
PAYLOAD = {
    "jobanalyses": [
        {
            "analysis": {"code": "user_included", "version": "0"},
            "command": "true",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1, "walltime": 1},
        }
    ]
}
VARYING = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|\+00:00)?|hrMNI|[0-9a-f]{40}|[A-Za-z]{6}(?= (?:of| a@b))"
)
NOWHERE = "http://127.0.0.1:9/api/v2/"

# What a command is given so that it succeeds; PREPARED are commands before it.
BASES = {
    "validate": "study.yaml", "design": "study.yaml", "compile": "study.yaml -o out", "render": "study.yaml --run 1", "plan": "study.yaml",
    "show": "p.json", "apply": "study.yaml --yes", "status": "study.yaml", "results": "study.yaml",
    "logs": "study.yaml 1", "stop": ".", "share": "a@b.org .", "drift": "study.yaml", "adopt": "JOB study.yaml",
    "gc": "study.yaml --dry-run", "destroy": "study.yaml --yes", "import": "JOB imported",
    "jobs create": "job.json", "jobs delete": "JOB --yes", "jobs share": "JOB a@b.org", "jobs stop": "JOB --yes",
    "jobs submit": "DRAFT", "jobs update": "DRAFT job.json", "runs files": "JOB 1", "runs get": "JOB 1",
    "runs snapshot": "JOB 1", "runs stop": "JOB 1 --yes", "runs tail": "JOB 1", "files delete": "FILE --yes",
    "files download": "FILE", "files get": "FILE", "files list": "", "files thin": "JOB --keep responses --yes", "files rename": "FILE n",
    "files upload": "job.json", "coretypes": "", "analyses": "", "jobs list": "", "doctor": "", "completion": "bash",
    "tokens add": "a@b.org", "tokens list": "", "tokens revoke": "a@b.org",
}  # fmt: skip
PREPARED = {
    "show": "plan fresh.yaml -o p.json",
    "drift": "jobs update JOB --name mine",
    "tokens list": "tokens add a@b.org",
    "tokens revoke": "tokens add a@b.org",
}
# What shows that an option has an effect: the option with its value, or that and another base.
EFFECTS = {
    "compile --explain": ("--explain", "study.yaml"),
    "design --format": "--format csv", "design --summary": "--summary", "design --compare": "--compare", "design --plot": "--plot d.svg", "design --output": "-o d.txt", "results --format": "--format json",
    "results --output": "-o r.csv", "results --best": "--best 1", "results --recipe": "--recipe OLDER", "doctor --spend": "--spend", "compile --check": ("--check out", "study.yaml"), "validate --sarif": "--sarif s.sarif", "compile --output": "-o other",
    "plan --target": ("--target other", "."), "plan --retry-failed": "--retry-failed", "plan --only": ("--only 1", "study.yaml --retry-failed"),
    "apply --only": ("--only 1", "study.yaml --yes --retry-failed"),
    "plan --markdown": "--markdown m.md", "plan --output": "-o p.json",
    "plan --detailed-exitcode": ("--detailed-exitcode", "fresh.yaml"), "show --markdown": "--markdown m.md",
    "share --target": "--target other", "gc --target": ("--target other", ". --dry-run"),
    "gc --older-than": ("--older-than 1000", "study.yaml --dry-run"), "gc --all": "--all",
    "gc --dry-run": ("--dry-run", "study.yaml"), "destroy --jobs": "--jobs",
    "destroy --target": ("--target other", ". --yes"), "drift --target": ("--target other", "."),
    "drift --detailed-exitcode": "--detailed-exitcode", "apply --forget": "--forget JOB",
    "jobs list --state": "--state draft", "jobs list --job-status": "--job-status Completed",
    "jobs list --search": "--search foreign", "jobs list --ordering": "--ordering dateInserted",
    "jobs files --search": "--search y.txt", "jobs tags --add": "--add wing",
    "jobs custom-fields --set": "--set a=b", "jobs update --name": "--name better",
    "jobs update --replace": ("--replace", "DRAFT part.json"), "runs files --search": "--search y.txt",
    "runs files --now": "--now", "runs tail --lines": "-n 0", "files list --search": "--search nothing",
    "files upload --type": "--type 2", "files download --job": ("--job JOB", ""),
    "files download --run": ("--run 1", "--job JOB"), "files download --search": ("--search y.txt", "--job JOB"),
    "files download -o": "-o got.txt", "apply --json": "--json", "apply --json-into": "--json-into e.json",
    "apply --yes": ("--yes", "fresh.yaml"), "apply --settle": ("--settle 0.2", "fresh.yaml --yes"),
    "apply --target": ("--target other", ". --yes"), "apply --retry-failed": "--retry-failed",
    "tokens add --read-only": "--read-only", "tokens add --data": "--data elsewhere", "tokens list --data": "--data elsewhere",
    "tokens revoke --data": "--data elsewhere",
}  # fmt: skip
# Options whose effect is in what this cannot see: time, requests, a running job, a repository, an e-mail.
ELSEWHERE = {
    "--follow", "--extract", "--no-wait", "--page-size", "--timeout", "--fail-fast", "--parallelism", "--rps", "--message",
    "--retry-missing", "--retries", "--derived", "--watch", "files thin --keep",
    "render --run", "render --output", "render --diff", "plan --replace", "apply --replace", "plan --prune", "apply --prune", "stop --target",
}  # fmt: skip
EVERY = [(name, option) for name in LEAVES if name != "serve" for option in options_of(name)]


def is_elsewhere(name, option):
    return f"{name} {option}" not in EFFECTS and (option in ELSEWHERE or f"{name} {option}" in ELSEWHERE)


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """A folder with a study that was applied, one that was not, and drafts."""
    folder = tmp_path_factory.mktemp("applied") / "lab"
    folder.mkdir()
    for file, name in (("study", "first"), ("other", "other"), ("fresh", "fresh")):
        where = folder / "fresh" if file == "fresh" else folder
        where.mkdir(exist_ok=True)
        (where / f"{file}.yaml").write_text(STUDY.format(name=name))
    (folder / "fresh" / "fresh.yaml").rename(folder / "fresh.txt")
    (folder / "fresh").rmdir()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}

    def doe(*words):
        return subprocess.run(
            [sys.executable, "-m", "doe_compiler", *words], cwd=folder, env={**env, "HOME": str(folder)},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    study = folder / "study.yaml"
    for begin in ("echo older", "echo begun"):
        study.write_text(study.read_text().replace("echo begun", begin).replace("echo older", begin))
        assert doe("apply", "study.yaml", "--yes").returncode == 1
    (folder / "part.json").write_text(json.dumps({**PAYLOAD, "name": "part"}))
    for study in ("first", "foreign"):
        (folder / "job.json").write_text(
            json.dumps({**PAYLOAD, "name": DRAFT.format(study, int(time.time())), "isLowPriority": True})
        )
        assert doe("jobs", "create", "job.json").returncode == 0
    age_drafts(folder, 60)
    (folder / "job.json").write_text(json.dumps({**PAYLOAD, "name": "changed", "projectId": "p"}))
    assert doe("files", "upload", "job.json").returncode == 0
    return folder


@pytest.fixture
def seen(applied, monkeypatch, capfdbinary, tmp_path):
    """What can be seen of a command that is run in a fresh copy of the folder."""

    def see(name, words, prepared=""):
        folder = tmp_path / "lab"
        while folder.exists():  # what the last command left running may still write there
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(applied, folder, symlinks=True)
        shutil.copy(folder / "fresh.txt", folder / "fresh.yaml") if "fresh" in words + prepared else None

        def run(*given):
            return run_doe(monkeypatch, capfdbinary, folder, *given)

        def ids(what):
            return [json.loads(line) for line in run(what, "list", "--json").stdout.splitlines()]

        jobs = ids("jobs")
        places = {
            "JOB": next(each["id"] for each in jobs if each["jobStatus"]["content"]),
            "OLDER": jobs[-1]["name"].partition("[doe2 first ")[2][:12],
            "DRAFT": next(each["id"] for each in jobs if "doe2 foreign" in each["name"]),
            "FILE": ids("files")[0]["id"],
        }

        def filled(text):
            return [places.get(word, word) for word in text.split()]

        if prepared:
            assert run(*filled(prepared)).code == 0
        done = run(*filled(f"{name} {words}"))
        left = {
            str(path.relative_to(folder)): path.read_bytes().hex()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".doe" not in path.parts
        }
        details = [run("jobs", "get", each["id"], "--json").stdout for each in ids("jobs")]
        known = {*places.values(), *(each["id"] for each in jobs)}
        found = json.dumps([done.stdout, done.stderr, done.code, left, details, ids("files")])
        found = VARYING.sub("", found)
        for made in ids("jobs") + ids("files"):
            found = found if made["id"] in known else found.replace(made["id"], "NEW")
        return done, found

    return see


def case_of(name, option):
    """The base and the option with its value."""
    base = BASES.get(name, "JOB")
    effect = EFFECTS.get(f"{name} {option}")
    if effect is None:
        effect = {
            "--json": "--json", "--wide": "--wide", "--on": f"--on {NOWHERE}", "--yes": "--yes",
            "--columns": f"--columns {columns_of(name)}",
        }.get(option)  # fmt: skip
        if option == "--yes":
            base = base.replace("--yes", "").strip()
    assert effect is not None, f"{name} {option}: say in EFFECTS what shows that it has an effect"
    return (effect[1], effect[0]) if isinstance(effect, tuple) else (base, effect)


def columns_of(name):
    return {
        "design": "x", "status": "runs", "results": "y", "jobs list": "status", "jobs tags": "nonsense",
        "jobs custom-fields": "value", "jobs instances": "cores", "jobs logs": "message", "runs list": "bytes",
        "coretypes": "code", "analyses": "code", "files list": "size", "jobs files": "size", "runs files": "size",
        "tokens list": "e-mail",
    }.get(name, "reason")  # fmt: skip


SHOWN_HERE = [(name, option) for name, option in EVERY if not is_elsewhere(name, option)]


@pytest.mark.parametrize(("name", "option"), SHOWN_HERE, ids=map(" ".join, SHOWN_HERE))
def test_an_option_has_an_effect(seen, monkeypatch, name, option):
    base, extra = case_of(name, option)
    monkeypatch.setattr("tests.cli.in_process.COLUMNS", "20" if option == "--wide" else "70")
    prepared = PREPARED.get(name, "")
    if name in {"jobs tags", "jobs custom-fields"} and option == "--wide":
        prepared = {"tags": "jobs tags JOB --add ", "custom-fields": "jobs custom-fields JOB --set a="}[
            name.split()[1]
        ] + "long" * 12
    without, plain = seen(name, base, prepared)
    with_it, changed = seen(name, f"{base} {extra}", prepared)
    assert plain != changed
    if option == "--on":
        assert with_it.code == 7
        assert without.code != 7


@pytest.mark.parametrize("name", [name for name in LEAVES if name != "serve"])
def test_the_same_command_shows_the_same_twice_so_that_the_effect_is_of_the_option(seen, name):
    base, prepared = BASES.get(name, "" if name in {"init", "schema"} else "JOB"), PREPARED.get(name, "")
    assert seen(name, base, prepared)[1] == seen(name, base, prepared)[1]
