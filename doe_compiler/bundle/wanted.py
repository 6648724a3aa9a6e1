"""What apply needs of a study: the rows that it wants, and jobs that are ready to be created."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from doe_compiler.bundle.pack import Bundle, BundleFile, Job, parameter_file
from doe_compiler.bundle.parts import part_texts, parts
from doe_compiler.bundle.rows import Keys, RowSet, design_keys
from doe_compiler.spec.model import Share


@dataclass(frozen=True, slots=True)
class ReadyJob:
    """A job to be created: `payload` has no name yet and refers to files by content.

    `runs` and `rows` are None for a job that the platform samples; `unit` stands for its rows.
    """

    title: str
    runs: int | None
    rows: RowSet | None
    unit: str | None
    payload: Mapping[str, object]
    parameters: BundleFile | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows of a study by their keys of shape (n,), empty if the platform samples them (`unit`).

    `ready(rows)` packs rows, given as indices, into jobs. `files` are those that every job needs. `parts` is
    what the recipe is made of, by name; `part_texts` gives the contents of those that are files. `texts`
    are those for which names stand in parameter CSVs, by name.
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
    ready: Callable[[Sequence[int]], Iterator[ReadyJob]]


def wanted_of(bundle: Bundle) -> Wanted:
    """What a compiled study wants."""
    design = bundle.design
    spec = bundle.spec

    def ready(rows: Sequence[int]) -> Iterator[ReadyJob]:
        if design is None:
            jobs = bundle.jobs(None)
        else:
            jobs = bundle.jobs(design if np.array_equal(rows, np.arange(design.n)) else design.take(rows))
        return (ready_job(bundle, job) for job in jobs)

    return Wanted(
        spec.study,
        bundle.recipe,
        np.zeros(0, np.uint64) if design is None else design_keys(design),
        bundle.jobs(None)[0].unit() if design is None else None,
        () if design is None else tuple(design.varied),
        bundle.files,
        spec.job.share,
        parts(spec),
        lambda: part_texts(spec),
        bundle.texts,
        ready,
    )


def ready_job(bundle: Bundle, job: Job) -> ReadyJob:
    """A job with its parameter CSV and payload."""
    parameters = parameter_file(job)
    payload = job.payload(bundle, name="", parameters=parameters.reference if parameters else None)
    return ReadyJob(job.title, job.runs, job.rows, job.unit(), payload, parameters)
