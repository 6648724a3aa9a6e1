"""The JSON Schema check, told in the user's words: one finding a problem, at the node that has it.

`{generator: Uniform, min: 1, mx: 2}` gives one finding at `mx`: unknown key, did you mean 'max'?
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from jsonschema.exceptions import ValidationError
from jsonschema.validators import Draft202012Validator, extend

from doe_compiler.kernel.findings import Finding, Place, near_miss
from doe_compiler.spec.nodes import Fields, Node, Scalar, node_at, owner_place, plain
from doe_compiler.spec.scalars import exact_number
from doe_compiler.spec.schemas import schema

Path = tuple[str | int, ...]

_KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_OLD_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


@dataclass(frozen=True)
class Misfit:
    """A finding of the shape, the path of what is not sound, and how far it is from the branch's kind."""

    path: Path
    finding: Finding
    is_other_kind: bool = False


def shape_misfits(root: Node, name: str = "study") -> tuple[Misfit, ...]:
    """What in the tree does not fit the schema of a name; only the study's has references."""
    errors = _validator(name).iter_errors(plain(root))
    return _misfits(root, errors)


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 - the class that `extend` makes has no static type
    keywords = {"pattern": _whole_pattern, "oneOf": _one_of}
    return extend(Draft202012Validator, keywords)(schema(name))  # type: ignore[no-untyped-call]


def _whole_pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    # Python's `$` also matches before a final line end; JSON Schema's does not.
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _one_of(
    validator: Any,  # noqa: ANN401 - the class that `extend` makes has no static type
    branches: Sequence[Mapping[str, Any]],
    instance: object,
    _schema: object,
) -> Iterator[ValidationError]:
    """Check `oneOf` over branches that exclude each other: those that may fit first, all only to tell why not."""
    for branch in branches:
        if _may_fit(_resolved(branch), instance) and validator.evolve(schema=branch).is_valid(instance):
            return
    context = [
        error
        for index, branch in enumerate(branches)
        for error in validator.descend(instance, branch, schema_path=index)
    ]
    yield ValidationError("fits no branch", context=context)


def _may_fit(branch: Mapping[str, Any], instance: object) -> bool:
    if not isinstance(instance, Mapping):
        return branch.get("type") != "object"
    properties = branch.get("properties", {})
    return instance.keys() >= set(branch.get("required", ())) and all(
        "const" not in properties[key] or properties[key]["const"] == value
        for key, value in instance.items()
        if key in properties
    )


def _resolved(branch: Mapping[str, Any]) -> Mapping[str, Any]:
    definitions = cast("Mapping[str, Mapping[str, Any]]", schema("study")["$defs"])
    return definitions[branch["$ref"].rpartition("/")[2]] if "$ref" in branch else branch


def _misfits(root: Node, errors: Iterable[ValidationError]) -> tuple[Misfit, ...]:
    found: list[Misfit] = []
    missing: dict[Path, list[str]] = {}
    unknown: dict[Path, tuple[list[str], list[str]]] = {}
    for error in errors:
        path = tuple(error.absolute_path)
        if error.validator == "required":
            missing[path] = _absent(error)
        elif error.validator == "additionalProperties":
            unknown[path] = _unknown_keys(error)
        elif error.validator in ("oneOf", "anyOf"):
            found += _best_branch(root, path, error)
        else:
            found.append(_misfit(root, path, error))
    for path in dict.fromkeys((*unknown, *missing)):
        found += _key_misfits(root, path, *unknown.get(path, ([], [])), missing.get(path, []))
    return tuple(found)


def _absent(error: ValidationError) -> list[str]:
    required = cast("Sequence[str]", error.validator_value)
    instance = cast("Mapping[str, object]", error.instance)
    return [key for key in required if key not in instance]


def _unknown_keys(error: ValidationError) -> tuple[list[str], list[str]]:
    known = list(cast("Mapping[str, Mapping[str, object]]", error.schema).get("properties", {}))
    instance = cast("Mapping[str, object]", error.instance)
    return [key for key in instance if key not in known], known


def _key_misfits(
    root: Node, path: Path, unknown: list[str], known: list[str], missing: list[str]
) -> Iterator[Misfit]:
    node = node_at(root, path)
    open_keys = list(missing)
    for key in unknown:
        meant = near_miss(key, open_keys) or near_miss(key, known)
        if meant in open_keys:
            open_keys.remove(meant)
        hint = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(known)}"
        place = node.key_place(key) if isinstance(node, Fields) else node.place
        yield Misfit(path, Finding("E101", f"unknown key '{key}'", hint, place))
    for key in open_keys:
        owner = f" in '{path[-1]}'" if path and isinstance(path[-1], str) else ""
        place = owner_place(root, path) if path else Place(node.place.file, 1, 1)
        yield Misfit(path, Finding("E102", f"missing key '{key}'{owner}", "", place))


