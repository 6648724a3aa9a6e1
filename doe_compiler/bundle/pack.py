"""The bundle: a study as few jobs as possible, and the files that they need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from doe_compiler.bundle.cases import blocks, case_csv
from doe_compiler.bundle.merging import sent
from doe_compiler.bundle.parts import parts
from doe_compiler.bundle.payload import (
    ByContent,
    Dress,
    content_reference,
    dressed,
    plain_payload,
    reference_of,
    sampling_unit,
    template_key,
)
from doe_compiler.bundle.preparation import Preparation, Whole, preparation
from doe_compiler.bundle.recipe import recipe_digest
from doe_compiler.bundle.rows import RowSet, design_keys, row_set
from doe_compiler.bundle.steps import (
    POST_SCRIPT,
    extractor_digests,
    output_reading,
    post_script,
    reading_time_s,
)
from doe_compiler.bundle.texts import (
    UTF_8,
    columns_with_names,
    named_texts,
    narrow_columns,
    rendered_archive,
    rendered_file_name,
    sent_design,
    texts_file_name,
    texts_table,
    whole_columns,
)
from doe_compiler.design.columns import cell_sizes
from doe_compiler.design.csv_text import csv_chunks
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import canonical_json, sha256_hex
from doe_compiler.kernel.findings import Finding, Severity
from doe_compiler.spec.measured import input_paths
from doe_compiler.spec.model import CommandExtractor, LocalFile, Spec, files_read
from doe_compiler.templates.lowering import lowered


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of the study as it is uploaded; `path` is where its bytes lie if `content` is None."""

    name: str
    sha256: str
    size: int
    type_id: int
    content: bytes | None = None
    path: str | None = None

    @property
    def reference(self) -> str:
        """What a payload calls it until it has an id: two files of one content are two files."""
        return reference_of(self.sha256, self.name)


INPUT, TEMPLATE, PARAMETERS, SCRIPT, CASE = 1, 2, 3, 4, 8
# A run reads the whole table of texts, or archive, of its job; so a job with larger ones holds fewer runs.
MOST_OWN_BYTES = 8 << 20


@dataclass(frozen=True)
class Job:
    """One job to be: the rows of a design that it holds, as they are sent (None: the platform samples them itself)."""

    spec: Spec
    design: Design | None
    title: str
    has_texts: bool = False

    @property
    def runs(self) -> int | None:
        """How many runs, if that is ours to say."""
        return self.design.n if self.design is not None else None

    @cached_property
    def rows(self) -> RowSet | None:
        """The digest of the job's rows."""
        return row_set(design_keys(self.design)) if self.design is not None else None

    def unit(self) -> str | None:
        """What stands for the rows of a job that the platform samples."""
        return None if self.design is not None else sampling_unit(self.spec)

    def parameter_chunks(self) -> Iterator[bytes]:
        """The parameter CSV in pieces; nothing for a job without variables."""
        rows = self._blocks or self.design
        return (
            iter(())
            if rows is None or not rows.names
            else csv_chunks(sent_design(rows, narrow_columns(self.spec), whole_columns(self.spec)))
        )

    @cached_property
    def own_files(self) -> tuple[BundleFile, ...]:
        """The files that this job alone needs: the texts of its rows that a parameter CSV cannot hold."""
        if self.design is None:
            return ()
        spec, design = self.spec, self.design
        narrow, whole = narrow_columns(spec), whole_columns(spec)
        files = []
        if self.has_texts:
            texts = named_texts(design, narrow, whole)
            files += [
                _generated(texts_file_name(encoding), texts_table(texts, encoding), INPUT)
                for encoding in _encodings(spec)
            ]
        for encoding, names in _whole_by_encoding(spec, whole).items():
            rendered = (text for name in sorted(names) for text in design.column(name).cells())
            files.append(
                _generated(rendered_file_name(encoding), rendered_archive(rendered, encoding), INPUT)
            )
        return tuple(files)

    @cached_property
    def _blocks(self) -> Design | None:
        """The rows without their cases, if the platform is to cross them with the case file."""
        return None if self.design is None else blocks(self.spec, self.design)

    @property
    def has_parameters(self) -> bool:
        """Whether the job has a parameter CSV."""
        rows = self._blocks or self.design
        return rows is not None and bool(rows.names)

    def payload(self, bundle: "Bundle", *, name: str, parameters: str | None) -> dict[str, object]:
        """The create call under that name, files by content."""
        spec = self.spec
        payload = dressed(
            plain_payload(spec, ByContent(bundle.lowered)),
            spec,
            bundle.dress(self.own_files),
            name=name,
            markers={
                "DOE_STUDY": spec.study,
                "DOE_RECIPE": bundle.recipe,
                "DOE_PARTS": canonical_json(parts(bundle.spec)).decode(),
                "DOE_ROWS": str(self.rows) if self.rows else f"p-{self.unit()}",
                "DOE_RESPONSES": canonical_json(extractor_digests(spec.responses)).decode(),
            },
            parameters=parameters,
        )
        cases = None if self._blocks is None else case_file(self.spec)
        if cases is not None:
            payload["caseFile"] = content_reference(cases.reference)
        return payload if bundle.reading is None else {**payload, "outputReading": bundle.reading}


