"""The dict of all methods."""

from collections.abc import Mapping
from types import MappingProxyType

from doe_compiler.methods.full_factorial import FULL_FACTORIAL
from doe_compiler.methods.halton import HALTON
from doe_compiler.methods.latin_hypercube import LATIN_HYPERCUBE
from doe_compiler.methods.method import Method
from doe_compiler.methods.monte_carlo import MONTE_CARLO
from doe_compiler.methods.r_sequence import R_SEQUENCE
from doe_compiler.methods.sobol import SOBOL
from doe_compiler.methods.table import TABLE

_ALL = (
    FULL_FACTORIAL,
    LATIN_HYPERCUBE,
    SOBOL,
    HALTON,
    R_SEQUENCE,
    MONTE_CARLO,
    TABLE,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
