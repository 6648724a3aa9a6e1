"""What a study needs, held against its own `limits` and the policies of its team."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from doe_compiler.kernel.errors import LimitExceeded
from doe_compiler.kernel.findings import Finding
from doe_compiler.plan.estimate import Estimate
from doe_compiler.spec.model import Hardware, Limits, Policy, Spec

CODES = {
    "E601": "The study has more runs than a limit allows.",
    "E602": "The study needs more core-hours than a limit allows, or nobody knows.",
    "E603": "The study costs more than a limit allows, or nobody knows.",
    "E604": "A policy does not allow the core type.",
    "E605": "A policy does not allow the analysis.",
    "E606": "A policy requires a tag that the study does not have.",
    "E607": "The platform does not offer so many cores of the core type.",
}


@dataclass(frozen=True, slots=True)
class Need:
    """What the whole of a study needs, what stands already included; `runs` is None where the platform samples."""

    runs: int | None
    core_types: tuple[str, ...]
    analyses: tuple[str, ...]
    tags: tuple[str, ...]
    estimate: Estimate


def need_of(spec: Spec, runs: int | None, estimated: Estimate) -> Need:
    """The need of a study of so many runs."""
    return Need(
        runs,
        tuple(dict.fromkeys(analysis.hardware.core_type for analysis in spec.analyses)),
        tuple(dict.fromkeys(analysis.code for analysis in spec.analyses)),
        spec.job.tags,
        estimated,
    )


def broken(
    need: Need, limits: Limits, policies: Sequence[Policy], *, knows_prices: bool = True
) -> list[Finding]:
    """Which limits and rules a need breaks; without prices no limit of a cost is checked."""
    found = [*_over(need, limits, "its own limits allow", knows_prices=knows_prices)]
    for policy in policies:
        if policy.limits is not None:
            found += _over(need, policy.limits, "this policy allows", knows_prices=knows_prices)
        found += _forbidden(need, policy)
    return found


def not_offered(wanted: Iterable[Hardware], cores: Mapping[str, Sequence[int]]) -> list[Finding]:
    """Which hardware has a number of cores that a platform does not offer; `cores` are those that it does, by core type.

    Of a core type that the platform does not name, or without numbers, nothing is known.
    """
    found = []
    for hardware in dict.fromkeys(wanted):
        offered = cores.get(hardware.core_type, ())
        if offered and hardware.cores_per_slot not in offered:
            message = f"'coresPerSlot' is {hardware.cores_per_slot}, which '{hardware.core_type}' does not offer here"
            hint = f"it has {', '.join(map(str, sorted(offered)))}"
            found.append(Finding("E607", message, hint, hardware.place))
    return found


def check(need: Need, limits: Limits, policies: Sequence[Policy]) -> None:
    """Raise LimitExceeded, with all that is wrong, if a need breaks a limit or rule."""
    found = broken(need, limits, policies)
    if found:
        told = [
            f"{finding.message} ({finding.place})" if finding.place else finding.message for finding in found
        ]
        raise LimitExceeded("; ".join(told), hint=found[0].hint)


def _over(need: Need, limits: Limits, allows: str, *, knows_prices: bool) -> Iterator[Finding]:
    """A limit on core-hours or cost is held against the expectation where there is one, else against the walltimes."""
    if limits.runs is not None and need.runs is not None and need.runs > limits.runs:
        message = f"the study has {need.runs:,} runs; {allows} {limits.runs:,}"
        yield Finding("E601", message, "ask for fewer runs, or have the limit raised", limits.place)
    estimated = need.estimate
    for code, name, limit, expected, most in (
        ("E602", "core-hours", limits.core_hours, estimated.core_hours, estimated.most_core_hours),
        ("E603", "cost", limits.cost if knows_prices else None, estimated.cost, estimated.most_cost),
    ):
        value = most if expected is None else expected
        if limit is None:
            continue
        if value is None:
            message = f"nobody knows what the study needs in {name}; {allows} {limit:g}"
            hint = "give job.expectedRunHours or the hardware's walltime"
            hint += "; a core type may have no price" if name == "cost" else ""
            yield Finding(code, message, hint, limits.place)
        elif value > limit:
            message = f"the study needs {value:.6g} in {name}; {allows} {limit:g}"
            yield Finding(code, message, "ask for less, or have the limit raised", limits.place)


def _forbidden(need: Need, policy: Policy) -> Iterator[Finding]:
    for code, what, used, allowed in (
        ("E604", "core type", need.core_types, policy.core_types),
        ("E605", "analysis", need.analyses, policy.analyses),
    ):
        if allowed is None:
            continue
        names = [pattern for pattern, _ in allowed]
        for each in used:
            if not any(fnmatchcase(each, pattern) for pattern in names):
                message = f"{what} '{each}' is not among those that this policy allows"
                hint = f"allowed: {', '.join(names)}" if names else "it allows none"
                yield Finding(code, message, hint, allowed[0][1] if allowed else None)
    for pattern, place in policy.tags:
        if not any(fnmatchcase(tag, pattern) for tag in need.tags):
            message = f"the study has no tag '{pattern}', which this policy requires"
            yield Finding("E606", message, "add it to job.tags", place)
