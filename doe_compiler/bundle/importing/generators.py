"""The API's job variables as variables of a study: generators with their settings, roles, the rest as `raw`."""

from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.bundle.importing.reading import mapping, number, said, text
from doe_compiler.generators.catalogue import GENERATORS, WIRE_KINDS, bounds_of, record_of
from doe_compiler.generators.enumeration import exact_point
from doe_compiler.generators.law import Law
from doe_compiler.generators.wire_settings import SettingsError, law_from_wire, law_to_wire
from doe_compiler.spec.domains import value_problem

NOMINAL = "nominal"
_KNOWN = frozenset(
    {
        "id",
        "name",
        "variableType",
        "displayOrder",
        "valueGeneratorType",
        "variableGeneratorType",
        "valueGeneratorSettings",
    }
)
_ROLES = frozenset({"param", "design", "case", "output", "constraint", "objective"})


@dataclass(frozen=True, slots=True)
class ImportedVariable:
    """An entry of `variables`, and what the language cannot say of it."""

    entry: dict[str, object]
    notes: tuple[str, ...] = ()

    @property
    def is_random(self) -> bool:
        """Whether it is drawn, so that iterations count."""
        kind = self.entry.get("generator")
        return isinstance(kind, str) and GENERATORS[kind].drawn is not None

    @property
    def lacks_nominal(self) -> bool:
        """Whether the nominal run of the study would have no value for it."""
        return "generator" in self.entry and NOMINAL not in self.entry


def generator_type(variable: Mapping[str, object]) -> str:
    """The generator's type as the API spells it, in whichever key it is; empty if there is none."""
    given = text(variable.get("valueGeneratorType")) or text(variable.get("variableGeneratorType"))
    return {kind.lower(): kind for kind in WIRE_KINDS}.get(given.lower(), given)


def role(variable: Mapping[str, object]) -> str:
    """The variable's type in lower case, `param` if it tells none."""
    return text(variable.get("variableType")).lower() or "param"


def column_entry(variable: Mapping[str, object]) -> dict[str, object]:
    """The entry of a variable whose values are a column of the table."""
    settings = mapping(variable.get("valueGeneratorSettings"))
    raw = said(variable, _KNOWN) | ({"valueGeneratorSettings": dict(settings)} if settings else {})
    return _role_entry(variable, raw)


def _role_entry(variable: Mapping[str, object], raw: Mapping[str, object]) -> dict[str, object]:
    entry: dict[str, object] = {}
    found = role(variable)
    if found in _ROLES:
        entry |= {"role": found} if found != "param" else {}
    else:
        raw = {**raw, "variableType": variable["variableType"]}
    return entry | ({"raw": dict(raw)} if raw else {})


def generator_entry(variable: Mapping[str, object]) -> ImportedVariable:
    """The entry of a variable that the platform samples.

    Settings without words in the language stay as `raw`, which then counts instead of the generator's keys.
    """
    kind, settings = generator_type(variable), dict(mapping(variable.get("valueGeneratorSettings")))
    raw = said(variable, _KNOWN)
    try:
        law: Law | None = law_from_wire(kind, settings)
    except SettingsError:
        law = None
    keys = {} if law is None else _law_entry(law)
    if law is None or not keys:
        keys = {"value": _first(law)}
        raw |= {"valueGeneratorType": kind, "valueGeneratorSettings": settings}
        note = f"this {kind} ({_shown(settings)}) has no words in the study language: it is kept under raw"
        return ImportedVariable(keys | _role_entry(variable, raw), (note,))
    nominal = number(settings.get(NOMINAL))
    if nominal is not None and not value_problem(law, str(nominal)):
        keys[NOMINAL] = nominal
    extra = [
        key
        for key in settings
        if key not in GENERATORS[kind].wire and not (key == NOMINAL and NOMINAL in keys)
    ]
    if not extra:
        return ImportedVariable(keys | _role_entry(variable, raw))
    raw["valueGeneratorSettings"] = settings
    note = f"the settings under raw count, not those above: {', '.join(extra)} has no words here"
    return ImportedVariable(keys | _role_entry(variable, raw), (note,))


def with_raw_nominal(imported: ImportedVariable, variable: Mapping[str, object]) -> ImportedVariable:
    """The same variable with its nominal value under `raw`, for a study without a nominal run of its own."""
    if NOMINAL not in imported.entry:
        return imported
    entry = {key: value for key, value in imported.entry.items() if key != NOMINAL}
    raw = dict(mapping(entry.get("raw")))
    raw["valueGeneratorSettings"] = dict(mapping(variable.get("valueGeneratorSettings")))
    note = "the settings under raw count, not those above: they hold the nominal value"
    return ImportedVariable({**entry, "raw": raw}, (*imported.notes, note))


def _law_entry(law: Law) -> dict[str, object]:
    """The keys of a law, none for one that the language refuses."""
    record = record_of(law)
    low, high = bounds_of(law)
    if record.refusals is not None and any(record.refusals(law)):
        return {}
    kind, settings = law_to_wire(law)
    entry = {record.wire[setting].name: value for setting, value in settings.items()}
    if any(entry[order.lower] == entry[order.upper] and not order.may_be_equal for order in record.orders):
        return {}
    if low is not None and low == high:
        return {"value": _first(law)}
    return {"generator": kind, **entry}


def _first(law: Law | None) -> int | float:
    steps = None if law is None else record_of(law).steps
    found = None if law is None or steps is None else number(float(exact_point(law, 0)))
    return 0 if found is None else found


def _shown(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in settings.items())
