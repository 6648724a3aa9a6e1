"""The recipe: what determines a run is in it, what does not is not; pinned, so that no upgrade buys again."""

import io
import tarfile
import zipfile

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
        {
            "variables": "  x: {generator: Uniform, min: 0, max: 10}\n  c: {value: 2}",
            "deck": "x = ${x} ${c}\n",
        },
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
        {"responses": "  z: {command: echo $x}"},
        {"variables": "  x: {generator: Normal, mean: 0, std: 1, unit: m}"},
    ],
    ids=["design", "time-out", "limits", "job", "responses", "named", "generator"],
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
        "jobanalyses": [
            {
                "analysis": {"code": "user_included"},
                "command": "awk '{print $3 + 1}' deck.txt > y.txt",
                "templateTasks": [
                    {
                        "templateFile": "244469120315563353412b87ccf0fac1983fbe64e5b3cd88e63854b387f21b5d",
                        "processedFilename": "deck.txt",
                    }
                ],
            }
        ],
    }
    assert recipe_digest(spec) == "4de212f5a86dd00b0974d39e5f2df75821f0286c2f4a2c4c44044fd992f63808"


def test_names_of_constants_and_expressions_are_free(study_at):
    def named(folder, constant, expression):
        return study_at(
            folder,
            variables=f"  x: {{levels: [1]}}\n  {constant}: {{value: 2}}\n"
            f"  {expression}: {{expression: '{constant} *  x + pi'}}",
            design="{}",
            deck=f"${{x}} ${{{expression}}}\n",
        )

    assert digest(named("one", "c", "e")) == digest(named("two", "density", "force"))


def test_what_a_constant_means_counts_through_expressions(study_at):
    def valued(folder, value, deck="${e}\n"):
        chain = "\n".join(f"  e{i}: {{expression: 'e{i - 1} + {i}'}}" for i in range(1, 400))
        variables = f"  x: {{levels: [1]}}\n  c: {value}\n  e0: {{expression: c}}\n{chain}\n"
        return digest(
            study_at(
                folder,
                variables=variables + "  e: {expression: 'e399 + x'}",
                design="{}",
                deck="${x} " + deck,
            )
        )

    assert valued("one", "{value: 2}") != valued("two", "{value: 3}")
    assert valued("one", "{value: 2.567, format: '0.0'}", "${c}") != valued(
        "two", "{value: 2.567, format: '0.000'}", "${c}"
    )


def test_the_seed_counts_behind_doe_seed_only(study_at):
    levels = {"variables": "  x: {levels: [1, 2]}", "design": "{}"}
    seeded = {"deck": "${x} ${doe_seed}\n", **levels}

    def with_seed(folder, seed, **more):
        study = study_at(folder, **more)
        study.write_text(study.read_text().replace("seed: 7", f"seed: {seed}"))
        return digest(study)

    assert with_seed("a", 7, **levels) == with_seed("b", 8, **levels)
    assert with_seed("c", 7, **seeded) != with_seed("d", 8, **seeded)


def test_growing_leaves_the_recipe_of_derived_columns(study_at):
    more = {
        "variables": "  x: {generator: Uniform, min: 0, max: 1}\n  w: {expression: 2*x}",
        "deck": "${x} ${w} ${doe_seed}",
    }
    assert digest(study_at("a", design="{method: monte-carlo, runs: 5}", **more)) == digest(
        study_at("b", design="{method: monte-carlo, runs: 50}", **more)
    )


def test_the_x_bit_of_a_file_counts(study_at):
    def with_mode(mode):
        study = study_at(f"mode{mode}", analysis="    inputFiles: [solve]")
        (study.parent / "solve").write_text("#!/bin/sh\n")
        (study.parent / "solve").chmod(mode)
        return digest(study)

    assert with_mode(0o644) != with_mode(0o755)
    assert with_mode(0o700) == with_mode(0o755)


def tarred(folder, names, mode="w:gz", mtime=0, uid=0, x=0o644):
    with tarfile.open(folder / "case.tar.gz", mode) as archive:
        for name, text in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uid, entry.mode = len(text), mtime, uid, x
            archive.addfile(entry, io.BytesIO(text))


TREE = [("case/a", b"1"), ("case/b", b"2")]


@pytest.mark.parametrize(
    ("again", "is_same"),
    [
        ({"names": TREE[::-1], "mtime": 99, "uid": 1000}, True),
        ({"names": [("case/a", b"old"), *TREE]}, True),
        ({"names": [("case/a", b"1"), ("case/b", b"3")]}, False),
        ({"names": [("case/a", b"1"), ("case/c", b"2")]}, False),
        ({"names": TREE, "x": 0o755}, False),
    ],
    ids=["times, owners, order", "an entry that is overwritten", "content", "name", "x bit"],
)
def test_an_archive_counts_by_its_members(study_at, again, is_same):
    study = study_at("packed", analysis="    inputFiles: [case.tar.gz]")
    tarred(study.parent, TREE)
    before = digest(study)
    tarred(study.parent, **again)
    assert (digest(study) == before) is is_same


def test_an_archive_that_is_not_unpacked_counts_by_its_bytes(study_at):
    study = study_at("packed", analysis="    inputFiles: [{path: case.tar.gz, decompress: false}]")
    tarred(study.parent, TREE)
    before = digest(study)
    tarred(study.parent, TREE, mtime=99)
    assert digest(study) != before


def test_a_zip_counts_by_its_members_too(study_at):
    study = study_at("packed", analysis="    inputFiles: [case.zip]")

    def zipped(date, text="1"):
        with zipfile.ZipFile(study.parent / "case.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("case/a", date), text)
        return digest(study)

    assert zipped((1980, 1, 1, 0, 0, 0)) == zipped((2020, 1, 1, 0, 0, 0))
    assert zipped((1980, 1, 1, 0, 0, 0)) != zipped((1980, 1, 1, 0, 0, 0), "2")


def test_a_folder_counts_by_what_it_holds(study_at):
    study = study_at("folder", analysis="    inputFiles: [case/]")
    (study.parent / "case" / ".git").mkdir(parents=True)
    (study.parent / "case" / "run.sh").write_text("true")
    before = digest(study)
    (study.parent / "case" / ".git" / "HEAD").write_text("elsewhere")
    (study.parent / "case" / "run.sh").touch()
    assert digest(study) == before
    (study.parent / "case" / "run.sh").chmod(0o755)
    assert digest(study) != before
