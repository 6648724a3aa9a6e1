"""What was found out about jobs and never changes: the rows that they hold, and how those that ended did."""

import base64
from collections.abc import Callable, MutableMapping

import numpy as np

from doe_compiler.bundle.rows import Keys


class KnownJobs:
    """Facts about jobs, each found out once; `kept` is where they outlive the command."""

    def __init__(self, kept: MutableMapping[str, str] | None = None) -> None:
        self._kept: MutableMapping[str, str] = {} if kept is None else kept

    def keys(self, name: str, find: Callable[[], Keys]) -> Keys:
        """The rows that are known under a name, or else found now."""
        known = self._kept.get(name)
        if known is None:
            known = base64.b64encode(find().astype("<u8").tobytes()).decode()
            self._kept[name] = known
        return np.frombuffer(base64.b64decode(known), "<u8").astype(np.uint64)

    def numbers(self, name: str, find: Callable[[], frozenset[int] | None]) -> frozenset[int] | None:
        """The runs that are known under a name, or else found now; None is not final, and not kept."""
        known = self._kept.get(name)
        if known is not None:
            return frozenset(map(int, known.split()))
        found = find()
        if found is not None:
            self._kept[name] = " ".join(map(str, sorted(found)))
        return found
