"""Designs against the numbers that others have printed, and every array against its own claim."""

import itertools
from collections import Counter

import numpy as np
import pytest

from doe_compiler.methods.box_behnken import BLOCKS
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.central_composite import alpha_of, factorial_runs
from doe_compiler.methods.definitive_screening import order_of
from doe_compiler.methods.fields import conference, field, hadamard, prime_power
from doe_compiler.methods.fractions_of_two import (
    aliases,
    best_fraction,
    defining_words,
    letters,
    parsed,
    resolution,
)
from doe_compiler.methods.orthogonal_array import ARRAYS, SHAPES, array
from doe_compiler.methods.plackett_burman import runs_of, signs


def coded(name, task):
    points = METHODS[name].coded(task)
    assert len(points) == METHODS[name].size(task)
    return points


def rows_of(text):
    """A printed table of - 0 + or numbers, as rows."""
    values = {"-": -1.0, "0": 0.0, "+": 1.0}
    return [tuple(values.get(cell, cell) for cell in line.split()) for line in text.strip().splitlines()]


def same_rows(points, printed):
    assert sorted(map(tuple, points.tolist())) == sorted(tuple(float(v) for v in row) for row in printed)


class TestFractionalFactorial:
    # NIST/SEMATECH e-Handbook, 5.3.3.4.7: summary tables of useful fractional factorial designs.
    HANDBOOK = (
        (3, 3, 4, "C=AB"),
        (4, 4, 8, "D=ABC"),
        (5, 5, 16, "E=ABCD"),
        (5, 3, 8, "D=AB E=AC"),
        (6, 6, 32, "F=ABCDE"),
        (6, 4, 16, "E=ABC F=BCD"),
        (6, 3, 8, "D=AB E=AC F=BC"),
        (7, 7, 64, "G=ABCDEF"),
        (7, 4, 32, "F=ABCD G=ABDE"),
        (7, 4, 16, "E=ABC F=BCD G=ACD"),
        (7, 3, 8, "D=AB E=AC F=BC G=ABC"),
        (8, 5, 64, "G=ABCD H=ABEF"),
        (8, 4, 32, "F=ABC G=ABD H=BCDE"),
        (8, 4, 16, "E=BCD F=ACD G=ABC H=ABD"),
        (9, 6, 128, "H=ACDFG J=BCEFG"),
        (9, 4, 64, "G=ABCD H=ACEF J=CDEF"),
        (9, 4, 32, "F=BCDE G=ACDE H=ABDE J=ABCE"),
        (9, 3, 16, "E=ABC F=BCD G=ACD H=ABD J=ABCD"),
        (10, 5, 128, "H=ABCG J=BCDE K=ACDF"),
        (10, 4, 64, "G=BCDF H=ACDF J=ABDE K=ABCE"),
        (10, 4, 32, "F=ABCD G=ABCE H=ABDE J=ACDE K=BCDE"),
        (10, 3, 16, "E=ABC F=BCD G=ACD H=ABD J=ABCD K=AB"),
        (11, 5, 128, "H=ABCG J=BCDE K=ACDF L=ABCDEFG"),
        (11, 4, 64, "G=CDE H=ABCD J=ABF K=BDEF L=ADEF"),
        (11, 4, 32, "F=ABC G=BCD H=CDE J=ACD K=ADE L=BDE"),
        (11, 3, 16, "E=ABC F=BCD G=ACD H=ABD J=ABCD K=AB L=AC"),
        (15, 3, 16, "E=ABC F=ABD G=ACD H=BCD J=ABCD K=AB L=AC M=AD N=BC O=BD P=CD"),
    )

    @pytest.mark.parametrize(("k", "wanted", "runs", "generators"), HANDBOOK)
    def test_the_handbook_s_generators_have_its_resolution_and_runs(self, k, wanted, runs, generators, task):
        given = generators.split()
        points = coded("fractional-factorial", task(k, generators=given))
        assert points.shape == (runs, k)
        assert resolution(defining_words(tuple(parsed(text, k) for text in given))) == wanted
        assert (points.T @ points == runs * np.eye(k)).all()

    @pytest.mark.parametrize("k", range(3, 16))
    @pytest.mark.parametrize("least", [3, 4, 5])
    def test_a_resolution_takes_no_more_runs_than_the_handbook(self, k, least, task):
        points = coded("fractional-factorial", task(k, resolution=least))
        known = [runs for count, found, runs, _ in self.HANDBOOK if count == k and found >= least]
        assert len(points) <= min([2**k, *known])
        words = defining_words(best_fraction(k, least))
        assert resolution(words) == 0 or resolution(words) >= least

    # Runs that are needed for resolution 5: Box, Hunter, Hunter, Statistics for Experimenters, table 12.15,
    # and for 12 and more Fries and Hunter 1980.
    @pytest.mark.parametrize(
        ("k", "runs"),
        [(5, 16), (6, 32), (7, 64), (8, 64), (9, 128), (10, 128), (11, 128), (12, 256), (15, 256), (17, 256)],
    )
    def test_resolution_five_is_as_small_as_published(self, k, runs):
        assert 2 ** (k - len(best_fraction(k, 5))) == runs

    def test_the_fraction_of_a_size_has_the_fewest_short_words(self):
        """The word length patterns of minimum aberration designs: Fries and Hunter, Technometrics 22 (1980)."""
        for k, least, wanted in [(7, 4, 7), (8, 4, 14)]:
            words = defining_words(best_fraction(k, least))
            assert sum(word.bit_count() == 4 for word, _ in words) == wanted
        words = defining_words(tuple(parsed(g, 7) for g in ("F=ABCD", "G=ABDE")))
        assert sorted(word.bit_count() for word, _ in words) == [4, 5, 5]

    def test_the_alias_table_of_the_handbook_s_example(self):
        """NIST/SEMATECH 5.3.3.4.3 and 5.3.3.4.5: the 2**(8-3) with F=ABC, G=ABD, H=BCDE; the 2**(5-2)."""
        words = defining_words((parsed("D=AB", 5), parsed("E=AC", 5)))
        assert [letters(word) for word, _ in words] == ["ABD", "ACE", "BCDE"]
        table = {letters(effect): [letters(other) for other, _ in same] for effect, same in aliases(5, words)}
        assert table == {
            "A": ["BD", "CE"],
            "B": ["AD"],
            "C": ["AE"],
            "D": ["AB"],
            "E": ["AC"],
            "BC": ["DE"],
            "BE": ["CD"],
        }

    def test_a_generator_may_have_a_sign(self, task):
        points = coded("fractional-factorial", task(3, generators=["C=-AB"]))
        assert (points[:, 2] == -points[:, 0] * points[:, 1]).all()
        assert {letters(w): s for w, s in defining_words((parsed("C=-AB", 3),))} == {"ABC": -1}

    @pytest.mark.parametrize(
        ("options", "part"),
        [
            ({"generators": ["D"]}, "not of the form"),
            ({"generators": ["D=AZ"]}, "none of the 4"),
            ({"generators": ["D=D"]}, "does not define"),
            ({"generators": ["D=AB", "D=AC"]}, "twice"),
            ({"generators": ["D=AB", "C=AD"]}, "another defines"),
            ({"generators": ["D=AB"], "resolution": 4}, "both choose"),
        ],
    )
    def test_what_is_wrong_with_generators_is_told(self, options, part, task):
        misfits = list(METHODS["fractional-factorial"].misfits(task(4, **options)))
        assert part in misfits[0].message

    def test_the_2_to_the_3_minus_1_of_the_handbook(self, task):
        """NIST/SEMATECH 5.3.3.4.1, table 3.10: C = AB."""
        same_rows(
            coded("fractional-factorial", task(3, generators=["C=AB"])), rows_of("- - +\n+ - -\n- + -\n+ + +")
        )


