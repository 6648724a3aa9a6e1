"""The dict of all methods."""

from collections.abc import Mapping
from types import MappingProxyType

from doe_compiler.methods.box_behnken import BOX_BEHNKEN
from doe_compiler.methods.central_composite import CENTRAL_COMPOSITE
from doe_compiler.methods.combined import COMBINED
from doe_compiler.methods.definitive_screening import DEFINITIVE_SCREENING
from doe_compiler.methods.fast import FAST
from doe_compiler.methods.fractional_factorial import FRACTIONAL_FACTORIAL
from doe_compiler.methods.full_factorial import FULL_FACTORIAL
from doe_compiler.methods.halton import HALTON
from doe_compiler.methods.latin_hypercube import LATIN_HYPERCUBE
from doe_compiler.methods.method import Method
from doe_compiler.methods.monte_carlo import MONTE_CARLO
from doe_compiler.methods.morris import MORRIS
from doe_compiler.methods.one_at_a_time import ONE_AT_A_TIME, STAR
from doe_compiler.methods.optimal import D_OPTIMAL, I_OPTIMAL
from doe_compiler.methods.orthogonal_array import ORTHOGONAL_ARRAY
from doe_compiler.methods.plackett_burman import PLACKETT_BURMAN
from doe_compiler.methods.r_sequence import R_SEQUENCE
from doe_compiler.methods.saltelli import SALTELLI
from doe_compiler.methods.sobol import SOBOL
from doe_compiler.methods.table import TABLE

_ALL = (
    FULL_FACTORIAL,
    FRACTIONAL_FACTORIAL,
    PLACKETT_BURMAN,
    BOX_BEHNKEN,
    CENTRAL_COMPOSITE,
    DEFINITIVE_SCREENING,
    ORTHOGONAL_ARRAY,
    ONE_AT_A_TIME,
    STAR,
    D_OPTIMAL,
    I_OPTIMAL,
    LATIN_HYPERCUBE,
    SOBOL,
    HALTON,
    R_SEQUENCE,
    MONTE_CARLO,
    MORRIS,
    SALTELLI,
    FAST,
    TABLE,
    COMBINED,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
CHOOSABLE = tuple(method.name for method in _ALL if method is not COMBINED)
