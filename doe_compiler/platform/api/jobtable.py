"""The rows of a job: from a parameter file, a case file, or generators, with the nominal run first.

What the reference leaves open is decided here. A case file is a CSV whose columns are variables, too: every
case is run with every row of parameters, the cases in the outer loop. The nominal run is one more run before
all others, with the first case; a variable's nominal value is `valueGeneratorSettings.nominal`, else what its
generator has in the middle: the median, or the middle one of the values that it enumerates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from doe_compiler.generators.catalogue import steps_of
from doe_compiler.generators.law import Law
from doe_compiler.generators.wire_settings import SettingsError, law_from_wire
from doe_compiler.kernel.canonical import number_text
from doe_compiler.platform.api.forms import Invalid
from doe_compiler.platform.api.jobform import INPUT_TYPES, variables_of_table
from doe_compiler.platform.store.blobs import blob_path, stored_blob
from doe_compiler.platform.store.records import DataFolder, StoredFile
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.tables import TableError, TableIndex, indexed_table, rows_from, table_text

MOST_ROWS = 10_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to be crossed with others: `each()` begins anew every time it is called."""

    names: tuple[str, ...]
    count: int
    sha512: str

    def each(self, store: Store, folder: DataFolder) -> Iterator[Sequence[str]]:
        """The rows in order."""
        index = store.table(self.sha512)
        assert index is not None
        return rows_from(blob_path(folder.blobs, self.sha512), index, 1)


def table_of_job(
    store: Store, folder: DataFolder, form: dict[str, Any], files: Mapping[str, StoredFile], job_id: str
) -> tuple[str, int] | None:
    """The content id of the job's table and its number of rows, None for a job without variables.

    The variables of the form become those of the table. Raises Invalid with the body of the 400.
    """
    given = {variable["name"]: variable for variable in form["jobvariables"]}
    parameters = _parameters(store, folder, form, files, job_id)
    cases = _file_rows(store, folder, form, files, "caseFile")
    if cases is not None:
        _check_disjoint(cases, parameters)
    parts = [part for part in (cases, parameters) if part is not None]
    if not parts:
        return None
    names = tuple(name for part in parts for name in part.names)
    if form["paramFile"] is not None or cases is not None:
        form["jobvariables"] = variables_of_table(
            names,
            form["jobvariables"],
            cases=cases.names if cases else (),
            keeps_generators=form["paramFile"] is None,
        )
    wants_nominal = bool(form["includeNominalRun"])
    if len(parts) == 1 and not wants_nominal:
        return parts[0].sha512, parts[0].count
    count = int(wants_nominal)
    rows: Iterator[Sequence[str]]
    if cases is None or parameters is None:
        count += parts[0].count
        rows = parts[0].each(store, folder)
    else:
        count += cases.count * parameters.count
        rows = _crossed(store, folder, cases, parameters)
    if count > MOST_ROWS:
        raise Invalid({"caseFile": [f"{count:,} runs are more than {MOST_ROWS:,}."]})
    if wants_nominal:
        rows = chain([_nominal_row(store, folder, given, cases, parameters)], rows)
    return _stored(store, folder, names, rows)


def _parameters(
    store: Store, folder: DataFolder, form: dict[str, Any], files: Mapping[str, StoredFile], job_id: str
) -> Rows | None:
    from_file = _file_rows(store, folder, form, files, "paramFile")
    if from_file is not None:
        return from_file
    laws = _laws(form["jobvariables"], has_cases=form["caseFile"] is not None)
    if not laws:
        return None
    from doe_compiler.generators.platform_sampling import platform_rows

    names = tuple(name for name, _ in laws)
    try:
        rows = platform_rows(laws, form["monteCarloIterations"] or 1, job_id)
        sha512, count = _stored(store, folder, names, rows)
    except ValueError as error:
        raise Invalid({"jobvariables": [str(error)]}) from None
    return Rows(names, count, sha512)


