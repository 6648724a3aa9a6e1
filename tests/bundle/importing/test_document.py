"""A job's JSON alone, also as other services write it, becomes a study."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.document import imported, references, study_name
from doe_compiler.bundle.importing.files import file_name

SOFTWARE = {"code": "openfoam", "name": "OpenFOAM", "version": "2.3.1-openmpi", "versionName": "2.3.1"}
HARDWARE = {"coreSummary": {"numberOfNodes": 1.0}, "coreType": "standard-plus", "coresPerSlot": 1, "slots": 1}


def shown_file(file_id, name, **more):
    return {
        "id": file_id,
        "name": name,
        "md5": "60C6492014F73AD0C08DA866B4CE9160",
        "decryptedSize": 3,
        **more,
    }


REFERENCE_JOB = {
    "archiveFilters": [], "caseFile": None, "expectedRuns": 3, "id": "aabbcc", "includeNominalRun": False,
    "isLowPriority": True, "isTemplateDryRun": False, "monteCarloIterations": None, "name": "Untitled Job",
    "optimizer": None, "owner": "mark@rescale.com", "remoteVizConfig": None, "resourceFilters": [],
    "paramFile": shown_file("sWErpg", "freestreamvalue.csv"),
    "jobvariables": [
        {"displayOrder": 0, "name": "Xvelocity", "valueGeneratorSettings": {}, "valueGeneratorType": "", "variableType": "Param"},
        {"displayOrder": 1, "name": "Yvelocity", "valueGeneratorSettings": {}, "valueGeneratorType": "", "variableType": "Param"},
    ],
    "jobanalyses": [{
        "analysis": SOFTWARE, "command": "./airFoil2D_DOE/Allrun", "envVars": {}, "flags": {}, "hardware": HARDWARE,
        "inputFiles": [shown_file("duMEdg", "airfoid2d_doe.tar.gz")],
        "postProcessScript": None, "postProcessScriptCommand": "", "preProcessScript": None, "preProcessScriptCommand": "",
        "templateTasks": [{"processedFilename": "airFoil2D_DOE/0/U", "templateFile": shown_file("qEMEdg", "utemplate")}],
        "useRescaleLicense": False,
    }],
}  # fmt: skip
CONTENTS = {"sWErpg": b"Xvelocity, Yvelocity\n1, 2\n", "qEMEdg": b"${Xvelocity} ${Yvelocity}"}


def document(job, contents=CONTENTS):
    return yaml.safe_load(imported(job, contents, "here").text)


def test_the_job_of_the_reference_is_a_short_study():
    found = imported(REFERENCE_JOB, CONTENTS, "here")
    assert found.warnings == ()
    assert yaml.safe_load(found.text) == {
        "doe": 1, "study": "untitled-job", "description": "Untitled Job",
        "variables": {"Xvelocity": {}, "Yvelocity": {}},
        "design": {"method": "table", "file": "parameters.csv"},
        "analyses": [{
            "analysis": {"code": "openfoam", "version": "2.3.1-openmpi"}, "command": "./airFoil2D_DOE/Allrun",
            "hardware": {"coreType": "standard-plus", "coresPerSlot": 1, "slots": 1},
            "inputFiles": ["inputs/airfoid2d_doe.tar.gz"],
            "templates": [{"source": "templates/utemplate", "target": "airFoil2D_DOE/0/U"}],
        }],
        "job": {"isLowPriority": True, "resourceFilters": []},
    }  # fmt: skip
    assert {file.path: file.id for file in found.files} == {
        "parameters.csv": "sWErpg", "inputs/airfoid2d_doe.tar.gz": "duMEdg", "templates/utemplate": "qEMEdg"
    }  # fmt: skip


def test_every_file_is_asked_for_once_with_its_checksum():
    found = {each.id: (each.size, each.md5, each.read_limit > 0) for each in references(REFERENCE_JOB)}
    md5 = "60c6492014f73ad0c08da866b4ce9160"
    assert found == {"sWErpg": (3, md5, True), "duMEdg": (3, md5, False), "qEMEdg": (3, md5, True)}


def changed(**more):
    return {**json.loads(json.dumps(REFERENCE_JOB)), **more}


def with_analysis(**more):
    return changed(jobanalyses=[{**REFERENCE_JOB["jobanalyses"][0], **more}])


def test_what_others_write_is_understood():
    hardware = {
        "coreType": {"code": "emerald", "name": "Emerald"},
        "coresPerSlot": "4",
        "slots": 2.0,
        "walltime": "8",
    }
    found = document(with_analysis(hardware=hardware, useMpi="True", envVars={"A": 1, "B": None}, flags=None))
    analysis = found["analyses"][0]
    assert analysis["hardware"] == {"coreType": "emerald", "coresPerSlot": 4, "slots": 2, "walltime": 8}
    assert analysis["useMpi"] is True
    assert analysis["envVars"] == {"A": "1", "B": ""}


def test_what_has_no_word_is_told():
    found = imported(with_analysis(hardware={**HARDWARE, "type": "compute"}), CONTENTS, "here")
    assert found.warnings == (
        "analyses[0].hardware: the hardware's type (compute) has no word in the study language",
    )
    assert "# the hardware's type (compute)" in found.text
    shared = imported(changed(sharedWith=["a@b.c"]), CONTENTS, "here")
    assert "a@b.c" in shared.text


def test_what_is_unknown_and_says_something_is_passed_through():
    found = document(changed(folderId="f1", isInteractive=False, empty="", none=None, expectedRuns=9))
    assert found["job"]["raw"] == {"folderId": "f1", "isInteractive": False}


def test_the_columns_of_a_case_file_stay_in_the_templates():
    variables = [{"name": "c", "variableType": "Case", "displayOrder": 3}]
    job = changed(caseFile=shown_file("case", "cases.csv"), jobvariables=variables)
    found = imported(job, {**CONTENTS, "qEMEdg": b"${Xvelocity} ${c}"}, "here")
    assert not any("'c'" in warning or ": c" in warning for warning in found.warnings)
    assert next(file.content for file in found.files if file.id == "qEMEdg") is None


@pytest.mark.parametrize(
    ("name", "study"),
    [
        ("the FOAM 2", "the-foam-2"),
        ("Ünï çode", "n-ode"),
        ("日本", "job-aabbcc"),
        ("", "job-aabbcc"),
        ("x" * 50, "x" * 40),
        ("Lift [doe2 airfoil2d 0123456789ab.64-89abcdef01234567.g0.65f3a1c09b1d44e2]", "airfoil2d"),
    ],
)
def test_the_study_has_a_name(name, study):
    assert study_name(changed(name=name)) == study
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", study)


@given(st.text(max_size=300))
def test_a_file_name_stays_in_its_folder(name):
    safe = file_name(name)
    assert safe.strip(" .")
    assert "/" not in safe
    assert "\\" not in safe
    assert safe.isprintable()
    assert len(safe.encode("utf-8", "replace")) <= 255
    assert Path("folder", safe).parent == Path("folder")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*REFERENCE_JOB, "sharedWith"]), JSON), JSON)
def test_no_answer_of_a_platform_breaks_it(fields, step):
    job = changed(**fields)
    assert yaml.safe_load(imported(job, CONTENTS, "here").text)["doe"] == 1
    keys = list(REFERENCE_JOB["jobanalyses"][0])
    for key in keys:
        assert document(with_analysis(**{key: step}))["doe"] == 1


# Strange jobs

VARIABLE_NAMES = st.sampled_from(["x", "y", "X", "a-b", "a_b", "doe_x", "", "é", "1", "x" * 200])
VARIABLES = st.lists(
    st.fixed_dictionaries(
        {"name": VARIABLE_NAMES | st.none() | st.integers()},
        optional={
            "variableType": st.sampled_from(["Param", "Design", "Case", "Output", "odd", None, 3]),
            "displayOrder": st.integers(0, 3) | st.none() | st.text(max_size=2),
            "valueGeneratorType": st.sampled_from(["Uniform", "normal", "Linspace", "odd", "", None]),
            "valueGeneratorSettings": st.dictionaries(
                st.sampled_from(["minvalue", "maxvalue", "mean", "standarddeviation", "count", "nominal"]),
                st.integers(-2, 3) | st.none() | st.just("1e999"),
            ),
        },
    ),
    max_size=4,
)
STRANGE_FILES = st.none() | st.sampled_from(
    ["a", {"id": "a", "name": "a"}, {"id": "b", "name": "a"}, {"id": "c", "name": "../a"}, {}, 3]
)
STRANGE_CONTENTS = st.dictionaries(
    st.sampled_from("abc"),
    st.sampled_from(
        [
            b"",
            b"x,y\n1,2\n",
            b"x\n1\n1\n",
            b"${x} $${y} ${",
            b"\xff",
            b"\0",
            b"# Generated by doe: \n",
            b"x,doe_replicate\n1,1\n1,2\n",
        ]
    ),
)


@st.composite
def strange_jobs(draw):
    """Jobs that have the shape of jobs, but say what no platform should."""
    steps = [
        {
            "command": draw(
                st.sampled_from(["", "a", ". ./doe_variables.sh || exit 1\na", "( a\n)\ndoe_exit=$?; "])
            ),
            "inputFiles": draw(st.lists(STRANGE_FILES, max_size=3)),
            "templateTasks": draw(
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "templateFile": STRANGE_FILES,
                            "processedFilename": st.sampled_from(["d", "../d", "", "/d", "doe_variables.sh"]),
                        }
                    ),
                    max_size=3,
                )
            ),
            "preProcessScript": draw(STRANGE_FILES),
            "preProcessScriptCommand": draw(st.sampled_from(["", "sh a", ". ./doe_pre.sh"])),
            "postProcessScript": draw(STRANGE_FILES),
            "postProcessScriptCommand": draw(st.sampled_from(["", "sh a", ". ./doe_post.sh"])),
            "hardware": draw(
                st.sampled_from([{}, {"slots": "many"}, {"walltime": "1e999"}, {"coreType": {}}])
            ),
            "envVars": draw(st.sampled_from([{}, None, {"A": None}, {"DOE_RESPONSES": "[["}, {"A": "$$$x"}])),
        }
        for _ in range(draw(st.integers(0, 3)))
    ]
    return changed(
        jobvariables=draw(VARIABLES),
        jobanalyses=steps,
        paramFile=draw(STRANGE_FILES),
        caseFile=draw(STRANGE_FILES),
        monteCarloIterations=draw(st.none() | st.integers(-1, 5) | st.just("2")),
        includeNominalRun=draw(st.booleans()),
        outputReading=draw(st.sampled_from([None, {"variables": [{"kind": "odd"}, 3]}, {"variables": {}}])),
    )


@given(strange_jobs(), STRANGE_CONTENTS)
def test_a_strange_job_becomes_a_document_whose_files_are_all_there(job, contents):
    found = imported(job, contents, "here")
    study = yaml.safe_load(found.text)
    assert study["doe"] == 1
    assert len(study["analyses"]) == len(job["jobanalyses"])
    paths = [file.path for file in found.files]
    assert len({path.casefold() for path in paths}) == len(paths)
    assert all(".." not in path.split("/") and not path.startswith("/") for path in paths)
    known = {each.id for each in references(job)}
    assert {file.id for file in found.files} <= known
    for analysis in study["analyses"]:
        named = [each if isinstance(each, str) else each["path"] for each in analysis.get("inputFiles", [])]
        named += [each["source"] for each in analysis.get("templates", [])]
        named += [analysis[kind]["script"] for kind in ("preProcess", "postProcess") if kind in analysis]
        assert set(named) <= set(paths)
    assert imported(job, contents, "here") == found


@given(VARIABLES)
def test_no_variable_of_a_job_is_lost(variables):
    found = imported(changed(jobvariables=variables, paramFile=None), CONTENTS, "here")
    study = yaml.safe_load(found.text)
    names = [str(variable["name"] or "") if variable["name"] != 0 else "0" for variable in variables]
    kept = len(study["variables"]) + len(study.get("job", {}).get("raw", {}).get("jobvariables", []))
    assert kept == len(set(names))
    told = [warning for warning in found.warnings if "more than once" in warning]
    assert len(told) == len({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize(
    "hardware", [{"slots": "many"}, {"walltime": "1e999"}, {"coresPerSlot": -4}, {"walltime": [1]}]
)
def test_hardware_that_cannot_be_read_is_told(hardware):
    found = imported(with_analysis(hardware={**HARDWARE, **hardware}), CONTENTS, "here")
    ((key, value),) = hardware.items()
    assert any(f"{key} ({value})" in warning for warning in found.warnings)
