"""What apply needs of a study: the rows that it wants, and jobs that are ready to be created."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from doe_compiler.bundle.pack import Bundle, BundleFile, Job, parameter_file
from doe_compiler.bundle.parts import part_texts, parts
from doe_compiler.bundle.rows import Keys, RowSet, design_keys
from doe_compiler.design.columns import CodedColumn, FloatColumn, PrintedColumn
from doe_compiler.design.design import Design
from doe_compiler.spec.model import Share


@dataclass(frozen=True, slots=True)
class ReadyJob:
    """A job to be created: `payload` has no name yet and refers to files by content.

    `own` are files that it alone needs, besides its parameter CSV. `runs` and `rows` are None for a job that the platform samples; `unit` stands for its rows.
    """

    title: str
    runs: int | None
    rows: RowSet | None
    unit: str | None
    payload: Mapping[str, object]
    parameters: BundleFile | None
    own: tuple[BundleFile, ...] = ()

    @property
    def files(self) -> tuple[BundleFile, ...]:
        """The files that this job alone needs, its parameter CSV first."""
        return (*([self.parameters] if self.parameters else []), *self.own)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows of a study by their keys of shape (n,).

    A job that the platform samples is one row, whose key is the unit. `packs(rows)` divides rows, given as indices, into
    jobs, and `job(rows)` makes one. `files` are those that every job needs. `parts` is
    what the recipe is made of, by name; `part_texts` gives the contents of those that are files. `texts`
    are those of varied variables for which names stand in parameter CSVs, by name.
    """

    study: str
    recipe: str
    keys: Keys
    unit: str | None
    varied: tuple[str, ...]
    files: tuple[BundleFile, ...]
    share: tuple[Share, ...]
    parts: Mapping[str, str]
    part_texts: Callable[[], Mapping[str, bytes]]
    texts: Mapping[str, str]
    packs: Callable[[Sequence[int]], Sequence[Sequence[int]]]
    job: Callable[[Sequence[int]], ReadyJob]


def wanted_of(bundle: Bundle) -> Wanted:
    """What a compiled study wants."""
    design = bundle.design
    spec = bundle.spec

    def job(rows: Sequence[int]) -> ReadyJob:
        return ready_job(bundle, bundle.job(rows))

    unit = bundle.job(()).unit() if design is None else None
    return Wanted(
        spec.study,
        bundle.recipe,
        np.array([int(unit, 16)], np.uint64) if unit is not None else bundle_keys(bundle),
        unit,
        () if design is None else tuple(design.varied),
        bundle.files,
        spec.job.share,
        parts(spec),
        lambda: part_texts(spec),
        {} if design is None else _texts_of_rows(bundle.texts, design),
        bundle.packs,
        job,
    )


def _texts_of_rows(texts: Mapping[str, str], design: Design) -> dict[str, str]:
    """Of the texts those that make a row's identity."""
    if not texts:
        return {}
    held: set[str] = set()
    for name in design.varied:
        column = design.column(name)
        if not isinstance(column, FloatColumn | PrintedColumn):
            held.update(column.labels if isinstance(column, CodedColumn) else column.texts)
    return {name: text for name, text in texts.items() if text in held}


def bundle_keys(bundle: Bundle) -> Keys:
    """The keys of the rows of a study's design, shape (n,)."""
    assert bundle.design is not None
    return design_keys(bundle.design)


def ready_job(bundle: Bundle, job: Job) -> ReadyJob:
    """A job with its parameter CSV and payload."""
    parameters = parameter_file(job)
    payload = job.payload(bundle, name="", parameters=parameters.reference if parameters else None)
    return ReadyJob(job.title, job.runs, job.rows, job.unit(), payload, parameters, job.own_files)
