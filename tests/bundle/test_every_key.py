"""Every key of the study language, changed in turn: does it buy runs again? A key without an answer fails.

RECIPE: what a run computes has changed, all runs are wanted again. ROWS: other runs are wanted, those that stay
are kept. NOTHING: no run is bought, and users or the platform still see a difference: no key is without an effect. FINDING: it is refused or told.
"""

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml

from doe_compiler.bundle.pack import bundled
from doe_compiler.bundle.recipe import recipe_digest
from doe_compiler.bundle.rows import design_keys
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.design.build import build
from doe_compiler.generators.catalogue import GENERATORS
from doe_compiler.plan.estimate import estimate
from doe_compiler.plan.limits import broken, need_of
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.goals import best
from doe_compiler.results.states import RunState, run_state
from doe_compiler.results.table import as_csv, as_json
from doe_compiler.spec.model import Sampling
from doe_compiler.spec.read import read_study

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "study.schema.json").read_text())
RECIPE, ROWS, NOTHING, FINDING = "recipe", "rows", "nothing", "finding"

FILES = {
    "deck.t": "${u} ${n} ${ln} ${lv} ${t} ${l} ${r} ${c} ${x?string('0.0')} ${K}\n".replace("'", '"'),
    "deck2.t": "${u} ${n} ${ln} ${lv} ${t} ${l} ${r} ${c} ${x} ${K} 2\n",
    "table.t": "${p}\n",
    "done.csv": "run,u,n,drag\n1,1.25,1.5,0.3\n2,1.0,2.0,\n",
    "points.csv": "p\n1\n2\n",
    "measured.csv": "speed,gust\n1,4\n2,5\n2,9\n",
    "measured2.csv": "speed\n3\n1\n",
    "points2.csv": "p\n1\n3\n",
    "commas.csv": "p\n1,5\n2\n",
    "mesh.dat": "mesh\n",
    "mesh2.dat": "another mesh\n",
    "pre.sh": "true\n",
    "pre2.sh": "false\n",
    "cases.csv": "k\n1\n2\n",
    "constant.t": "${u}\n",
}
WHOLE = {
    "doe": 1,
    "study": "keys",
    "description": "All keys",
    "seed": 7,
    "variables": {
        "u": {"generator": "Uniform", "min": 1, "max": 2, "nominal": 1.5, "unit": "m"},
        "n": {"generator": "Normal", "mean": 0, "std": 1, "lower": -3, "upper": 3, "nominal": 0},
        "ln": {"generator": "LogNormal", "mu": 0, "sigma": 0.25, "lower": 0.1, "upper": 9, "nominal": 1},
        "lv": {"generator": "LogNormal", "mean": 2, "std": 0.5, "lower": 0.1, "upper": 9, "nominal": 2},
        "t": {"generator": "Triangular", "min": 0, "mode": 1, "max": 3, "nominal": 1},
        "l": {"levels": [1, 2], "nominal": 1},
        "r": {"generator": "FixedRange", "min": 1, "max": 3, "increment": 1, "nominal": 1},
        "s": {"generator": "Linspace", "start": 0, "stop": 1, "count": 3, "nominal": 0},
        "c": {"value": 2.567},
        "x": {"expression": "c * u + s"},
    },
    "design": {"method": "monte-carlo", "runs": 6, "constraints": ["u < 10"]},
    "analyses": [
        {
            "analysis": {"code": "user_included", "version": "1"},
            "command": "cat deck.txt",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": 1, "walltime": 1},
            "runTimeout": "5m",
            "inputFiles": ["mesh.dat", {"id": "abcdef"}],
            "templates": [{"source": "deck.t", "target": "deck.txt", "keep": ["K"]}],
            "envVars": {"A": "1"},
            "preProcess": {"script": "pre.sh", "command": "sh pre.sh"},
            "raw": {"onDemandLicenseSeller": None},
        }
    ],
    "responses": {
        "a": {"file": "a.txt", "regex": "(.)", "take": "last", "unit": "N"},
        "b": {"file": "b.json", "json": "x.y"},
        "d": {"file": "d.csv", "csv": "drag", "take": "last"},
        "e": {"command": "cat e.txt"},
    },
    "job": {"includeNominalRun": False},
    "limits": {"runs": 100},
}
TABLE = {
    **WHOLE,
    "variables": {"p": {}},
    "design": {"method": "table", "file": "points.csv"},
    "analyses": [
        {
            **WHOLE["analyses"][0],
            "templates": [{"source": "table.t", "target": "deck.txt"}],
        }
    ],
}
FREE = {**WHOLE, "design": {"method": "monte-carlo", "runs": 6}}
OF_ONE = {
    **WHOLE,
    "analyses": [{**WHOLE["analyses"][0], "templates": [{"source": "constant.t", "target": "deck.txt"}]}],
}
RANGES = {name: {"generator": "Uniform", "min": 1, "max": 2} for name in ("u", "n", "ln", "lv", "t")}


