"""Words of other tools: each is told as the study language's own one, which exists."""

import pytest

from doe_compiler.generators.catalogue import GENERATORS
from doe_compiler.kernel.findings import near_miss
from doe_compiler.kernel.synonyms import MEANT
from doe_compiler.methods.catalogue import CHOOSABLE
from doe_compiler.spec.schemas import schema


def keys(node):
    if isinstance(node, dict):
        found = node.get("properties", {})
        yield from found if isinstance(found, dict) else ()
        for part in node.values():
            yield from keys(part)


KEYS = set(keys(schema("study")))


def test_what_is_meant_is_a_word_of_the_language():
    known = KEYS | set(CHOOSABLE) | set(GENERATORS)
    assert {word for words in MEANT.values() for word in words} <= known


def test_no_method_or_generator_is_told_as_another():
    for words in (CHOOSABLE, GENERATORS):
        for word in words:
            assert near_miss(word, words) == word


UNIFORM = "{generator: Uniform, min: 0, max: 1}"


@pytest.mark.parametrize(
    ("variable", "design", "meant"),
    [
        (UNIFORM, "{method: lhs, runs: 4}", "did you mean latin-hypercube?"),
        (UNIFORM, "{method: Sobol_Sequence, runs: 4}", "did you mean sobol?"),
        (UNIFORM, "{method: CCD}", "did you mean central-composite?"),
        (UNIFORM, "{method: sobol, samples: 4}", "did you mean 'runs'?"),
        ("{generator: Gaussian, mean: 0, std: 1}", "{method: sobol, runs: 4}", "did you mean Normal?"),
        ("{generator: Normal, loc: 0, std: 1}", "{method: sobol, runs: 4}", "did you mean 'mean'?"),
        ("{generator: Uniform, low: 0, max: 1}", "{method: sobol, runs: 4}", "did you mean 'min'?"),
        ("{choices: [1, 2]}", "{}", "did you mean 'levels'?"),
        ("{generator: Choice}", "{}", "or `levels`, `value`, `expression` in place of `generator`"),
    ],
)
def test_a_study_in_other_words_is_told_its_own(read_variables, variable, design, meant):
    hints = [finding.hint for finding in read_variables({"x": variable}, design).findings]
    assert any(meant in hint for hint in hints), hints
