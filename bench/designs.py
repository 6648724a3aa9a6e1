"""Designs of 1,000,000 x 10 in memory and as CSV beside numpy, scipy, pyDOE3, OpenTURNS and SMT; Dakota's LHS; searched hypercubes.

What is not installed is told and left out. The limit of what can be had is numpy filling an array, and polars writing it.
"""

import itertools
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.timing import in_turn, peak_mb, process_s, show
from doe_compiler.design.build import build
from doe_compiler.pipeline.compiling import checked_spec

RUNS, COLUMNS = 1_000_000, 10
UNIFORM = "{generator: Uniform, min: 10, max: 30}"
MIXED = (
    "{generator: Uniform, min: 10, max: 30}",
    "{generator: Normal, mean: 3, std: 2}",
    "{generator: LogNormal, mu: 0, sigma: 0.5}",
    "{generator: Triangular, min: 0, mode: 1, max: 3}",
    "{generator: Weibull, shape: 2, scale: 3}",
    "{generator: Gamma, shape: 2.5, scale: 1.5}",
    "{generator: Beta, alpha: 2, beta: 3}",
    "{generator: Gumbel, location: 1, scale: 2}",
    "{generator: Exponential, mean: 2}",
    "{generator: Student, df: 5}",
)
STUDY = """\
doe: 1
study: large
variables:
{variables}
design: {{{design}}}
analyses: [{{analysis: {{code: user_included}}, command: "true {used}", hardware: {{coreType: standard-plus}}}}]
"""


def write_study(folder: Path, design: str, laws: tuple[str, ...] = (UNIFORM,) * COLUMNS) -> Path:
    folder.mkdir(exist_ok=True)
    variables = "\n".join(f"  x{index}: {law}" for index, law in enumerate(laws))
    used = " ".join(f"$x{index}" for index in range(len(laws)))
    (folder / "study.yaml").write_text(STUDY.format(variables=variables, design=design, used=used))
    return folder / "study.yaml"


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def made(path: Path) -> Callable[[], object]:
    spec, _ = checked_spec(path)

    def make() -> object:
        design, findings = build(spec)
        assert design.n, findings
        return design

    return make


def scipy_subjects() -> dict[str, Callable[[], object]]:
    from scipy import stats
    from scipy.stats import qmc

    laws = [
        stats.uniform(10, 20),
        stats.norm(3, 2),
        stats.lognorm(0.5),
        stats.triang(1 / 3, 0, 3),
        stats.weibull_min(2, scale=3),
        stats.gamma(2.5, scale=1.5),
        stats.beta(2, 3),
        stats.gumbel_r(1, 2),
        stats.expon(scale=2),
        stats.t(5),
    ]
    return {
        "sobol, scipy": lambda: qmc.scale(qmc.Sobol(COLUMNS, rng=1).random(RUNS), 10, 30),
        "latin-hypercube, scipy": lambda: qmc.scale(qmc.LatinHypercube(COLUMNS, rng=1).random(RUNS), 10, 30),
        "monte-carlo of ten laws, scipy": lambda: [law.rvs(RUNS, random_state=1) for law in laws],
    }


def pydoe_subjects() -> dict[str, Callable[[], object]]:
    import pyDOE3

    return {
        "latin-hypercube, pyDOE3": lambda: 10 + 20 * pyDOE3.lhs(COLUMNS, RUNS),
    }


def openturns_subjects() -> dict[str, Callable[[], object]]:
    import openturns as ot

    cube = ot.JointDistribution([ot.Uniform(10, 30)] * COLUMNS)
    mixed = ot.JointDistribution(
        [
            ot.Uniform(10, 30),
            ot.Normal(3, 2),
            ot.LogNormal(0, 0.5),
            ot.Triangular(0, 1, 3),
            ot.WeibullMin(3, 2),
            ot.Gamma(2.5, 1 / 1.5),
            ot.Beta(2, 3, 0, 1),
            ot.Gumbel(2, 1),
            ot.Exponential(0.5),
            ot.Student(5),
        ]
    )
    return {
        "sobol, OpenTURNS": lambda: ot.LowDiscrepancyExperiment(ot.SobolSequence(), cube, RUNS).generate(),
        "latin-hypercube, OpenTURNS": lambda: ot.LHSExperiment(cube, RUNS).generate(),
        "monte-carlo of ten laws, OpenTURNS": lambda: ot.MonteCarloExperiment(mixed, RUNS).generate(),
    }


def smt_subjects() -> dict[str, Callable[[], object]]:
    from smt.sampling_methods import LHS

    limits = np.asarray([[10.0, 30.0]] * COLUMNS)
    return {"latin-hypercube, SMT": lambda: LHS(xlimits=limits, criterion="c", seed=1)(RUNS)}


