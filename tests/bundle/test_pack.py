"""A study is packed into few jobs that hold every row once, and every file that they name is in the bundle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.pack import (
    INPUT,
    PARAMETERS,
    SCRIPT,
    TEMPLATE,
    Job,
    for_reading_platform,
    parameter_file,
    untouched_files,
)
from doe_compiler.bundle.rows import design_keys, row_set
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.design.columns import FloatColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import canonical_json, sha256_hex
from doe_compiler.spec.model import (
    CommandExtractor,
    Declared,
    DesignSpec,
    InputFile,
    JobSpec,
    JsonExtractor,
    PlatformFile,
    RegexExtractor,
    Response,
    Sampling,
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
    every_file,
    expression,
    levels,
    references_in,
    with_analysis,
)

ODD = "CH4:1, O2:2"
READ = Response("y", RegexExtractor("y.txt", r"(\S+)"), PLACE)
BY_COMMAND = Response("z", CommandExtractor("cat z"), PLACE)


def runs(n, per_job=None):
    bundle = bundle_of(a_spec(levels("x", *map(str, range(n))), job=JobSpec(runs_per_job=per_job)))
    return bundle, bundle.jobs()


@given(st.integers(1, 40), st.none() | st.integers(1, 45))
def test_every_row_is_in_one_job_in_order_and_no_job_is_larger_than_allowed(n, per_job):
    bundle, jobs = runs(n, per_job)
    rows = [cell for job in jobs for cell in job.design.cells("x")]
    assert rows == [str(number) for number in range(n)]
    assert all(job.runs <= (per_job or n) for job in jobs)
    assert len(jobs) == -(-n // (per_job or n))
    total = sum(job.rows.total for job in jobs) % 2**64
    assert total == row_set(design_keys(bundle.design)).total


@given(st.lists(st.integers(0, 9), unique=True, min_size=1), st.integers(1, 4))
def test_ready_jobs_hold_the_rows_that_were_asked_for_and_no_others(rows, per_job):
    bundle, _ = runs(10, per_job)
    wanted = wanted_of(bundle)
    ready = [wanted.job(pack) for pack in wanted.packs(rows)]
    sent = [line for job in ready for line in job.parameters.content.decode().split("\n")[1:-1]]
    assert sent == [str(row) for row in rows]
    assert sum(job.rows.total for job in ready) % 2**64 == int(
        np.add.reduce(wanted.keys[rows], dtype=np.uint64)
    )
    for job in ready:
        assert job.runs == job.rows.count
        assert job.payload["paramFile"] == {"id": f"sha256:{job.parameters.reference}"}
        assert job.payload["jobanalyses"][0]["envVars"]["DOE_ROWS"] == str(job.rows)


def test_titles_tell_the_runs_and_that_of_a_job_with_all_of_them_does_not():
    assert [job.title for job in runs(5, 2)[1]] == ["s, runs 1-2", "s, runs 3-4", "s, run 5"]
    assert [job.title for job in runs(5, 5)[1]] == ["s"]
    described = bundle_of(a_spec(description="Wing"))
    assert [job.title for job in described.jobs()] == ["Wing"]


def test_how_rows_are_packed_is_no_matter_of_what_a_run_is():
    one, _ = runs(6)
    other, _ = runs(6, 2)
    assert one.recipe == other.recipe
    assert wanted_of(one).keys.tolist() == wanted_of(other).keys.tolist()
    assert [file.reference for file in one.files] == [file.reference for file in other.files]


def test_a_job_that_the_platform_samples_has_a_unit_and_no_rows():
    from fractions import Fraction

    from doe_compiler.bundle.pack import bundled
    from doe_compiler.generators.laws.uniform import Uniform
    from doe_compiler.spec.model import Variable

    sampled = a_spec(
        Variable("x", Uniform(Fraction(0), Fraction(1)), PLACE),
        design=DesignSpec("monte-carlo", PLACE, iterations=4, sampling=Sampling.PLATFORM),
    )
    wanted = wanted_of(bundled(sampled, None))
    ready = wanted.job(range(1))
    assert (ready.runs, ready.rows, ready.parameters, ready.payload["paramFile"]) == (None, None, None, None)
    assert ready.unit == wanted.unit
    assert ready.payload["jobanalyses"][0]["envVars"]["DOE_ROWS"] == f"p-{wanted.unit}"
    assert wanted.varied == ()
    assert wanted.keys.tolist() == [int(wanted.unit, 16)]


# Files


RICH = a_spec(
    levels("x", "1", ODD),
    levels("alpha", "1", "it's"),
    constant("c", "2"),
    expression("e", "c * 2"),
    analyses=(
        an_analysis(
            input_files=(an_input("mesh.dat", "m"), an_input("solve", "s", is_executable=True)),
            templates=(a_template("${x} ${c}\n"), a_template("${e}\n", "two.txt", "two.template")),
            pre_process=a_script("pre.sh", "sh pre.sh", "p"),
            shell_names=("alpha",),
        ),
        an_analysis(
            "./more",
            input_files=(an_input("mesh.dat", "m"), InputFile(PlatformFile("abc"))),
            templates=(a_template("${x}\n", "three.txt", "three.template"),),
            post_process=a_script("post.sh", "sh post.sh", "q"),
            shell_names=("alpha",),
            env_vars={"A": "$alpha"},
        ),
    ),
    responses=(READ, BY_COMMAND),
)


def payload_of(bundle, design=None):
    bundle = bundle if design is None else replace(bundle, design=design)
    job = bundle.jobs()[0]
    table = parameter_file(job)
    return job.payload(bundle, name="n", parameters=table.reference if table else None), table


@pytest.mark.parametrize("is_ours", [False, True])
@pytest.mark.parametrize("responses", [(), (READ,), (READ, BY_COMMAND), (Response("d", Declared(), PLACE),)])
@pytest.mark.parametrize("encoding", ["", "latin-1"])
def test_what_a_payload_names_is_in_the_bundle_and_nothing_else_is(is_ours, responses, encoding):
    spec = replace(RICH, responses=responses)
    if encoding:
        narrow = a_template("${x}\n", "deck.txt", takes_utf8=False, encoding=encoding)
        spec = with_analysis(spec, templates=(narrow, *spec.analyses[0].templates[1:]))
    bundle = for_reading_platform(bundle_of(spec)) if is_ours else bundle_of(spec)
    payload, table = payload_of(bundle)
    given_files = {f"sha256:{file.reference}" for file in (*every_file(bundle), table)}
    assert set(references_in(payload)) == given_files
    assert len({file.reference for file in every_file(bundle)}) == len(every_file(bundle))


@pytest.mark.parametrize("is_ours", [False, True])
def test_every_file_is_what_its_digest_and_size_say(is_ours):
    bundle = for_reading_platform(bundle_of(RICH)) if is_ours else bundle_of(RICH)
    for file in every_file(bundle):
        if file.content is not None:
            assert (file.sha256, file.size) == (sha256_hex(file.content), len(file.content)), file.name


def test_one_content_under_two_names_is_two_files_and_one_name_twice_is_one():
    same = (an_input("a.dat", "1"), an_input("b.dat", "1"), an_input("a.dat", "1"))
    bundle = bundle_of(with_analysis(a_spec(), input_files=same))
    inputs = [file.name for file in bundle.files if file.type_id == INPUT]
    assert inputs == ["a.dat", "b.dat"]
    payload, _ = payload_of(bundle)
    sent = [entry["id"] for entry in payload["jobanalyses"][0]["inputFiles"]]
    assert sent[0] == sent[2] != sent[1]


def test_two_contents_under_one_name_are_both_sent():
    tasks = (a_template("1 ${x}\n", "one"), a_template("2 ${x}\n", "two"))
    payload, _ = payload_of(bundle_of(with_analysis(a_spec(), templates=tasks)))
    one, two = payload["jobanalyses"][0]["templateTasks"]
    assert one["templateFile"] != two["templateFile"]


def test_files_say_what_they_are_for():
    kinds = {file.name: file.type_id for file in every_file(bundle_of(RICH))}
    assert kinds == {
        "mesh.dat": INPUT, "solve": INPUT, "doe_texts.txt": INPUT,
        "deck.template": TEMPLATE, "two.template": TEMPLATE, "three.template": TEMPLATE,
        "doe_variables.sh": TEMPLATE, "doe_variables2.sh": TEMPLATE,
        "pre.sh": SCRIPT, "post.sh": SCRIPT, "doe_pre.sh": SCRIPT, "doe_pre2.sh": SCRIPT, "doe_post.sh": SCRIPT,
    }  # fmt: skip
    assert payload_of(bundle_of(RICH))[1].type_id == PARAMETERS


def test_compiling_again_gives_the_same_bytes():
    one, two = (payload_of(bundle_of(RICH)) for _ in range(2))
    assert canonical_json(one[0]) == canonical_json(two[0])
    assert one[1] == two[1]


# What goes around the steps


def test_the_generated_step_stands_in_the_last_analysis_and_the_texts_in_the_first():
    payload, _ = payload_of(bundle_of(RICH))
    first, last = payload["jobanalyses"]
    assert first["postProcessScript"] is None
    assert "/doe_post.sh" in last["postProcessScript"]["id"]
    texts = [any("/doe_texts.txt" in each["id"] for each in one["inputFiles"]) for one in (first, last)]
    assert texts == [True, False]
    assert [set(one["envVars"]) for one in (first, last)] == [
        {"DOE_STUDY", "DOE_RECIPE", "DOE_PARTS", "DOE_ROWS", "DOE_RESPONSES"}, set()
    ]  # fmt: skip


def test_a_script_that_a_generated_one_starts_is_an_input_that_is_not_unpacked():
    packed = with_analysis(RICH, pre_process=a_script("pre.zip", "sh pre.zip", "p"))
    first, last = payload_of(bundle_of(packed))[0]["jobanalyses"]
    for analysis, name in ((first, "pre.zip"), (last, "post.sh")):
        (own,) = [each for each in analysis["inputFiles"] if each["id"].endswith(f"/{name}")]
        assert own["decompress"] is False


def test_what_later_steps_need_is_put_back_after_each_command():
    bundle = bundle_of(RICH)
    first, last = bundle.dress(bundle.jobs()[0].own_files)
    assert set(first.kept) == {
        "doe_post.sh",
        "doe_texts.txt",
        "doe_variables.sh",
        "doe_variables2.sh",
        "doe_pre2.sh",
    }
    assert set(last.kept) == {"doe_post.sh", "doe_variables2.sh"}
    assert set(first.kept) <= {file.name for file in every_file(bundle)}
    # the generated step puts texts into the variables: they are not to be put back as they were before it
    assert "doe_variables.sh" not in first.kept_by_pre
    assert "doe_variables2.sh" in first.kept_by_pre


def test_our_own_platform_reads_outputs_itself_and_needs_neither_wrapper_nor_step():
    bundle = for_reading_platform(bundle_of(replace(a_spec(), responses=(READ,))))
    payload, _ = payload_of(bundle)
    analysis = payload["jobanalyses"][0]
    assert analysis["command"] == "./solve"
    assert analysis["postProcessScript"] is None
    assert payload["outputReading"]["variables"] == [
        {"name": "y", "kind": "regex", "file": "y.txt", "regex": r"(\S+)", "take": "last"}
    ]
    assert "doe_post.sh" not in {file.name for file in bundle.files}


def test_a_response_by_command_needs_the_step_on_our_own_platform_too():
    bundle = for_reading_platform(bundle_of(replace(a_spec(), responses=(READ, BY_COMMAND))))
    payload, _ = payload_of(bundle)
    assert "/doe_post.sh" in payload["jobanalyses"][0]["postProcessScript"]["id"]
    assert "outputReading" not in payload


def test_where_jobs_are_sent_changes_neither_recipe_nor_rows():
    bundle = bundle_of(RICH)
    ours = for_reading_platform(bundle)
    assert ours.recipe == bundle.recipe
    markers = [payload_of(each)[0]["jobanalyses"][0]["envVars"] for each in (bundle, ours)]
    assert markers[0] == markers[1]
    assert payload_of(bundle)[1] == payload_of(ours)[1]


def test_an_input_that_a_response_reads_is_untouched_until_a_run_writes_it():
    spec = with_analysis(a_spec(), input_files=(an_input("y.txt", "1"), an_input("other", "2")))
    spec = replace(spec, responses=(READ, Response("j", JsonExtractor("out.json", "a"), PLACE)))
    assert untouched_files(spec) == ("y.txt",)
    (script,) = [file.content for file in bundle_of(spec).files if file.name == "doe_pre.sh"]
    assert b"touch -c -t 200001010000 ./y.txt" in script
    assert b"other" not in script
    by_path = replace(spec, responses=(Response("y", RegexExtractor("./y.txt", "(.)"), PLACE),))
    assert untouched_files(by_path) == ("y.txt",)


# The parameter file


def test_a_text_that_no_table_holds_travels_by_its_name_and_counts_by_itself():
    bundle = bundle_of(a_spec(levels("x", "1", ODD)))
    table = parameter_file(bundle.jobs()[0]).content.decode()
    (name,) = bundle.texts
    assert table == f"x\n1\n{name}\n"
    assert bundle.texts == {name: ODD}
    other = bundle_of(a_spec(levels("x", "1", ODD, "a,b")))
    assert design_keys(other.design)[:2].tolist() == design_keys(bundle.design).tolist()
    assert bundle.texts.items() <= other.texts.items()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_the_table_holds_the_cells_of_the_rows_to_the_last_digit(values):
    design = Design("s", (FloatColumn("x", np.array(values) + 0.0),), ("x",), "monte-carlo")
    content = b"".join(Job(a_spec(), design, "t").parameter_chunks()).decode()
    assert content.endswith("\n")
    header, *cells = content[:-1].split("\n")
    assert header == "x"
    assert cells == design.cells("x")
    assert [float(cell) for cell in cells] == values


def test_a_study_without_variables_sends_no_table():
    bundle = bundle_of(
        replace(a_spec(analyses=(an_analysis(),)), variables=(), design=DesignSpec("full-factorial", PLACE))
    )
    (job,) = bundle.jobs()
    assert (job.runs, job.has_parameters, parameter_file(job)) == (1, False, None)
    assert payload_of(bundle)[0]["paramFile"] is None
