"""The create call says every field as the API spells it; references become ids, and `raw` has the last word."""

import copy
from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.pack import bundled, for_reading_platform
from doe_compiler.bundle.payload import ByContent, plain_payload, reference_of, sampling_unit, with_ids
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.spec.model import (
    DesignSpec,
    Hardware,
    InputFile,
    JobSpec,
    PlatformFile,
    Sampling,
    Variable,
)

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
    local,
    references_in,
    with_analysis,
)


def payload_of(spec, *, is_ours=True):
    bundle = bundle_of(spec) if spec.design.sampling is Sampling.COMPILER else bundled(spec, None)
    bundle = for_reading_platform(bundle) if is_ours else bundle
    return bundle.jobs()[0].payload(bundle, name="n", parameters="0" * 64 + "/p.csv")


def test_every_field_of_a_job_is_said_as_the_api_spells_it():
    found = payload_of(a_spec())
    assert {key: value for key, value in found.items() if key != "jobanalyses"} == {
        "name": "n",
        "paramFile": {"id": f"sha256:{'0' * 64}/p.csv"},
        "caseFile": None,
        "jobvariables": [],
        "isLowPriority": False,
        "isTemplateDryRun": False,
        "includeNominalRun": False,
        "monteCarloIterations": None,
    }
    filters = ({"action": "keep", "pattern": "*.dat"},)
    job = JobSpec(True, 1.5, PlatformFile("cases"), None, False, True, filters)
    found = payload_of(a_spec(job=job))
    assert found["isLowPriority"] is found["isTemplateDryRun"] is True
    assert found["caseFile"] == {"id": "cases"}
    assert found["resourceFilters"] == [{"action": "keep", "pattern": "*.dat"}]


def test_a_nominal_run_of_the_table_is_not_asked_for_once_more():
    with_nominal = a_spec(levels("x", "2", "3", nominal="1"), job=JobSpec(include_nominal_run=True))
    found = payload_of(with_nominal)
    assert bundle_of(with_nominal).design.cells("x") == ["1", "2", "3"]
    assert found["includeNominalRun"] is False


def test_every_field_of_an_analysis_is_said_as_the_api_spells_it():
    analysis = an_analysis(
        "./solve",
        code="openfoam", version="2.3", hardware=Hardware("emerald", 4, 2, 1.5), use_mpi=True,
        input_files=(an_input("a.zip", "a"), an_input("b", "b", decompress=False), InputFile(PlatformFile("id1"))),
        templates=(a_template("${x}", "deck"),), env_vars={"A": "1", "B": "$$5"}, use_rescale_license=True,
        pre_process=a_script("pre.sh", "sh pre.sh", "p"), post_process=a_script("post.sh", "sh post.sh", "q"),
        raw={"flags": {"igCv": True}},
    )  # fmt: skip
    (found,) = payload_of(a_spec(analyses=(analysis,)))["jobanalyses"]

    def of(file):
        return {"id": f"sha256:{file.sha256}/{file.name}"}

    env_vars = found.pop("envVars")
    assert {key: value for key, value in env_vars.items() if not key.startswith("DOE_")} == {
        "A": "1",
        "B": "$5",
    }
    assert found == {
        "analysis": {"code": "openfoam", "version": "2.3"},
        "command": "./solve",
        "hardware": {"coreType": "emerald", "coresPerSlot": 4, "slots": 2, "walltime": 1.5},
        "inputFiles": [
            {**of(local("a.zip", "a")), "decompress": True},
            {**of(local("b", "b")), "decompress": False},
            {"id": "id1", "decompress": True},
        ],
        "templateTasks": [{"templateFile": of(local("deck.template", "${x}")), "processedFilename": "deck"}],
        "useMpi": True,
        "useRescaleLicense": True,
        "preProcessScript": of(local("pre.sh", "p")),
        "preProcessScriptCommand": "sh pre.sh",
        "postProcessScript": of(local("post.sh", "q")),
        "postProcessScriptCommand": "sh post.sh",
        "flags": {"igCv": True},
    }


def test_a_software_without_a_version_names_none():
    assert payload_of(a_spec())["jobanalyses"][0]["analysis"] == {"code": "user_included"}


# What the platform samples

