"""A job that exists becomes a study whose job is equivalent: on the embedded platform, with real files."""

import io
import json
import os
import tarfile

import pytest
import yaml

from doe_compiler.bundle.mark import read_mark
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoeError, TryAgain, WrongUsage
from doe_compiler.pipeline.compiling import checked_spec
from doe_compiler.pipeline.importing import imported_study

HARDWARE = {"coreType": {"code": "emerald"}, "coresPerSlot": "2", "slots": 3, "walltime": "1.5"}


def tar_gz(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def text_of(written):
    return written.study.read_text()


def tree(written):
    return yaml.safe_load(text_of(written))


# Equivalence


def test_a_basic_job_comes_back(workshop):
    written = workshop.there_and_back(
        workshop.job(workshop.analysis('echo "Hello world"'), name="Example Job")
    )
    assert tree(written)["study"] == "example-job"
    assert tree(written)["description"] == "Example Job"
    assert tree(written)["variables"] == {}
    assert written.warnings == ()


def test_a_job_with_a_csv_templates_an_archive_and_a_script_comes_back(workshop):
    script = workshop.file("forces.py", "print('Cd\\t1')\n", 4)
    analysis = workshop.analysis(
        "./airFoil2D_DOE/Allrun",
        hardware=HARDWARE,
        envVars={"OMP_NUM_THREADS": 1, "NOTE": 'a "b" ${HOME} # c', "EMPTY": ""},
        inputFiles=[
            workshop.file("airfoil2d_doe.tar.gz", tar_gz(airFoil2D_DOE__Allrun=b"#!/bin/sh\n")),
            {**workshop.file("mesh.zip", b"no zip at all"), "decompress": False},
        ],
        templateTasks=[
            {
                "processedFilename": "airFoil2D_DOE/0/U",
                "templateFile": workshop.file(
                    "utemplate", '(${Xvelocity} ${Yvelocity?string("0.00##")} 0)\n', 2
                ),
            },
            {"processedFilename": "b", "templateFile": workshop.file("utemplate", "${Yvelocity}", 2)},
        ],
        preProcessScript=workshop.file("mesh.sh", "true\n", 4),
        preProcessScriptCommand="bash mesh.sh",
        postProcessScript=script,
        postProcessScriptCommand="python3 forces.py --all",
        useMpi="true",
        useRescaleLicense=True,
        onDemandLicenseSeller={"code": "seller"},
    )
    job = workshop.job(
        analysis,
        name="the FOAM 2",
        paramFile=workshop.file(
            "freestream.csv", "Xvelocity, Yvelocity\n10, 0\n20, 1e-7\n20, 1e-7\n30,0.5\n", 3
        ),
        isLowPriority=True,
        projectId="abc",
        tags=["a", {"b": None}],
        billingPriorityValue="INSTANT",
    )
    written = workshop.there_and_back(job)
    assert written.warnings == ()
    study = tree(written)
    assert study["design"] == {"method": "table", "file": "parameters.csv"}
    assert study["analyses"][0]["hardware"] == {
        "coreType": "emerald", "coresPerSlot": 2, "slots": 3, "walltime": 1.5
    }  # fmt: skip
    assert study["job"]["raw"]["projectId"] == "abc"
    assert (written.folder / "parameters.csv").read_text().startswith("Xvelocity, Yvelocity\n10, 0\n")


GENERATORS = [
    {"name": "u", "valueGeneratorType": "Uniform", "valueGeneratorSettings": {"minvalue": "-1.50", "maxvalue": 2}},
    {"name": "n", "valueGeneratorType": "normal", "valueGeneratorSettings": {"mean": 0, "standarddeviation": 0.1}},
    {"name": "l", "variableGeneratorType": "LogNormal", "valueGeneratorSettings": {"mean": -3, "standarddeviation": 1e-3}},
    {
        "name": "t",
        "variableGeneratorType": "Triangular",
        "valueGeneratorSettings": {"minvalue": 0, "mode": 0, "maxvalue": 1e21},
    },
    {"name": "s", "valueGeneratorType": "Linspace", "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 0, "count": "3"}},
    {
        "name": "f",
        "valueGeneratorType": "FixedRange",
        "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 10, "increment": 4},
    },
]  # fmt: skip


def sampled_job(workshop, variables, **more):
    for order, variable in enumerate(variables):
        variable.setdefault("displayOrder", 10 - order)
        variable.setdefault("variableType", "Param")
    template = " ".join(f"${{{variable['name']}}}" for variable in variables)
    task = {"processedFilename": "deck", "templateFile": workshop.file("deck", template, 2)}
    return workshop.job(workshop.analysis(templateTasks=[task]), jobvariables=variables, **more)


def fresh(variables):
    return json.loads(json.dumps(variables))


def test_generators_of_all_six_kinds_come_back(workshop):
    job = sampled_job(workshop, fresh(GENERATORS), monteCarloIterations="4")
    written = workshop.there_and_back(job)
    assert written.warnings == ()
    assert tree(written)["design"] == {"sampling": "platform", "iterations": 4}
    assert list(tree(written)["variables"]) == ["f", "s", "t", "l", "n", "u"]
    assert tree(written)["variables"]["l"] == {"generator": "LogNormal", "mu": -3, "sigma": 0.001}


def test_enumerating_generators_are_crossed_without_iterations(workshop):
    written = workshop.there_and_back(sampled_job(workshop, fresh(GENERATORS[4:])))
    assert tree(written)["design"] == {"sampling": "platform"}


def test_iterations_that_mean_nothing_come_back(workshop):
    job = sampled_job(workshop, fresh(GENERATORS[4:]), monteCarloIterations=7)
    assert tree(workshop.there_and_back(job))["job"]["raw"] == {"monteCarloIterations": 7}


def test_a_draw_without_iterations_is_one_and_told(workshop):
    written = workshop.imported(sampled_job(workshop, fresh(GENERATORS[:1])))
    assert tree(written)["design"]["iterations"] == 1
    assert any("how often" in warning for warning in written.warnings)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Linspace", {"minvalue": 5, "maxvalue": 5, "count": 1}),
        ("Linspace", {"minvalue": 5, "maxvalue": 6, "count": 1}),
        ("Linspace", {"minvalue": 5, "maxvalue": 5, "count": 3}),
        ("FixedRange", {"minvalue": 5, "maxvalue": 5, "increment": 1}),
        ("FixedRange", {"minvalue": 5, "maxvalue": 6, "increment": 1, "unit": "m"}),
    ],
)
def test_odd_generators_come_back(workshop, kind, settings):
    odd = {"name": "odd", "valueGeneratorType": kind, "valueGeneratorSettings": settings}
    workshop.there_and_back(sampled_job(workshop, [*fresh(GENERATORS), odd], monteCarloIterations=2))


