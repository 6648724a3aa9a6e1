"""Mesh a cantilever of rectangular section with 20-node bricks (C3D20R) for CalculiX.

    python3 mesh.py geometry.txt

reads `length`, `width` and `height` (mm) as `key = value` lines and writes `mesh.inp`: the beam lies along x
from its clamped end at 0, the width along y, the height along z, the axis through the origin. The deck that
includes it finds the node LOAD_NODE for the load at the free end, the node sets ROOT and TIP (the middle of the
free end), the element set BEAM and the surface TIPFACE. Exit code 2: the geometry cannot be read.
"""

import math
import sys
from pathlib import Path

KEYS = ("length", "width", "height")
ACROSS = 2  # elements over the width and over the height
LOAD_NODE = 1

# The nodes of a brick in steps of half an element: corners, then the middles of the edges, as CalculiX numbers them
BRICK = (
    (0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0), (0, 0, 2), (2, 0, 2), (2, 2, 2), (0, 2, 2),
    (1, 0, 0), (2, 1, 0), (1, 2, 0), (0, 1, 0), (1, 0, 2), (2, 1, 2), (1, 2, 2), (0, 1, 2),
    (0, 0, 1), (2, 0, 1), (2, 2, 1), (0, 2, 1),
)  # fmt: skip


def read_geometry(path):
    """Return (length, width, height) in mm; raise ValueError with the reason."""
    sizes = {}
    with Path(path).open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            key, equals, value = (part.strip() for part in text.partition("="))
            if not equals or key not in KEYS or key in sizes:
                raise ValueError(
                    f"line {number}: expected one line each of {', '.join(KEYS)}, got {text[:60]!r}"
                )
            try:
                sizes[key] = float(value)
            except ValueError:
                raise ValueError(f"line {number}: {key} = {value[:60]!r} is not a number") from None
            if not 0.0 < sizes[key] < math.inf:
                raise ValueError(f"line {number}: {key} = {value} is not a length in mm")
    missing = [key for key in KEYS if key not in sizes]
    if missing:
        raise ValueError(f"{', '.join(missing)} is missing")
    return tuple(sizes[key] for key in KEYS)


def mesh(length, width, height):
    """Return (nodes, elements, root, tip, tip elements) of the beam.

    `nodes` is {number: (x, y, z)} from LOAD_NODE + 1 on, `elements` a list of 20 node numbers each.
    """
    along = max(8, round(length / height))  # elements as long as the beam is high, at least 8
    numbers, nodes = {}, {}
    for i in range(2 * along + 1):
        for j in range(2 * ACROSS + 1):
            for k in range(2 * ACROSS + 1):
                if i % 2 + j % 2 + k % 2 <= 1:
                    number = LOAD_NODE + 1 + len(numbers)
                    numbers[i, j, k] = number
                    y, z = width * (j / (2 * ACROSS) - 0.5), height * (k / (2 * ACROSS) - 0.5)
                    nodes[number] = (length * i / (2 * along), y, z)
    cells = [(i, j, k) for i in range(along) for j in range(ACROSS) for k in range(ACROSS)]
    elements = [[numbers[2 * i + a, 2 * j + b, 2 * k + c] for a, b, c in BRICK] for i, j, k in cells]
    root = [number for (i, _, _), number in numbers.items() if i == 0]
    tip = numbers[2 * along, ACROSS, ACROSS]
    ends = [index for index, (i, _, _) in enumerate(cells, start=1) if i == along - 1]
    return nodes, elements, root, tip, ends


def mesh_text(length, width, height):
    """Return the mesh as CalculiX reads it."""
    nodes, elements, root, tip, ends = mesh(length, width, height)
    lines = ["*NODE, NSET=LOAD", f"{LOAD_NODE}, {length:.12g}, 0, 0", "*NODE, NSET=MESH"]
    lines += [f"{number}, {x:.12g}, {y:.12g}, {z:.12g}" for number, (x, y, z) in nodes.items()]
    lines.append("*ELEMENT, TYPE=C3D20R, ELSET=BEAM")
    for index, corners in enumerate(elements, start=1):
        lines.append(f"{index}, {', '.join(map(str, corners[:10]))},")
        lines.append(", ".join(map(str, corners[10:])))
    lines += ["*NSET, NSET=ROOT", *(f"{number}," for number in root)]
    lines += ["*NSET, NSET=TIP", f"{tip},"]
    lines += ["*SURFACE, NAME=TIPFACE, TYPE=ELEMENT", *(f"{index}, S4" for index in ends)]
    return "\n".join(lines) + "\n"


def main(arguments):
    """Mesh the geometry that the arguments name; return the exit code."""
    if len(arguments) != 1:
        print("usage: python3 mesh.py GEOMETRY", file=sys.stderr)
        return 2
    try:
        text = mesh_text(*read_geometry(arguments[0]))
    except (OSError, ValueError) as error:
        print(f"mesh: {arguments[0]}: {error}", file=sys.stderr)
        return 2
    with Path("mesh.inp").open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