ONE = Fraction(1)
LAWS = [
    (Uniform(ONE, ONE * 2), "Uniform", {"minvalue": 1, "maxvalue": 2}),
    (Normal(ONE, ONE / 2), "Normal", {"mean": 1, "standarddeviation": 0.5}),
    (LogNormal(ONE, ONE / 4), "LogNormal", {"mean": 1, "standarddeviation": 0.25}),
    (Triangular(ONE, ONE * 2, ONE * 3), "Triangular", {"minvalue": 1, "mode": 2, "maxvalue": 3}),
    (Linspace(ONE, ONE * 3, 5), "Linspace", {"minvalue": 1, "maxvalue": 3, "count": 5}),
    (FixedRange(ONE, ONE * 3, ONE / 2), "FixedRange", {"minvalue": 1, "maxvalue": 3, "increment": 0.5}),
]


def sampled(*variables, **more):
    design = DesignSpec(
        "monte-carlo", PLACE, iterations=more.pop("iterations", 4), sampling=Sampling.PLATFORM
    )
    return a_spec(*variables, design=design, **more)


@pytest.mark.parametrize(("law", "kind", "settings"), LAWS, ids=[kind for _, kind, _ in LAWS])
def test_a_generator_is_sent_where_the_platform_samples_and_only_there(law, kind, settings):
    variable = Variable("x", law, PLACE, nominal="1.5", role="Design")
    spec = sampled(variable, constant("c", "2.5"))
    drawn = plain_payload(spec, ByContent({}) if not spec.analyses[0].templates else _NAMED)
    first, second = drawn["jobvariables"]
    assert first == {
        "name": "x", "variableType": "Design", "displayOrder": 0,
        "valueGeneratorType": kind, "valueGeneratorSettings": settings,
    }  # fmt: skip
    assert second["valueGeneratorSettings"] == {"minvalue": 2.5, "maxvalue": 2.5, "count": 1}
    assert drawn["monteCarloIterations"] == 4
    compiled = plain_payload(replace(spec, design=DesignSpec("monte-carlo", PLACE, runs=4)), _NAMED)
    assert [entry["valueGeneratorType"] for entry in compiled["jobvariables"]] == ["", ""]
    assert compiled["monteCarloIterations"] is None


class _NAMED:
    """Files by their names."""

    file = staticmethod(lambda file: file.name)
    input = staticmethod(lambda file, *, decompress: (file.name, decompress))
    template = staticmethod(lambda task: task.source.name)


def test_nominal_values_are_sent_for_a_nominal_run_only():
    variable = Variable("x", Uniform(ONE, ONE * 2), PLACE, nominal="1.5")
    without = plain_payload(sampled(variable), _NAMED)
    with_run = plain_payload(sampled(variable, job=JobSpec(include_nominal_run=True)), _NAMED)
    assert "nominal" not in without["jobvariables"][0]["valueGeneratorSettings"]
    assert with_run["jobvariables"][0]["valueGeneratorSettings"]["nominal"] == 1.5
    assert (without["includeNominalRun"], with_run["includeNominalRun"]) == (False, True)


BASE = sampled(
    Variable("x", Uniform(ONE, ONE * 2), PLACE, nominal="1.5"), Variable("y", Uniform(ONE, ONE * 2), PLACE)
)


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ({"seed": 9}, True),
        ({"design": replace(BASE.design, iterations=5)}, True),
        ({"job": JobSpec(include_nominal_run=True)}, True),
        ({"variables": (replace(BASE.variables[0], law=Uniform(ONE, ONE * 3)), BASE.variables[1])}, True),
        ({"variables": (replace(BASE.variables[0], name="z"), BASE.variables[1])}, True),
        ({"variables": (BASE.variables[1], BASE.variables[0])}, False),
        ({"variables": (replace(BASE.variables[0], unit="m", description="d"), BASE.variables[1])}, False),
        ({"description": "other"}, False),
        ({"job": JobSpec(is_low_priority=True)}, False),
        ({"analyses": (an_analysis("other"),)}, False),
    ],
)  # fmt: skip
def test_a_unit_is_its_generators_its_iterations_its_seed_and_nothing_else(change, is_new):
    assert (sampling_unit(replace(BASE, **change)) != sampling_unit(BASE)) is is_new


# Variables that say more than their column


def test_jobs_with_a_table_list_their_variables_only_where_one_says_more():
    assert payload_of(a_spec(levels("x", "1"), levels("y", "2")))["jobvariables"] == []
    roles = a_spec(levels("x", "1"), levels("y", "2", role="Design", raw={"custom": 1}))
    assert payload_of(roles)["jobvariables"] == [
        {"name": "x", "variableType": "Param", "displayOrder": 0, "valueGeneratorType": "", "valueGeneratorSettings": {}},
        {"name": "y", "variableType": "Design", "displayOrder": 1, "valueGeneratorType": "", "valueGeneratorSettings": {}, "custom": 1},
    ]  # fmt: skip