def _best_branch(root: Node, path: Path, error: ValidationError) -> tuple[Misfit, ...]:
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    candidates = _of_same_discriminator(root, path, [_misfits(root, errors) for errors in branches.values()])
    best = min(
        candidates, key=lambda misfits: (sum(m.is_other_kind for m in misfits), len(misfits)), default=()
    )
    own_kind = [misfit for misfit in best if not misfit.is_other_kind]
    if len(own_kind) == len(best) and best:
        return _with_excluded_keys(root, path, best, _keys_of_branches(error))
    return (_of_no_kind(root, path, candidates, cast("Sequence[Mapping[str, Any]]", error.validator_value)),)


def _of_same_discriminator(
    root: Node, path: Path, candidates: list[tuple[Misfit, ...]]
) -> list[tuple[Misfit, ...]]:
    """Without the branches that do not know a key, such as `generator`, whose value tells branches apart."""
    node = node_at(root, path)
    telling = {misfit.path[-1] for misfits in candidates for misfit in misfits if _tells(misfit, path)}
    if not isinstance(node, Fields) or not telling:
        return candidates
    places = {node.key_place(str(key)) for key in telling}
    return [
        misfits
        for misfits in candidates
        if not any(misfit.finding.code == "E101" and misfit.finding.place in places for misfit in misfits)
    ]


def _tells(misfit: Misfit, path: Path) -> bool:
    return misfit.is_other_kind and len(misfit.path) > len(path)


def _of_no_kind(
    root: Node, path: Path, candidates: list[tuple[Misfit, ...]], branches: Sequence[Mapping[str, Any]]
) -> Misfit:
    others = [misfit for misfits in candidates for misfit in misfits if misfit.is_other_kind]
    deeper = [misfit for misfit in others if len(misfit.path) > len(path)]
    node = node_at(root, deeper[0].path if deeper else path)
    if deeper and isinstance(node, Scalar):
        known = list(dict.fromkeys(misfit.finding.hint for misfit in deeper))
        finding = _not_one_of(deeper[0].path, node, known)
        if finding.hint.startswith("one of"):
            finding = replace(finding, hint=finding.hint + _in_place_of(str(deeper[0].path[-1]), branches))
        return Misfit(deeper[0].path, finding)
    kinds = list(dict.fromkeys(misfit.finding.hint for misfit in others))
    return Misfit(path, _wrong_kind(path, node, " or ".join(kinds), "", node.place))


def _in_place_of(key: str, branches: Sequence[Mapping[str, Any]]) -> str:
    """The keys that make other branches without this one, as more of a hint."""
    required = [_resolved(branch).get("required", ()) for branch in branches]
    others = [str(keys[0]) for keys in required if keys and key not in keys]
    return f"; or `{'`, `'.join(others)}` in place of `{key}`" if others else ""


def _with_excluded_keys(
    root: Node, path: Path, best: tuple[Misfit, ...], known: frozenset[str]
) -> tuple[Misfit, ...]:
    """Say of a key that another branch knows that it does not go with the rest, not that it is unknown."""
    node = node_at(root, path)
    if not isinstance(node, Fields):
        return best
    told = []
    for misfit in best:
        at_keys = [key for key in node.entries if node.key_place(key) == misfit.finding.place]
        if (
            misfit.finding.code == "E101"
            and at_keys
            and at_keys[0] in known
            and not misfit.finding.hint.startswith("did")
        ):
            kind = node.text("generator") or next(key for key in (*node.entries, "this") if key != at_keys[0])
            message = f"'{at_keys[0]}' does not go with '{kind}'"
            misfit = Misfit(path, Finding("E108", message, misfit.finding.hint, misfit.finding.place))
        told.append(misfit)
    return tuple(told)


def _keys_of_branches(error: ValidationError) -> frozenset[str]:
    branches = cast("Sequence[Mapping[str, Any]]", error.validator_value)
    return frozenset(key for branch in branches for key in _resolved(branch).get("properties", {}))