class TestPlackettBurman:
    # NIST/SEMATECH e-Handbook 5.3.3.5, table for 12 runs and 11 factors.
    TWELVE = """
    + - + - - - + + + - +
    + + - + - - - + + + -
    - + + - + - - - + + +
    + - + + - + - - - + +
    + + - + + - + - - - +
    + + + - + + - + - - -
    - + + + - + + - + - -
    - - + + + - + + - + -
    - - - + + + - + + - +
    + - - - + + + - + + -
    - + - - - + + + - + +
    - - - - - - - - - - -
    """

    def test_the_first_rows_are_cyclic_as_in_the_paper(self):
        printed = {
            8: "+++-+--",
            12: "++-+++---+-",
            20: "++--++++-+-+----++-",
            24: "+++++-+-++--++--+-+----",
        }
        for n, first in printed.items():
            row = [1 if sign == "+" else -1 for sign in first]
            design = signs(n)
            assert design[0].tolist() == row
            assert design[1].tolist() == [row[-1], *row[:-1]]
            assert (design[-1] == -1).all()

    def test_twelve_runs_are_the_handbook_s_but_for_the_order_of_columns(self):
        ours = signs(12)
        theirs = np.asarray(rows_of(self.TWELVE), dtype=float)
        ours_sets = {tuple(sorted(map(tuple, np.roll(ours, s, axis=1).tolist()))) for s in range(11)}
        mirrored = {tuple(sorted(map(tuple, np.roll(ours[:, ::-1], s, axis=1).tolist()))) for s in range(11)}
        assert tuple(sorted(map(tuple, theirs.tolist()))) in ours_sets | mirrored

    @pytest.mark.parametrize("n", [n for n in range(4, 101, 4) if n != 92])
    def test_every_size_is_orthogonal_and_balanced(self, n):
        design = signs(n)
        assert design.shape == (n, n - 1)
        assert set(np.unique(design)) == {-1.0, 1.0}
        assert (design.T @ design == n * np.eye(n - 1)).all()
        assert (design.sum(axis=0) == 0).all()

    def test_the_next_multiple_of_four_is_taken(self):
        assert [runs_of(k) for k in (2, 3, 4, 7, 8, 11, 27, 35)] == [4, 4, 8, 8, 12, 12, 28, 36]
        assert runs_of(88) == 96
        assert runs_of(100) is None


