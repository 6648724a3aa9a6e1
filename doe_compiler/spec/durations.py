"""Durations such as `20m` and `1h30m`, in seconds."""

import re

_PARTS = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_SECONDS = (86400, 3600, 60, 1)


def seconds_of(text: str) -> int | None:
    """The seconds of a duration with units d, h, m, s in this order; None if it is not one or zero."""
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    total = sum(int(digits) * unit for digits, unit in zip(match.groups(), _SECONDS, strict=True) if digits)
    return total or None
