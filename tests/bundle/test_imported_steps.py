"""The steps of jobs that doe has made come back as they were written, and those of others stay as they are."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.steps import steps_of
from doe_compiler.bundle.pack import bundled, for_reading_platform, parameter_file
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.steps import extractor_settings
from doe_compiler.design.build import build
from doe_compiler.spec.model import (
    CommandExtractor,
    CsvExtractor,
    Declared,
    InputFile,
    JsonExtractor,
    PlatformFile,
    RegexExtractor,
    Response,
    Take,
)

from .specs import PLACE, a_script, a_spec, a_template, an_analysis, an_input, constant, levels


def shown(spec, *, is_ours=False):
    """The job of a study as a platform shows it, and the contents of its files by id."""
    bundle = bundled(spec, build(spec)[0])
    bundle = for_reading_platform(bundle) if is_ours else bundle
    job = bundle.jobs()[0]
    table = parameter_file(job)
    files = (*bundle.files, *job.own_files, *([table] if table else []))
    ids = {file.reference: f"id{number}" for number, file in enumerate(files)}
    payload = with_ids(job.payload(bundle, name="n", parameters=table.reference if table else None), ids)
    named = {ids[file.reference]: file for file in files}
    return described(json.loads(json.dumps(payload)), named), {
        key: file.content for key, file in named.items()
    }


def described(value, named):
    """References as the platform shows them: with the file's name."""
    if isinstance(value, dict):
        inner = {key: described(each, named) for key, each in value.items()}
        return {**inner, "name": named[inner["id"]].name} if inner.get("id") in named else inner
    return [described(each, named) for each in value] if isinstance(value, list) else value


ODD = "CH4:1, it's"
COMMANDS = st.sampled_from(["./solve", "./solve $x > a\n./post", "echo 'a' \"$x\" # $y", "cat <<E\n$x\nE"])
ENV = st.dictionaries(
    st.sampled_from(["A", "B", "PATH"]),
    st.sampled_from(["1", "$x:$PATH", "$$5", "", "a 'b' \"c\" \\", "${x}\n$$"]),
)
TIMES = st.none() | st.integers(1, 10**5)


@st.composite
def analyses(draw, number):
    with_pre, with_post = draw(st.booleans()), draw(st.booleans())
    return an_analysis(
        draw(COMMANDS),
        run_timeout_s=draw(TIMES),
        env_vars=draw(ENV),
        shell_names=("x",) if draw(st.booleans()) else (),
        templates=(a_template("${x} ${c}\n", f"deck{number}"),) if draw(st.booleans()) else (),
        input_files=(
            an_input(f"in{number}", "i", is_executable=draw(st.booleans())),
            InputFile(PlatformFile("theirs"), draw(st.booleans())),
        )[: draw(st.integers(0, 2))],
        pre_process=a_script(f"pre{number}.sh", draw(COMMANDS), "p") if with_pre else None,
        post_process=a_script(f"post{number}.sh", draw(COMMANDS), "q") if with_post else None,
    )


RESPONSES = (
    Response("a", RegexExtractor("log", "'(.)\"", Take.MAX), PLACE),
    Response("b", JsonExtractor("o.json", "a[0]"), PLACE),
    Response("c_", CsvExtractor("o.csv", "p"), PLACE),
    Response("d", CommandExtractor("cat x\nEND_OF_DOE"), PLACE),
    Response("e", Declared(), PLACE),
)


@st.composite
def studies(draw):
    count = draw(st.integers(1, 3))
    return replace(
        a_spec(
            levels("x", "1", draw(st.sampled_from(["2", ODD]))),
            constant("c", "2"),
            analyses=[draw(analyses(number)) for number in range(count)],
        ),
        responses=tuple(draw(st.lists(st.sampled_from(RESPONSES), unique=True))),
    )


@given(studies(), st.booleans())
def test_every_step_of_a_study_comes_back_from_its_job(spec, is_ours):
    job, contents = shown(spec, is_ours=is_ours)
    found = steps_of(job, contents)
    assert len(found.steps) == len(spec.analyses)
    for step, analysis in zip(found.steps, spec.analyses, strict=True):
        assert step.command == analysis.command
        assert step.run_timeout_s == analysis.run_timeout_s
        assert step.env_vars == (analysis.env_vars or {})
        assert [file.name for file in step.inputs] == [
            file.source.id if isinstance(file.source, PlatformFile) else file.source.name
            for file in analysis.input_files
        ]
        for script, command, own in (
            (step.pre_script, step.pre_command, analysis.pre_process),
            (step.post_script, step.post_command, analysis.post_process),
        ):
            assert (script.name if script else None) == (own.file.name if own else None)
            assert command == (own.command if own else "")
        targets = [task["processedFilename"] for task in step.raw["templateTasks"]]
        assert targets == [task.target for task in analysis.templates]
    settings = [extractor_settings(each) for each in spec.responses]
    assert list(found.extractors) == [each for each in settings if each is not None]
    assert set(found.declared) == {response.name for response in spec.responses}
    if ODD in spec.variables[0].law.texts:
        assert list(found.texts.values()) == [ODD]


@given(studies(), st.data())
def test_a_damaged_job_of_doe_is_read_without_a_crash(spec, data):
    """Any content may be gone, cut or another's, any entry of the job may be missing or strange."""
    job, contents = shown(spec)
    for key in list(contents):
        fate = data.draw(st.sampled_from(["stays", "stays", "gone", "cut", "other"]))
        if fate == "gone":
            del contents[key]
        elif fate == "cut":
            contents[key] = contents[key][: data.draw(st.integers(0, len(contents[key])))]
        elif fate == "other":
            contents[key] = data.draw(st.sampled_from(list(contents.values())))
    for analysis in job["jobanalyses"]:
        for key in data.draw(st.lists(st.sampled_from(sorted(analysis)), max_size=3)):
            strange = data.draw(st.sampled_from([None, "", 0, [], {}, [None], {"id": 3}, "doe", True, 1.5]))
            analysis[key] = strange
    found = steps_of(job, contents)
    assert len(found.steps) == len(spec.analyses)


GENERATED = b"# Generated by doe: what a run needs before its first step.\n# The study's own pre-processing.\n( sh a\n)\n"


@pytest.mark.parametrize("inputs", [[], None, [{"id": "t", "name": "doe_texts.txt"}], [None], ["x"]])
def test_a_generated_step_whose_inputs_are_gone_stays_as_it_is(inputs):
    analysis = {
        "command": "a",
        "inputFiles": inputs,
        "preProcessScript": {"id": "p", "name": "doe_pre.sh"},
        "preProcessScriptCommand": ". ./doe_pre.sh",
    }
    (step,) = steps_of({"jobanalyses": [analysis]}, {"p": GENERATED}).steps
    assert step.pre_script is not None
    assert step.pre_command


@pytest.mark.parametrize("name", ["DOE_STUDY", "DOE_RECIPE", "DOE_MINE", "PATH"])
def test_variables_of_others_stay_even_with_our_names(name):
    (step,) = steps_of({"jobanalyses": [{"command": "a", "envVars": {name: "1"}}]}, {}).steps
    assert step.env_vars == {name: "1"}


def test_a_dollar_of_others_reaches_a_run_as_it_is():
    (step,) = steps_of({"jobanalyses": [{"command": "a", "envVars": {"A": "$HOME/${X} $$"}}]}, {}).steps
    assert step.env_vars == {"A": "$$HOME/$${X} $$$$"}
