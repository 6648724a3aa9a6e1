"""Random streams, one for each variable and purpose, the same on every machine and numpy.

Only the raw 64-bit outputs of PCG64 (O'Neill, HMC-CS-2014-0905, 2014), seeded by a SHA-256, are used:
numpy promises that they never change, and promises nothing of the kind for its distributions.
"""

import numpy as np
import numpy.typing as npt

from doe_compiler.kernel.canonical import digest

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

_BLOCK = 1 << 15
_LEAST_BY_DIGITS = 1 << 13
_MOST_BY_DIGITS = 1 << 21
_ONE = np.uint64(0x3FF0000000000000)


class Stream:
    """The numbers of one variable for one purpose; n draws are the first n of n + m draws."""

    def __init__(self, seed: int | str, study: str, name: str, purpose: str) -> None:
        key = digest("doe1-stream", [str(seed), study, name, purpose])
        self._generator = np.random.PCG64(int(key, 16))

    def words(self, n: int) -> Words:
        """The next n outputs, shape (n,), each 64 independent bits."""
        return np.asarray(self._generator.random_raw(n), dtype=np.uint64)

    def uniforms(self, n: int) -> Floats:
        """The next n numbers in the open interval (0, 1), shape (n,).

        They are (k + 1/2) / 2**52 for the upper 52 bits k of an output: never 0 or 1, symmetric around
        1/2, and both u and 1 - u are exact.
        """
        words = self.words(n)
        words >>= np.uint64(12)
        words |= _ONE
        uniforms = words.view(np.float64)
        uniforms -= 1.0 - 2.0**-53
        return uniforms


def permutation(stream: Stream, n: int) -> npt.NDArray[np.int64]:
    """A random order of 0..n-1, shape (n,), by sorting n random keys that carry their index."""
    keys = stream.words(n)
    return _by_digits(keys) if _LEAST_BY_DIGITS <= n <= _MOST_BY_DIGITS else _by_comparison(keys)


def _by_digits(keys: Words) -> npt.NDArray[np.int64]:
    """The same order as `_by_comparison`: by two digits of 16 bits, then the few whose upper 32 bits are equal."""
    upper = (keys >> np.uint64(32)).astype(np.uint32)
    low = np.argsort(upper.astype(np.uint16), kind="stable")
    order = low.take(np.argsort((upper >> np.uint32(16)).astype(np.uint16).take(low), kind="stable"))
    upper = upper.take(order)
    equal = np.flatnonzero(upper[1:] == upper[:-1])
    places = np.union1d(equal, equal + 1)
    indices = order[places]
    bits = np.uint64((len(keys) - 1).bit_length())
    order[places] = indices[np.lexsort((indices, keys[indices] >> bits))]
    return order


def _by_comparison(keys: Words) -> npt.NDArray[np.int64]:
    """Needs no second array of n."""
    n = len(keys)
    bits = max(n - 1, 1).bit_length()
    keys >>= np.uint64(bits)
    keys <<= np.uint64(bits)
    for start in range(0, n, _BLOCK):
        part = keys[start : start + _BLOCK]
        part |= np.arange(start, start + len(part), dtype=np.uint64)
    keys.sort()
    keys &= np.uint64((1 << bits) - 1)
    return keys.view(np.int64)


def strata(order: Stream, jitter: Stream, n: int) -> Floats:
    """A latin hypercube's coordinates of one variable: one in each of the n intervals [i/n, (i+1)/n).

    The jitter within an interval has 50 bits less those of n, so that no rounding leaves the interval.
    McKay, Beckman, Conover: Technometrics 21 (1979) 239-245.
    """
    bits = 50 - max(n, 1).bit_length()
    words = jitter.words(n)
    words >>= np.uint64(64 - bits)
    within = words.astype(np.float64)
    within += 0.5
    within *= 2.0**-bits
    within += permutation(order, n)
    within /= float(max(n, 1))
    return within


def balanced(order: Stream, shift: Stream, n: int, count: int) -> Floats:
    """Coordinates (level + 1/2) / count of n points on `count` levels, each used as often within one.

    The levels lie on a circle of n * count steps, the points every `count` steps from a random one, so that
    no level is favoured where n / count leaves a rest. Needs count <= 10**7 and n <= 10**7.
    """
    start = int(shift.words(1)[0]) % (n * count)
    levels = (permutation(order, n) * count + start) // n % count
    coordinates = levels.astype(np.float64)
    coordinates += 0.5
    coordinates /= float(count)
    return coordinates
