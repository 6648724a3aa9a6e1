"""The keys of a design: each with its description and its JSON Schema. A method names those that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from doe_compiler.methods.orthogonal_array import ARRAYS, SHAPES

MOST_RUNS = 10_000_000


@dataclass(frozen=True)
class Option:
    """A key of the design: what it says, an example, and what the schema demands of its value."""

    name: str
    description: str
    example: object
    form: Mapping[str, object]

    @property
    def schema(self) -> dict[str, object]:
        """The property of the study's schema."""
        return {"description": self.description, "examples": [self.example], **self.form}


_TEXT = {"type": "string", "minLength": 1, "maxLength": 1000}
_FLAG = {"type": "boolean"}


def _whole(least: int, most: int) -> dict[str, object]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _arrays() -> str:
    """The arrays with their columns by levels, `L18 (2^1 3^7)`."""
    return ", ".join(
        f"{name} ({' '.join(f'{levels}^{count}' for levels, count in sorted(SHAPES[name][1].items()))})"
        for name in ARRAYS
    )


_ALL = (
    Option("runs", "How many points the method picks, before replicates.", 64, _whole(1, MOST_RUNS)),
    Option(
        "levels",
        "How many equally spaced levels a full-factorial takes of each variable that has a range; how many levels a morris design has (4 if not given).",
        3,
        _whole(2, 1000),
    ),
    Option(
        "generators",
        "How a fractional-factorial defines variables by others; A, B, C, ... are the variables in file order.",
        ["D=AB", "E=AC"],
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1, "maxLength": 30}},
    ),
    Option("resolution", "The least resolution of a fractional-factorial; 4 if not given.", 5, _whole(3, 8)),
    Option(
        "axial",
        "Where the axial points of a central-composite lie: circumscribed (if not given) ones beyond min and max, inscribed and faced ones on them.",
        "faced",
        {"enum": ["circumscribed", "inscribed", "faced"]},
    ),
    Option(
        "alpha",
        "The distance of the axial points, where the factorial's is 1: rotatable (if not given), orthogonal, or a number.",
        "orthogonal",
        {
            "type": ["number", "string"],
            "minimum": 1,
            "maximum": 100,
            "pattern": "^(rotatable|orthogonal)$",
        },
    ),
    Option(
        "array",
        f"The orthogonal array; the smallest that fits if not given: {_arrays()}.",
        "L18",
        {"enum": list(ARRAYS)},
    ),
    Option(
        "centerPoints",
        "How many runs lie in the centre. A deterministic solver gives the same result in all: one is enough.",
        3,
        _whole(0, 1000),
    ),
    Option(
        "blocks",
        "Into how many blocks the runs are divided, such as batches, operators or machines, so that a block's own effect is no main effect; the column `doe_block` tells each run's. Centre points are spread over the blocks.",
        2,
        _whole(2, 1024),
    ),
    Option(
        "model",
        "What a d-optimal or i-optimal design is to determine: linear (if not given), interactions, quadratic, or a list of terms; a constant is always in it.",
        "quadratic",
        {
            "anyOf": [
                {"enum": ["linear", "interactions", "quadratic"]},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "minLength": 1, "maxLength": 200},
                },
            ]
        },
    ),
    Option(
        "augment",
        "A CSV of runs that exist, such as `doe results` writes: they stay, and `runs`, which counts them too, is filled up with those that complement them. Columns that are no variables mean nothing.",
        "done.csv",
        _TEXT,
    ),
    Option(
        "secondOrder",
        "Whether a saltelli design is to give second-order indices too; false if not given.",
        True,
        _FLAG,
    ),
    Option(
        "scramble",
        "Whether a sequence is scrambled (randomised, and its evenness kept); true if not given.",
        False,
        _FLAG,
    ),
    Option(
        "skip",
        "How many points at the start of a sequence are left out; 0 if not given.",
        64,
        _whole(0, 2**31),
    ),
    Option("file", "The CSV of `method: table`, relative to the study.", "points.csv", _TEXT),
    Option(
        "decimal",
        "The decimal sign of the numbers in `file`. A comma reads a table whose separator is `;`, as spreadsheets of many countries write it.",
        ",",
        {"enum": [".", ","]},
    ),
    Option(
        "criterion",
        "How a latin-hypercube is chosen: `random` (if not given), `centered` in its strata; or centred and in the order that a search finds best: `maximin` (the largest smallest distance), `correlation` (the smallest between columns), `discrepancy` (centred L2).",
        "maximin",
        {"enum": ["random", "centered", "maximin", "correlation", "discrepancy"]},
    ),
    Option(
        "strength",
        "2 makes a latin-hypercube from an orthogonal array: even in every pair of variables; `runs` is the square of a prime or its power.",
        2,
        {"const": 2},
    ),
    Option(
        "nested",
        "Whether a latin-hypercube grows: with twice the runs the old ones stay, and both are hypercubes; false if not given.",
        True,
        _FLAG,
    ),
    Option(
        "sliced",
        "Variables with levels by which a latin-hypercube is sliced: the runs of each level are a hypercube too. `runs` is a multiple of their number.",
        ["turbulence"],
        {"type": "array", "minItems": 1, "items": {"type": "string"}},
    ),
    Option(
        "correlation",
        "Correlations of the ranks of variables that are drawn, a pair each, or `{variables: [a, b], matrix: [[1, 0.3], [0.3, 1]]}`.",
        {"x_velocity/y_velocity": 0.3},
        {"type": "object", "minProperties": 1},
    ),
    Option(
        "correlationBy",
        "How columns are correlated: a Gaussian copula, which changes each run by itself and so grows, or the reordering of Iman and Conover, which keeps strata (if not given: iman-conover for a latin-hypercube, else copula).",
        "copula",
        {"enum": ["copula", "iman-conover"]},
    ),
    Option(
        "combine",
        "Several designs whose union is run, equal rows once; it stands in place of a method.",
        [{"method": "central-composite"}, {"method": "latin-hypercube", "runs": 20}],
        {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/$defs/design"}},
    ),
    Option(
        "constraints",
        "Conditions that every run meets.",
        ["abs(y_velocity) < x_velocity"],
        {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 4000}},
    ),
    Option(
        "cross",
        "Enumerating variables that are crossed with the points of the method.",
        ["turbulence"],
        {"type": "array", "items": {"type": "string"}},
    ),
)

OPTIONS: Mapping[str, Option] = MappingProxyType({option.name: option for option in _ALL})