def _misfit(root: Node, path: Path, error: ValidationError) -> Misfit:
    if "propertyNames" in error.absolute_schema_path:
        return _bad_name(root, path, str(error.instance))
    node = node_at(root, path)
    wanted = cast("Any", error.validator_value)
    place = node.place
    match error.validator:
        case "type":
            kinds = " or ".join(_KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))
            if not isinstance(node, Scalar) or node.value is None:
                place = owner_place(root, path)
            finding = _wrong_kind(path, node, kinds, _kind_hint(node, wanted), place)
            is_branch = bool(error.parent) and len(path) == len(
                error.parent.absolute_path if error.parent else ()
            )
            if is_branch:
                return Misfit(path, Finding(finding.code, finding.message, kinds, place), is_other_kind=True)
        case "const":
            is_branch = error.parent is not None
            finding = _not_one_of(path, node, [str(wanted)])
            if is_branch:
                return Misfit(path, Finding("E105", finding.message, str(wanted), place), is_other_kind=True)
        case "enum":
            finding = _not_one_of(path, node, [str(value) for value in wanted])
            if error.parent is not None and not isinstance(node, Scalar):
                kinds = " or ".join(map(str, wanted))
                return Misfit(path, Finding("E105", finding.message, kinds, place), is_other_kind=True)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            finding = Finding(
                "E106", f"{_label(path)} is {_shown(node)}, not {_bound(error.validator, wanted)}", "", place
            )
        case _:
            finding = _wrong_form(root, path, error)
    return Misfit(path, finding)


def _bound(validator: str, wanted: float) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    return f"{words[validator]} {wanted:,}"


def _bad_name(root: Node, path: Path, name: str) -> Misfit:
    node = node_at(root, path)
    place = node.key_place(name) if isinstance(node, Fields) else node.place
    shown = name if len(name) <= 40 else f"{name[:37]}..."
    hint = "a name has letters, digits and _ (at most 100) and does not begin with a digit"
    return Misfit((*path, name), Finding("E201", f"'{shown}' is not a name", hint, place))


def _wrong_form(root: Node, path: Path, error: ValidationError) -> Finding:
    node = node_at(root, path)
    wanted = cast("Any", error.validator_value)
    place = node.place if isinstance(node, Scalar) else owner_place(root, path)
    described = cast("Mapping[str, Any]", error.schema)
    examples = described.get("examples") or [""]
    example = f"for example {examples[0]}" if isinstance(examples[0], str) and examples[0] else ""
    match error.validator:
        case "maxLength":
            message = f"{_label(path)} is longer than {wanted} characters"
        case "minLength" | "minItems" | "minProperties":
            message = f"{_label(path)} is empty"
        case "maxItems":
            message = f"{_label(path)} has more than {wanted} entries"
        case "pattern":
            message = f"{_label(path)} is {_shown(node)}, which does not have the form that is needed"
            description = str(described.get("description", "")).rstrip(".")
            example = f"{description}; {example}" if description and example else example or description
        case _:
            message = f"{_label(path)} is not valid here"
    return Finding("E107", message, example, place)


def _not_one_of(path: Path, node: Node, known: list[str]) -> Finding:
    meant = near_miss(_plain_text(node), known)
    hint = f"did you mean {meant}?" if meant else f"one of: {', '.join(known)}"
    if len(known) == 1:
        hint = f"say {known[0]}"
    return Finding("E105", f"{_label(path)} cannot be {_shown(node)}", hint, node.place)


def _wrong_kind(path: Path, node: Node, kinds: str, hint: str, place: Place) -> Finding:
    return Finding("E103", f"{_label(path)} is {_shown(node)}, not {kinds}", hint, place)


def _kind_hint(node: Node, wanted: str | list[str]) -> str:
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if "string" in kinds and not node.is_quoted:
        return f'quote it: "{node.text}"'
    if "boolean" in kinds and node.text.lower() in _OLD_BOOLEANS:
        return f"in YAML 1.2 '{node.text}' is text: say {_OLD_BOOLEANS[node.text.lower()]}"
    if ("number" in kinds or "integer" in kinds) and node.is_quoted and exact_number(node.text) is not None:
        return f"remove the quotes: {node.text}"
    return ""


def _label(path: Path) -> str:
    if not path:
        return "the study"
    if isinstance(path[-1], str):
        return f"'{path[-1]}'"
    owner = next((step for step in reversed(path) if isinstance(step, str)), "the list")
    return f"entry {path[-1] + 1} of '{owner}'"


def _shown(node: Node) -> str:
    if isinstance(node, Fields):
        return "a mapping"
    if not isinstance(node, Scalar):
        return "a list"
    if node.value is None:
        return "empty"
    text = node.text if len(node.text) <= 60 else f"{node.text[:57]}..."
    return f"'{text}'" if isinstance(node.value, str) else text


def _plain_text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""