OTHERS = {
    "scipy": scipy_subjects,
    "pyDOE3": pydoe_subjects,
    "openturns": openturns_subjects,
    "smt": smt_subjects,
}
METHODS = {
    "sobol": (f"method: sobol, runs: {RUNS}", (UNIFORM,) * COLUMNS),
    "latin-hypercube": (f"method: latin-hypercube, runs: {RUNS}", (UNIFORM,) * COLUMNS),
    "monte-carlo of ten laws": (f"method: monte-carlo, runs: {RUNS}", MIXED),
}


def in_memory(folder: Path) -> None:
    subjects: dict[str, Callable[[], object]] = {
        "numpy fill": lambda: 10 + 20 * np.random.default_rng(1).random((RUNS, COLUMNS))
    }
    missing = [name for name in OTHERS if find_spec(name) is None]
    for name, (design, laws) in METHODS.items():
        subjects[f"{name}, doe"] = made(write_study(folder / name.replace(" ", "-"), design, laws))
    for library, others in OTHERS.items():
        if library not in missing:
            subjects |= others()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a Sobol sequence whose length is no power of two
        taken = in_turn({name: lambda work=work: seconds(work) for name, work in subjects.items()}, rounds=3)
    rows = [("what", "s", "ratio to doe", "aim"), ("numpy fill", f"{taken['numpy fill']:.3f}", "", "")]
    for name in METHODS:
        own = taken[f"{name}, doe"]
        rows.append((f"{name}, doe", f"{own:.3f}", "1", ""))
        rows += [
            (what, f"{took:.3f}", f"{took / own:.2f}", "> 1")
            for what, took in taken.items()
            if what.startswith(f"{name},") and what != f"{name}, doe"
        ]
    rows += [(name, "not installed", "", "") for name in missing]
    show(f"Designs of {RUNS:,} x {COLUMNS} in memory", rows)


MAKING = """
import sys, resource
from pathlib import Path
from doe_compiler.design.build import build
from doe_compiler.pipeline.compiling import checked_spec
import doe_compiler.design.correlation
spec, _ = checked_spec(Path(sys.argv[1]))
if len(sys.argv) > 2:
    design, findings = build(spec)
    assert design.n, findings
"""


def memory(folder: Path) -> None:
    rows = [("what", "MB", "ratio to the array", "aim")]
    array = RUNS * COLUMNS * 8 / 1024**2
    for name in METHODS:
        path = folder / name.replace(" ", "-") / "study.yaml"
        idle = peak_mb([sys.executable, "-c", MAKING, str(path)])
        own = peak_mb([sys.executable, "-c", MAKING, str(path), "make"]) - idle
        rows.append((name, f"{own:.0f}", f"{own / array:.2f}", "1.6"))
    show(
        f"Peak memory of designs of {RUNS:,} x {COLUMNS} ({array:.0f} MB), beyond that of an idle process",
        rows,
    )


REFERENCE = """
import sys, numpy, polars
array = numpy.random.default_rng(1).random(({runs}, {columns})) * 20 + 10
polars.DataFrame(array).write_csv(sys.argv[1])
"""


def to_csv(folder: Path) -> None:
    doe = str(Path(sys.executable).parent / "doe")
    reference = [sys.executable, "-c", REFERENCE.format(runs=RUNS, columns=COLUMNS), str(folder / "r.csv")]
    subjects = {"numpy fill + polars": lambda: process_s(reference)}

    def command(path: Path) -> list[str]:
        return [doe, "design", str(path), "--format", "csv", "-o", str(folder / "design.csv")]

    for name in METHODS:
        path = folder / name.replace(" ", "-")
        subjects[name] = lambda path=path: process_s(command(path))
    taken = in_turn(subjects, rounds=3)
    limit = taken["numpy fill + polars"]
    rows = [("what", "s", "ratio", "aim"), ("numpy fill + polars", f"{limit:.2f}", "1", "")]
    rows += [(name, f"{taken[name]:.2f}", f"{taken[name] / limit:.2f}", "1.5") for name in METHODS]
    for name in ("sobol", "latin-hypercube"):
        path = write_study(folder / "huge", f"method: {name}, runs: {10 * RUNS}")
        took = process_s(command(path))
        rows.append((f"{name}, {10 * RUNS:,} runs", f"{took:.1f}", f"{took / limit / 10:.2f}", ""))
        rows.append(("  its peak memory", f"{peak_mb(command(path)):.0f} MB", "", "1024 MB"))
    show(f"Designs of {RUNS:,} x {COLUMNS} to CSV on a RAM disk (whole processes)", rows)