def test_a_nominal_run_comes_back(workshop):
    variables = fresh(GENERATORS[4:])
    for variable in variables:
        variable["valueGeneratorSettings"]["nominal"] = 1
    job = sampled_job(workshop, variables, includeNominalRun=True)
    written = workshop.there_and_back(job)
    assert tree(written)["job"]["includeNominalRun"] is True
    assert tree(written)["variables"]["f"]["nominal"] == 1


def test_a_nominal_run_whose_values_the_platform_chooses_comes_back(workshop):
    variables = fresh(GENERATORS)
    variables[0]["valueGeneratorSettings"]["nominal"] = 1
    job = sampled_job(workshop, variables, includeNominalRun=True, monteCarloIterations=3)
    assert tree(workshop.there_and_back(job))["job"]["raw"]["includeNominalRun"] is True


def test_roles_and_outputs_come_back(workshop):
    variables = fresh(GENERATORS[4:])
    variables[0]["variableType"] = "design"
    variables[1]["variableType"] = "param"
    variables.append({"name": "Cd", "variableType": "Objective", "displayOrder": 20})
    task = {"processedFilename": "deck", "templateFile": workshop.file("deck", "${s} ${f}", 2)}
    post = {"postProcessScript": workshop.file("p.sh", "x", 4), "postProcessScriptCommand": "sh p.sh"}
    job = workshop.job(workshop.analysis(templateTasks=[task], **post), jobvariables=variables)
    written = workshop.there_and_back(job)
    assert tree(written)["variables"]["s"]["role"] == "design"
    assert tree(written)["responses"] == {"Cd": {"required": False}}


