"""A platform is examined by what applies depend on, by drafts that cost nothing and are gone afterwards."""

import json
import sqlite3

import pytest


def checks(done):
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["check"]: each for each in found if "check" in each}, found[-1]["settle"]


def jobs_of(doe, **more):
    return doe("jobs", "list", "--json", **more).stdout


def test_our_own_platform_needs_no_settling_and_nothing_is_left(doe):
    done = doe("doctor", "--json")
    assert done.returncode == 0, done.stderr
    found, settle = checks(done)
    assert settle == 0
    assert {each["verdict"] for each in found.values()} == {"ok"}
    assert "refused: 404" in found["deleted drafts"]["text"]
    assert "second submit" not in found
    assert jobs_of(doe) == ""


def test_a_list_that_lags_is_measured(doe, serving):
    env = serving("--faults", "list-delay:3s")
    done = doe("doctor", "--json", "--on", env["RESCALE_API_URL"], env=env)
    assert done.returncode == 0, done.stderr
    found, settle = checks(done)
    assert float(found["list delay"]["text"].split(" after ")[1].split(" s")[0]) >= 2.5
    assert settle >= 6
    assert jobs_of(doe, env=env) == ""


def test_a_second_submit_is_only_tried_when_money_may_be_spent(doe, tmp_path):
    done = doe("doctor", "--spend", "--json")
    assert done.returncode == 0, done.stderr
    found, _ = checks(done)
    assert found["second submit"]["text"] == "a second submit of one job is refused: 400; 1 job of that name"
    assert jobs_of(doe) == ""
    database = sqlite3.connect(tmp_path / ".doe" / "platform" / "platform.sqlite")
    assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize(
    ("url", "key"), [("http://127.0.0.1:9/api/v2/", "k"), ("served", "not-the-key")], ids=["address", "key"]
)
def test_a_wrong_address_or_key_is_told_and_no_more(doe, serving, url, key):
    env = serving()
    env = {"RESCALE_API_URL": env["RESCALE_API_URL"] if url == "served" else url, "RESCALE_API_KEY": key}
    done = doe("doctor", "--json", "--on", env["RESCALE_API_URL"], env=env)
    assert done.returncode == 1, done.stderr
    found, settle = checks(done)
    assert list(found) == ["address and key"]
    assert found["address and key"]["verdict"] == "bad"
    assert settle is None
    assert "not-the-key" not in done.stdout + done.stderr
