"""What is said of designs, against scipy and by hand."""

import numpy as np
import pytest
from design_studies import F, built, levels, study, table_of, uniform, variable
from scipy.spatial.distance import pdist
from scipy.stats import qmc, spearmanr

from doe_compiler.design.measure import measures
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.spec.model import FromTable


def measured(spec, *told):
    return measures(spec, built(spec, *told))


@pytest.mark.parametrize("method", ["sobol", "latin-hypercube", "monte-carlo"])
def test_measures_of_uniform_columns_are_scipy_s(method):
    spec = study(uniform("x"), uniform("y"), uniform("z"), method=method, runs=300)
    found = measured(spec)
    design = built(spec)
    points = np.column_stack([[float(cell) for cell in design.cells(name)] for name in "xyz"])
    assert found.discrepancy == pytest.approx(qmc.discrepancy(points))
    assert found.distance == pytest.approx(pdist(points).min())
    table = spearmanr(points).statistic - np.eye(3)
    assert abs(found.correlation[0]) == pytest.approx(np.abs(table).max())
    assert found.runs == 300


def test_a_law_is_measured_by_its_probabilities():
    laws = (variable("x", Normal(F(0), F(1), lower=F(-1))), variable("y", Normal(F(5), F(2))))
    plain = (uniform("x"), uniform("y"))
    by_laws = measured(study(*laws, method="sobol", runs=64))
    assert by_laws.discrepancy == pytest.approx(measured(study(*plain, method="sobol", runs=64)).discrepancy)


def test_ranges_are_cells_and_levels_are_counted():
    found = measured(study(uniform("x", 10, 30, unit="m/s"), levels("m", "a", "b", "c"), method="star"))
    x, m = found.ranges
    assert (x.name, x.unit, x.smallest, x.largest, x.distinct) == ("x", "m/s", "10", "30", 3)
    assert (m.smallest, m.largest, m.distinct) == ("a", "c", 3)
    assert found.distance == pytest.approx(1 / 3)


def test_the_nominal_run_is_not_measured_and_a_table_is():
    pair = (uniform("x", nominal="0.5"), uniform("y", nominal="0.5"))
    plain, with_nominal = (
        study(*pair, method="sobol", runs=16, nominal=nominal) for nominal in (False, True)
    )
    assert measured(plain).discrepancy == measured(with_nominal).discrepancy
    table = study(variable("p", FromTable()), method="table", table=table_of(["p"], ["1"], ["2"], ["4"]))
    assert measured(table).distance == pytest.approx(1 / 3)


def test_very_many_runs_are_not_paired():
    found = measured(study(uniform("x"), uniform("y"), runs=6000))
    assert found.discrepancy is None
    assert found.distance is None
    assert found.correlation is not None


def test_a_model_has_its_efficiency():
    spec = study(
        uniform("x", 2, 4), levels("m", "a", "b"), method="d-optimal", runs=4, options={"model": "linear"}
    )
    assert measured(spec).d_efficiency == pytest.approx(100)
    assert measured(study(uniform("x"), uniform("y"), method="star")).d_efficiency is None
