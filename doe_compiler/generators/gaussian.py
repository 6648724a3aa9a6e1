"""The normal distribution in exactly rounded operations: its cumulative function and its quantile."""

import math

import numpy as np

from doe_compiler.expressions.exponential import Floats, exp, log, polynomial

_SQRT_32 = 5.656854249492380195206754896838
_INVERSE_SQRT_2PI = 0.39894228040143267793994605993438

# W. J. Cody, Algorithm 715, ANORM; Math. Comp. 23 (1969) 631-637. Constant coefficients come first.
_CDF_A = (
    18154.981253343561249,
    1067.6894854603709582,
    161.02823106855587881,
    2.2352520354606839287,
    0.065682337918207449113,
)
_CDF_B = (45507.789335026729956, 10260.932208618978205, 976.09855173777669322, 47.20258190468824187, 1.0)
_CDF_C = (
    9842.7148383839780218,
    11602.651437647350124,
    6848.1904505362823326,
    2494.5375852903726711,
    597.27027639480026226,
    93.506656132177855979,
    8.8831497943883759412,
    0.39894151208813466764,
    1.0765576773720192317e-8,
)
_CDF_D = (
    19685.429676859990727,
    38912.003286093271411,
    34900.952721145977266,
    18615.571640885098091,
    6485.558298266760755,
    1519.377599407554805,
    235.38790178262499861,
    22.266688044328115691,
    1.0,
)
_CDF_P = (
    2.9112874951168792e-5,
    1.421619193227893466e-3,
    2.2235277870649807e-2,
    1.274011611602473639e-1,
    2.1589853405795699e-1,
    2.307344176494017303e-2,
)
_CDF_Q = (
    7.29751555083966205e-5,
    3.78239633202758244e-3,
    6.59881378689285515e-2,
    4.68238212480865118e-1,
    1.28426009614491121,
    1.0,
)

# M. J. Wichura, Algorithm AS 241, PPND16; Applied Statistics 37 (1988) 477-484.
_QUANTILE_A = (
    3.3871328727963666080,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
_QUANTILE_B = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
_QUANTILE_C = (
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
_QUANTILE_D = (
    1.0,
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)
_QUANTILE_E = (
    6.65790464350110377720,
    5.46378491116411436990,
    1.78482653991729133580,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
)
_QUANTILE_F = (
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)


def normal_cdf(z: Floats) -> Floats:
    """The probability of a value below z, with a relative error below 1e-14 down to 1e-300.

    Cody's three rational approximations; exp(-z²/2) is split so that z² is not rounded. 0 below z = -38.4.
    """
    with np.errstate(all="ignore"):
        size = np.where(np.abs(z) < 40.0, np.abs(z), 40.0)
        square = size * size
        middle = size * polynomial(square, _CDF_A) / polynomial(square, _CDF_B)
        inverse = 1.0 / np.where(size > 1, square, 1.0)
        far = inverse * polynomial(inverse, _CDF_P) / polynomial(inverse, _CDF_Q)
        far = (_INVERSE_SQRT_2PI - far) / np.where(size > 1, size, 1.0)
        near = polynomial(size, _CDF_C) / polynomial(size, _CDF_D)
        coarse = np.floor(size * 16.0) / 16.0
        decay = exp(-0.5 * coarse * coarse) * exp(-0.5 * (size - coarse) * (size + coarse))
        tail = decay * np.where(size > _SQRT_32, far, near)
        is_middle = size <= 0.67448975
        lower = np.where(is_middle, 0.5 - middle, tail)
        upper = np.where(is_middle, 0.5 + middle, 1.0 - tail)
        return np.where(np.isnan(z), np.nan, np.where(z > 0, upper, lower))


def normal_quantile(p: Floats) -> Floats:
    """The z with the probability p below it, for p in (0, 1), within 1e-15 relative (AS 241)."""
    with np.errstate(all="ignore"):
        q = p - 0.5
        r = 0.180625 - q * q
        middle = q * polynomial(r, _QUANTILE_A) / polynomial(r, _QUANTILE_B)
        r = np.sqrt(-log(np.where(q < 0, p, 1.0 - p)))
        near = polynomial(r - 1.6, _QUANTILE_C) / polynomial(r - 1.6, _QUANTILE_D)
        far = polynomial(r - 5.0, _QUANTILE_E) / polynomial(r - 5.0, _QUANTILE_F)
        tail = np.where(r <= 5.0, near, far)
        return np.where(np.abs(q) <= 0.425, middle, np.where(q < 0, -tail, tail))


def truncated_normal_quantile(u: Floats, lower: float, upper: float) -> Floats:
    """The z of a standard normal truncated to [lower, upper] at the coordinates u in (0, 1).

    An interval above 0 is mirrored to below 0, where probabilities keep their digits; between, each half
    counts from its own tail. Raises ValueError when the interval has a probability below 1e-290.
    """
    if lower > 0:
        mirrored: Floats = 0.0 - truncated_normal_quantile(1.0 - u, -upper, -lower)
        return mirrored
    below, above, up_to = (float(p) for p in normal_cdf(np.asarray([lower, -upper, upper])))
    width = (1.0 - above) - below if upper > 0 else up_to - below
    if not width > 1e-290:
        raise ValueError("the bounds leave no probability")
    p = below + u * width
    value = normal_quantile(np.where(p < 0.5, p, 0.25))
    if upper > 0:
        rest = above + (1.0 - u) * width
        value = np.where(p < 0.5, value, -normal_quantile(np.where(p < 0.5, 0.25, rest)))
    return np.where(value < lower, lower, np.where(value > upper, upper, value))


def standard_normal(u: Floats, lower: float, upper: float) -> Floats:
    """The z of a standard normal at the coordinates u in (0, 1), truncated where a bound is finite."""
    if lower == -math.inf and upper == math.inf:
        return normal_quantile(u)
    return truncated_normal_quantile(u, lower, upper)
