"""A study to be applied, and what is to be done only when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from doe_compiler.bundle.observation import SeenJob
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.observe.looking import Subject
from doe_compiler.observe.rows import Ranges
from doe_compiler.plan.decide import NO_WISHES, Wishes
from doe_compiler.plan.memory import Agreed
from doe_compiler.plan.tables import Want


def _lacks_none(_job: SeenJob) -> Mapping[int, tuple[str, ...]]:
    return {}


@dataclass(frozen=True)
class Order:
    """A study to be planned or applied.

    `origin` tells the repository, path and branch that it is applied from; `lacking` the runs of a job
    that lack required responses, by number, and which; `remembered` the jobs, id to name, that are known to have been submitted;
    `forgotten` those that do not count. `agreed` is what a saved plan binds.
    """

    wanted: Wanted
    wishes: Wishes = NO_WISHES
    origin: str = ""
    lacking: Callable[[SeenJob], Mapping[int, tuple[str, ...]]] = _lacks_none
    remembered: Callable[[], Mapping[str, str]] = dict
    forgotten: frozenset[str] = frozenset()
    agreed: Agreed | None = None
    subject: Subject = field(init=False)
    want: Want = field(init=False)

    def __post_init__(self) -> None:
        ranges = Ranges(self.wanted.keys)
        subject = Subject(self.wanted, ranges, self.remembered, self.forgotten)
        object.__setattr__(self, "subject", subject)
        object.__setattr__(self, "want", Want(self.wanted.keys, self.wanted.packs))
