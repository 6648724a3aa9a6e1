"""Render a deck of 2.6 kB with 10 variables and 12 expressions for many runs, in memory and into folders.

Beside it Jinja2 itself (compiled once), minijinja, `string.Template`, which knows no expressions, and Dakota's `dprepro`, if
it is there. Writing is held against writing the same bytes ready-made. And a study with 20 derived columns is compiled
beside one with 20 plain ones.
"""

import shutil
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jinja2
import minijinja

from bench.timing import in_turn, peak_mb, process_s, show
from doe_compiler.bundle.rendering import rendered_runs
from doe_compiler.pipeline.compiling import checked_spec, designed

NAMES = [f"x{index}" for index in range(10)]
EXPRESSIONS = [f"(x{index} * 1.8 + {index})|round(3)" for index in range(10)] + ["x0 * x1 + x2", "x3 / x4"]
FILLER = "** A line of a deck that is the same in every run, as most lines of decks are.\n"
STUDY = """\
doe: 1
study: rendered
variables:
{variables}
design: {{method: latin-hypercube, runs: {runs}}}
analyses:
  - analysis: {{code: user_included}}
    command: "true"
    hardware: {{coreType: standard-plus}}
    templates: [{{source: {deck}, target: case/deck.inp}}]
"""


def deck(*, with_expressions: bool = True) -> str:
    lines = [f"{name} = {{{{ {name} }}}}\n" for name in NAMES]
    if with_expressions:
        lines += [f"y{number} = {{{{ {expression} }}}}\n" for number, expression in enumerate(EXPRESSIONS)]
    text = "".join(FILLER + line for line in lines)
    return text + FILLER * max(0, (2600 - len(text)) // len(FILLER))


def write_study(folder: Path, runs: int, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    variables = "\n".join(f"  {name}: {{generator: Uniform, min: 10, max: 30}}" for name in NAMES)
    (folder / "deck.j2").write_text(text)
    (folder / "study.yaml").write_text(STUDY.format(variables=variables, runs=runs, deck="deck.j2"))
    return folder / "study.yaml"


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_memory(runs: int) -> None:
    text = deck()
    with tempfile.TemporaryDirectory() as name:
        path = write_study(Path(name), runs, text)
        spec, _ = checked_spec(path)
        plain, _ = checked_spec(write_study(Path(name) / "plain", runs, deck(with_expressions=False)))
        plain_design = designed(plain)
        assert plain_design is not None
        rows = [
            dict(zip(NAMES, values, strict=True))
            for values in zip(*(plain_design.column(n).numbers().tolist() for n in NAMES), strict=True)
        ]
        jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True).from_string(
            text
        )
        mini = minijinja.Environment(templates={"deck": text})
        simple = string.Template(deck(with_expressions=False).replace("{{ ", "${").replace(" }}", "}"))

        def ours() -> None:
            design = designed(spec)  # the rows too, and the derived columns
            assert design is not None
            for _ in rendered_runs(spec, design, 0, runs):
                pass

        def rows_alone() -> None:
            designed(plain)

        taken = in_turn(
            {
                "doe render, with making the rows": lambda: seconds(ours),
                "making the rows": lambda: seconds(rows_alone),
                "Jinja2, compiled once": lambda: seconds(
                    lambda: [jinja.render(row).encode() for row in rows]
                ),
                "minijinja": lambda: seconds(
                    lambda: [mini.render_template("deck", **row).encode() for row in rows]
                ),
                "string.Template, no expressions": lambda: seconds(
                    lambda: [simple.substitute(row).encode() for row in rows]
                ),
            },
            rounds=3,
        )
        own = taken["doe render, with making the rows"] - taken["making the rows"]
        table = [("what", "s", "ratio", "aim"), ("doe render", f"{own:.2f}", "1", "")]
        aims = {"Jinja2, compiled once": "> 1", "minijinja": "> 1"}
        table += [
            (what, f"{taken[what]:.2f}", f"{taken[what] / own:.2f}", aims.get(what, ""))
            for what in ("Jinja2, compiled once", "minijinja", "string.Template, no expressions")
        ]
        table.append(_dprepro(own / runs))
        show(f"{runs:,} decks of 2.6 kB in memory: 10 variables, 12 expressions", table)


def _dprepro(ours_s: float) -> tuple[str, str, str, str]:
    found = shutil.which("dprepro") or shutil.which("pyprepro")
    if found is None:
        return "dprepro", "not installed", "", "> 50"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params").write_text(
            f"{len(NAMES)} variables\n" + "".join(f"{number + 1.5} {n}\n" for number, n in enumerate(NAMES))
        )
        text = deck().replace("{{ ", "{").replace(" }}", "}").replace("|round(3)", "")
        (folder / "deck").write_text(text)
        command = [found, "params", "deck", "out"]
        took = min(
            seconds(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))
            for _ in range(5)
        )
    return "dprepro, a process a run", f"{took:.3f} a run", f"{took / ours_s:.0f}", "> 50"


