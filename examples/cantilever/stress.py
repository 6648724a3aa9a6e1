"""Print the bending stress at the clamped end of the beam, from what CalculiX wrote to `beam.dat`.

    python3 stress.py

The clamped face itself is singular: the finer the mesh, the higher the stress in its edges. So the axial
stress at every integration point between half a height from the clamped end and one height from the free end
is scaled to the surface, z = height / 2, and a straight line through these values over x is read at x = 0.
That is the structural stress of Hobbacher, Recommendations for Fatigue Design of Welded Joints and
Components, 2nd edition (2016), section 2.2.3, with all the points in place of two.
"""

import sys
from pathlib import Path


def dat_table(lines, title):
    """Return {(element, integration point): numbers} of the table whose heading starts with `title`."""
    table, inside = {}, False
    for line in lines:
        words = line.split()
        if not words:
            continue
        if not words[0].isdigit():
            inside = line.strip().startswith(title)
        elif inside:
            table[int(words[0]), int(words[1])] = tuple(float(word) for word in words[2:])
    return table


def root_stress(points, height):
    """Return the surface stress at x = 0 of `points` (x, z, axial stress), positive where z is negative."""
    length = max(x for x, _, _ in points)
    line = [(x, -s * height / 2 / z) for x, z, s in points if height / 2 <= x <= length - height]
    mean_x = sum(x for x, _ in line) / len(line)
    mean_s = sum(s for _, s in line) / len(line)
    slope = sum((x - mean_x) * (s - mean_s) for x, s in line) / sum((x - mean_x) ** 2 for x, _ in line)
    return mean_s - slope * mean_x


def main():
    """Print `root_stress`, a tab and its value in MPa; return the exit code."""
    try:
        lines = Path("beam.dat").read_text(encoding="utf-8").splitlines()
        geometry = Path("geometry.txt").read_text(encoding="utf-8").splitlines()
        sizes = dict(line.replace(" ", "").split("=") for line in geometry if "=" in line)
        places, stresses = dat_table(lines, "global coordinates"), dat_table(lines, "stresses")
        points = [(xyz[0], xyz[2], stresses[point][0]) for point, xyz in places.items()]
        value = root_stress(points, float(sizes["height"]))
    except (OSError, ValueError, KeyError, ZeroDivisionError) as error:
        print(f"stress: no stresses in beam.dat: {error}", file=sys.stderr)
        return 1
    print(f"root_stress\t{value:.6g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
