import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client import answers
from doe_compiler.client.errors import Garbled

JOB_ROW = {
    "analysisNames": ["OpenFOAM"],
    "clusterStatusDisplay": {"content": "Stopped", "labelClass": "", "useLabel": False},
    "dateInserted": "2015-03-13T23:43:21.223052Z",
    "id": "OsKBd",
    "isVisible": True,
    "jobStatus": {"content": "Completed", "labelClass": "", "useLabel": False},
    "name": "the FOAM 2",
    "owner": "mark@rescale.com",
    "sharedWith": [],
    "storage": 8014908,
}
NOT_EVERYWHERE = {"statusReason", "runsFailed"}
FILE = {
    "dateUploaded": "2015-03-13T23:56:37.184619Z",
    "decryptedSize": 1680,
    "id": "xTyjeg",
    "isDeleted": False,
    "isUploaded": True,
    "md5": "8632D6580e922bd9f8691cc2d6ea3443",
    "name": "fvSchemes",
    "path": "user/user_KBdkT/output/job_OsKBd/run12/airFoil2D/system/fvSchemes",
    "relativePath": "airFoil2D/system/fvSchemes",
    "typeId": 5,
    "fileChecksums": [
        {"hashFunction": "sha1", "fileHash": "00"},
        {"hashFunction": "sha512", "fileHash": "AB12"},
    ],
}
JOB = {
    "id": "aabbcc",
    "name": "Untitled Job",
    "owner": "mark@rescale.com",
    "expectedRuns": 3,
    "caseFile": None,
    "paramFile": FILE | {"id": "sWErpg"},
    "jobanalyses": [{"envVars": {"A": "1", "B": 2}}, {"envVars": {"A": "other", "C": None}}, {}],
}
RUN = {
    "id": "7",
    "dateStarted": "2015-03-13T23:43:21Z",
    "dateCompleted": None,
    "variables": [
        {"name": "x", "value": 0.5, "displayValue": "0.50", "isRelative": False},
        {"name": "material", "value": None, "displayValue": "steel"},
        {"name": "n", "value": 3, "displayValue": None},
    ],
}
RUBBISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*JOB_ROW, *FILE, *JOB, *RUN]), inner)
    ),
    max_leaves=12,
)
PARSERS = [
    answers.page,
    answers.job_entry,
    answers.job,
    answers.status,
    answers.run_entry,
    answers.file_entry,
    answers.core_type,
    answers.analysis,
    answers.email,
]


def test_a_row_of_the_reference_is_a_job_entry():
    entry = answers.job_entry(JOB_ROW)
    assert entry == answers.JobEntry(
        "OsKBd",
        "the FOAM 2",
        "Completed",
        datetime(2015, 3, 13, 23, 43, 21, 223052, UTC),
        "mark@rescale.com",
        "Stopped",
    )
    assert answers.job_entry(JOB_ROW | {"jobStatus": {"content": ""}}).status == ""


@pytest.mark.parametrize("broken", [{}, None, {"content": None}, [], 3, {"content": 0}])
def test_a_job_without_a_status_word_is_never_a_draft(broken):
    with pytest.raises(Garbled):
        answers.job_entry(JOB_ROW | {"jobStatus": broken})


@pytest.mark.parametrize("name", ["id", "name", "jobStatus", "dateInserted", "owner"])
def test_a_missing_field_is_named(name):
    row = {key: value for key, value in JOB_ROW.items() if key != name}
    with pytest.raises(Garbled, match=f"garbled answer: .*`{name}`"):
        answers.job_entry(row)


def test_a_whole_job_has_its_parameter_file_and_environment():
    job = answers.job(JOB)
    assert (job.id, job.param_file, job.case_file, job.expected_runs) == ("aabbcc", "sWErpg", None, 3)
    assert job.environment == {"A": "1", "B": "2", "C": ""}
    assert job.raw == JOB
    assert answers.job(JOB | {"paramFile": None}).param_file is None


def test_a_job_that_does_not_say_whether_it_has_a_parameter_file_is_garbled():
    with pytest.raises(Garbled, match="paramFile"):
        answers.job({key: value for key, value in JOB.items() if key != "paramFile"})
    with pytest.raises(Garbled, match="paramFile"):
        answers.job(JOB | {"paramFile": {}})


