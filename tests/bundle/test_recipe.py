"""The recipe: what determines a run is in it, what does not is not; pinned, so that no upgrade buys again."""

import pytest

from doe_compiler.bundle.recipe import recipe, recipe_digest
from doe_compiler.pipeline.compiling import checked_spec


def digest(study):
    return recipe_digest(checked_spec(study)[0])


@pytest.fixture
def before(study_at):
    return digest(study_at("before"))


@pytest.mark.parametrize(
    "change",
    [
        {"command": '"true"'},
        {"deck": "x  = ${x}\n"},
        {"analysis": '    envVars: {OMP_NUM_THREADS: "1"}'},
        {"analysis": "    useMpi: true"},
        {"analysis": "    raw: {flags: {a: 1}}"},
        {"rest": "job: {isTemplateDryRun: true}"},
        {"variables": "  x: {generator: Uniform, min: 0, max: 10}\n  c: {value: 2}", "deck": "x = ${x} ${c}\n"},
    ],
    ids=["command", "template", "environment", "mpi", "raw", "dry run", "constant"],
)
def test_what_determines_a_run_changes_the_recipe(study_at, before, change):
    assert digest(study_at("after", **change)) != before


@pytest.mark.parametrize(
    "change",
    [
        {"design": "{method: latin-hypercube, runs: 9}"},
        {"analysis": "    runTimeout: 5m"},
        {"rest": "seed: 8".replace("seed: 8", "limits: {runs: 9}")},
        {"rest": "job: {raw: {projectId: abc}, runsPerJob: 2}"},
        {"responses": "  z: {file: y.txt, regex: '(.)', unit: N}"},
        {"variables": "  x: {generator: Normal, mean: 0, std: 1, unit: m}"},
    ],
    ids=["design", "time-out", "limits", "job", "responses", "generator"],
)
def test_what_does_not_determine_a_run_leaves_the_recipe(study_at, before, change):
    assert digest(study_at("after", **change)) == before


def test_a_constant_that_no_template_uses_is_not_in_it(study_at, before):
    unused = "  x: {generator: Uniform, min: 0, max: 10}\n  c: {value: 2}"
    assert digest(study_at("after", variables=unused)) == before


def test_the_recipe_is_pinned(study_at):
    spec, _ = checked_spec(
        study_at(
            variables="  x: {levels: [1]}\n  c: {value: 2.50}\n  e: {expression: 'c * x', format: '0.0'}",
            design="{}",
            deck="${x} ${e}\n",
            analysis="    runTimeout: 1h",
        )
    )
    assert recipe(spec) == {
        "analyses": [
            {
                "code": "user_included",
                "command": "awk '{print $3 + 1}' deck.txt > y.txt",
                "templates": [
                    {
                        "target": "deck.txt",
                        "sha256": "b1cba6f0f92499c3dc9c1e1bcae9f53baee893771abd4a0ffe5e5b3411c79e83",
                    }
                ],
            }
        ],
        "fixed": {"c": {"value": "2.5"}, "e": {"expression": "c * x", "format": "0.0"}},
    }
    assert recipe_digest(spec) == "ab2fbbd9bd543f35c1ed67f93339dd94b440989c40066021985fdcf1b80bdefa"