@dataclass(frozen=True)
class Bundle:
    """The compiled study: recipe, design, and the files that every job of it needs.

    `post` is the generated post-processing step, None where it is not needed; `preparations` stand before the
    steps of each analysis. `texts` are those for which names stand in parameter CSVs, by name.

    `sent_spec` and `sent_design` are both as they are sent (`merging.py`).

    `reading` is what the platform is to read of every run's outputs, where it can.
    `lowered` maps a template task (by `template_key`) to the reference of what is uploaded.
    """

    spec: Spec
    design: Design | None
    sent_spec: Spec
    sent_design: Design | None
    recipe: str
    files: tuple[BundleFile, ...]
    lowered: Mapping[str, str]
    post: BundleFile | None
    preparations: tuple[Preparation, ...]
    texts: Mapping[str, str]
    reading: Mapping[str, object] | None = None

    def dress(self, own_files: Sequence[BundleFile] = ()) -> list[Dress]:
        """What goes around the steps of every analysis of a job with files of its own."""
        last = len(self.preparations) - 1
        texts = tuple(file.reference for file in own_files)
        return [
            Dress(
                prepared,
                reference_of(sha256_hex(prepared.variables), prepared.variables_name)
                if prepared.variables
                else None,
                reference_of(sha256_hex(prepared.script), prepared.script_name) if prepared.script else None,
                self.post.reference if self.post and number == last else None,
                texts if number == 0 else (),
                is_first=number == 0,
                is_wrapped=self.post is not None,
                kept=tuple(dict.fromkeys(self._needed_after(number))),
                kept_by_pre=self._kept_by_pre(number),
            )
            for number, prepared in enumerate(self.preparations)
        ]

    def _kept_by_pre(self, number: int) -> tuple[str, ...]:
        """What the pre-processing leaves as it was; a generated one puts texts into the variables, which stay so."""
        own = tuple(_sourced(self.preparations[number]))
        needed = dict.fromkeys((*self._needed_after(number), *own))
        return tuple(name for name in needed if not (name in own and self.preparations[number].script))

    def _needed_after(self, number: int) -> Iterator[str]:
        """The generated files that steps behind the command of an analysis need."""
        if self.post is not None:
            yield self.post.name
        if self.texts and number < len(self.preparations) - 1:
            yield from map(texts_file_name, _encodings(self.sent_spec))
        if self.post is not None or self.spec.analyses[number].post_process is not None:
            yield from _sourced(self.preparations[number])
        for prepared in self.preparations[number + 1 :]:
            yield from _sourced(prepared)
            if prepared.script_name:
                yield prepared.script_name

    def packs(self, rows: Sequence[int]) -> list[Sequence[int]]:
        """Rows, given as indices, divided into jobs of at most `runsPerJob`, whose own files are not too large."""
        size = self.spec.job.runs_per_job if self.design is not None else None
        size = size or len(rows) or 1
        packs = [rows[start : start + size] for start in range(0, len(rows), size)]
        sizes = self._own_sizes
        return packs if sizes is None else [part for pack in packs for part in _bounded(pack, sizes)]

    def told(self) -> list[Finding]:
        """What is to be said of how rows are divided into jobs."""
        if self._own_sizes is None or self.design is None:
            return []
        jobs, every = len(self.jobs()), range(self.design.n)
        size = self.spec.job.runs_per_job or len(every)
        message = (
            f"the texts that templates make for runs are {int(self._own_sizes.sum()) / 1e6:,.0f} MB, of which a job "
            f"holds {MOST_OWN_BYTES >> 20} MiB: {jobs} jobs instead of {-(-len(every) // size)}"
        )
        hint = "doe compile --explain shows which; a template that can be taken apart needs none"
        return [Finding("T207", message, hint, self.spec.design.place, Severity.WARNING)]

    @cached_property
    def _own_sizes(self) -> npt.NDArray[np.int64] | None:
        """The bytes of its own files that each run needs, shape (n,); None where that is little in all."""
        design, spec = self.sent_design, self.sent_spec
        if design is None:
            return None
        whole = whole_columns(spec)
        named = columns_with_names(design, narrow_columns(spec), whole) | whole
        total = np.zeros(design.n, np.int64)
        for name in named:
            total += cell_sizes(design.column(name))
        return total if int(total.sum()) > MOST_OWN_BYTES else None

    def job(self, rows: Sequence[int]) -> Job:
        """The job of some rows, given as indices; all that there is if the platform samples them."""
        title = self.spec.description or self.spec.study
        design = self.sent_design
        if design is None:
            return Job(self.sent_spec, None, title)
        if len(rows) == design.n and np.array_equal(rows, np.arange(design.n)):
            return Job(self.sent_spec, design, title, bool(self.texts))
        return Job(self.sent_spec, design.take(rows), f"{title}, {_runs_text(rows)}", bool(self.texts))

    def jobs(self) -> list[Job]:
        """The jobs of all rows."""
        if self.design is None:
            return [self.job(())]
        return [self.job(rows) for rows in self.packs(range(self.design.n))]


