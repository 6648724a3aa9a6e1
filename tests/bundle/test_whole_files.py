"""A template that is rendered a run at a time: its files travel in an archive of the job, found by what they say."""

import subprocess
import tarfile
from dataclasses import replace
from io import BytesIO

import pytest

from doe_compiler.bundle import pack
from doe_compiler.bundle.pack import bundled, parameter_file
from doe_compiler.bundle.texts import name_of_file, read_rendered, rendered_archive
from doe_compiler.design.build import build

from .specs import a_template, local
from .test_merging import jinja_spec
from .test_whole_run import SHELLS, run_of

WHOLE = "{% set ns = namespace(t=0) %}{% for i in range(n) %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }},\n'é'\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("row", [0, 3])
def test_a_run_takes_its_file_from_the_archive_whatever_job_it_is_in(tmp_path, shell, row):
    spec = jinja_spec(WHOLE, n=["1", "2"], x=["1.5", "2.5"])
    run_of(tmp_path, spec, row, shell=shell)
    design, _ = build(spec)
    cells = design.row(row)
    total = int(cells["n"]) * float(cells["x"])
    assert (tmp_path / "deck.txt").read_text() == f"{total},\n'é'\n"
    assert not list(tmp_path.glob("doe_rendered*"))
    assert not list(tmp_path.glob("doe_file_*"))


@pytest.mark.parametrize("is_ours", [False, True])
def test_a_later_analysis_takes_its_file_from_the_same_archive(tmp_path, is_ours):
    first = jinja_spec(WHOLE, n=["1", "2"], x=["1.5", "2.5"])
    other = jinja_spec(WHOLE.replace("é", "e"), n=["1", "2"], x=["1.5", "2.5"])
    (task,) = other.analyses[0].templates
    later = replace(
        other.analyses[0],
        templates=(replace(task, target="later.txt", source=local("later.j2", "later")),),
        command="cat deck.txt later.txt > all",
    )
    spec = replace(first, analyses=(*first.analyses, later), lowered=(*first.lowered, *other.lowered))
    run_of(tmp_path, spec, 3, is_ours=is_ours)
    assert (tmp_path / "all").read_text() == "5.0,\n'é'\n5.0,\n'e'\n"
    assert not list(tmp_path.glob("doe_rendered*"))


def test_a_file_that_the_archive_lacks_ends_the_step(tmp_path):
    spec = jinja_spec(WHOLE, n=["1", "2"], x=["1.5", "2.5"])
    bundle = bundled(spec, build(spec)[0])
    (tmp_path / "deck.txt").write_text("doe_file_0000000000000000")
    (tmp_path / "doe_rendered.tar").write_bytes(rendered_archive(["a"]))
    (script,) = [file.content for file in bundle.files if file.name == "doe_pre.sh"]
    done = subprocess.run(["sh", "-c", script.decode()], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1


def test_equal_files_are_one_and_the_archive_is_the_same_every_time():
    archive = rendered_archive(["b", "a", "b", "\udcff"])
    assert archive == rendered_archive(["\udcff", "a", "b"])
    with tarfile.open(fileobj=BytesIO(archive)) as members:
        assert members.getnames() == sorted(map(name_of_file, ("a", "b", "\udcff")))
    assert read_rendered(archive) == {name_of_file(text): text for text in ("a", "b", "\udcff")}
    assert read_rendered(b"no tar") == {}


def test_a_job_holds_no_more_runs_than_fit(monkeypatch):
    spec = jinja_spec(WHOLE.replace("'é'", "y" * 1000), n=["1", "2", "3"], x=["1", "2", "3"])
    design, _ = build(spec)
    whole = bundled(spec, design)
    assert len(whole.jobs()) == 1
    assert whole.told() == []
    monkeypatch.setattr(pack, "MOST_OWN_BYTES", 3_100)
    bundle = bundled(spec, design)
    jobs = bundle.jobs()
    assert [job.runs for job in jobs] == [3, 3, 3]
    assert all(len(file.content) < 10_000 for job in jobs for file in job.own_files)
    (told,) = bundle.told()
    assert (told.code, "3 jobs instead of 1" in told.message) == ("T207", True)
    assert bundle.recipe == whole.recipe
    rows = b"".join(parameter_file(job).content.split(b"\n", 1)[1] for job in jobs)
    assert rows == parameter_file(whole.jobs()[0]).content.split(b"\n", 1)[1]
    monkeypatch.setattr(pack, "MOST_OWN_BYTES", 10)
    assert [job.runs for job in bundled(spec, design).jobs()] == [1] * 9


def test_one_source_in_two_syntaxes_is_two_templates(tmp_path):
    spec = jinja_spec("{{ x }}", x=["1", "2"])
    (task,) = spec.analyses[0].templates
    platform = replace(a_template("{{ ${x} }}", "platform.txt"), source=task.source)
    (analysis,) = spec.analyses
    spec = replace(spec, analyses=(replace(analysis, templates=(task, platform)),))
    run_of(tmp_path, spec, 1)
    assert [(tmp_path / name).read_text() for name in ("deck.txt", "platform.txt")] == ["2", "{{ 2 }}"]
