"""A key, and what else is secret in the environment, appears nowhere: not in plans, receipts, events, comments, logs."""

import pytest

pytestmark = pytest.mark.started

KEY = "planted-key-0123456789abcdef"
OTHER = "planted-password-fedcba98"


@pytest.fixture
def planted(tmp_path, serving):
    """A server that takes the planted key, and an environment that holds another secret too."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "token").write_text(f"{KEY}\n")
    env = serving("--token-file", str(tmp_path / "server" / "token"), data="server")
    return {"RESCALE_API_URL": env["RESCALE_API_URL"], "RESCALE_API_KEY": KEY, "DB_PASSWORD": OTHER}


def holders(tmp_path):
    """The files that hold a planted secret, but for the server's own token."""
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "token"]
    return [path for path in files if any(word.encode() in path.read_bytes() for word in (KEY, OTHER))]


def test_a_planted_secret_appears_nowhere(doe, study_at, planted, tmp_path):
    study = study_at(
        "study", rest="job: {runsPerJob: 2}", command='"echo $RESCALE_API_KEY > y.txt; echo 1 >> y.txt"'
    )
    on = ("--on", planted["RESCALE_API_URL"])
    verbs = [
        ("validate", study, "--sarif", "s.sarif"),
        ("plan", study, *on, "-o", "plan.json", "--markdown", "comment.md", "--json"),
        ("show", "plan.json"),
        ("apply", "plan.json", *on, "--json", "--json-into", "events.json"),
        ("status", study, *on, "--json"),
        ("results", study, *on, "--format", "json", "-o", "results.json"),
        ("logs", study, "1", *on),
        ("drift", study, *on, "--json"),
        ("doctor", *on),
        ("jobs", "list", *on, "--json"),
        ("compile", study, "-o", "bundle"),
    ]
    for words in verbs:
        done = doe(*words, env=planted)
        assert done.returncode == 0, (words, done.stderr)
        assert KEY not in done.stdout + done.stderr, words
        assert OTHER not in done.stdout + done.stderr, words
    assert holders(tmp_path) == []


def test_a_planted_secret_is_in_no_error_and_no_traceback(doe, study_at, planted, tmp_path):
    study = study_at("study")
    nowhere = {**planted, "RESCALE_API_URL": "http://127.0.0.1:9/api/v2/", "PYTHONDEVMODE": "1"}
    refused = {**planted, "RESCALE_API_KEY": KEY + "x"}
    for env in (nowhere, refused):
        for verb in (("plan", study), ("apply", study, "--yes"), ("doctor",)):
            done = doe(*verb, "--on", env["RESCALE_API_URL"], env=env)
            assert done.returncode != 0
            assert KEY not in done.stdout + done.stderr
            assert OTHER not in done.stdout + done.stderr
    assert holders(tmp_path) == []


def test_a_run_on_this_machine_does_not_see_the_key(doe, study_at, tmp_path):
    env = {"RESCALE_API_KEY": KEY, "RESCALE_API_URL": "http://127.0.0.1:9/api/v2/"}
    done = doe("apply", study_at("."), "--yes", env=env)
    assert done.returncode == 0, done.stderr
    study_at(".", command='"env; echo 1 > y.txt"')
    assert doe("apply", "study.yaml", "--yes", env=env).returncode == 0
    assert holders(tmp_path) == []