def of_ranges(count, **design):
    """A study of some ranges and constants."""
    ranges = dict(list(RANGES.items())[:count])
    constants = {name: {"value": 1} for name in (*RANGES, "l", "r", "c", "x") if name not in ranges}
    return {**WHOLE, "variables": {**ranges, **constants}, "design": design}


FRACTION = of_ranges(3, method="fractional-factorial", generators=["C=AB"])
RESOLUTION = of_ranges(5, method="fractional-factorial", resolution=3)
COMBINED = of_ranges(2, combine=[{"method": "star"}, {"method": "latin-hypercube", "runs": 5}])
OPTIMAL = of_ranges(2, method="d-optimal", runs=7, model="quadratic")
COMPOSITE = of_ranges(3, method="central-composite")
ARRAY = of_ranges(3, method="orthogonal-array", array="L9")
SALTELLI = of_ranges(2, method="saltelli", runs=12)
CORRELATED = {**FREE, "design": {"method": "monte-carlo", "runs": 40, "correlation": {"u/n": 0.5}}}
SOBOL = {**WHOLE, "design": {"method": "sobol", "runs": 4}}
LATIN = {**WHOLE, "design": {"method": "latin-hypercube", "runs": 64}}
LEVELLED = {
    **OF_ONE,
    "variables": {"u": {"generator": "Uniform", "min": 1, "max": 2}},
    "design": {"method": "full-factorial", "levels": 3},
}
ACCENTED = {**OF_ONE, "variables": {"u": {"levels": ["é", "e"]}}, "design": {}}
PLATFORM = {
    **TABLE,
    "variables": {"u": {"generator": "Uniform", "min": 1, "max": 2}},
    "design": {"method": "monte-carlo", "sampling": "platform", "iterations": 5},
    "analyses": [
        {
            **WHOLE["analyses"][0],
            "templates": [{"source": "constant.t", "target": "deck.txt"}],
        }
    ],
}
ANALYSIS = ("analyses", 0)
DROP = object()


def variable(name, key, value):
    return (WHOLE, ("variables", name, key), value)


def response(name, key, value):
    return (WHOLE, ("responses", name, key), value)


def analysis(*path_and_value):
    *path, value = path_and_value
    return (WHOLE, (*ANALYSIS, *path), value)


