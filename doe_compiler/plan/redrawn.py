"""Whether an edit of a design buys runs again that another method would have kept."""

from collections.abc import Callable, Mapping

import numpy as np

from doe_compiler.bundle.observation import Observation
from doe_compiler.bundle.rows import Keys
from doe_compiler.methods.catalogue import METHODS

_GROWING = "sobol, halton, r-sequence and monte-carlo keep the old runs when more are asked for"


def redrawn_warnings(
    method: str, wanted: Keys, seen: Observation, moved: Callable[[], Mapping[str, int]] = dict
) -> tuple[str, ...]:
    """What to be told if more than the half of the runs that exist are not of the design any more, and others are bought.

    `moved()` are the dimensions that variables had in the runs that exist and have no more: any such run is told then.
    """
    held = [
        holding.keys for holding in seen.holdings if holding.keys is not None and not holding.job.is_draft
    ]
    existing = np.unique(np.concatenate(held)) if held else np.zeros(0, wanted.dtype)
    left = len(existing) - int(np.isin(existing, wanted).sum())
    anew = len(wanted) - int(np.isin(wanted, existing).sum())
    if method == "table" or not anew or not left:
        return ()
    record = METHODS[method]
    if before := moved():
        pins = ", ".join(f"{name} `dimension: {number}`" for name, number in before.items())
        return (
            f"{left:,} of {len(existing):,} runs that exist are not of this design any more, and {anew:,} others are bought: "
            f"the order of the variables moved their dimensions of the sequence. Put them back, or give {pins}",
        )
    if 2 * left <= len(existing):
        return ()
    hint = _GROWING if record.unit is not None and not record.is_sequence else ""
    text = (
        f"{left:,} of {len(existing):,} runs that exist are not of this design any more, and {anew:,} others are bought. "
        f"What stays put with method {method}: {record.stays}"
    )
    return (f"{text}; {hint}" if hint else text,)
