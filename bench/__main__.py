"""`make bench`: all of them, or those that are named: `python -m bench startup compiling rendering planning running api queue designs slurm`."""

import sys

from bench import api, compiling, designs, planning, queue, rendering, running, slurm, startup

SUBJECTS = {
    "startup": startup.main,
    "compiling": compiling.main,
    "rendering": rendering.main,
    "planning": planning.main,
    "running": running.main,
    "api": api.main,
    "queue": queue.main,
    "designs": designs.main,
    "slurm": slurm.main,
}

for wanted in sys.argv[1:] or SUBJECTS:
    SUBJECTS[wanted]()
