"""Whether a draft is what the study would create now: a person or an older version may have made it differ."""

from collections.abc import Mapping, Sequence

_IGNORED = frozenset({"name"})
_DERIVED = frozenset({"jobvariables"})
_LOCAL_MARKERS = frozenset({"DOE_ORIGIN"})


def differences(
    draft: Mapping[str, object], payload: Mapping[str, object], names: Mapping[str, tuple[str, int]]
) -> tuple[str, ...]:
    """The fields of a payload that a draft, as the platform shows it, has otherwise.

    Only what the payload says counts: the platform adds fields of its own (to the environment none), and derives
    the variables from the header of the parameter CSV if the payload has none. `names` tells name and size of
    the files that the payload refers to by content.
    """
    found = [
        path
        for key, wanted in payload.items()
        if key not in _IGNORED and (wanted or key not in _DERIVED)
        for path in _differences(draft.get(key), wanted, key, names)
    ]
    return tuple(dict.fromkeys(found))


def _differences(
    shown: object, wanted: object, path: str, names: Mapping[str, tuple[str, int]]
) -> Sequence[str]:
    if isinstance(wanted, Mapping):
        reference = wanted.get("id")
        if isinstance(reference, str) and reference.startswith("sha256:"):
            return _file_difference(shown, wanted, names.get(reference.removeprefix("sha256:")), path)
        if not isinstance(shown, Mapping):
            return [] if _is_same(shown, wanted) else [path]
        more = set(shown) - set(wanted) - _LOCAL_MARKERS if path.endswith(".envVars") else ()
        return [
            inner
            for key, value in wanted.items()
            if key not in _LOCAL_MARKERS
            for inner in _differences(shown.get(key), value, f"{path}.{key}", names)
        ] + [f"{path}.{key}" for key in sorted(more)]
    if isinstance(wanted, list | tuple):
        if not isinstance(shown, list) or len(shown) != len(wanted):
            return [] if not shown and not wanted else [path]
        return [
            inner
            for index, value in enumerate(wanted)
            for inner in _differences(shown[index], value, f"{path}[{index}]", names)
        ]
    return [] if _is_same(shown, wanted) else [path]


def _is_same(shown: object, wanted: object) -> bool:
    """Equal, or both nothing, or the same once as a text and once as a number or an object with a code."""
    if shown == wanted or (not shown and not wanted):
        return True
    if isinstance(shown, Mapping):
        return "code" in shown and shown["code"] == wanted
    return str(shown) == str(wanted)


def _file_difference(
    shown: object, wanted: Mapping[str, object], file: tuple[str, int] | None, path: str
) -> Sequence[str]:
    if not isinstance(shown, Mapping) or (shown.get("name"), shown.get("decryptedSize")) != file:
        return [path]
    both_say = "decompress" in shown and "decompress" in wanted
    return [f"{path}.decompress"] if both_say and bool(shown["decompress"]) != wanted["decompress"] else []