def _runs_text(rows: Sequence[int]) -> str:
    first, last = rows[0] + 1, rows[-1] + 1
    if first == last:
        return f"run {first}"
    dash = "-" if last - first == len(rows) - 1 else " to "
    return f"runs {first}{dash}{last}"


def _sourced(prepared: Preparation) -> Iterator[str]:
    if prepared.variables_name:
        yield prepared.variables_name


def bundled(spec: Spec, design: Design | None) -> Bundle:
    """Compile: the files of the study with their digests, templates in the platform's syntax."""
    whole, all_rows = spec, design
    spec, design = sent(whole, all_rows)
    narrow, whole_files = narrow_columns(spec), whole_columns(spec)
    named = columns_with_names(design, narrow, whole_files) if design is not None else frozenset()
    texts = named_texts(design, narrow, whole_files) if design is not None else {}
    preparations = tuple(
        preparation(
            analysis, number, named, _whole(spec, number), untouched=() if number else untouched_files(spec)
        )
        for number, analysis in enumerate(spec.analyses)
    )
    last, before = spec.analyses[-1], preparations[-1].before
    post = _generated(
        POST_SCRIPT, post_script(spec.responses, last.post_process, reading_time_s(spec), before), SCRIPT
    )
    files: dict[tuple[str, str], BundleFile] = {(post.name, post.sha256): post}
    templates: dict[str, str] = {}
    for analysis, prepared in zip(spec.analyses, preparations, strict=True):
        found = [
            _local(file.source, INPUT) for file in analysis.input_files if isinstance(file.source, LocalFile)
        ]
        found += [
            _local(script.file, SCRIPT) for script in (analysis.pre_process, analysis.post_process) if script
        ]
        for task in analysis.templates:
            content = lowered(task.lowered).encode("utf-8", "surrogateescape")
            file = BundleFile(task.source.name, sha256_hex(content), len(content), TEMPLATE, content)
            templates[template_key(task)] = file.reference
            found.append(file)
        if prepared.variables:
            found.append(_generated(prepared.variables_name, prepared.variables, TEMPLATE))
        if prepared.script:
            found.append(_pre_file(prepared))
        files |= {(file.name, file.sha256): file for file in found}
    case = _local(spec.job.case_file, CASE) if isinstance(spec.job.case_file, LocalFile) else case_file(spec)
    if case is not None:
        files[case.name, case.sha256] = case
    return Bundle(
        whole,
        all_rows,
        spec,
        design,
        recipe_digest(whole),
        tuple(files.values()),
        templates,
        post,
        preparations,
        texts,
    )


