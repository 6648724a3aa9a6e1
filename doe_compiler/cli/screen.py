"""What the terminal can show: how wide it is, whether colours and moving bars are wanted."""

import os
import shutil
import sys


def wants_colour() -> bool:
    """Whether colours may be used where there is a terminal: NO_COLOR, CI and a dumb terminal say no."""
    return not os.environ.get("NO_COLOR") and not is_ci() and os.environ.get("TERM") != "dumb"


def shows_bars() -> bool:
    """Whether stderr is a terminal that somebody looks at."""
    return sys.stderr.isatty() and not is_ci() and os.environ.get("TERM") != "dumb"


def is_ci() -> bool:
    """Whether this runs in a pipeline: `CI` is set, as all of them do."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def width() -> int | None:
    """The columns of the terminal that stdout is, or COLUMNS; None: no bounds, as in a file or pipe."""
    if not os.environ.get("COLUMNS", "").isdigit() and not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size().columns, 20)