class TestBoxBehnken:
    # Box and Behnken, Technometrics 2 (1960), table 4, and NIST/SEMATECH 5.3.3.6.2 for three factors.
    THREE = """
    - - 0
    + - 0
    - + 0
    + + 0
    - 0 -
    + 0 -
    - 0 +
    + 0 +
    0 - -
    0 + -
    0 - +
    0 + +
    0 0 0
    """

    def test_three_factors_are_the_handbook_s(self, task):
        same_rows(coded("box-behnken", task(3)), rows_of(self.THREE))

    @pytest.mark.parametrize(
        ("k", "runs", "centers"),
        [
            (3, 12, 3), (4, 24, 3), (5, 40, 6), (6, 48, 6), (7, 56, 6), (9, 120, 10), (10, 160, 10), (11, 176, 12),
            (12, 192, 12), (16, 384, 12),
        ],
    )  # fmt: skip
    def test_sizes_are_the_paper_s(self, k, runs, centers, task):
        assert len(coded("box-behnken", task(k, centerPoints=centers))) == runs + centers
        assert len(coded("box-behnken", task(k))) == runs + 1

    # How often each factor moves, each pair moves together, and how many factors move at a time, as in table 4.
    @pytest.mark.parametrize(
        ("k", "moving", "of_a_factor", "of_a_pair"),
        [
            (3, 2, 2, {1}), (4, 2, 3, {1}), (5, 2, 4, {1}), (6, 3, 3, {1, 2}), (7, 3, 3, {1}), (9, 3, 5, {1, 2}),
            (10, 4, 4, {1, 2}), (11, 5, 5, {2}), (12, 4, 4, {1, 2}), (16, 4, 6, {1, 2}),
        ],
    )  # fmt: skip
    def test_incomplete_blocks_are_as_balanced_as_the_paper_s(self, k, moving, of_a_factor, of_a_pair):
        blocks = BLOCKS[k]
        assert {len(set(block)) for block in blocks} == {moving}
        factors = Counter(factor for block in blocks for factor in block)
        assert factors == dict.fromkeys(range(1, k + 1), of_a_factor)
        pairs = Counter(pair for block in blocks for pair in itertools.combinations(sorted(block), 2))
        assert len(pairs) == k * (k - 1) // 2
        assert set(pairs.values()) == of_a_pair

    @pytest.mark.parametrize("k", [3, 4, 5, 6, 7, 9, 10, 11, 12, 16])
    def test_a_quadratic_model_can_be_fitted_and_pairs_are_balanced(self, k, task):
        points = coded("box-behnken", task(k))
        pairs = list(itertools.combinations(range(k), 2))
        model = np.column_stack(
            [np.ones(len(points)), points, points**2, *(points[:, i] * points[:, j] for i, j in pairs)]
        )
        assert np.linalg.matrix_rank(model) == model.shape[1]
        assert (points.T @ points == np.diag(np.diag(points.T @ points))).all()
        assert not (np.abs(points).sum(axis=1) == k).any()

    def test_sizes_that_were_not_published_name_the_nearest(self, task):
        (misfit,) = METHODS["box-behnken"].misfits(task(8))
        assert "nearest are of 7 and 9" in misfit.message


