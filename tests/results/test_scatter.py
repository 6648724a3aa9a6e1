"""Scatter matrices: really drawn, the same bytes each time, without network."""

import xml.etree.ElementTree as ET

import pytest

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.pipeline.compiling import checked_spec, designed
from doe_compiler.results.scatter import scatter_matrix

STUDY = """doe: 1
study: drawn
variables:
{variables}
design: {{method: sobol, runs: {runs}}}
analyses:
  - analysis: {{code: user_included}}
    command: echo {names}
    hardware: {{coreType: standard-plus}}
"""


@pytest.fixture
def drawn(tmp_path):
    def _drawn(count, runs=16, form="svg"):
        lines = [f"  x{i}: {{generator: Uniform, min: 0, max: {i + 1}, unit: m}}" for i in range(count)]
        lines += ["  mesh: {levels: [coarse, fine]}", "  n: {generator: Poisson, mean: 3}"]
        names = " ".join([*(f"$x{i}" for i in range(count)), "$mesh", "$n"])
        path = tmp_path / "study.yaml"
        path.write_text(STUDY.format(variables="\n".join(lines), runs=runs, names=names))
        spec, _ = checked_spec(path)
        return scatter_matrix(spec, designed(spec), form)

    return _drawn


def test_a_picture_names_every_variable_and_is_the_same_each_time(drawn):
    picture = drawn(2)
    tree = ET.fromstring(picture)
    texts = {element.text for element in tree.iter() if element.tag.endswith("}text")}
    assert {"x0", "x1", "mesh", "n", "coarse", "fine", "[m]"} <= texts
    assert drawn(2) == picture


def test_a_png_is_one_and_a_page_needs_no_network(drawn):
    assert drawn(1, form="png").startswith(b"\x89PNG\r\n")
    page = drawn(1, form="html").decode()
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "<script" not in page
    assert "src=" not in page


def test_thousands_of_runs_are_drawn_in_a_small_file(drawn):
    assert len(drawn(2, runs=30_000)) < 3_000_000


def test_too_many_variables_say_what_to_do(drawn):
    with pytest.raises(WrongUsage, match="31 variables") as caught:
        drawn(29)
    assert "--columns" in caught.value.hint


@pytest.fixture
def drawn_alone(tmp_path):
    def _drawn(law, runs=12):
        path = tmp_path / "study.yaml"
        path.write_text(STUDY.format(variables=f"  k: {law}", runs=runs, names="$k"))
        spec, _ = checked_spec(path)
        return scatter_matrix(spec, designed(spec), "svg").decode()

    return _drawn


@pytest.mark.parametrize(
    ("law", "is_logarithmic"),
    [
        ("{generator: LogUniform, min: 0.001, max: 100}", True),
        ("{generator: LogNormal, mu: 0, sigma: 2}", True),
        ("{levels: [1, 10, 100, 1000]}", True),
        ("{generator: Uniform, min: 0.001, max: 100}", False),
        ("{generator: LogUniform, min: 1, max: 2}", False),
        ("{generator: Normal, mean: 0, std: 1}", False),
    ],
)
def test_what_spreads_over_orders_of_magnitude_has_a_logarithmic_axis(drawn_alone, law, is_logarithmic):
    assert ("10^{" in drawn_alone(law)) is is_logarithmic


@pytest.mark.parametrize(
    ("law", "bars"), [("{generator: Uniform, min: 0, max: 1}", 5), ("{levels: [1, 2, 4]}", 3)]
)
def test_a_bar_is_a_share_of_the_range_or_a_level(drawn_alone, law, bars):
    figure_axes_and_spines = 1 + 1 + 4
    assert drawn_alone(law).count('<g id="patch_') == figure_axes_and_spines + bars


def test_a_page_of_fifteen_variables_is_small(drawn):
    assert len(drawn(13, runs=256, form="html")) < 1_500_000
