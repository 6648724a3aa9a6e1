"""Which rows of a job count as run: by its phase, by why it ended, and by what became of its runs."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name, nonce_of
from doe_compiler.bundle.observation import Phase, SeenJob, by_age
from doe_compiler.bundle.rows import RowSet, design_keys, row_set, text_keys
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.answers import JobEntry
from doe_compiler.kernel.errors import DoeError
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import copies, marked_jobs, of_recipe, study_jobs
from doe_compiler.observe.looking import Eye, subject_of
from doe_compiler.observe.rows import crossed, parameter_keys
from tests.results.test_collect import Lab

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path):
    opened = Lab(tmp_path)
    yield opened
    opened.close()


class Listing:
    """The list of a platform that says what it is given."""

    def __init__(self, *entries):
        self._entries = entries

    def all_jobs(self, _page):
        return iter(self._entries)


def entry(number, status, *, study="s", nonce=None, **more):
    nonce = nonce or nonce_of(NOW.timestamp(), number)
    mark = Mark(study, "0" * RECIPE_DIGITS, RowSet(1, number), None, 0, nonce)
    name = marked_name("A title", mark)
    return JobEntry(f"j{number}", name, status, NOW + timedelta(seconds=number), "me", **more)


def phase_of(status):
    (job,) = study_jobs(Listing(entry(1, status)), "s")
    return job.phase


@pytest.mark.parametrize(
    "status", ["Pending", "Queued", "Started", "Validated", "Executing", "Waiting for Queue"]
)
def test_a_job_under_way_is_submitted(status):
    assert phase_of(status) is Phase.SUBMITTED


@given(st.text(min_size=1, max_size=20))
def test_only_a_job_without_any_status_is_a_draft(status):
    """Whatever a platform invents is money spent."""
    (job,) = study_jobs(Listing(entry(1, status)), "s")
    assert not job.is_draft
    assert phase_of("") is Phase.DRAFT


def test_every_status_of_our_platform_has_a_phase(lab):
    study = lab.study({"x": {"levels": [1]}}, design={})
    lab.apply(study)
    (job,) = study_jobs(lab.client, "lab")
    words = {each.status for each in lab.client.statuses(job.id)}
    assert {phase_of(word) for word in words} == {Phase.SUBMITTED, Phase.FINISHED}
    assert phase_of("Force Stop") is phase_of("Stopping") is Phase.STOPPING


@given(st.permutations(range(6)), st.data())
def test_jobs_come_oldest_first_in_whatever_order_they_are_listed(order, data):
    studies = [data.draw(st.sampled_from("ab")) for _ in order]
    entries = [entry(number, "", study=studies[number]) for number in order]
    foreign = JobEntry("other", "a job of a person", "Completed", NOW, "me")
    found = marked_jobs(Listing(*entries, foreign))
    assert set(found) == set(studies)
    for study, jobs in found.items():
        assert [job.id for job in jobs] == [f"j{n}" for n in range(6) if studies[n] == study]
        assert list(jobs) == sorted(jobs, key=by_age)


def job_with(nonce, number, after_s):
    stamp = round((NOW.timestamp() + after_s) * 1e6)
    return SeenJob(f"j{number}", "", Mark("s", "0" * 12, None, None, 0, nonce), Phase.DRAFT, "", stamp)


@given(st.lists(st.integers(0, 2), max_size=8), st.randoms())
def test_of_each_nonce_the_oldest_job_is_the_original(numbers, chance):
    nonces = [nonce_of(NOW.timestamp(), number) for number in numbers]
    jobs = [job_with(nonce, n, n) for n, nonce in enumerate(nonces)]
    originals = {f"j{nonces.index(nonce)}" for nonce in set(nonces)}
    chance.shuffle(jobs)
    assert copies(jobs) == {job.id for job in jobs} - originals


@pytest.mark.parametrize(
    ("after_s", "is_copy"), [(-601, True), (-599, False), (0, False), (599, False), (601, True)]
)
def test_a_job_that_is_not_of_the_time_of_its_nonce_is_a_copy_of_one_that_is_gone(after_s, is_copy):
    assert bool(copies([job_with(nonce_of(NOW.timestamp(), 1), 1, after_s)])) is is_copy


def test_a_recipe_is_known_by_the_digits_of_the_mark(lab):
    (job,) = study_jobs(Listing(entry(1, "")), "s")
    assert of_recipe([job], "0" * 64) == (job,)
    assert of_recipe([job], "0" * (RECIPE_DIGITS - 1) + "1" * 60) == ()


def held(lab, study):
    """The one job of a study, and a way to ask which of its rows, from 1, stand and which have failed."""
    bundle = lab.bundle(study)
    (job,) = study_jobs(lab.client, "lab")
    keys = design_keys(bundle.design).tolist()
    wanted = wanted_of(bundle)

    def standing(job=job, kept=None):
        eye = Eye(lab.client, lab.client.me(), time.monotonic, KnownJobs(kept))
        holding = eye.holding(subject_of(wanted), job)
        lost, failed = (
            [keys.index(key) + 1 for key in each.tolist()] for each in (holding.lost, holding.failed)
        )
        return [n for n in range(1, len(keys) + 1) if n not in lost], failed

    return job, standing


def test_all_rows_of_a_job_that_ran_to_its_end_stand_those_that_failed_too(lab):
    study = lab.study({"x": {"levels": [0, 3]}}, design={})
    study.write_text(study.read_text().replace("cp deck.txt out.txt", "exit $x"))
    lab.apply(study)
    job, standing = held(lab, study)
    assert job.reason == "A run failed"
    assert job.runs_failed == 1
    elsewhere = replace(job, reason=None, runs_failed=None)
    assert standing() == standing(elsewhere) == ([1, 2], [2])


def cut_short(lab):
    """A job of which the runs 1 and 3 have ended when it is stopped."""
    study = lab.study({"x": {"levels": [1, 2, 3, 4]}}, design={})
    gate = lab.folder / "reached"
    command = f"[ $x = 1 ] || [ $x = 3 ] || {{ touch {gate}$x; sleep 100; }}"
    study.write_text(study.read_text().replace("cp deck.txt out.txt", json.dumps(command)))
    bundle = lab.apply(study, wait=False)
    lab.platform.ensure_executor(detached=False)
    (job,) = study_jobs(lab.client, "lab")
    give_up = time.monotonic() + 60

    def wait(condition):
        while not condition():
            assert time.monotonic() < give_up
            time.sleep(0.02)

    def ended():
        return sorted(run.number for run in lab.client.all_runs(job.id) if run.completed is not None)

    wait(lambda: ended() == [1, 3] and (lab.folder / "reached4").exists())
    before = ended()
    assert not job.is_draft
    assert bundle.design.n == 4
    _, standing = held(lab, study)
    assert standing() == ([1, 2, 3, 4], [])
    lab.client.stop(job.id)
    lab.platform.ensure_executor(detached=False)
    wait(lambda: study_jobs(lab.client, "lab")[0].phase is Phase.FINISHED)
    return study, before


def test_of_a_job_that_was_stopped_only_the_rows_that_completed_stand_and_that_is_remembered(lab):
    study, before = cut_short(lab)
    job, standing = held(lab, study)
    kept = {}
    assert standing(kept=kept) == (before, [])
    assert standing(replace(job, reason=None, runs_failed=None)) == (before, [])
    lab.client.delete(job.id)
    assert standing(kept=kept) == (before, [])
    with pytest.raises(DoeError):
        standing(kept={})


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=8
).filter(lambda text: text == text.strip() and not set("\",'") & set(text) and "\x85" not in text)


@given(st.data(), st.integers(1, 4), st.integers(1, 3))
def test_the_rows_of_a_table_are_their_cells_in_any_order_of_columns(data, n, width):
    names = [f"v{index}" for index in range(width)]
    columns = {name: data.draw(st.lists(CELL, min_size=n, max_size=n)) for name in [*names, "unvaried"]}
    order = data.draw(st.permutations(list(columns)))
    blank = data.draw(st.sampled_from(["", " "]))
    lines = [order, *([columns[name][row] for name in order] for row in range(n))]
    content = "".join(f",{blank}".join(line) + "\n" for line in lines).encode()
    expected = text_keys({name: columns[name] for name in names}, n)
    assert parameter_keys(content, names, where="CSV").tolist() == expected.tolist()
    assert row_set(expected).count == n


@given(st.lists(CELL, min_size=1, max_size=4), st.lists(CELL, min_size=1, max_size=4))
def test_runs_and_cases_cross_with_the_cases_outside(cases, runs):
    content = crossed(
        "\n".join(["k", *cases]).encode(), "\n".join(["x", *runs, ""]).encode(), where="the files"
    )
    found = parameter_keys(content, ["k", "x"], where="CSV")
    pairs = [(case, run) for case in cases for run in runs]
    expected = text_keys({"k": [case for case, _ in pairs], "x": [run for _, run in pairs]}, len(pairs))
    assert found.tolist() == expected.tolist()


def test_cases_without_runs_are_rows_by_themselves():
    found = parameter_keys(crossed(b"k\na\nb\n", None, where="cases"), ["k"], where="CSV")
    assert found.tolist() == text_keys({"k": ["a", "b"]}, 2).tolist()


def test_texts_that_travel_by_name_count_as_the_texts():
    named = {"doe_text_0123456789abcdef": "a, b"}
    found = parameter_keys(b"x\ndoe_text_0123456789abcdef\nc\n", ["x"], named, where="CSV")
    assert found.tolist() == text_keys({"x": ["a, b", "c"]}, 2).tolist()