class TestCentralComposite:
    # NIST/SEMATECH 5.3.3.6.1, table 3.23: factors, factorial part, alpha of rotatable designs.
    @pytest.mark.parametrize(("k", "alpha"), [(2, 1.414), (3, 1.682), (4, 2.000)])
    def test_rotatable_alphas_are_the_handbook_s(self, k, alpha, task):
        assert alpha_of(task(k)) == pytest.approx(alpha, abs=6e-4)

    @pytest.mark.parametrize(
        ("runs", "k", "alpha"), [(16, 5, 2.000), (32, 6, 2.378), (64, 7, 2.828), (64, 8, 2.828)]
    )
    def test_fractions_of_resolution_five_are_the_handbook_s(self, runs, k, alpha, task):
        assert factorial_runs(k) == runs
        assert alpha_of(task(k)) == pytest.approx(alpha, abs=6e-4)

    # Box and Wilson 1951, one centre point.
    @pytest.mark.parametrize(("k", "alpha"), [(2, 1.000), (3, 1.216), (4, 1.414)])
    def test_orthogonal_alphas_are_published(self, k, alpha, task):
        assert alpha_of(task(k, alpha="orthogonal")) == pytest.approx(alpha, abs=1e-3)

    @pytest.mark.parametrize("centers", [1, 3, 5])
    @pytest.mark.parametrize("k", [2, 3, 5])
    def test_orthogonal_designs_are(self, k, centers, task):
        points = coded("central-composite", task(k, alpha="orthogonal", centerPoints=centers))
        squares = points**2 - (points**2).mean(axis=0)
        product = squares.T @ squares
        assert np.abs(product - np.diag(np.diag(product))).max() < 1e-9

    @pytest.mark.parametrize("k", [2, 3, 4, 5])
    def test_rotatable_designs_have_a_variance_of_the_distance_alone(self, k, task):
        points = coded("central-composite", task(k, centerPoints=4))
        pairs = list(itertools.combinations(range(k), 2))

        def model(x):
            return np.column_stack([np.ones(len(x)), x, x**2, *(x[:, i] * x[:, j] for i, j in pairs)])

        inverse = np.linalg.inv(model(points).T @ model(points))
        directions = np.random.default_rng(1).normal(size=(20, k))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        rows = model(directions)
        variances = np.einsum("ij,jk,ik->i", rows, inverse, rows)
        assert np.ptp(variances) < 1e-9

    def test_kinds_of_axial_points(self, task):
        circumscribed, inscribed, faced = (
            coded("central-composite", task(3, axial=a)) for a in ("circumscribed", "inscribed", "faced")
        )
        assert np.abs(circumscribed).max() == pytest.approx(1.6818, abs=1e-4)
        assert np.abs(inscribed).max() == 1
        assert np.abs(inscribed[:8]).min() == pytest.approx(1 / 1.6818, abs=1e-4)
        assert np.abs(faced).max() == 1
        assert len(faced) == 15


