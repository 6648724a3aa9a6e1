"""Many numbers at once are written as the kernel writes one."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from doe_compiler.design import number_text as fast
from doe_compiler.kernel.canonical import number_text

NASTY = [
    0.0,
    1.0,
    -1.0,
    1e16,
    -1e16,
    1e15,
    1e-5,
    9.999e-6,
    5e-324,
    1.7976931348623157e308,
    0.1 + 0.2,
    1e22,
    100.0,
]
floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(NASTY),
    st.integers(-(10**18), 10**18).map(float),
).map(lambda value: value + 0.0)


def slow_lines(block):
    return "\n".join(",".join(map(number_text, row)) for row in block.tolist()).encode()


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=floats))
def test_lines_are_the_slow_ones(block):
    assert fast.number_lines(block) == slow_lines(block)


@given(st.lists(floats, max_size=30))
def test_cells_are_the_slow_ones(values):
    assert fast.number_cells(np.asarray(values, dtype=np.float64)) == [number_text(value) for value in values]


@given(st.integers(0, 2**64 - 1))
def test_any_bits_that_are_a_finite_number(bits):
    value = np.asarray([bits], dtype=np.uint64).view(np.float64) + 0.0
    if np.isfinite(value).all():
        assert fast.number_cells(value) == [number_text(value.item())]


def test_strided_blocks():
    block = np.arange(24, dtype=np.float64).reshape(4, 6) / 8
    assert fast.number_lines(block[::2, ::3]) == slow_lines(block[::2, ::3])


@pytest.mark.parametrize("wrong", [b"[[0]]", b""])
def test_another_layout_is_noticed_and_written_slowly(monkeypatch, wrong):
    class Another:
        OPT_SERIALIZE_NUMPY = orjson.OPT_SERIALIZE_NUMPY

        @staticmethod
        def dumps(block, option):
            return wrong

    monkeypatch.setattr(fast, "orjson", Another)
    fast._layout_is_known.cache_clear()
    try:
        assert fast.number_lines(np.asarray([[0.5, 20.0], [1e16, -3]])) == b"0.5,20\n1e16,-3"
    finally:
        fast._layout_is_known.cache_clear()


def test_the_fast_layout_is_used_here():
    assert fast._layout_is_known()
