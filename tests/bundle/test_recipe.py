"""The recipe: what determines a run is in it, what does not is not; pinned, so that no upgrade buys again."""

import io
import tarfile
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.parts import part_changes, parts
from doe_compiler.bundle.recipe import recipe, recipe_digest
from doe_compiler.pipeline.compiling import checked_spec
from doe_compiler.spec.model import (
    DesignSpec,
    Hardware,
    InputFile,
    JobSpec,
    Limits,
    PlatformFile,
    RegexExtractor,
    Response,
    Script,
    Share,
)
from doe_compiler.templates.substitution import substituted

from .specs import (
    PLACE,
    a_script,
    a_spec,
    a_template,
    an_analysis,
    an_input,
    constant,
    levels,
    local,
    with_analysis,
)


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


# In memory: every field of a study, changed alone


ARCHIVE = an_input("case.tar", "1", members="m1")
FULL = a_spec(
    levels("x", "1", "2"),
    constant("c", "2"),
    analyses=(
        an_analysis(
            templates=(a_template("${x} ${c}\n"),),
            input_files=(an_input("mesh", "m"), ARCHIVE, InputFile(PlatformFile("id1"))),
            pre_process=a_script("pre.sh", "sh pre.sh", "p"),
            post_process=a_script("post.sh", "sh post.sh", "q"),
            env_vars={"A": "1"},
            raw={"flags": {"a": 1}},
        ),
        an_analysis("./more"),
    ),
)


def of_analysis(number=0, **more):
    return lambda spec: with_analysis(spec, number, **more)


def of_study(**more):
    return lambda spec: replace(spec, **more)


def inputs(*files):
    return of_analysis(input_files=files)


BUYS = {
    "command": of_analysis(command="./other"),
    "command of the second": of_analysis(1, command="./other"),
    "code": of_analysis(code="other"),
    "version": of_analysis(version="2"),
    "mpi": of_analysis(use_mpi=True),
    "a new variable of the environment": of_analysis(env_vars={"A": "1", "B": "2"}),
    "a value of the environment": of_analysis(env_vars={"A": "2"}),
    "a name of the environment": of_analysis(env_vars={"B": "1"}),
    "no environment": of_analysis(env_vars=None),
    "raw": of_analysis(raw={"flags": {"a": 2}}),
    "raw with a zero": of_analysis(raw={"flags": {"a": 1}, "b": 0}),
    "no raw": of_analysis(raw=None),
    "raw inputs": of_analysis(raw={"flags": {"a": 1}, "inputFiles": ["id2"]}),
    "raw templates": of_analysis(raw={"flags": {"a": 1}, "templateTasks": [{"templateFile": {"id": "id2"}}]}),
    "raw environment": of_analysis(raw={"flags": {"a": 1}, "envVars": {"A": "3"}}),
    "content of an input": inputs(an_input("mesh", "M"), *FULL.analyses[0].input_files[1:]),
    "name of an input": inputs(an_input("grid", "m"), *FULL.analyses[0].input_files[1:]),
    "x bit of an input": inputs(an_input("mesh", "m", is_executable=True), *FULL.analyses[0].input_files[1:]),
    "one input less": inputs(*FULL.analyses[0].input_files[1:]),
    "one input more": inputs(*FULL.analyses[0].input_files, an_input("more")),
    "order of inputs": inputs(*FULL.analyses[0].input_files[::-1]),
    "members of an archive": inputs(FULL.analyses[0].input_files[0], an_input("case.tar", "1", members="m2"), *FULL.analyses[0].input_files[2:]),
    "an archive that stays one": inputs(FULL.analyses[0].input_files[0], replace(ARCHIVE, decompress=False), *FULL.analyses[0].input_files[2:]),
    "another file of the platform": inputs(*FULL.analyses[0].input_files[:2], InputFile(PlatformFile("id2"))),
    "text of a template": of_analysis(templates=(a_template("${x}  ${c}\n"),)),
    "target of a template": of_analysis(templates=(a_template("${x} ${c}\n", "other.txt"),)),
    "format in a template": of_analysis(templates=(a_template('${x?string("0.0")} ${c}\n'),)),
    "x bit of a template": of_analysis(templates=(replace(a_template("${x} ${c}\n"), source=local("deck.template", "${x} ${c}\n", is_executable=True)),)),
    "encoding of a template": of_analysis(templates=(a_template("${x} ${c}\n", takes_utf8=False, encoding="latin-1"),)),
    "one template more": of_analysis(templates=(a_template("${x} ${c}\n"), a_template("-", "b"))),
    "command of pre-processing": of_analysis(pre_process=a_script("pre.sh", "bash pre.sh", "p")),
    "script of pre-processing": of_analysis(pre_process=a_script("pre.sh", "sh pre.sh", "P")),
    "name of pre-processing": of_analysis(pre_process=a_script("pre2.sh", "sh pre.sh", "p")),
    "no pre-processing": of_analysis(pre_process=None),
    "script of post-processing": of_analysis(post_process=a_script("post.sh", "sh post.sh", "Q")),
    "x bit of post-processing": of_analysis(post_process=Script(local("post.sh", "q", is_executable=True), "sh post.sh")),
    "a column in a command": of_analysis(shell_names=("x",)),
    "a constant": of_study(variables=(levels("x", "1", "2"), constant("c", "3"))),
    "format of a constant": of_study(variables=(levels("x", "1", "2"), constant("c", "2", format="0.0"))),
    "role": of_study(variables=(levels("x", "1", "2", role="Design"), constant("c", "2"))),
    "raw of a variable": of_study(variables=(levels("x", "1", "2", raw={"a": 0}), constant("c", "2"))),
    "dry run": of_study(job=JobSpec(is_template_dry_run=True)),
    "case file": of_study(job=JobSpec(case_file=PlatformFile("id9"))),
    "a dry run by raw": of_study(job=JobSpec(raw={"isTemplateDryRun": True})),
    "a case file by raw": of_study(job=JobSpec(raw={"caseFile": {"id": "id8"}})),
    "analyses by raw": of_study(job=JobSpec(raw={"jobanalyses": []})),
    "one analysis less": of_study(analyses=FULL.analyses[:1]),
    "order of analyses": of_study(analyses=FULL.analyses[::-1]),
}  # fmt: skip
FREE = {
    "description": of_study(description="other"),
    "study": of_study(study="other"),
    "limits": of_study(limits=Limits(9, 9, 9)),
    "responses": of_study(responses=(Response("y", RegexExtractor("a", "b"), PLACE),)),
    "levels": of_study(variables=(levels("x", "5"), constant("c", "2"))),
    "unit": of_study(variables=(levels("x", "1", unit="m", description="d"), constant("c", "2", unit="m"))),
    "an unused constant": of_study(variables=(*FULL.variables, constant("d", "2"))),
    "a renamed constant": lambda spec: with_analysis(
        replace(spec, variables=(spec.variables[0], constant("k", "2"))),
        templates=(a_template("${x} ${k}\n"),),
    ),
    "seed": of_study(seed=9),
    "design": of_study(design=DesignSpec("full-factorial", PLACE, replicates=3)),
    "priority": of_study(job=JobSpec(True, 3, None, 2, True)),
    "filters and raw of the job": of_study(job=JobSpec(resource_filters=({"a": 1},), raw={"projectId": "p"})),
    "priority and outputs by raw": of_study(
        job=JobSpec(raw={"isLowPriority": True, "jobvariables": [{"name": "Cd"}], "name": "n"})
    ),
    "sharing": of_study(job=JobSpec(share=(Share("a@b.c"),))),
    "hardware": of_analysis(hardware=Hardware("onyx", 4, 8, 2)),
    "licence": of_analysis(use_rescale_license=True),
    "licence seller": of_analysis(raw={"flags": {"a": 1}, "onDemandLicenseSeller": {"code": "s"}}),
    "time-out": of_analysis(run_timeout_s=5),
    "a column of a response's command": of_analysis(measured_names=("c",)),
    "bytes of an archive": inputs(
        FULL.analyses[0].input_files[0],
        an_input("case.tar", "2", members="m1"),
        *FULL.analyses[0].input_files[2:],
    ),
    "place of a template": of_analysis(
        templates=(replace(a_template("${x} ${c}\n"), source=local("d", "${x} ${c}\n")),)
    ),
    "how a placeholder is written": of_analysis(
        templates=(replace(a_template("${ x } ${c}\n"), source=local("d")),)
    ),
    "empty environment of the second": of_analysis(1, env_vars={}),
}


