"""`make bench`: all of them, or those that are named: `python -m bench startup compiling running api`."""

import sys

from bench import api, compiling, running, startup

SUBJECTS = {"startup": startup.main, "compiling": compiling.main, "running": running.main, "api": api.main}

for wanted in sys.argv[1:] or SUBJECTS:
    SUBJECTS[wanted]()