# key of the schema -> (study, path, new value, what it costs)
DECISIONS: dict[str, tuple[tuple[dict, tuple, object], str]] = {
    "study.doe": ((WHOLE, ("doe",), 2), FINDING),
    "study.study": ((WHOLE, ("study",), "other"), ROWS),
    "study.description": ((WHOLE, ("description",), "Another title"), NOTHING),
    "study.seed": ((WHOLE, ("seed",), 8), ROWS),
    "study.variables": ((WHOLE, ("variables", "u", "max"), 3), ROWS),
    "study.design": ((WHOLE, ("design", "runs"), 9), ROWS),
    "study.analyses": ((WHOLE, (*ANALYSIS, "command"), "cat mesh.dat deck.txt"), RECIPE),
    "study.responses": ((WHOLE, ("responses", "z"), {"file": "z.txt", "regex": "(.)"}), NOTHING),
    "study.job": ((WHOLE, ("job", "runsPerJob"), 2), NOTHING),
    "study.limits": ((WHOLE, ("limits", "runs"), 99), NOTHING),
    "variable_unit": (variable("u", "unit", "mm"), NOTHING),
    "variable_nominal": (variable("u", "nominal", 1.75), NOTHING),
    "variable_format": (variable("c", "format", "0.0"), RECIPE),
    "variable_type": (variable("t", "type", "integer"), ROWS),
    "variable_dimension": ((SOBOL, ("variables", "u", "dimension"), 9), ROWS),
    "variable_role": (variable("u", "role", "design"), RECIPE),
    "variable_raw": (variable("u", "raw", {"custom": 1}), RECIPE),
    "variable_description": (variable("u", "description", "a velocity"), NOTHING),
    "levels.levels": (variable("l", "levels", [1, 5]), ROWS),
    "levels.weights": ((FREE, ("variables", "l", "weights"), [1, 9]), ROWS),
    "constant.value": (variable("c", "value", 2.568), RECIPE),
    "formula.expression": (variable("x", "expression", "c * u - s"), RECIPE),
    "design.method": ((FREE, ("design", "method"), "latin-hypercube"), ROWS),
    "design.runs": ((WHOLE, ("design", "runs"), 7), ROWS),
    "design.file": ((TABLE, ("design", "file"), "points2.csv"), ROWS),
    "design.decimal": ((TABLE, ("design",), {"method": "table", "file": "commas.csv", "decimal": ","}), ROWS),
    "design.levels": ((LEVELLED, ("design", "levels"), 4), ROWS),
    "design.model": ((OPTIMAL, ("design", "model"), "interactions"), ROWS),
    "design.augment": ((OPTIMAL, ("design", "augment"), "done.csv"), ROWS),
    "design.generators": ((FRACTION, ("design", "generators"), ["C=-AB"]), ROWS),
    "design.resolution": ((RESOLUTION, ("design", "resolution"), 4), ROWS),
    "design.axial": ((COMPOSITE, ("design", "axial"), "inscribed"), ROWS),
    "design.alpha": ((COMPOSITE, ("design", "alpha"), 1.2), ROWS),
    "design.array": ((ARRAY, ("design", "array"), "L8"), ROWS),
    "design.centerPoints": ((FRACTION, ("design", "centerPoints"), 1), ROWS),
    "design.blocks": ((COMPOSITE, ("design", "blocks"), 2), ROWS),
    "design.secondOrder": ((SALTELLI, ("design", "secondOrder"), True), ROWS),
    "design.scramble": ((SOBOL, ("design", "scramble"), False), ROWS),
    "design.skip": ((SOBOL, ("design", "skip"), 1), ROWS),
    "design.criterion": ((LATIN, ("design", "criterion"), "centered"), ROWS),
    "design.strength": ((LATIN, ("design", "strength"), 2), ROWS),
    "design.nested": ((LATIN, ("design", "nested"), True), ROWS),
    "design.sliced": ((LATIN, ("design", "sliced"), ["l"]), ROWS),
    "design.replicates": ((WHOLE, ("design", "replicates"), 2), ROWS),
    "design.randomize": ((WHOLE, ("design", "randomize"), True), NOTHING),
    "design.combine": ((COMBINED, ("design", "combine"), [{"method": "star"}]), ROWS),
    "design.iterations": ((PLATFORM, ("design", "iterations"), 6), ROWS),
    "design.sampling": ((PLATFORM, ("design",), {"method": "monte-carlo", "runs": 5}), ROWS),
    "design.constraints": ((WHOLE, ("design", "constraints"), ["u < 1.5"]), ROWS),
    "design.cross": ((WHOLE, ("design", "cross"), ["l"]), ROWS),
    "design.correlation": ((WHOLE, ("design", "correlation"), {"u/n": 0.3}), ROWS),
    "design.correlationBy": ((CORRELATED, ("design", "correlationBy"), "iman-conover"), ROWS),
    "analysis.analysis": (analysis("analysis", {"code": "openfoam_plus"}), RECIPE),
    "analysis.analysis.code": (analysis("analysis", "code", "openfoam_plus"), RECIPE),
    "analysis.analysis.version": (analysis("analysis", "version", "2"), RECIPE),
    "analysis.command": (analysis("command", "cat -n deck.txt"), RECIPE),
    "analysis.hardware": (analysis("hardware", "coreType", "granite"), NOTHING),
    "analysis.runTimeout": (analysis("runTimeout", "6m"), NOTHING),
    "analysis.inputFiles": (analysis("inputFiles", ["mesh2.dat", {"id": "abcdef"}]), RECIPE),
    "analysis.templates": (analysis("templates", 0, "source", "deck2.t"), RECIPE),
    "analysis.envVars": (analysis("envVars", "A", "2"), RECIPE),
    "analysis.preProcess": (analysis("preProcess", DROP), RECIPE),
    "analysis.postProcess": (analysis("postProcess", {"script": "pre.sh", "command": "sh pre.sh"}), RECIPE),
    "analysis.useMpi": (analysis("useMpi", True), RECIPE),
    "analysis.useRescaleLicense": (analysis("useRescaleLicense", True), NOTHING),
    "analysis.raw": (analysis("raw", {"flags": {"f": 1}}), RECIPE),
    "hardware.coreType": (analysis("hardware", "coreType", "granite"), NOTHING),
    "hardware.coresPerSlot": (analysis("hardware", "coresPerSlot", 2), NOTHING),
    "hardware.slots": (analysis("hardware", "slots", 3), NOTHING),
    "hardware.walltime": (analysis("hardware", "walltime", 2), NOTHING),
    "inputFile.path": (analysis("inputFiles", 0, {"path": "mesh2.dat"}), RECIPE),
    "inputFile.decompress": (analysis("inputFiles", 0, {"path": "mesh.dat", "decompress": False}), NOTHING),
    "fileById.id": (analysis("inputFiles", 1, {"id": "ghijkl"}), RECIPE),
    "fileById.decompress": (analysis("inputFiles", 1, {"id": "abcdef", "decompress": False}), RECIPE),
    "template.source": (analysis("templates", 0, "source", "deck2.t"), RECIPE),
    "template.target": (analysis("templates", 0, "target", "deck.inp"), RECIPE),
    "template.syntax": (analysis("templates", 0, "syntax", "jinja"), FINDING),
    "template.encoding": ((ACCENTED, (*ANALYSIS, "templates", 0, "encoding"), "latin-1"), RECIPE),
    "template.keep": (analysis("templates", 0, "keep", []), FINDING),
    "script.script": (analysis("preProcess", "script", "pre2.sh"), RECIPE),
    "script.command": (analysis("preProcess", "command", "bash pre.sh"), RECIPE),
    "byRegex.file": (response("a", "file", "b.txt"), NOTHING),
    "byRegex.regex": (response("a", "regex", "(..)"), NOTHING),
    "byRegex.take": (response("a", "take", "first"), NOTHING),
    "byJson.file": (response("b", "file", "c.json"), NOTHING),
    "byJson.json": (response("b", "json", "x.z"), NOTHING),
    "byCsv.file": (response("d", "file", "e.csv"), NOTHING),
    "byCsv.csv": (response("d", "csv", "lift"), NOTHING),
    "byCsv.take": (response("d", "take", "max"), NOTHING),
    "byCommand.command": (response("e", "command", "cat f.txt"), NOTHING),
    "response_unit": (response("a", "unit", "kN"), NOTHING),
    "response_goal": (response("a", "goal", "minimize"), NOTHING),
    "response_min": (response("a", "min", 0), NOTHING),
    "response_max": (response("a", "max", 9), NOTHING),
    "response_required": (response("a", "required", False), NOTHING),
    "response_description": (response("a", "description", "the drag"), NOTHING),
    "job.isLowPriority": ((WHOLE, ("job", "isLowPriority"), True), NOTHING),
    "job.expectedRunHours": ((WHOLE, ("job", "expectedRunHours"), 1), NOTHING),
    "job.caseFile": ((WHOLE, ("job", "caseFile"), "cases.csv"), RECIPE),
    "job.runsPerJob": ((WHOLE, ("job", "runsPerJob"), 3), NOTHING),
    "job.includeNominalRun": ((WHOLE, ("job", "includeNominalRun"), True), ROWS),
    "job.isTemplateDryRun": ((WHOLE, ("job", "isTemplateDryRun"), True), RECIPE),
    "job.resourceFilters": ((WHOLE, ("job", "resourceFilters"), []), NOTHING),
    "job.share": ((WHOLE, ("job", "share"), [{"email": "a@b.example"}]), NOTHING),
    "job.share.email": ((WHOLE, ("job", "share"), [{"email": "c@b.example"}]), NOTHING),
    "job.share.message": ((WHOLE, ("job", "share"), [{"email": "a@b.example", "message": "look"}]), NOTHING),
    "job.tags": ((WHOLE, ("job", "tags"), ["wing"]), NOTHING),
    "job.raw": ((WHOLE, ("job", "raw"), {"projectId": "p"}), NOTHING),
    "limits.runs": ((WHOLE, ("limits", "runs"), 50), NOTHING),
    "limits.coreHours": ((WHOLE, ("limits", "coreHours"), 0.5), NOTHING),
    "limits.cost": ((WHOLE, ("limits", "cost"), 0.5), NOTHING),
}  # fmt: skip