def test_outputs_beside_a_table_come_back(workshop):
    outputs = [{"name": "Cd", "variableType": "Output", "displayOrder": 3}]
    columns = [{"name": "x", "variableType": "Design", "displayOrder": 0}]
    job = workshop.job(
        paramFile=workshop.file("p.csv", "x,label\n1,a\n2,b\n", 3), jobvariables=[*columns, *outputs]
    )
    written = workshop.there_and_back(job)
    assert tree(written)["variables"] == {"x": {"role": "design"}, "label": {}}


def test_several_analyses_come_back_in_order(workshop):
    shared = workshop.file("common.dat", b"\0\1\2")
    first = workshop.analysis("a\nb ${X:-1}\n", inputFiles=[shared], hardware=HARDWARE)
    second = workshop.analysis(
        "  indented\n\tcommand '${x}' \"$y\" \\\n\n", inputFiles=[shared], envVars={"A": "1"},
        postProcessScriptCommand="echo 1", flags={"igCv": True},
    )  # fmt: skip
    third = workshop.analysis("yes", analysis={"code": "openfoam"}, preProcessScript=workshop.file("s", "x"))
    written = workshop.there_and_back(workshop.job(first, second, third))
    assert [step["command"] for step in tree(written)["analyses"]] == [
        "a\nb ${X:-1}\n", "  indented\n\tcommand '${x}' \"$y\" \\\n\n", "yes"
    ]  # fmt: skip


def test_all_switches_come_back(workshop):
    job = workshop.job(
        isTemplateDryRun="true",
        isLowPriority=1,
        resourceFilters=[{"action": "keep", "source": "input", "pattern": "*.dat"}],
        archiveFilters=["all"],
        caseFile=workshop.file("cases.csv", "c\n1\n", 8),
        tags=["wing", "cost-centre:17"],
    )
    assert tree(workshop.there_and_back(job))["job"]["tags"] == ["wing", "cost-centre:17"]


# Names and files


def test_hostile_names_stay_inside_and_are_told(workshop, monkeypatch):
    hostile = ["../../evil", "/etc/passwd", "..", "a\u202eb", "x" * 250, "~root", "con:1", " "]
    files = [workshop.file(f"f{number}", f"content {number}") for number in range(len(hostile))]
    job = workshop.job(workshop.analysis(inputFiles=files))
    told = workshop.client.job(job)
    for file, name in zip(told.raw["jobanalyses"][0]["inputFiles"], hostile, strict=True):
        file["name"] = name
    monkeypatch.setattr(Client, "job", lambda self, job_id: told)
    written = workshop.imported(job)
    assert len(written.warnings) == len(hostile) - 2
    inside = {path.relative_to(written.folder) for path in written.folder.rglob("*") if path.is_file()}
    assert {os.fspath(path) for path in inside} == set(written.files)
    contents = sorted(path.read_text() for path in (written.folder / "inputs").iterdir())
    assert contents == [f"content {number}" for number in range(len(hostile))]
    assert sorted(path.name for path in workshop.folder.iterdir()) == ["data", "imported"]
    checked_spec(written.study)


def test_two_files_of_one_name_get_two_names_and_the_later_keeps_it(workshop):
    first = workshop.analysis(inputFiles=[workshop.file("run.sh", "one"), workshop.file("RUN.sh", "two")])
    second = workshop.analysis(inputFiles=[workshop.file("run.sh", "three")])
    written = workshop.imported(workshop.job(first, second))
    named = tree(written)["analyses"]
    assert (written.folder / named[1]["inputFiles"][0]).name == "run.sh"
    assert (written.folder / named[1]["inputFiles"][0]).read_text() == "three"
    assert [(written.folder / path).read_text() for path in named[0]["inputFiles"]] == ["one", "two"]
    assert any("two files had that name" in warning for warning in written.warnings)
    workshop.made(written.study)


