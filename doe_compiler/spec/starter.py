"""The small study that `doe init` writes: a thrown ball with drag, solved by a script of the standard library."""

from collections.abc import Mapping

from doe_compiler.spec.schemas import schema_text

_STUDY = """\
# yaml-language-server: $schema=study.schema.json
doe: 1                        # version of the study language
study: projectile             # all jobs of the study carry this name; do not change it later
description: How far a thrown ball flies, with drag
seed: 1                       # another seed is another sample

variables:
  speed: {generator: Uniform, min: 10, max: 30, unit: m/s, nominal: 20}
  angle: {generator: Uniform, min: 20, max: 70, unit: deg, nominal: 45}
  ball:  {levels: [golf, tennis], nominal: golf}
  g:     {value: 9.81, unit: m/s2}

design:
  method: latin-hypercube     # or full-factorial, monte-carlo, table
  runs: 12

analyses:
  - analysis: {code: user_included}
    command: python3 projectile.py
    hardware: {coreType: emerald, coresPerSlot: 1, slots: 4, walltime: 1}   # walltime in hours
    runTimeout: 1m            # of one run
    inputFiles: [projectile.py]
    templates:                # ${speed} and the others are filled in for every run
      - {source: shot.template, target: shot.txt}

responses:                    # what comes back from every run
  distance: {file: result.json, json: distance, unit: m, goal: maximize}
  height:   {file: result.json, json: height, unit: m}
  time:     {file: projectile.log, regex: 'landed after (\\S+) s', unit: s}

limits: {runs: 100}           # validate, plan and apply refuse more
"""

_TEMPLATE = """\
speed ${speed}
angle ${angle}
ball ${ball}
g ${g}
"""

_SOLVER = '''\
"""Flight of a ball with quadratic drag: reads shot.txt, writes result.json and projectile.log."""

import json
import math

AIR_DENSITY = 1.225
DRAG_COEFFICIENT = 0.5
BALLS = {"golf": (0.0459, 0.0427), "tennis": (0.0577, 0.0668)}  # mass in kg, diameter in m
STEP = 0.001

with open("shot.txt") as deck:
    shot = dict(line.split() for line in deck)

g = float(shot["g"])
mass, diameter = BALLS[shot["ball"]]
drag = 0.5 * AIR_DENSITY * DRAG_COEFFICIENT * math.pi * diameter**2 / 4 / mass
u = float(shot["speed"]) * math.cos(math.radians(float(shot["angle"])))
v = float(shot["speed"]) * math.sin(math.radians(float(shot["angle"])))
x = y = top = time = 0.0
while y >= 0.0:
    speed = math.hypot(u, v)
    u -= drag * speed * u * STEP
    v -= (g + drag * speed * v) * STEP
    x += u * STEP
    y += v * STEP
    top = max(top, y)
    time += STEP

with open("result.json", "w") as out:
    json.dump({"distance": round(x, 4), "height": round(top, 4)}, out)
with open("projectile.log", "w") as log:
    log.write(f"landed after {time:.3f} s\\n")
'''


def starter_files() -> Mapping[str, str | bytes]:
    """The files of the study by name; `study.schema.json` beside it lets editors complete and check it."""
    return {
        "study.yaml": _STUDY,
        "shot.template": _TEMPLATE,
        "projectile.py": _SOLVER,
        "study.schema.json": schema_text("study"),
    }