def edited(study: dict, path: tuple, value: object) -> dict:
    changed = copy.deepcopy(study)
    at = changed
    for step in path[:-1]:
        at = at[step]
    if value is DROP:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


def of_generators() -> dict:
    """The decisions of all keys of all generators: each key of an example in turn gets its own example."""
    decisions = {}
    for record in GENERATORS.values():
        for form in record.forms:
            entry = {"generator": record.name, **form.example}
            others = {"generator": {"generator": "Uniform", "min": 3, "max": 4}}
            others |= {key.name: {**entry, key.name: key.example} for key in form.keys}
            if record.drawn is not None and "file" in form.example:
                others |= {"lower": {**entry, "lower": 1.5}, "upper": {**entry, "upper": 1.5}}
            elif record.drawn is not None:
                quantiles = record.drawn.quantile(law_of_entry(record, form), np.asarray([0.3, 0.7]))
                low, high = quantiles.tolist()
                others |= {"lower": {**entry, "lower": low}, "upper": {**entry, "upper": high}}
            study = edited(FREE, ("variables", "u"), entry)
            for name, other in others.items():
                decisions[f"{form.schema}.{name}"] = ((study, ("variables", "u"), other), ROWS)
    return decisions


def law_of_entry(record, form):
    def exact(key, value):
        if key.shape == "numbers":
            return tuple(Fraction(str(number)) for number in value)
        return value if key.shape == "integer" else Fraction(str(value))

    values = {key.name: exact(key, form.example[key.name]) for key in form.keys if key.name in form.example}
    fields = {key.name: key.field for key in form.keys}
    made = form.parameters(values) if form.parameters else {fields[n]: v for n, v in values.items()}
    return record.law(**made)


