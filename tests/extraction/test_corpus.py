"""One corpus, read in this process and by the generated script: the same values, the same reasons."""

import ast
import json
import os
import re
import subprocess

import pytest

from doe_compiler.bundle.steps import POST_COMMAND, POST_SCRIPT, post_script, reading_program
from doe_compiler.extraction.reading import FileReading
from doe_compiler.extraction.run import run_outcomes
from doe_compiler.extraction.told import told_in
from doe_compiler.extraction.watch import Watch
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import CsvExtractor, JsonExtractor, RegexExtractor, Response, Take
from tests.extraction.corpus import CORPUS

NAMED = [({"file": f"out{n}", **extractor}, *rest) for n, (extractor, *rest) in enumerate(CORPUS)]


def outcome_of(extractor, content, size):
    with Watch() as watch:
        reading = FileReading([extractor], watch)
        for start in range(0, len(content), size):
            reading.feed(content[start : start + size])
        return reading.finish()[0]


@pytest.mark.parametrize(("extractor", "content", "value", "told"), NAMED)
def test_what_solvers_write_is_read_right(extractor, content, value, told):
    found = outcome_of(extractor, content, 1 << 20)
    assert found.value == value
    assert told in found.told if told else not found.told


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_pieces_in_which_a_file_comes_do_not_count(size):
    for extractor, content, _, _ in NAMED:
        if size > 1 or len(content) < 10_000:
            assert outcome_of(extractor, content, size) == outcome_of(extractor, content, 1 << 20)


def response(name, settings):
    kind = settings["kind"]
    if kind == "regex":
        extractor = RegexExtractor(settings["file"], settings["regex"], Take(settings["take"]))
    elif kind == "csv":
        extractor = CsvExtractor(settings["file"], settings["column"], Take(settings["take"]))
    else:
        extractor = JsonExtractor(settings["file"], settings["path"])
    return Response(name, extractor, Place("study.yaml", 1, 1))


def printed(folder, responses, environment=()):
    (folder / POST_SCRIPT).write_bytes(post_script(responses, None))
    done = subprocess.run(
        ["/bin/sh", "-c", POST_COMMAND],
        cwd=folder,
        capture_output=True,
        env={**os.environ, **dict(environment)},
        check=True,
    )
    assert done.stderr == b""
    return dict(line.split("\t", 1) for line in done.stdout.decode().split("\n")[:-1])


def test_the_generated_script_reads_the_corpus_as_this_process_does(tmp_path):
    for settings, content, _, _ in NAMED:
        (tmp_path / settings["file"]).write_bytes(content)
    names = [f"r{n}" for n in range(len(NAMED))]
    found = printed(tmp_path, [response(name, each[0]) for name, each in zip(names, NAMED, strict=True)])
    told = told_in(found.pop("doe_reading"))
    here = dict(zip(names, run_outcomes(str(tmp_path), [each[0] for each in NAMED], 60.0), strict=True))
    assert found == {name: outcome.value for name, outcome in here.items() if outcome.value is not None}
    assert told.missing == {name: outcome.told for name, outcome in here.items() if outcome.value is None}
    assert told.notes == {
        name: outcome.told for name, outcome in here.items() if outcome.value and outcome.told
    }
    assert {name: outcome.value for name, outcome in here.items()} == dict(
        zip(names, [each[2] for each in NAMED], strict=True)
    )


PROGRAM = reading_program([response("y", {"kind": "json", "file": "f", "path": "a"})], 1.0)


def test_the_generated_program_is_python_of_3_6_and_stands_alone():
    tree = ast.parse(PROGRAM, feature_version=(3, 6))
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported <= {
        "itertools",
        "codecs",
        "csv",
        "json",
        "math",
        "os",
        "re",
        "signal",
        "stat",
        "subprocess",
        "sys",
        "threading",
        "time",
        "typing",
    }


def test_no_module_of_the_program_takes_a_name_of_another():
    names = [
        name
        for node in ast.parse(PROGRAM).body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    ]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "name", ["json", "re", "csv", "selectors", "codecs", "signal", "typing", "os", "encodings/__init__"]
)
def test_files_of_a_run_with_names_of_the_library_change_nothing(tmp_path, name):
    (tmp_path / "out").write_text('{"a": 5}')
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / f"{name}.py").write_text("raise SystemExit(3)\n")
    found = printed(
        tmp_path,
        [response("y", {"kind": "json", "file": "out", "path": "a"})],
        {"PYTHONHOME": str(tmp_path), "PYTHONPATH": str(tmp_path)},
    )
    assert found == {"y": "5"}


def test_many_responses_of_one_file_are_read(tmp_path):
    (tmp_path / "out").write_text(json.dumps({f"h{n}": n for n in range(10_000)}))
    responses = [response(f"r{n}", {"kind": "json", "file": "out", "path": f"h{n}"}) for n in range(10_000)]
    assert printed(tmp_path, responses) == {f"r{n}": str(n) for n in range(10_000)}


def test_many_columns_of_one_file_are_read(tmp_path):
    (tmp_path / "out").write_text(
        ",".join(f"c{n}" for n in range(2000)) + "\n" + ",".join(map(str, range(2000)))
    )
    extractors = [{"kind": "csv", "file": "out", "column": f"c{n}", "take": "last"} for n in range(2000)]
    assert [each.value for each in run_outcomes(str(tmp_path), extractors, 60.0)] == [
        str(n) for n in range(2000)
    ]


def test_the_settings_stand_in_the_program_where_an_import_looks_for_them():
    assert re.search(r"^RESPONSES = json\.loads\((.*)\)$", PROGRAM, re.MULTILINE)
