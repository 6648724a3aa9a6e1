"""sin, cos, tan and their inverses in exactly rounded operations of a fixed order.

After fdlibm (Sun Microsystems, 1993: k_sin.c, k_cos.c, k_tan.c, e_asin.c, e_acos.c, s_atan.c, e_atan2.c);
the reduction is Cody and Waite's with 151 bits of pi/2, beyond 2**20 it is exact in integers.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from doe_compiler.expressions.exponential import Floats, high, polynomial

_INVERSE_HALF_PI = 6.36619772367581382433e-01
_HALF_PI_PARTS = (1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624871116645580e-21)
_HALF_PI_TAIL = 8.47842766036889956997e-32
_HALF_PI_HIGH, _HALF_PI_LOW = 1.57079632679489655800e00, 6.12323399573676603587e-17
_QUARTER_PI_HIGH, _QUARTER_PI_LOW = 7.85398163397448278999e-01, 3.06161699786838301793e-17
_PI, _PI_LOW = 3.1415926535897931160e00, 1.2246467991473531772e-16
_EXACT_REDUCTION_FROM = 2.0**20
_PI_BITS = 1280

_SIN_S = (
    -1.66666666666666324348e-01,
    8.33333333332248946124e-03,
    -1.98412698298579493134e-04,
    2.75573137070700676789e-06,
    -2.50507602534068634195e-08,
    1.58969099521155010221e-10,
)
_COS_C = (
    4.16666666666666019037e-02,
    -1.38888888888741095749e-03,
    2.48015872894767294178e-05,
    -2.75573143513906633035e-07,
    2.08757232129817482790e-09,
    -1.13596475577881948265e-11,
)
_TAN_T = (
    3.33333333333334091986e-01,
    1.33333333333201242699e-01,
    5.39682539762260521377e-02,
    2.18694882948595424599e-02,
    8.86323982359930005737e-03,
    3.59207910759131235356e-03,
    1.45620945432529025516e-03,
    5.88041240820264096874e-04,
    2.46463134818469906812e-04,
    7.81794442939557092300e-05,
    7.14072491382608190305e-05,
    -1.85586374855275456654e-05,
    2.59073051863633712884e-05,
)
_ASIN_P = (
    1.66666666666666657415e-01,
    -3.25565818622400915405e-01,
    2.01212532134862925881e-01,
    -4.00555345006794114027e-02,
    7.91534994289814532176e-04,
    3.47933107596021167570e-05,
)
_ASIN_Q = (
    1.0,
    -2.40339491173441421878e00,
    2.02094576023350569471e00,
    -6.88283971605453293030e-01,
    7.70381505559019352791e-02,
)
_ATAN_A = (
    3.33333333333329318027e-01,
    -1.99999999998764832476e-01,
    1.42857142725034663711e-01,
    -1.11111104054623557880e-01,
    9.09088713343650656196e-02,
    -7.69187620504482999495e-02,
    6.66107313738753120669e-02,
    -5.83357013379057348645e-02,
    4.97687799461593236017e-02,
    -3.65315727442169155270e-02,
    1.62858201153657823623e-02,
)
_ATAN_HIGH = (4.63647609000806093515e-01, _QUARTER_PI_HIGH, 9.82793723247329054082e-01, _HALF_PI_HIGH)
_ATAN_LOW = (2.26987774529616870924e-17, _QUARTER_PI_LOW, 1.39033110312309984516e-17, _HALF_PI_LOW)


@cache
def _half_pi_scaled() -> int:
    """pi/2 times 2**1280, by Machin's formula in integers."""
    guard = _PI_BITS + 64

    def inverse_tangent(n: int) -> int:
        power = (1 << guard) // n
        total, k, sign = power, 1, 1
        while power:
            power //= n * n
            k, sign = k + 2, -sign
            total += sign * (power // k)
        return total

    return (8 * inverse_tangent(5) - 2 * inverse_tangent(239)) >> 64


def _exactly_reduced(x: float) -> tuple[int, float, float]:
    half_pi = _half_pi_scaled()
    numerator, denominator = abs(x).as_integer_ratio()
    scaled = (numerator << _PI_BITS) // denominator
    quotient = (scaled + half_pi // 2) // half_pi
    rest = scaled - quotient * half_pi
    first = rest / (1 << _PI_BITS)
    top, bottom = first.as_integer_ratio()
    second = (rest - (top << _PI_BITS) // bottom) / (1 << _PI_BITS)
    if x < 0:
        return -quotient % 4, -first, -second
    return quotient % 4, first, second


def _reduced(x: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """(quadrant 0..3, y, y's tail) with x = quadrant * pi/2 + y and |y| <= pi/4; x is finite."""
    is_large = np.abs(x) >= _EXACT_REDUCTION_FROM
    usual = np.where(is_large, 0.0, x)
    fn = np.rint(usual * _INVERSE_HALF_PI)
    r = usual - fn * _HALF_PI_PARTS[0]
    t, w = r, fn * _HALF_PI_PARTS[1]
    r = t - w
    lost = (t - r) - w
    t, w = r, fn * _HALF_PI_PARTS[2]
    r = t - w
    w = fn * _HALF_PI_TAIL - ((t - r) - w) - lost
    y = r - w
    tail = (r - y) - w
    quadrant = fn.astype(np.int64) & 3
    for index in np.flatnonzero(is_large):
        quadrant.flat[index], y.flat[index], tail.flat[index] = _exactly_reduced(float(x.flat[index]))
    return quadrant, y, tail


def _sin_kernel(x: Floats, tail: Floats) -> Floats:
    z = x * x
    v = z * x
    r = polynomial(z, _SIN_S[1:])
    return x - ((z * (0.5 * tail - v * r) - tail) - v * _SIN_S[0])


def _cos_kernel(x: Floats, tail: Floats) -> Floats:
    z = x * x
    r = z * polynomial(z, _COS_C)
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + (z * r - x * tail))


def sin(x: Floats) -> Floats:
    """The sine of an angle in radians, within 1 ulp; NaN for an infinite angle."""
    with np.errstate(all="ignore"):
        quadrant, y, tail = _reduced(np.where(np.isfinite(x), x, 0.0))
        value = np.where(quadrant & 1, _cos_kernel(y, tail), _sin_kernel(y, tail))
        value = np.where(quadrant & 2, -value, value)
        return np.where(np.isfinite(x), value, np.nan)


def cos(x: Floats) -> Floats:
    """The cosine of an angle in radians, within 1 ulp; NaN for an infinite angle."""
    with np.errstate(all="ignore"):
        quadrant, y, tail = _reduced(np.where(np.isfinite(x), x, 0.0))
        value = np.where(quadrant & 1, _sin_kernel(y, tail), _cos_kernel(y, tail))
        value = np.where((quadrant + 1) & 2, -value, value)
        return np.where(np.isfinite(x), value, np.nan)


def tan(x: Floats) -> Floats:
    """The tangent of an angle in radians, within 1 ulp; NaN for an infinite angle."""
    with np.errstate(all="ignore"):
        quadrant, y, tail = _reduced(np.where(np.isfinite(x), x, 0.0))
        return np.where(np.isfinite(x), _tan_kernel(y, tail, (quadrant & 1) == 1), np.nan)


def _tan_kernel(x: Floats, tail: Floats, is_reciprocal: npt.NDArray[np.bool_]) -> Floats:
    is_big = np.abs(x) >= 0.67434
    sign = np.where(x < 0, -1.0, 1.0)
    folded = (_QUARTER_PI_HIGH - sign * x) + (_QUARTER_PI_LOW - sign * tail)
    x, tail = np.where(is_big, folded, x), np.where(is_big, 0.0, tail)
    z = x * x
    w = z * z
    r = polynomial(w, _TAN_T[1::2])
    v = z * polynomial(w, _TAN_T[2::2])
    s = z * x
    r = tail + z * (s * (r + v) + tail)
    r += _TAN_T[0] * s
    w = x + r
    side = np.where(is_reciprocal, -1.0, 1.0)
    big = sign * (side - 2.0 * (x - (w * w / (w + side) - r)))
    z = high(w)
    v = r - (z - x)
    a = -1.0 / w
    t = high(a)
    reciprocal = t + a * ((1.0 + t * z) + t * v)
    return np.where(is_big, big, np.where(is_reciprocal, reciprocal, w))


def _asin_ratio(z: Floats) -> Floats:
    return z * polynomial(z, _ASIN_P) / polynomial(z, _ASIN_Q)


def asin(x: Floats) -> Floats:
    """The inverse sine in [-pi/2, pi/2], within 1 ulp; NaN outside [-1, 1]."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        inside = np.where(size < 0.5, x, 0.0)
        near = inside + inside * _asin_ratio(inside * inside)
        z = 0.5 * (1.0 - size)
        s = np.sqrt(z)
        r = _asin_ratio(z)
        edge = _HALF_PI_HIGH - (2.0 * (s + s * r) - _HALF_PI_LOW)
        f = high(s)
        c = (z - f * f) / (s + f)
        middle = _QUARTER_PI_HIGH - (2.0 * s * r - (_HALF_PI_LOW - 2.0 * c) - (_QUARTER_PI_HIGH - 2.0 * f))
        far = np.where(size > 0.975, edge, middle)
        return np.where(size < 0.5, near, np.where(x < 0, -far, far))


def acos(x: Floats) -> Floats:
    """The inverse cosine in [0, pi], within 1 ulp; NaN outside [-1, 1]."""
    with np.errstate(all="ignore"):
        inside = np.where(np.abs(x) < 0.5, x, 0.0)
        near = _HALF_PI_HIGH - (inside - (_HALF_PI_LOW - inside * _asin_ratio(inside * inside)))
        z = 0.5 * (1.0 - np.abs(x))
        s = np.sqrt(z)
        r = _asin_ratio(z)
        below = 2.0 * (_HALF_PI_HIGH - (s + (r * s - _HALF_PI_LOW)))
        df = high(s)
        c = np.where(s > 0, (z - df * df) / (s + df), 0.0)
        c = np.where(np.isnan(s), np.nan, c)
        above = 2.0 * (df + (r * s + c))
        return np.where(np.abs(x) < 0.5, near, np.where(x < 0, below, above))


def atan(x: Floats) -> Floats:
    """The inverse tangent in [-pi/2, pi/2], within 1 ulp."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        part = (
            (size >= 0.4375).astype(np.int64)
            + (size >= 0.6875).astype(np.int64)
            + (size >= 1.1875).astype(np.int64)
            + (size >= 2.4375).astype(np.int64)
        )
        y = np.where(part == 1, (2.0 * size - 1.0) / (2.0 + size), size)
        y = np.where(part == 2, (size - 1.0) / (size + 1.0), y)
        y = np.where(part == 3, (size - 1.5) / (1.0 + 1.5 * size), y)
        y = np.where(part == 4, -1.0 / size, y)
        z = y * y
        w = z * z
        odd = z * polynomial(w, _ATAN_A[0::2])
        even = w * polynomial(w, _ATAN_A[1::2])
        upper = np.asarray((0.0, *_ATAN_HIGH))[part]
        lower = np.asarray((0.0, *_ATAN_LOW))[part]
        value = np.where(part == 0, y - y * (odd + even), upper - ((y * (odd + even) - lower) - y))
        return np.where(np.isnan(x), np.nan, np.where(np.signbit(x), -value, value))


def atan2(y: Floats, x: Floats) -> Floats:
    """The angle of the point (x, y) in [-pi, pi], within 1 ulp; a zero counts as positive."""
    y, x = np.broadcast_arrays(y + 0.0, x + 0.0)
    with np.errstate(all="ignore"):
        ratio = np.where(np.isinf(x) & np.isinf(y), 1.0, np.abs(y) / np.abs(x))
        angle = np.where(x == 0, np.where(y == 0, 0.0, _HALF_PI_HIGH), atan(ratio))
        angle = np.where((x < 0) & (ratio < 2.0**-64), 0.0, angle)
        value = np.where(x < 0, _PI - (angle - _PI_LOW), angle)
        value = np.where(y < 0, -value, value)
        return np.where(np.isnan(x) | np.isnan(y), np.nan, value)