def _stored(
    store: Store, folder: DataFolder, names: Sequence[str], rows: Iterator[Sequence[str]]
) -> tuple[str, int]:
    sha512 = stored_blob(folder.blobs, table_text(names, rows)).sha512
    return sha512, _indexed(store, folder, sha512).count


def _file_rows(
    store: Store, folder: DataFolder, form: Mapping[str, Any], files: Mapping[str, StoredFile], key: str
) -> Rows | None:
    if form[key] is None:
        return None
    sha512 = files[form[key]["id"]].sha512
    try:
        index = _indexed(store, folder, sha512)
    except TableError as error:
        raise Invalid({key: [str(error)]}) from None
    return Rows(index.names, index.count, sha512)


def _indexed(store: Store, folder: DataFolder, sha512: str) -> TableIndex:
    index = store.table(sha512)
    if index is None:
        index = indexed_table(blob_path(folder.blobs, sha512))
        store.add_table(sha512, index)
    return index


def _check_disjoint(cases: Rows, parameters: Rows | None) -> None:
    others = set(parameters.names if parameters else ())
    twice = [name for name in cases.names if name in others]
    if twice:
        raise Invalid({"caseFile": [f'"{twice[0]}" is a parameter, too.']})


def _crossed(store: Store, folder: DataFolder, cases: Rows, parameters: Rows) -> Iterator[Sequence[str]]:
    for case in cases.each(store, folder):
        for row in parameters.each(store, folder):
            yield [*case, *row]


def _nominal_row(
    store: Store,
    folder: DataFolder,
    given: Mapping[str, Mapping[str, Any]],
    cases: Rows | None,
    parameters: Rows | None,
) -> Sequence[str]:
    first_case = list(next(cases.each(store, folder))) if cases else []
    names = parameters.names if parameters else ()
    cells = {name: _nominal_text(given.get(name)) for name in names}
    missing = [name for name, cell in cells.items() if cell is None]
    if missing:
        raise Invalid(
            {"includeNominalRun": [f'"{missing[0]}" has no nominal value: valueGeneratorSettings.nominal.']}
        )
    return [*first_case, *(cell or "" for cell in cells.values())]


def _nominal_text(variable: Mapping[str, Any] | None) -> str | None:
    if variable is None:
        return None
    given = variable["valueGeneratorSettings"].get("nominal")
    if isinstance(given, str):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return number_text(given)
    if not variable["valueGeneratorType"]:
        return None
    return _middle(law_from_wire(variable["valueGeneratorType"], variable["valueGeneratorSettings"]))


def _middle(law: Law) -> str:
    import numpy as np

    from doe_compiler.generators.enumeration import points
    from doe_compiler.generators.sampling import quantile

    if steps_of(law) is not None:
        values = tuple(points(law))
        return number_text(values[(len(values) - 1) // 2])
    return number_text(float(quantile(law, np.array([0.5]))[0]))


def _laws(variables: Sequence[Mapping[str, Any]], *, has_cases: bool) -> list[tuple[str, Law]]:
    """The laws of the generators, in display order; raises Invalid with the positions kept."""
    errors: list[object] = []
    laws: list[tuple[int, str, Law]] = []
    seen: set[str] = set()
    for variable in variables:
        problem: dict[str, object] = {}
        is_input = variable["variableType"] in INPUT_TYPES
        if variable["name"] in seen:
            problem = {"name": ["Two variables have this name."]}
        elif variable["valueGeneratorType"]:
            try:
                law = law_from_wire(variable["valueGeneratorType"], variable["valueGeneratorSettings"])
                laws.append((variable["displayOrder"], variable["name"], law))
            except SettingsError as error:
                fields = {key or "non_field_errors": [text] for key, text in error.fields.items()}
                problem = {"valueGeneratorSettings": fields}
        elif is_input and not (has_cases and variable["variableType"] == "Case"):
            problem = {"valueGeneratorType": ["This field is required."]}
        seen.add(variable["name"])
        errors.append(problem)
    if any(errors):
        raise Invalid({"jobvariables": errors})
    return [(name, law) for _, name, law in sorted(laws, key=lambda each: each[0])]