def test_a_file_has_its_checksums_and_run():
    assert answers.file_entry(FILE) == answers.FileEntry(
        id="xTyjeg",
        name="fvSchemes",
        size=1680,
        md5="8632d6580e922bd9f8691cc2d6ea3443",
        sha512="ab12",
        relative_path="airFoil2D/system/fvSchemes",
        type_id=5,
        is_usable=True,
        run=12,
    )
    bare = answers.file_entry({"id": "a", "name": "n", "decryptedSize": "5"})
    assert (bare.size, bare.md5, bare.sha512, bare.relative_path, bare.run) == (5, None, None, "n", None)


@pytest.mark.parametrize("change", [{"isUploaded": False}, {"isDeleted": True}])
def test_a_half_or_deleted_file_is_not_usable(change):
    assert not answers.file_entry(FILE | change).is_usable


def test_a_run_has_its_dates_and_variables():
    run = answers.run_entry(RUN)
    assert (run.number, run.started, run.completed) == (7, datetime(2015, 3, 13, 23, 43, 21, 0, UTC), None)
    assert run.variables == (
        answers.RunVariable("x", 0.5, "0.50"),
        answers.RunVariable("material", None, "steel"),
        answers.RunVariable("n", 3, "3"),
    )


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2016-04-21T17:24:34.898495Z", 898495),
        ("2016-04-21T17:24:34Z", 0),
        ("2016-04-21T19:24:34+02:00", 0),
        ("2016-04-21T17:24:34", 0),
    ],
)
def test_dates_are_in_utc(text, microsecond):
    date = answers.status({"status": "Started", "statusDate": text, "statusReason": None}).date
    assert date == datetime(2016, 4, 21, 17, 24, 34, microsecond, UTC)
    assert date.tzinfo is UTC


@given(st.datetimes())
def test_a_date_survives_the_way(date):
    assert answers.Fields({"d": f"{date.isoformat()}Z"}, "a test").date("d") == date.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "0001-01-01T00:00:00+14:00", 5, None, "2016-13-01T00:00:00Z"]
)
def test_what_is_no_date_is_garbled(text):
    with pytest.raises(Garbled):
        answers.status({"status": "Started", "statusDate": text})


def test_core_types_have_prices_or_none():
    emerald = answers.core_type(
        {
            "code": "emerald",
            "name": "Emerald",
            "cores": [1, 2, "4"],
            "price": "0.05",
            "lowPriorityPrice": 0.02,
        }
    )
    assert emerald == answers.CoreType("emerald", "Emerald", (1, 2, 4), 0.05, 0.02, False, False)
    assert answers.core_type({"code": "x"}).price is None


def test_analyses_have_versions():
    found = answers.analysis(
        {"code": "openfoam", "name": "OpenFOAM", "versions": [{"versionCode": "2.3.1"}, {"versionCode": 0}]}
    )
    assert found == answers.Analysis("openfoam", "OpenFOAM", ("2.3.1", "0"))


def test_a_plain_list_is_one_page():
    assert answers.page([1, 2]) == answers.Page(2, (1, 2), None)
    assert (
        answers.page({"count": 5, "next": "http://h/?page=2", "previous": None, "results": [1]}).next
        == "http://h/?page=2"
    )


@pytest.mark.parametrize(
    "value", [{}, {"count": -1, "results": []}, {"count": 1}, {"count": 1, "results": {}}, 5, None, "x"]
)
def test_what_is_no_page_is_garbled(value):
    with pytest.raises(Garbled):
        answers.page(value)


@given(st.sampled_from(PARSERS), RUBBISH)
def test_any_json_is_parsed_or_garbled(parse, value):
    with contextlib.suppress(Garbled):
        parse(value)


@given(st.sampled_from(sorted(JOB_ROW)), RUBBISH)
def test_any_change_of_a_job_row_is_parsed_or_garbled(name, value):
    try:
        answers.job_entry(JOB_ROW | {name: value})
    except Garbled:
        assert name in {"id", "name", "jobStatus", "dateInserted", "owner", "clusterStatusDisplay"}


@given(st.text(max_size=10), st.integers())
def test_unknown_fields_are_ignored(name, value):
    if name not in {*JOB_ROW, *NOT_EVERYWHERE}:
        assert answers.job_entry(JOB_ROW | {name: value}) == answers.job_entry(JOB_ROW)


def test_custom_fields_are_read_from_a_map_a_list_and_a_page():
    rows = [{"name": "n", "value": "v"}, {"name": "results", "value": "w"}]
    fields = {"n": "v", "results": "w"}
    for shape in (fields, rows, {"count": 2, "next": None, "previous": None, "results": rows}):
        assert answers.custom_fields(shape) == fields
    with pytest.raises(Garbled):
        answers.custom_fields([{"value": "v"}])