READY_MADE = """
import os, sys
content = open(sys.argv[1], "rb").read()
root, runs = sys.argv[2], int(sys.argv[3])
for number in range(1, runs + 1):
    os.makedirs(f"{root}/run{number}/case", exist_ok=True)
    handle = os.open(f"{root}/run{number}/case/deck.inp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.write(handle, content)
    os.close(handle)
"""


def into_folders(runs: int, where: str, aim: str) -> None:
    with tempfile.TemporaryDirectory(dir=where or None) as name:
        folder = Path(name)
        path = write_study(folder / "study", runs, deck())
        (folder / "content").write_text(deck())
        doe = str(Path(sys.executable).parent / "doe")

        def emptied(command: list[str], made: Path) -> float:
            shutil.rmtree(made, ignore_errors=True)
            return process_s(command)

        ready = [sys.executable, "-c", READY_MADE, str(folder / "content"), str(folder / "ready"), str(runs)]
        ours = [doe, "render", str(path), "-o", str(folder / "ours")]
        taken = in_turn(
            {
                "the same bytes, ready-made": lambda: emptied(ready, folder / "ready"),
                "doe render -o": lambda: emptied(ours, folder / "ours"),
            },
            rounds=3,
        )
        limit = taken["the same bytes, ready-made"]
        rows = [("what", "s", "ratio", "aim")]
        rows += [
            (what, f"{took:.2f}", f"{took / limit:.2f}", aim if what.startswith("doe") else "")
            for what, took in taken.items()
        ]
        show(f"{runs:,} decks into folders on {'a RAM disk' if where else 'disk'} (whole processes)", rows)


def derived_columns(runs: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        doe = str(Path(sys.executable).parent / "doe")
        commands = {}
        for kind in ("plain", "derived"):
            study = folder / kind
            study.mkdir()
            count = 20 if kind == "plain" else 10
            names = [f"x{index}" for index in range(count)]
            variables = "\n".join(f"  {n}: {{generator: Uniform, min: 10, max: 30}}" for n in names)
            used = [f"{{{{ {n} }}}}" for n in names]
            if kind == "derived":
                used = [f"{{{{ {n} * 2 }}}} {{{{ {n} + 1 }}}}" for n in names]
            (study / "deck.j2").write_text("\n".join(used) + "\n")
            (study / "study.yaml").write_text(STUDY.format(variables=variables, runs=runs, deck="deck.j2"))
            commands[kind] = [doe, "compile", str(study), "-o", str(folder / f"{kind}-out")]
        taken = in_turn(
            {kind: lambda c=command: process_s(c) for kind, command in commands.items()}, rounds=3
        )
        peaks = {kind: peak_mb(command) for kind, command in commands.items()}
        show(
            f"Compile {runs:,} runs (whole processes, RAM disk)",
            [
                ("what", "s, peak MB", "ratios", "aim"),
                ("20 plain columns", f"{taken['plain']:.2f}, {peaks['plain']:.0f}", "1", ""),
                (
                    "10 plain and 20 derived columns",
                    f"{taken['derived']:.2f}, {peaks['derived']:.0f}",
                    f"{taken['derived'] / taken['plain']:.2f}, {peaks['derived'] / peaks['plain']:.2f}",
                    "2",
                ),
            ],
        )


def main() -> None:
    for runs in (10_000, 100_000):
        in_memory(runs)
    into_folders(10_000, "", "1.5")
    into_folders(10_000, "/dev/shm" if Path("/dev/shm").is_dir() else "", "4")
    derived_columns(100_000)


if __name__ == "__main__":
    main()
