"""Studies with Jinja templates, from the file to the deck that a run has read."""

import csv
import io
import json

import pytest

STUDY = """
doe: 1
study: layered
variables:
  x: {{generator: Uniform, min: 1, max: 3}}
  n: {{levels: [1, 2, 3]}}
  mat: {{levels: [steel, "al, 6061"]}}
  rho: {{value: 1.225, unit: kg/m3, format: "0.0000"}}
  twice: {{expression: 2*rho}}
design: {{method: latin-hypercube, runs: {runs}}}
analyses:
  - analysis: {{code: user_included}}
    command: {command}
    hardware: {{coreType: standard-plus, slots: 2}}
    templates: [{{source: deck.j2, target: deck.inp}}]
responses:
  size: {{file: size.txt, regex: '(\\d+)'}}
"""
DECK = """** {{ mat }}, rho = {{ rho }}, literal ${x} {# unseen #}
{% for i in range(n) -%}
LAYER {{ i }}, {{ "%.3f"|format(x * i) }}
{% endfor -%}
{{ x }}, {{ (x**2)|round(2) }}, {{ twice * 2 }}
{% if x > 2 %}BIG{% else %}small{% endif %}
{% include "mat.inc" %}"""


@pytest.fixture
def layered(tmp_path):
    def write(*, deck=DECK, runs=6, command="wc -c < deck.inp > size.txt"):
        (tmp_path / "study.yaml").write_text(STUDY.format(runs=runs, command=command))
        (tmp_path / "deck.j2").write_bytes(deck.encode())
        (tmp_path / "mat.inc").write_text("INC {{ x * rho }}\r\nend")
        return tmp_path / "study.yaml"

    return write


def by_hand(row):
    x, n = float(row["x"]), int(row["n"])
    layers = "".join(f"LAYER {i}, {x * i:.3f}\n" for i in range(n))
    return (
        f"** {row['mat']}, rho = 1.2250, literal ${{x}} \n{layers}{row['x']}, {round(x**2, 2)}, 4.9\n"
        f"{'BIG' if x > 2 else 'small'}\nINC {x * 1.225}\r\nend"
    )


def results(doe, study, *more):
    return list(csv.DictReader(io.StringIO(doe("results", study, "--format", "csv", *more).stdout)))


@pytest.mark.parametrize("is_served", [False, True], ids=["here", "served"])
def test_a_run_reads_what_jinja_would_have_written(doe, layered, serving, is_served):
    study = layered()
    env = serving() if is_served else {}
    on = ("--on", env["RESCALE_API_URL"]) if is_served else ()
    done = doe("apply", study, "--yes", *on, env=env)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(doe("results", study, "--format", "csv", *on, env=env).stdout)))
    assert len(rows) == 6
    for number, row in enumerate(rows, 1):
        assert int(row["size"]) == len(by_hand(row).encode())
        if not is_served:
            assert (study.parent / row["directory"] / "deck.inp").read_bytes() == by_hand(row).encode(), (
                number
            )
    again = doe("plan", study, "--detailed-exitcode", *on, env=env)
    assert (again.returncode, "6 runs unchanged" in again.stdout) == (0, True)


def test_derived_columns_are_shown_when_asked_for(doe, layered):
    study = layered()
    doe("apply", study, "--yes")
    plain, derived = results(doe, study)[0], results(doe, study, "--derived")[0]
    assert [name for name in plain if name.startswith("doe_")] == []
    more = [name for name in derived if name not in plain]
    assert more[0] == "doe_dollar"
    assert len(more) == 5
    assert derived[more[2]] == str(round(float(derived["x"]) ** 2, 2))
    told = json.loads(doe("results", study, "--format", "json").stdout)["runs"][0]["inputs"]
    assert list(told) == ["x", "n", "mat", "rho", "twice"]


def plan(doe, study):
    return doe("plan", study).stdout


def test_what_does_not_reach_a_run_buys_nothing_and_what_does_is_named(doe, layered):
    study = layered()
    doe("apply", study, "--yes")
    layered(
        deck=DECK.replace("unseen", "another comment").replace(
            '"%.3f"|format(x * i)', "'%.3f' | format( x*i )"
        )
    )
    assert "6 runs unchanged" in plan(doe, study)
    grown = layered(runs=9)
    assert "0 to supersede" in plan(doe, grown)
    changed = layered(deck=DECK.replace("BIG", "LARGE"))
    told = plan(doe, changed)
    assert "6 to supersede" in told
    assert "template deck.inp" in told
    study = layered()
    (study.parent / "mat.inc").write_text("INC {{ x * rho + 1 }}\r\nend")
    assert "template deck.inp" in plan(doe, study)


def test_findings_name_template_place_expression_and_run(doe, layered):
    study = layered(deck="{{ x_velocty }}\n")
    found = doe("validate", study)
    assert found.returncode == 3
    assert "deck.j2:1:4  T202  'x_velocty' is not a variable of the study" in found.stdout
    study = layered(deck="{{ mat }}{{ x }}\n  {{ 10 / (n - 2) }}\n")
    found = doe("validate", study)
    assert found.returncode == 3
    assert "deck.j2:2:6  T204  `10 / (n - 2)` fails in run " in found.stdout
    assert "n = 2" in found.stdout
    assert "division by zero" in found.stdout
    study = layered(deck="{{ mat }}{{ x }}{{ n }}\n{{ 1 / (rho - 1.225) }}\n")
    assert "T203  `1 / (rho - 1.225)` fails: " in doe("validate", study).stdout


def test_a_platform_that_samples_takes_plain_names_only(doe, layered):
    study = layered(deck="{{ x }} {{ rho }}")
    text = study.read_text()
    text = text.replace("method: latin-hypercube, runs: 6", "sampling: platform, iterations: 4")
    text = text.replace('  n: {levels: [1, 2, 3]}\n  mat: {levels: [steel, "al, 6061"]}\n', "")
    text = text.replace(', format: "0.0000"', "").replace("  twice: {expression: 2*rho}\n", "")
    study.write_text(text)
    done = doe("validate", study)
    assert done.returncode == 0, done.stdout
    (study.parent / "deck.j2").write_text("{{ x * 2 }}{{ rho }}")
    assert "T205" in doe("validate", study).stdout


def test_derived_columns_stand_in_the_manifest_and_in_the_design_when_asked_for(doe, layered, tmp_path):
    study = layered()
    doe("compile", study, "-o", tmp_path / "out")
    derived = json.loads((tmp_path / "out" / "manifest.json").read_text())["derived"]
    assert "{{ (x**2)|round(2) }}" in derived.values()
    plain = doe("design", study, "--format", "csv").stdout.splitlines()
    assert plain[0] == "x,n,mat,rho,twice"
    assert len(plain) == 7
    whole = next(csv.reader(io.StringIO(doe("design", study, "--derived", "--format", "csv").stdout)))
    assert set(derived) < set(whole)