DAKOTA = """\
method
  sampling
    sample_type lhs
    samples {runs}
    seed 1
variables
  uniform_uncertain {columns}
    lower_bounds {low}
    upper_bounds {high}
interface
  analysis_drivers 'none'
  direct
responses
  response_functions 1
  no_gradients
  no_hessians
"""


def beside_dakota(folder: Path, runs: int = 100_000) -> None:
    found = shutil.which("dakota") or shutil.which("dakota", path=str(Path(sys.executable).parent))
    if found is None:
        show("Dakota's LHS", [("dakota", "not installed", "", "")])
        return
    (folder / "lhs.in").write_text(
        DAKOTA.format(runs=runs, columns=COLUMNS, low="10 " * COLUMNS, high="30 " * COLUMNS)
    )
    dakota = [found, "-i", "lhs.in", "-pre_run"]
    path = write_study(folder / "lhs", f"method: latin-hypercube, runs: {runs}")
    doe = str(Path(sys.executable).parent / "doe")
    ours = [doe, "design", str(path), "--format", "csv", "-o", str(folder / "lhs.csv")]
    taken = in_turn(
        {"doe": lambda: process_s(ours), "Dakota": lambda: process_s(dakota, cwd=folder)}, rounds=3
    )
    rows = [
        ("what", "s", "ratio", "aim"),
        ("doe design", f"{taken['doe']:.2f}", "1", ""),
        (
            "dakota -pre_run, no file",
            f"{taken['Dakota']:.2f}",
            f"{taken['Dakota'] / taken['doe']:.1f}",
            "> 1",
        ),
    ]
    show(f"Latin-hypercube of {runs:,} x {COLUMNS}, ours into a file (whole processes)", rows)


def searched(folder: Path, runs: int = 50, columns: int = 5) -> None:
    """The largest smallest distance and the smallest centred discrepancy that each search reaches in equal time."""
    from scipy.spatial.distance import pdist
    from scipy.stats import qmc

    unit = ("{generator: Uniform, min: 0, max: 1}",) * columns
    makers: dict[str, Callable[[], np.ndarray]] = {}
    for criterion in ("maximin", "discrepancy"):
        design = f"method: latin-hypercube, runs: {runs}, criterion: {criterion}"
        make = made(write_study(folder / criterion, design, unit))
        makers[f"doe {criterion}"] = lambda make=make: np.stack(
            [make().column(f"x{index}").numbers() for index in range(columns)], axis=1
        )
    seeds = itertools.count(1)
    makers["scipy random-cd"] = lambda: qmc.LatinHypercube(
        columns, scramble=False, optimization="random-cd", rng=next(seeds)
    ).random(runs)
    if find_spec("pyDOE3"):
        import pyDOE3

        makers["pyDOE3 maximin, 1,000 tries"] = lambda: pyDOE3.lhs(
            columns, runs, criterion="maximin", iterations=1000
        )
    if find_spec("smt"):
        from smt.sampling_methods import LHS

        limits = np.asarray([[0.0, 1.0]] * columns)
        makers["SMT ese"] = lambda: LHS(xlimits=limits, criterion="ese", seed=next(seeds))(runs)
    if find_spec("openturns"):
        import openturns as ot

        cube = ot.JointDistribution([ot.Uniform(0, 1)] * columns)
        for label, criterion in (("maximin", ot.SpaceFillingMinDist()), ("C2", ot.SpaceFillingC2())):
            makers[f"OpenTURNS annealing, {label}"] = lambda criterion=criterion: np.asarray(
                ot.SimulatedAnnealingLHS(ot.LHSExperiment(cube, runs), criterion).generate()
            )
    rows = [("what", "tries", "smallest distance", "centred discrepancy")]
    allowed = 0.0  # what our own first design took is what the others may spend on tries
    for name, make in makers.items():
        make()
        began = time.perf_counter()
        found = [make()]
        allowed = allowed or time.perf_counter() - began
        while not name.startswith("doe") and time.perf_counter() - began < allowed:
            found.append(make())
        distance = max(pdist(points).min() for points in found)
        discrepancy = min(qmc.discrepancy(points) for points in found)
        rows.append((name, str(len(found)), f"{distance:.4f}", f"{discrepancy:.5f}"))
    show(f"Searched hypercubes of {runs} x {columns}: the best of the tries within {allowed:.1f} s", rows)


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        in_memory(folder)
        memory(folder)
        to_csv(folder)
        beside_dakota(folder)
        searched(folder)