@pytest.mark.parametrize("name", BUYS)
def test_what_a_run_computes_from_buys_runs_again_and_is_told(name):
    changed = BUYS[name](FULL)
    assert recipe_digest(changed) != recipe_digest(FULL)
    assert part_changes(parts(FULL), parts(changed)) != {}, "the recipe has changed and nobody is told why"


@pytest.mark.parametrize("name", FREE)
def test_what_a_run_does_not_compute_from_buys_nothing(name):
    assert recipe_digest(FREE[name](FULL)) == recipe_digest(FULL)


@given(st.sampled_from(sorted(BUYS)), st.sampled_from(sorted(FREE)))
def test_two_changes_at_once_buy_what_the_dearer_one_buys(dear, free):
    both = BUYS[dear](FREE[free](FULL))
    assert recipe_digest(both) != recipe_digest(FULL)


def test_no_two_changes_are_one_recipe():
    digests = [recipe_digest(change(FULL)) for change in BUYS.values()]
    assert len(set(digests)) == len(digests)


PIECES = st.lists(
    st.sampled_from(["a", "$${", "}", "{", "\n", "${x}", "${c}", "$ ", '${x?string("0")}']), max_size=5
)


@given(PIECES, PIECES)
def test_two_templates_are_one_only_if_they_are_one_text_for_every_row(one, two):
    """A literal that looks like a placeholder is none: `$${x}` and `${x}` are two texts."""

    def deck(pieces):
        return recipe_digest(with_analysis(FULL, templates=(a_template("".join(pieces)),)))

    def sent(pieces):
        template = a_template("".join(pieces)).template
        return [substituted(template, {"x": x, "c": c}) for x, c in (("1.5", "1.5"), ("2", "3"))]

    assert (deck(one) == deck(two)) is (sent(one) == sent(two))
