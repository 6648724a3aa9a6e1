"""Inviscid flow about a NACA 4-digit section: a vortex panel method with linearly varying strength.

    python3 panel2d.py airfoil.inp

reads `key = value` lines, prints a report, and writes `forces.json` and `cp.csv`. It needs Python 3 only.
Exit code 0: solved; 2: the deck cannot be read, is incomplete or lies outside the method's range.

The section is a polygon on which a vortex sheet lies, its strength continuous and linear on every panel.
No flow passes through the middle of any panel, and the strengths at both sides of the trailing edge cancel
(Kutta condition). See Kuethe and Chow, Foundations of Aerodynamics, 5th edition (1998), section 5.10; the
section's shape is that of Abbott and von Doenhoff, Theory of Wing Sections (1959), equations 6.1 to 6.4,
with the thickness closed at the trailing edge.
"""

# ruff: noqa: B905, RUF007 (strict and pairwise are newer than the Python of many a compute node)

import json
import math
import sys
from pathlib import Path

# key: (lowest, highest, meaning); every key must stand in the deck once
DECK = {
    "alpha": (-20.0, 20.0, "angle of attack, degrees"),
    "max_camber": (0.0, 0.1, "largest camber, fraction of the chord"),
    "camber_position": (0.1, 0.9, "where the camber is largest, fraction of the chord"),
    "thickness": (0.03, 0.3, "largest thickness, fraction of the chord"),
    "panels": (20.0, 400.0, "number of panels, even"),
    "chord": (1e-6, 1e6, "chord length, m"),
    "dynamic_pressure": (0.0, 1e9, "dynamic pressure of the free stream, Pa"),
}


class DeckError(Exception):
    """The deck cannot be computed; the text says where and why."""