def case_file(spec: Spec) -> BundleFile | None:
    """The case file of a study whose cases `doe` crosses, None without one."""
    content = case_csv(spec)
    if content is None:
        return None
    return BundleFile(f"{spec.study}-cases.csv", sha256_hex(content), len(content), CASE, content)


def for_reading_platform(bundle: Bundle) -> Bundle:
    """The bundle for our own platform: it makes programs executable, tells exit codes and reads outputs itself.

    So there is no wrapper and no generated step, but where a response by command needs both: then the step
    reads all of them.
    """
    spec, post = bundle.spec, bundle.post
    needs_step = any(isinstance(response.extractor, CommandExtractor) for response in spec.responses)
    bundle = _knowing_programs(bundle, untouched_files(spec) if needs_step else ())
    if post is None or needs_step:
        return bundle
    return replace(
        bundle,
        post=None,
        files=tuple(file for file in bundle.files if file is not post),
        reading=output_reading(spec),
    )


def untouched_files(spec: Spec) -> tuple[str, ...]:
    """The inputs that responses read: results only once a run has written them."""
    inputs = input_paths(spec.analyses)
    return tuple(file for file in files_read(spec.responses) if file in inputs)


def _knowing_programs(bundle: Bundle, untouched: tuple[str, ...]) -> Bundle:
    named: frozenset[str] = frozenset()
    if bundle.sent_design is not None and bundle.texts:
        spec = bundle.sent_spec
        named = columns_with_names(bundle.sent_design, narrow_columns(spec), whole_columns(spec))
    preparations = tuple(
        preparation(
            analysis,
            number,
            named,
            _whole(bundle.sent_spec, number),
            knows_programs=True,
            untouched=() if number else untouched,
        )
        for number, analysis in enumerate(bundle.sent_spec.analyses)
    )
    if preparations == bundle.preparations:
        return bundle
    before = {_pre_file(prepared) for prepared in bundle.preparations if prepared.script}
    after = [_pre_file(prepared) for prepared in preparations if prepared.script]
    files = (*(file for file in bundle.files if file not in before), *after)
    return replace(bundle, preparations=preparations, files=files)


def _pre_file(prepared: Preparation) -> BundleFile:
    return _generated(prepared.script_name, prepared.script, SCRIPT)


def _local(file: LocalFile, type_id: int) -> BundleFile:
    return BundleFile(file.name, file.sha256, file.size, type_id, file.content, file.path)


def _encodings(spec: Spec) -> list[str]:
    """The encodings in which texts are put into templates."""
    return sorted({task.text_encoding for analysis in spec.analyses for task in analysis.templates} | {UTF_8})


def _whole_by_encoding(spec: Spec, whole: frozenset[str]) -> dict[str, set[str]]:
    """The columns that are whole files, by the encodings that these have."""
    found: dict[str, set[str]] = {}
    for analysis in spec.analyses:
        for task in analysis.templates:
            if names := whole & task.template.names:
                found.setdefault(task.text_encoding, set()).update(names)
    return dict(sorted(found.items()))


def _last_whole(spec: Spec) -> int:
    """The number of the last analysis that has a file which is one column; -1 if none has."""
    whole = whole_columns(spec)
    having = [
        number
        for number, analysis in enumerate(spec.analyses)
        if any(whole & task.template.names for task in analysis.templates)
    ]
    return max(having, default=-1)


def _whole(spec: Spec, number: int) -> Whole:
    return Whole(whole_columns(spec), is_last=number >= _last_whole(spec))


def _bounded(pack: Sequence[int], sizes: npt.NDArray[np.int64]) -> Iterator[Sequence[int]]:
    """A pack divided so that the own files of no part are larger than MOST_OWN_BYTES, but of a single run."""
    start, total = 0, 0
    for place, size in enumerate(sizes[np.asarray(pack, dtype=np.intp)].tolist()):
        if total + size > MOST_OWN_BYTES and place > start:
            yield pack[start:place]
            start, total = place, 0
        total += size
    yield pack[start:]


def _generated(name: str, content: bytes, type_id: int) -> BundleFile:
    return BundleFile(name, sha256_hex(content), len(content), type_id, content)


def parameter_file(job: Job) -> BundleFile | None:
    """A job's parameter CSV as a file to upload, in memory; None if it has none."""
    content = b"".join(job.parameter_chunks())
    if not content:
        return None
    return BundleFile(f"{job.spec.study}.csv", sha256_hex(content), len(content), PARAMETERS, content)
