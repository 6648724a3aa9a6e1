"""exp, log, log10, pow and the hyperbolic functions in exactly rounded operations of a fixed order.

After fdlibm (Sun Microsystems, 1993: e_exp.c, e_log.c, s_expm1.c, e_pow.c, e_sinh.c) and FreeBSD's
e_log10.c. Only + - * / sqrt, comparisons, frexp, ldexp, rint and bit operations are used, so every
processor gives the same bits. Arguments are float64 arrays of any shape with at least one axis.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_INVERSE_LN2 = 1.44269504088896338700e00
_EXP_OVERFLOW, _EXP_UNDERFLOW = 7.09782712893383973096e02, -7.45133219101941108420e02
_EXP_P = (
    1.66666666666666019037e-01,
    -2.77777777770155933842e-03,
    6.61375632143793436117e-05,
    -1.65339022054652515390e-06,
    4.13813679705723846039e-08,
)
_LOG_G = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_INVERSE_LN10_HIGH, _INVERSE_LN10_LOW = 4.34294481878168880939e-01, 2.50829467116452752298e-11
_LOG10_2_HIGH, _LOG10_2_LOW = 3.01029995663611771306e-01, 3.69423907715893078616e-13
_EXPM1_Q = (
    -3.33333333333331316428e-02,
    1.58730158725481460165e-03,
    -7.93650757867487942473e-05,
    4.00821782732936239552e-06,
    -2.01099218183624371326e-07,
)
_POW_L = (
    5.99999999999994648725e-01,
    4.28571428578550184252e-01,
    3.33333329818377432918e-01,
    2.72728123808534006489e-01,
    2.30660745775561754067e-01,
    2.06975017800338417784e-01,
)
_DP_HIGH, _DP_LOW = 5.84962487220764160156e-01, 1.35003920212974897128e-08
_CP, _CP_HIGH, _CP_LOW = 9.61796693925975554329e-01, 9.61796700954437255859e-01, -7.02846165095275826516e-09
_LG2, _LG2_HIGH, _LG2_LOW = (
    6.93147180559945286227e-01,
    6.93147182464599609375e-01,
    -1.90465429995776804525e-09,
)


def high(x: Floats) -> Floats:
    """Clear the lower 32 bits of the significand: products of two such values are exact."""
    bits: Floats = (x.view(np.int64) & np.int64(-0x100000000)).view(np.float64)
    return bits


def polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Horner's rule; the constant coefficient comes first."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def exp(x: Floats) -> Floats:
    """e**x, within 1 ulp; +inf above 709.78, 0 below -745.13."""
    with np.errstate(all="ignore"):
        inside = np.where(x > _EXP_OVERFLOW, 0.0, np.where(x > _EXP_UNDERFLOW, x, 0.0))
        k = np.rint(inside * _INVERSE_LN2)
        upper = inside - k * _LN2_HIGH
        lower = k * _LN2_LOW
        r = upper - lower
        t = r * r
        c = r - t * polynomial(t, _EXP_P)
        y = 1.0 - ((lower - (r * c) / (2.0 - c)) - upper)
        y = np.ldexp(y, k.astype(np.int32))
        y = np.where(x > _EXP_OVERFLOW, np.inf, np.where(x < _EXP_UNDERFLOW, 0.0, y))
        return np.where(np.isnan(x), np.nan, y)


def _reduced_log(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """(k, f, f²/2, s(f²/2 + R)) with x = 2**k (1 + f), 1 + f in [√½, √2); x is positive and finite."""
    m, exponent = np.frexp(x)
    is_low = m < 0.70710678118654752440
    m = np.where(is_low, m + m, m)
    k = (exponent - is_low).astype(np.float64)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * polynomial(w, (_LOG_G[1], _LOG_G[3], _LOG_G[5]))
    even = z * polynomial(w, (_LOG_G[0], _LOG_G[2], _LOG_G[4], _LOG_G[6]))
    half_square = 0.5 * f * f
    return k, f, half_square, s * (half_square + (even + odd))


def _log_domain(x: Floats, value: Floats) -> Floats:
    value = np.where(x == 0, -np.inf, np.where(x == np.inf, np.inf, value))
    return np.where(x >= 0, value, np.nan)


def log(x: Floats) -> Floats:
    """The natural logarithm, within 1 ulp; -inf at 0, NaN below."""
    with np.errstate(all="ignore"):
        k, f, half_square, rest = _reduced_log(np.where((x > 0) & (x < np.inf), x, 1.0))
        value = k * _LN2_HIGH - ((half_square - (rest + k * _LN2_LOW)) - f)
        return _log_domain(x, value)


def log10(x: Floats) -> Floats:
    """The decimal logarithm, within 1 ulp, exact at powers of ten; -inf at 0, NaN below."""
    with np.errstate(all="ignore"):
        k, f, half_square, rest = _reduced_log(np.where((x > 0) & (x < np.inf), x, 1.0))
        upper = high(f - half_square)
        lower = ((f - upper) - half_square) + rest
        scaled = upper * _INVERSE_LN10_HIGH
        base = k * _LOG10_2_HIGH
        small = k * _LOG10_2_LOW + (lower + upper) * _INVERSE_LN10_LOW + lower * _INVERSE_LN10_HIGH
        total = base + scaled
        small += (base - total) + scaled
        return _log_domain(x, small + total)


def expm1(x: Floats) -> Floats:
    """e**x - 1, within 1 ulp, for 0 <= x < 100."""
    with np.errstate(all="ignore"):
        k = np.where(x > 0.5 * _LN2_HIGH, np.rint(x * _INVERSE_LN2), 0.0)
        upper = x - k * _LN2_HIGH
        lower = k * _LN2_LOW
        r = upper - lower
        c = (upper - r) - lower
        half = 0.5 * r
        hxs = r * half
        r1 = polynomial(hxs, (1.0, *_EXPM1_Q))
        t = 3.0 - r1 * half
        e = hxs * ((r1 - t) / (6.0 - r * t))
        near = r - (r * e - hxs)
        e = (r * (e - c) - c) - hxs
        one = np.where(r < -0.25, -2.0 * (e - (r + 0.5)), 1.0 + 2.0 * (r - e))
        exponent = k.astype(np.int32)
        tiny = np.ldexp(np.ones_like(x), -exponent)
        several = np.ldexp((1.0 - tiny) - (e - r), exponent)
        many = np.ldexp((r - (e + tiny)) + 1.0, exponent)
        value = np.where(k == 0, near, np.where(k == 1, one, np.where(k < 20, several, many)))
        return np.where(x == 0, x, value)


def sinh(x: Floats) -> Floats:
    """The hyperbolic sine, within 2 ulp."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        t = expm1(np.where(size < 22, size, 0.0))
        small = np.where(size < 1, 2.0 * t - t * t / (t + 1.0), t + t / (t + 1.0))
        root = exp(0.5 * size)
        large = np.where(size > 709.78, (0.5 * root) * root, 0.5 * exp(size))
        value = np.where(size < 22, 0.5 * small, large)
        return np.where(np.isnan(x), np.nan, np.where(x < 0, -value, value))