def read_deck(path):
    """Return the deck as {key: number}; raise DeckError that names every problem."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DeckError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DeckError(f"{path}: not a text file in UTF-8") from None
    deck, problems = {}, []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        key, equals, value = (part.strip() for part in text.partition("="))
        problem = deck_problem(key, equals, value, deck)
        if problem:
            problems.append(f"{path}:{number}: {problem}")
        else:
            deck[key] = float(value)
    if not problems:
        problems = [f"{path}: {key} is missing ({DECK[key][2]})" for key in DECK if key not in deck]
    if problems:
        raise DeckError("\n".join(problems))
    return deck


def deck_problem(key, equals, value, deck):
    """Say what is wrong with one line of the deck; the empty text if nothing is."""
    if not equals:
        return f"expected 'key = value', got {key[:60]!r}"
    if key not in DECK:
        return f"unknown key {key[:60]!r}; the keys are {', '.join(DECK)}"
    if key in deck:
        return f"{key} is given twice"
    try:
        number = float(value)
    except ValueError:
        return f"{key} = {value[:60]!r} is not a number"
    lowest, highest, meaning = DECK[key]
    if not lowest <= number <= highest:
        return f"{key} = {value} is not between {lowest:g} and {highest:g} ({meaning})"
    if key == "panels" and number % 2:
        return f"panels = {value} is not an even integer"
    return ""


def naca4(max_camber, camber_position, thickness, panels):
    """Return the corners of the polygon for a chord of 1, from the trailing edge along the lower side to it.

    The list holds panels + 1 points (x, y), the first equal to the last, denser at both edges.
    """
    half = panels // 2
    lower, upper = [], []
    for k in range(half + 1):
        x = 0.5 * (1.0 - math.cos(math.pi * k / half))
        polynomial = 0.2969 * math.sqrt(x) + x * (-0.1260 + x * (-0.3516 + x * (0.2843 - 0.1036 * x)))
        y_half = 5.0 * thickness * polynomial if k < half else 0.0
        p = camber_position
        ahead = x < p
        scale = max_camber / (p * p if ahead else (1.0 - p) ** 2)
        y_camber = scale * ((0.0 if ahead else 1.0 - 2.0 * p) + 2.0 * p * x - x * x)
        slope = math.atan(2.0 * scale * (p - x))
        lower.append((x + y_half * math.sin(slope), y_camber - y_half * math.cos(slope)))
        upper.append((x - y_half * math.sin(slope), y_camber + y_half * math.cos(slope)))
    return [*reversed(lower), *upper[1:]]


def panel_geometry(corners):
    """Return for every panel (x, y of its middle, cosine, sine, length); outside is on its left."""
    panels = []
    for (x1, y1), (x2, y2) in zip(corners, corners[1:]):
        length = math.hypot(x2 - x1, y2 - y1)
        panels.append(((x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / length, (y2 - y1) / length, length))
    return panels


def outflows(corners, panels):
    """Return rows of the velocity out of each panel's middle for a unit of sheet strength at each corner.

    In the frame of a panel of length s, a clockwise sheet of strength 1 gives at (a, b) the velocity
    (angle, log) / 2 pi, where `angle` is what the panel subtends and `log` the logarithm of the distances'
    ratio; weighted with the distance from its start, (a angle + b log, a log + s - b angle) / (2 pi s).
    """
    matrix = []
    for i, (x, y, cos_i, sin_i, _) in enumerate(panels):
        row = [0.0] * len(corners)
        for j, (_, _, cos_j, sin_j, s) in enumerate(panels):
            dx, dy = x - corners[j][0], y - corners[j][1]
            a, b = dx * cos_j + dy * sin_j, dy * cos_j - dx * sin_j
            if i == j:
                angle, log = math.pi, 0.0
            else:
                angle = math.atan2(b * s, a * (a - s) + b * b)
                log = 0.5 * math.log(((a - s) ** 2 + b * b) / (a * a + b * b))
            u_end, v_end = (a * angle + b * log) / s, (a * log + s - b * angle) / s
            sin_d, cos_d = sin_j * cos_i - cos_j * sin_i, cos_j * cos_i + sin_j * sin_i
            row[j] += ((angle - u_end) * sin_d + (log - v_end) * cos_d) / (2 * math.pi)
            row[j + 1] += (u_end * sin_d + v_end * cos_d) / (2 * math.pi)
        matrix.append(row)
    return matrix


def solution(matrix, right):
    """Return x of `matrix` x = `right` by Gaussian elimination with partial pivoting."""
    rows = [[*row, value] for row, value in zip(matrix, right)]
    count = len(rows)
    for k in range(count):
        pivot = max(range(k, count), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = rows[k][k:]
        if head[0] == 0.0:
            raise DeckError("the panels of this section do not determine the flow")
        for i in range(k + 1, count):
            factor = rows[i][k] / head[0]
            if factor:
                rows[i][k:] = [value - factor * above for value, above in zip(rows[i][k:], head)]
    x = [0.0] * count
    for k in reversed(range(count)):
        x[k] = (rows[k][count] - sum(rows[k][j] * x[j] for j in range(k + 1, count))) / rows[k][k]
    return x


def flow(corners, alpha_deg):
    """Return the flow about a closed polygon of chord 1 in a free stream of speed 1.

    The air inside the sheet is at rest, so its strength is the speed along the surface, and `cp` holds
    (x, y, 1 - strength^2) at the corners. Forces and moment (about the quarter chord, nose up) integrate this
    pressure over the panels, where strength^2 is quadratic, exactly. `Cl_circulation` is the lift by Kutta
    and Joukowski's theorem; its distance from `Cl`, and `Cd_residual`, which ought to be 0, show the error.
    """
    alpha = math.radians(alpha_deg)
    cos_a, sin_a = math.cos(alpha), math.sin(alpha)
    panels = panel_geometry(corners)
    kutta = [1.0] + [0.0] * (len(panels) - 1) + [1.0]
    inflow = [cos_a * sine - sin_a * cosine for _, _, cosine, sine, _ in panels]
    strength = solution([*outflows(corners, panels), kutta], [*inflow, 0.0])

    force_x, force_y, moment, circulation = 0.0, 0.0, 0.0, 0.0
    for (x, y, cosine, sine, length), g1, g2 in zip(panels, strength, strength[1:]):
        pressure = 1.0 - (g1 * g1 + g1 * g2 + g2 * g2) / 3.0
        along, across = pressure * sine * length, -pressure * cosine * length
        force_x += along
        force_y += across
        moment += y * along - (x - 0.25) * across
        circulation += 0.5 * (g1 + g2) * length
    return {
        "Cl": force_y * cos_a - force_x * sin_a,
        "Cd_residual": force_x * cos_a + force_y * sin_a,
        "Cm": moment,
        "Cl_circulation": 2.0 * circulation,
        "cp": [(x, y, 1.0 - g * g) for (x, y), g in zip(corners, strength)],
    }


def report(deck, result):
    """Return the text for people."""
    peak = min(result["cp"], key=lambda point: point[2])
    lines = [
        "panel2d: linear-strength vortex panels, inviscid, incompressible",
        "",
        *(f"  {key:<18}{deck[key]:>12g}   {meaning}" for key, (_, _, meaning) in DECK.items()),
        "",
        f"  Cl                = {result['Cl']: .6f}   (by circulation {result['Cl_circulation']: .6f})",
        f"  Cm, quarter chord = {result['Cm']: .6f}",
        f"  Cd, residual      = {result['Cd_residual']: .6f}   (0 in exact inviscid flow)",
        f"  Cp, lowest        = {peak[2]: .6f}   at x/c = {peak[0]:.4f}",
        f"  lift per span     = {result['lift_per_span']: .4f} N/m",
    ]
    return "\n".join(lines)


def main(arguments):
    """Solve the deck that the arguments name; return the exit code."""
    if len(arguments) != 1:
        print("usage: python3 panel2d.py DECK", file=sys.stderr)
        return 2
    try:
        deck = read_deck(arguments[0])
        section = (deck["max_camber"], deck["camber_position"], deck["thickness"])
        result = flow(naca4(*section, int(deck["panels"])), deck["alpha"])
    except DeckError as error:
        print(f"panel2d: {error}", file=sys.stderr)
        return 2
    result["lift_per_span"] = result["Cl"] * deck["dynamic_pressure"] * deck["chord"]
    print(report(deck, result))
    with Path("cp.csv").open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("x,y,Cp\n")
        stream.writelines(f"{x:.8f},{y:.8f},{cp:.8f}\n" for x, y, cp in result["cp"])
    with Path("forces.json").open("w", encoding="utf-8") as stream:
        json.dump({key: value for key, value in result.items() if key != "cp"}, stream, indent=2)
        stream.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