def test_templates_of_one_name_and_one_target_are_told_apart(workshop):
    tasks = [
        {"processedFilename": target, "templateFile": workshop.file("t.j2", content, 2)}
        for target, content in [("a", "1"), ("b", "2"), ("a", "3")]
    ]
    written = workshop.imported(workshop.job(workshop.analysis(templateTasks=tasks)))
    found = tree(written)["analyses"][0]["templates"]
    assert [(each["target"], (written.folder / each["source"]).read_text()) for each in found] == [
        ("b", "2"), ("a", "3")
    ]  # fmt: skip
    assert any("later template" in warning for warning in written.warnings)
    workshop.made(written.study)


def test_the_folder_must_be_new_or_empty(workshop, tmp_path):
    job = workshop.job()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "empty").mkdir()
    for name in ("full", "full/mine"):
        with pytest.raises(WrongUsage):
            workshop.imported(job, name)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
    assert workshop.imported(job, "empty").study.is_file()
    assert workshop.imported(job, "deep/er").study.is_file()


def test_a_damaged_file_leaves_nothing_behind(workshop, tmp_path, monkeypatch):
    job = workshop.job(workshop.analysis(inputFiles=[workshop.file("a", "right")]))
    monkeypatch.setattr(Client, "download", lambda self, file_id, sink: len(sink(b"wrong") or b"wrong"))
    with pytest.raises(TryAgain, match="did not arrive"):
        workshop.imported(job)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_job_that_is_not_there_leaves_nothing_behind(workshop, tmp_path):
    with pytest.raises(DoeError):
        imported_study(workshop.client, "nothing", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_job_that_is_nested_too_deeply_is_refused(workshop, tmp_path):
    deep = []
    for _ in range(400):
        deep = [deep, 1]
    with pytest.raises(DoeError, match="nested"):
        workshop.imported(workshop.job(tags=deep))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# Tables and templates


def table_job(workshop, table, template, **more):
    task = {"processedFilename": "deck", "templateFile": workshop.file("deck", template, 2)}
    return workshop.job(
        workshop.analysis(templateTasks=[task]), paramFile=workshop.file("p.csv", table, 3), **more
    )


def test_cells_keep_their_decimals_by_a_format(workshop):
    written = workshop.there_and_back(table_job(workshop, "x,y\n0.50,1\n-2.00,2\n", "${x} ${y}"))
    assert tree(written)["variables"] == {"x": {"format": "0.00"}, "y": {}}


def test_cells_that_cannot_keep_their_text_are_told(workshop):
    written = workshop.imported(table_job(workshop, "x\n0.50\n1.5\n", "${x}"))
    assert any("0.50 becomes 0.5" in warning for warning in written.warnings)
    assert "0.50 becomes 0.5" in text_of(written)
    workshop.made(written.study)


def test_quoted_cells_and_a_byte_order_mark_come_back(workshop):
    workshop.there_and_back(table_job(workshop, '\ufeffx, "y"\r\n1, "a b"\r\n\r\n2, c\r\n', "${x} ${y}"))


def test_names_that_a_study_cannot_have_are_changed_in_the_table_and_the_templates(workshop):
    written = workshop.imported(table_job(workshop, "doe_x,a-b\n1,2\n", "${doe_x} ${ doe_x?string('0.0') }"))
    assert list(tree(written)["variables"]) == ["imported_x", "a_b"]
    assert (written.folder / "parameters.csv").read_text() == "imported_x,a_b\n1,2\n"
    source = tree(written)["analyses"][0]["templates"][0]["source"]
    assert (written.folder / source).read_text() == '${imported_x} ${imported_x?string("0.0")}'
    assert len(written.warnings) == 2
    workshop.made(written.study)


def test_placeholders_of_no_variable_become_text_and_are_told(workshop):
    written = workshop.imported(table_job(workshop, "x\n1\n", "${x} ${HOME} ${a[0]} $ ${"))
    source = tree(written)["analyses"][0]["templates"][0]["source"]
    assert (written.folder / source).read_text() == "${x} $${HOME} $${a[0]} $ $${"
    assert any("${HOME} names no variable" in warning for warning in written.warnings)
    workshop.made(written.study)


def test_a_dollar_before_a_placeholder_reaches_the_run(workshop):
    job = table_job(workshop, "x\n7\n", "cost $${x}")
    written = workshop.imported(job)
    (again,) = workshop.made(written.study)
    form = workshop.form(again)
    assert form["paramFile"] == [["x", "dollar"], ["7", "$"]]
    source = tree(written)["analyses"][0]["templates"][0]["source"]
    assert (written.folder / source).read_text() == "cost ${dollar}${x}"


def test_a_template_that_is_no_text_is_left_out_and_told(workshop):
    task = {"processedFilename": "deck", "templateFile": workshop.file("deck", b"\xff\xfe\0", 2)}
    written = workshop.imported(workshop.job(workshop.analysis(templateTasks=[task])))
    assert "templates" not in tree(written)["analyses"][0]
    assert (written.folder / "templates" / "deck").read_bytes() == b"\xff\xfe\0"
    assert "it is not text" in text_of(written)
    checked_spec(written.study)


def test_a_template_of_another_encoding_keeps_its_bytes(workshop):
    deck = b"* Tr\xe4ger \xff\r\nx = ${doe_x} ${HOME}"
    written = workshop.imported(table_job(workshop, "doe_x\n1\n2\n", deck))
    (entry,) = tree(written)["analyses"][0]["templates"]
    assert (written.folder / entry["source"]).read_bytes() == deck.replace(b"doe_x", b"imported_x").replace(
        b"${H", b"$${H"
    )
    workshop.made(written.study)


def test_a_name_with_control_characters_breaks_neither_comment_nor_text(workshop):
    written = workshop.imported(workshop.job(name="a\nb: [c]\n# d\x1b[31m \u2028 é 😀" + "x" * 80))
    assert tree(written)["description"] == "a\nb: [c]\n# d\x1b[31m \u2028 é 😀" + "x" * 80
    assert len(written.warnings) == 1
    spec, _ = checked_spec(written.study)
    assert spec.description == tree(written)["description"]


# Jobs that doe has made

STUDY_VARIABLES = "  x: {levels: [1, 2]}\n  y: {generator: Uniform, min: 0, max: 1}"


def test_an_imported_study_of_a_job_of_doe_is_the_same_recipe(workshop, study_at):
    study = study_at(
        variables=STUDY_VARIABLES, design="{method: monte-carlo, runs: 6, replicates: 2}",
        deck="x = ${x} ${y} $${HOME} ${y?string(\"0.00\")}\n", analysis="    runTimeout: 20s",
        responses="  y_out: {file: y.txt, regex: 'it''s \"(\\S+)\"', take: max}\n  z: {command: \"printf '%s' 1\"}\n"
        "  w: {file: w.csv, csv: drag}\n  v: {file: v.json, json: a.b}",
    )  # fmt: skip
    (job,) = workshop.made(study, plain=False)
    written = workshop.there_and_back(job, plain=False)
    (again,) = workshop.made(written.study, plain=False)
    then, now = (read_mark(workshop.client.job(each).name) for each in (job, again))
    assert (now.study, now.recipe, now.rows) == (then.study, then.recipe, then.rows)
    found = tree(written)
    assert found["study"] == "adder"
    assert "description" not in found
    assert found["design"]["replicates"] == 2
    assert found["analyses"][0]["command"] == "awk '{print $3 + 1}' deck.txt > y.txt"
    assert found["analyses"][0]["runTimeout"] == "20s"
    assert found["responses"]["y_out"] == {"file": "y.txt", "regex": 'it\'s "(\\S+)"', "take": "max"}
    assert found["responses"]["v"] == {"file": "v.json", "json": "a.b"}
    assert not any("doe_post" in path for path in written.files)
    assert "envVars" not in found["analyses"][0]


def test_a_job_of_doe_with_a_script_of_the_users_comes_back(workshop, study_at):
    study = study_at(
        analysis="    postProcess: {script: post.py, command: python3 post.py}",
        responses="  y: {file: y.txt, regex: '(\\S+)'}\n  printed: {}",
    )
    (study.parent / "post.py").write_text("print('printed\\t1')\n")
    (job,) = workshop.made(study, plain=False)
    written = workshop.there_and_back(job, plain=False)
    assert tree(written)["analyses"][0]["postProcess"] == {
        "script": "scripts/post.py", "command": "python3 post.py"
    }  # fmt: skip
    assert "inputFiles" not in tree(written)["analyses"][0]
    assert tree(written)["responses"]["printed"] == {}


def test_seeds_of_runs_stay_as_a_column(workshop, study_at):
    study = study_at(deck="${x} ${doe_seed}\n")
    (job,) = workshop.made(study, plain=False)
    written = workshop.imported(job)
    assert list(tree(written)["variables"]) == ["x", "imported_seed"]
    (again,) = workshop.made(written.study, plain=False)
    assert workshop.form(again)["paramFile"][1:] == workshop.form(job)["paramFile"][1:]


def test_an_imported_study_can_be_imported_again(workshop):
    job = sampled_job(workshop, fresh(GENERATORS), monteCarloIterations=4, name="Once more")
    (again,) = workshop.made(workshop.imported(job, "first").study)
    second = workshop.imported(again, "second")
    assert tree(second) == tree(workshop.imported(job, "third"))


# The command


def test_the_command_imports_what_apply_ran(doe, study_at, tmp_path):
    study = study_at()
    assert doe("apply", study, "--yes", cwd=study.parent).returncode == 0
    status = json.loads(doe("status", study, "--json", cwd=study.parent).stdout)
    job = status["jobs"][0]["id"]
    done = doe("import", job, tmp_path / "again", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    assert "warning: made by doe" in done.stderr
    data = {"DOE_DATA": str(study.parent / ".doe" / "platform")}
    assert doe("validate", "again").returncode == 0
    assert doe("compile", "again", "-o", "out").returncode == 0
    planned = doe("plan", "again", "--detailed-exitcode", env=data)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    full = doe("import", job, tmp_path / "again", cwd=study.parent)
    assert full.returncode == 64
    by_name = doe("import", job, cwd=study.parent)
    assert by_name.returncode == 0
    assert (study.parent / "adder" / "study.yaml").is_file()


def test_a_basic_study_runs_from_plan_to_results(doe, tmp_path):
    (tmp_path / "study.yaml").write_text(
        "doe: 1\nstudy: hello\nvariables: {}\nanalyses:\n  - analysis: {code: user_included}\n"
        "    command: echo 42 > out\n    hardware: {coreType: emerald}\n"
        "responses: {answer: {file: out, regex: '(\\d+)'}}\n"
    )
    assert doe("design").returncode == 0
    assert doe("design", "--format", "csv").stdout == ""
    applied = doe("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "42" in doe("results").stdout
    assert doe("plan", "--detailed-exitcode").returncode == 0


def test_nothing_is_made_where_no_job_can_be(doe, tmp_path):
    done = doe("import", "abc", "out")
    assert done.returncode == 4
    assert not (tmp_path / ".doe").exists()


def test_a_study_that_needs_a_hand_is_written_and_told(doe, tmp_path):
    from doe_compiler.platform.api.service import open_platform

    data = tmp_path / "data"
    platform = open_platform(data)
    with Client.embedded(platform.answer) as client:
        table = {"id": client.upload(b'x\n"1,5"\n', "p.csv", 3).id}
        analysis = {
            "analysis": {"code": "a"},
            "command": "true",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        }
        job = client.create_job({"name": "n", "jobanalyses": [analysis], "paramFile": table}).id
    platform.close()
    done = doe("import", job, "out", env={"DOE_DATA": str(data)})
    assert done.returncode == 3
    assert "needs a hand" in done.stderr
    assert "E313" in done.stderr
    assert (tmp_path / "out" / "study.yaml").is_file()