def cosh(x: Floats) -> Floats:
    """The hyperbolic cosine, within 2 ulp."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        t = expm1(np.where(size < 0.35, size, 0.0))
        small = 1.0 + (t * t) / (2.0 * (1.0 + t))
        grown = exp(size)
        root = exp(0.5 * size)
        large = np.where(size > 709.78, (0.5 * root) * root, 0.5 * grown + 0.5 / grown)
        return np.where(np.isnan(x), np.nan, np.where(size < 0.35, small, large))


def tanh(x: Floats) -> Floats:
    """The hyperbolic tangent, within 2 ulp."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        t = expm1(2.0 * np.where(size < 22, size, 0.0))
        # For small arguments 1 - 2/(t + 2) would cancel.
        value = np.where(size < 1, t / (t + 2.0), 1.0 - 2.0 / (t + 2.0))
        value = np.where(size < 22, value, 1.0)
        value = np.where(size < 2.0**-28, size, value)
        return np.where(np.isnan(x), np.nan, np.where(x < 0, -value, value))


def power(x: Floats, y: Floats) -> Floats:
    """x**y, within 1 ulp; x**2 is x*x, x**0 and 1**y are 1.

    NaN for a negative x and a y that is not whole; infinite at 0 to a negative power.
    """
    x, y = np.broadcast_arrays(x, y)
    with np.errstate(all="ignore"):
        size = np.abs(x)
        is_whole = np.rint(y) == y
        is_odd = is_whole & (np.abs(y) < 2.0**53) & (np.rint(0.5 * y) != 0.5 * y)
        is_usual = (size > 0) & (size < np.inf) & np.isfinite(y)
        exponent = np.where(
            is_usual, np.where(y > 2.0**70, 2.0**70, np.where(y < -(2.0**70), -(2.0**70), y)), 1.0
        )
        value = _positive_power(np.where(is_usual, size, 1.0), exponent)
        value = np.where(size == 0, np.where(y > 0, 0.0, np.inf), value)
        value = np.where(size == np.inf, np.where(y > 0, np.inf, 0.0), value)
        is_limit = np.isinf(y) & (size != 1)
        value = np.where(is_limit, np.where((size > 1) == (y > 0), np.inf, 0.0), value)
        value = np.where(np.signbit(x) & is_odd, -value, value)
        value = np.where((x < 0) & ~is_whole & (size < np.inf), np.nan, value)
        value = np.where(y == 2, x * x, value)
        value = np.where(np.isnan(x) | np.isnan(y), np.nan, value)
        return np.where((y == 0) | (x == 1), 1.0, value)


