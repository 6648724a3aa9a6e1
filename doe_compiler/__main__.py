"""Run the command line with `python -m doe_compiler`."""

from doe_compiler.cli.main import run

run()