def test_variables_of_the_jobs_raw_are_added_and_replace_those_of_their_name():
    added = [{"name": "Cd", "variableType": "Output"}, {"name": "y", "variableType": "Case"}]
    spec = a_spec(levels("x", "1"), levels("y", "2", role="Design"), job=JobSpec(raw={"jobvariables": added}))
    assert [(each["name"], each["variableType"]) for each in payload_of(spec)["jobvariables"]] == [
        ("x", "Param"), ("Cd", "Output"), ("y", "Case")
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
JOB_KEYS = st.sampled_from([*payload_of(a_spec()), "projectId"])
ANALYSIS_KEYS = st.sampled_from([*payload_of(a_spec())["jobanalyses"][0], "flags"])


@given(st.dictionaries(JOB_KEYS.filter(lambda key: key != "jobvariables"), JSON), st.booleans())
def test_raw_of_a_job_has_the_last_word(raw, is_ours):
    plain = payload_of(a_spec(), is_ours=is_ours)
    found = payload_of(a_spec(job=JobSpec(raw=raw)), is_ours=is_ours)
    # what is overridden counts in the recipe, which the markers tell
    found_else, plain_else = ({**each, "jobanalyses": None} for each in (found, {**plain, **raw}))
    assert found_else == plain_else
    assert found["jobanalyses"] == raw.get("jobanalyses", found["jobanalyses"])


@given(st.dictionaries(ANALYSIS_KEYS, JSON), st.booleans())
def test_raw_of_an_analysis_has_the_last_word(raw, is_ours):
    found = payload_of(with_analysis(a_spec(), raw=raw), is_ours=is_ours)["jobanalyses"][0]
    assert {key: found[key] for key in raw} == raw


# Ids

REFERENCE = st.builds(reference_of, st.sampled_from(["a" * 64, "b" * 64]), st.sampled_from(["x", "y z", "é"]))


@given(st.recursive(REFERENCE.map(lambda ref: {"id": f"sha256:{ref}"}) | JSON, st.lists, max_leaves=8))
def test_ids_replace_every_reference_and_leave_the_rest(value):
    payload = {"a": value, "id": "own"}
    before = copy.deepcopy(payload)
    ids = {reference.removeprefix("sha256:"): f"ID{n}" for n, reference in enumerate(references_in(payload))}
    found = with_ids(payload, ids)
    assert references_in(found) == []
    assert payload == before
    names = {identity: f"sha256:{reference}" for reference, identity in ids.items()}
    assert with_ids_back(found, names) == before


def with_ids_back(value, names):
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner)
            if key == "id" and isinstance(inner, str)
            else with_ids_back(inner, names)
            for key, inner in value.items()
        }
    return [with_ids_back(inner, names) for inner in value] if isinstance(value, list) else value


def test_a_reference_without_an_id_stops_before_anything_is_sent():
    with pytest.raises(KeyError):
        with_ids({"paramFile": {"id": f"sha256:{'0' * 64}/p.csv"}}, {})


@pytest.mark.parametrize("text", ["sha256:4f2a", f"sha256:{'a' * 64}", "sha256:", f"sha256:{'a' * 64}/x"])
def test_a_users_own_text_that_looks_like_a_reference_is_sent_as_it_is(text):
    spec = with_analysis(a_spec(), env_vars={"id": text})
    payload = payload_of(spec)
    bundle = bundle_of(spec)
    ids = {file.reference: file.name for file in bundle.files} | {"0" * 64 + "/p.csv": "p"}
    assert with_ids(payload, ids)["jobanalyses"][0]["envVars"]["id"] == text


def test_no_part_of_a_study_is_forgotten_in_a_payload():
    """Each field of an analysis and of the job, changed alone, changes what is sent; the others are listed."""
    spec = with_analysis(a_spec(), pre_process=a_script("a", "b"))
    changes = {
        "code": "other", "version": "1", "command": "other", "hardware": Hardware("onyx"), "run_timeout_s": 5,
        "input_files": (an_input("i"),), "templates": (), "env_vars": {"A": "1"}, "pre_process": None,
        "post_process": a_script("c", "d"), "use_mpi": True, "use_rescale_license": True, "raw": {"a": 1},
        "shell_names": ("x",), "measured_names": ("x",),
    }  # fmt: skip
    assert {field.name for field in fields(spec.analyses[0])} - {"place"} == changes.keys()
    plain = [payload_of(spec, is_ours=is_ours)["jobanalyses"] for is_ours in (True, False)]
    for name, value in changes.items():
        changed = with_analysis(spec, **{name: value})
        assert [payload_of(changed, is_ours=is_ours)["jobanalyses"] for is_ours in (True, False)] != plain, (
            name
        )