def _log2_pair(x: Floats) -> tuple[Floats, Floats]:
    """log2(x) as an unevaluated sum; the first part has 21 bits. x is positive and finite."""
    m, exponent = np.frexp(x)
    m = m + m
    is_upper = m >= 1.7320508075688772
    is_middle = (m >= 1.2247448713915890) & ~is_upper
    m = np.where(is_upper, 0.5 * m, m)
    n = (exponent - 1 + is_upper).astype(np.float64)
    bp = np.where(is_middle, 1.5, 1.0)
    u = m - bp
    v = 1.0 / (m + bp)
    s = u * v
    s_high = high(s)
    t_high = high(m + bp)
    t_low = m - (t_high - bp)
    s_low = v * ((u - s_high * t_high) - s_high * t_low)
    s2 = s * s
    r = s2 * s2 * polynomial(s2, _POW_L) + s_low * (s_high + s)
    s2 = s_high * s_high
    t_high = high(3.0 + s2 + r)
    t_low = r - ((t_high - 3.0) - s2)
    u = s_high * t_high
    v = s_low * t_high + t_low * s
    p_high = high(u + v)
    p_low = v - (p_high - u)
    z_high = _CP_HIGH * p_high
    z_low = _CP_LOW * p_high + p_low * _CP + np.where(is_middle, _DP_LOW, 0.0)
    dp = np.where(is_middle, _DP_HIGH, 0.0)
    first = high(((z_high + z_low) + dp) + n)
    return first, z_low - (((first - n) - dp) - z_high)


def _positive_power(x: Floats, y: Floats) -> Floats:
    log_high, log_low = _log2_pair(x)
    y_high = high(y)
    p_low = (y - y_high) * log_high + y * log_low
    p_high = y_high * log_high
    total = p_low + p_high
    inside = (total < 1025) & (total > -1076)
    p_low, p_high = np.where(inside, p_low, 0.0), np.where(inside, p_high, 0.0)
    k = np.rint(p_low + p_high)
    p_high = p_high - k
    t = high(p_low + p_high)
    u = t * _LG2_HIGH
    v = (p_low - (t - p_high)) * _LG2 + t * _LG2_LOW
    z = u + v
    w = v - (z - u)
    square = z * z
    t1 = z - square * polynomial(square, _EXP_P)
    r = (z * t1) / (t1 - 2.0) - (w + z * w)
    value = np.ldexp(1.0 - (r - z), k.astype(np.int32))
    return np.where(inside, value, np.where(total > 0, np.inf, 0.0))


def log1p(x: Floats) -> Floats:
    """log(1 + x), within 3 ulp, for x > -1: the error of 1 + x is made up for by a quotient (Kahan)."""
    with np.errstate(all="ignore"):
        sum_ = 1.0 + x
        is_tiny = sum_ == 1.0
        return np.where(is_tiny, x, log(sum_) * (x / np.where(is_tiny, 1.0, sum_ - 1.0)))