def keys_of(node: object, owner: str) -> set[str]:
    """The keys of a schema, `owner.key`; one that several owners share by a definition counts once."""
    found: set[str] = set()
    if isinstance(node, list):
        return found.union(*(keys_of(entry, owner) for entry in node))
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                for name, inner in value.items():
                    reference = inner.get("$ref", "").rsplit("/", 1)[-1]
                    found.add(reference if "_" in reference else f"{owner}.{name}")
                    found |= keys_of(inner, f"{owner}.{name}")
            elif key == "$defs":
                found = found.union(*(keys_of(inner, name) for name, inner in value.items()))
            elif key not in ("examples", "default", "enum", "const"):
                found |= keys_of(value, owner)
    return found


DECISIONS |= of_generators()


def test_every_key_of_the_schema_has_a_decision():
    assert keys_of(SCHEMA, "study") == DECISIONS.keys()


@pytest.fixture
def compiled_study(tmp_path: Path) -> Callable:
    """What a study wants: the recipe, the keys of its rows (the unit where the platform samples), findings."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def compiled(study: dict):
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump(study, sort_keys=False))
        reading = read_study(path)
        told = [finding.code for finding in reading.findings]
        if reading.spec is None:
            return None, None, None, told
        spec = reading.spec
        if spec.design.sampling is Sampling.PLATFORM:
            rows = {bundled(spec, None).jobs()[0].unit()}
        else:
            design, findings = build(spec)
            told += [finding.code for finding in findings]
            rows = set(design_keys(design).tolist())
        return spec, recipe_digest(spec), rows, told

    return compiled


@pytest.mark.parametrize("key", DECISIONS)
def test_a_key_buys_runs_again_only_where_it_changes_them(key, compiled_study):
    (study, path, value), cost = DECISIONS[key]
    spec, recipe, rows, told = compiled_study(study)
    assert spec is not None, told
    changed_spec, changed_recipe, changed_rows, changed_told = compiled_study(edited(study, path, value))
    if cost == FINDING:
        assert changed_told != told
        return
    assert changed_spec is not None, changed_told
    assert (changed_recipe != recipe) == (cost == RECIPE)
    if cost != RECIPE:
        assert (changed_rows != rows or changed_spec.study != spec.study) == (cost == ROWS)
    before, after = (observed(one, codes) for one, codes in ((spec, told), (changed_spec, changed_told)))
    assert before != after, "the key has no effect"


PRICES = {"emerald": 1.0, "granite": 2.0}


def observed(spec, told):
    """What users and platforms see of a study: payloads and files, tables, limits, shares and findings."""
    design = None if spec.design.sampling is Sampling.PLATFORM else build(spec)[0]
    bundle = bundled(spec, design)
    payloads = [job.payload(bundle, name=job.title, parameters=None) for job in bundle.jobs()]
    for payload in payloads:
        payload["jobanalyses"][0]["envVars"] = {
            name: value
            for name, value in payload["jobanalyses"][0]["envVars"].items()
            if not name.startswith("DOE_") or name == "DOE_STUDY"
        }
    outputs = {response.name: value for response, value in zip(spec.responses[1:], "567", strict=False)}
    rows = [
        ResultRow(number, {}, {**outputs, "a": value, "doe_exit": "0"}, RunState.DONE, "", "j", number)
        for number, value in enumerate(("-1", "5", "10"), 1)
    ]
    results = Results(spec, tuple(variable.name for variable in spec.variables), tuple(rows))
    state = run_state(
        is_started=True,
        is_completed=True,
        job_is_finished=True,
        outputs={**outputs, "doe_exit": "0"},
        responses=spec.responses,
    )
    order = [row.run for row in best(results, 9).rows] if any(each.goal for each in spec.responses) else None
    estimated = estimate(spec, 6, 1, PRICES)
    refused = [
        finding.message
        for runs in (51, 100)
        for finding in broken(need_of(spec, runs, estimated), spec.limits, spec.policies)
    ]
    files = [(file.name, file.sha256) for file in bundle.files]
    cells = None if design is None else [design.row(index) for index in range(design.n)]
    return (
        payloads,
        files,
        cells,
        as_json(results),
        as_csv(results),
        state,
        order,
        estimated,
        refused,
        wanted_of(bundle).share,
        told,
    )
