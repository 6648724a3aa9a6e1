"""The canonical text of many numbers at once, as `kernel.canonical.number_text` writes one.

orjson writes the same shortest digits; only whole numbers (`20.0`) and large exponents (`1e+16`) differ in
their layout, and that is put right in its bytes. The layout is proved on probes when first used.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
import orjson

from doe_compiler.kernel.canonical import number_text

Floats = npt.NDArray[np.float64]

_PROBES = (
    *(
        0.0,
        1.0,
        -1.0,
        20.0,
        0.3,
        0.1 + 0.2,
        -2.5,
        1 / 3,
        1e-4,
        1e-5,
        1.234e-5,
        9.99e-6,
        -9.5e-6,
        1e-7,
        1.5e-7,
    ),
    *(123456789012345.6, 1e15, 9007199254740993.0, 9999999999999998.0, 1e16, 1.5e17, 1e22, 1e23, -1e100),
    *(1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 1e-10, 1.0e-99, 4.35, 100.5, 1e21, 123e-20),
)


def number_lines(block: Floats) -> bytes:
    """The rows of a block of finite numbers, shape (k, d), as lines of a CSV without the last line end.

    A negative zero must not be among them.
    """
    if not block.size:
        return b""
    if not _layout_is_known():
        return b"\n".join(",".join(map(number_text, row)).encode() for row in block.tolist())
    dumped = orjson.dumps(np.ascontiguousarray(block), option=orjson.OPT_SERIALIZE_NUMPY)
    if (np.rint(block) == block).any():
        dumped = _plain(dumped)
    # `[[1,2],[3,4]]` in parts that each end in two more signs; searching for one sign is the fastest.
    return b"\n".join([part[:-2] for part in dumped.split(b"[")[2:]])


def number_cells(values: Floats) -> list[str]:
    """The text of each of the finite numbers, shape (k,)."""
    return number_lines(values.reshape(-1, 1)).decode().split("\n") if values.size else []


def printed_cells(values: Floats) -> list[str]:
    """Each of the finite numbers, shape (k,), as Python prints it."""
    if not values.size:
        return []
    cells = (
        orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        .decode()
        .split(",")
    )
    sizes = np.abs(values)
    # Here orjson and Python have the same digits and the same layout.
    for place in np.flatnonzero(~((sizes >= 1e-4) & (sizes < 1e16))).tolist():
        cells[place] = str(float(values[place]))
    return cells


def _plain(dumped: bytes) -> bytes:
    # Numbers from 1e16 on are whole too. The shortest digits end in `.0` only in a whole number, so the ends of cells are all that can match.
    return dumped.replace(b".0,", b",").replace(b".0]", b"]").replace(b"e+", b"e")


@cache
def _layout_is_known() -> bool:
    probes = np.asarray(_PROBES)
    dumped = _plain(orjson.dumps(probes.reshape(1, -1), option=orjson.OPT_SERIALIZE_NUMPY))
    return dumped == ("[[" + ",".join(map(number_text, _PROBES)) + "]]").encode()