class TestDefinitiveScreening:
    # Xiao, Lin and Bai 2012: the conference matrix of order 6, up to signs and order.
    def test_six_factors_take_thirteen_runs(self, task):
        assert len(coded("definitive-screening", task(6))) == 13

    @pytest.mark.parametrize("k", range(3, 31))
    def test_main_effects_are_free_of_each_other_of_interactions_and_of_squares(self, k, task):
        points = coded("definitive-screening", task(k))
        assert len(points) == 2 * order_of(k) + 1
        product = points.T @ points
        assert (product == np.diag(np.diag(product))).all()
        seconds = [points[:, i] * points[:, j] for i in range(k) for j in range(i, k)]
        assert all((points.T @ second == 0).all() for second in seconds)
        assert {tuple(np.unique(column)) for column in points.T} == {(-1.0, 0.0, 1.0)}
        assert (points.sum(axis=0) == 0).all()

    @pytest.mark.parametrize(
        ("k", "runs"), [(4, 9), (5, 13), (6, 13), (7, 17), (8, 17), (10, 21), (12, 25), (16, 33), (18, 37)]
    )
    def test_sizes_are_two_runs_a_factor_and_one(self, k, runs, task):
        assert len(coded("definitive-screening", task(k))) == runs


class TestOrthogonalArrays:
    # Taguchi and Konishi, Orthogonal Arrays and Linear Graphs (1987), levels from 1.
    PRINTED = {
        "L4": "111 122 212 221",
        "L8": "1111111 1112222 1221122 1222211 2121212 2122121 2211221 2212112",
        "L9": "1111 1222 1333 2123 2231 2312 3132 3213 3321",
        "L12": "11111111111 11111222222 11222111222 12122122112 12212212121 12221221211 "
        "21221122121 21212221112 21122212211 22211112212 22121211122 22112121221",
        "L18": "11111111 11222222 11333333 12112233 12223311 12331122 13121323 13232131 13313212 "
        "21133221 21211332 21322113 22123132 22231213 22312321 23132312 23213123 23321231",
    }

    @pytest.mark.parametrize("name", PRINTED)
    def test_arrays_are_the_printed_ones(self, name):
        printed = [tuple(int(level) - 1 for level in row) for row in self.PRINTED[name].split()]
        ours = array(name)
        if name == "L9":  # the fourth column is printed with levels in another order
            assert [row[:3] for row in ours] == [row[:3] for row in printed]
            return
        assert list(ours) == printed

    @pytest.mark.parametrize("name", ARRAYS)
    def test_every_pair_of_columns_has_every_pair_of_levels_equally_often(self, name):
        runs, columns = SHAPES[name]
        table = np.asarray(array(name))
        counts = table.max(axis=0) + 1
        assert len(table) == runs
        assert {int(c): int((counts == c).sum()) for c in set(counts)} == dict(columns)
        for i, j in itertools.combinations(range(table.shape[1]), 2):
            found = np.bincount(table[:, i] * counts[j] + table[:, j], minlength=counts[i] * counts[j])
            assert len(set(found.tolist())) == 1, (name, i, j)

    @pytest.mark.parametrize(
        ("counts", "runs"),
        [
            ([2, 2, 2], 4),
            ([0, 0], 4),
            ([3] * 4, 9),
            ([2, 3, 3], 18),
            ([2, *[3] * 7], 18),
            ([3] * 8, 27),
            ([4, 4], 16),
            ([5] * 6, 25),
            ([2] * 12, 16),
            ([2, 2, 3], 36),
            # Taguchi and Konishi's arrays with merged columns
            ([4, 2, 2, 2, 2], 8),
            ([4, *[2] * 12], 16),
            ([4, 4, 4, 4, 2, 2, 2], 16),
            ([6, *[3] * 6], 18),
            ([9, *[3] * 9], 27),
        ],
    )
    def test_the_smallest_array_that_fits_is_taken(self, counts, runs, task):
        method = METHODS["orthogonal-array"]
        request = task(len(counts), counts=counts)
        columns = list(method.levels(request))
        assert method.size(request) == runs
        assert all(len(column) == runs for column in columns)
        assert all(
            not count or column.max() + 1 == count for column, count in zip(columns, counts, strict=True)
        )

    def test_what_does_not_fit_names_what_does(self, task):
        method = METHODS["orthogonal-array"]
        (misfit,) = method.misfits(task(5, counts=[3] * 5, array="L9"))
        assert "L18" in misfit.hint
        (misfit,) = method.misfits(task(2, counts=[7, 2]))
        assert "1 of 7 levels" in misfit.message


class TestOneAtATime:
    def test_each_factor_leaves_the_base_alone(self, task):
        points = coded("one-at-a-time", task(3, counts=[0, 3, 0]))
        assert points.tolist() == [[-1, 0, -1], [1, 0, -1], [-1, 1, -1], [-1, 2, -1], [-1, 0, 1]]

    def test_a_star_has_a_centre_and_two_points_a_factor(self, task):
        assert coded("star", task(2, counts=[0, 3])).tolist() == [[0, 1], [-1, 1], [1, 1], [0, 0], [0, 2]]


@pytest.mark.parametrize("q", [2, 3, 4, 5, 7, 8, 9, 25, 27])
def test_fields_are_fields(q):
    addition, multiplication = field(q)
    elements = range(q)
    assert all(sorted(row) == list(elements) for row in addition)
    assert all(sorted(row) == list(elements) for row in multiplication[1:])
    for x, y, z in itertools.product(elements, repeat=3) if q < 10 else ():
        assert multiplication[x][addition[y][z]] == addition[multiplication[x][y]][multiplication[x][z]]


def test_prime_powers():
    assert [q for q in range(2, 30) if prime_power(q)] == [
        2,
        3,
        4,
        5,
        7,
        8,
        9,
        11,
        13,
        16,
        17,
        19,
        23,
        25,
        27,
        29,
    ]


@pytest.mark.parametrize("order", [4, 6, 8, 10, 14, 16, 18, 26, 32, 50])
def test_conference_matrices_are(order):
    c = np.asarray(conference(order))
    assert (c.T @ c == (order - 1) * np.eye(order)).all()
    assert (np.diag(c) == 0).all()


def test_matrices_that_do_not_exist_are_not_made():
    assert conference(22) is None
    assert conference(34) is None
    assert hadamard(6) is None


@pytest.mark.parametrize(
    "name", ["fractional-factorial", "plackett-burman", "box-behnken", "definitive-screening", "star"]
)
def test_wrong_kinds_of_factors_are_told(name, task):
    (misfit, *_) = METHODS[name].misfits(task(4, counts=[0, 7, 0, 0]))
    assert misfit.variable == "v1"


def test_centre_points_need_a_middle(task):
    (misfit,) = METHODS["plackett-burman"].misfits(task(4, counts=[0, 2, 0, 0], centerPoints=2))
    assert misfit.key == "centerPoints"
