"""Regular fractions of two-level factorials: words, resolution, aliases, and the best fraction of a size."""

import itertools
from collections.abc import Iterator
from functools import cache

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
Word = tuple[int, int]  # a set of factors as bits, and its sign
_MOST_TRIED = 200_000


def letters(factors: int) -> str:
    """A set of factors as letters; `I` for none."""
    return "".join(LETTERS[j] for j in range(factors.bit_length()) if factors >> j & 1) or "I"


def parsed(text: str, k: int) -> tuple[int, int, int]:
    """`D=-AB` as (index of D, factors AB as bits, sign); raises ValueError with what is wrong."""
    left, equals, right = text.replace(" ", "").partition("=")
    sign = -1 if right.startswith("-") else 1
    known = LETTERS[:k]
    word = right.lstrip("+-")
    if not equals or len(left) != 1 or not word:
        raise ValueError(f"'{text}' is not of the form D=AB")
    for letter in left + word:
        if letter not in known:
            raise ValueError(
                f"'{letter}' in '{text}' is none of the {k} variables, {known[0]} to {known[-1]}"
            )
    if left in word or len(set(word)) < len(word) or len(word) < 2:
        raise ValueError(f"'{text}' does not define {left} by two or more others")
    return known.index(left), sum(1 << known.index(letter) for letter in word), sign


def defining_words(generators: tuple[tuple[int, int, int], ...]) -> tuple[Word, ...]:
    """All words that equal I, without I itself, by length and letters."""
    words: list[Word] = [(0, 1)]
    for factor, others, sign in generators:
        words += [(word ^ others ^ (1 << factor), own * sign) for word, own in words]
    found = sorted(words[1:], key=lambda word: (word[0].bit_count(), letters(word[0])))
    return tuple(found)


def resolution(words: tuple[Word, ...]) -> int:
    """The length of the shortest word, 0 where there is none."""
    return min((word.bit_count() for word, _ in words), default=0)


def aliases(k: int, words: tuple[Word, ...], order: int = 2) -> tuple[tuple[int, tuple[Word, ...]], ...]:
    """Each effect of up to `order` factors with the others up to that order that it cannot be told from."""
    effects = sorted(
        (
            sum(1 << j for j in chosen)
            for size in range(1, order + 1)
            for chosen in itertools.combinations(range(k), size)
        ),
        key=lambda effect: (effect.bit_count(), letters(effect)),
    )
    told: set[int] = set()
    table = []
    for effect in effects:
        if effect in told:
            continue
        same = [(effect ^ word, sign) for word, sign in words if 0 < (effect ^ word).bit_count() <= order]
        told |= {effect, *(other for other, _ in same)}
        table.append((effect, tuple(sorted(same, key=lambda one: (one[0].bit_count(), letters(one[0]))))))
    return tuple(table)


@cache
def best_fraction(k: int, least: int) -> tuple[tuple[int, int, int], ...]:
    """The generators of a fraction of k factors with at least this resolution, in as few runs as there are.

    Among those of a size that are tried, the one with fewest short words (minimum aberration, Fries and Hunter 1980).
    All are tried up to 200,000; beyond, the first that a search in rising order finds.
    """
    for base in range(1, k + 1):
        found = _of_base(k, base, least)
        if found is not None:
            return tuple((base + index, column, 1) for index, column in enumerate(found))
    raise AssertionError("the whole factorial has every resolution")


def _of_base(k: int, base: int, least: int) -> tuple[int, ...] | None:
    """The columns of the k - base added factors, as bits of the base factors."""
    added = k - base
    if added == 0:
        return ()
    if k > (1 << base) - 1 or (least >= 4 and k > 1 << (base - 1)):
        return None
    candidates = [column for column in range(1, 1 << base) if column.bit_count() >= least - 1]
    candidates.sort(key=lambda column: (column.bit_count(), column))
    first = _first(candidates, base, added, least)
    if first is None:
        return None
    best, best_pattern = first, _pattern(first, base)
    most = max(_MOST_TRIED >> min(added, 12), 1)
    for chosen in itertools.islice(_all_with(candidates, base, added, least), most):
        pattern = _pattern(chosen, base)
        if pattern < best_pattern:
            best, best_pattern = chosen, pattern
    return best


def _pattern(columns: tuple[int, ...], base: int) -> tuple[int, ...]:
    """How many words there are of length 1, 2, 3, ..."""
    k = base + len(columns)
    counts = [0] * (k + 1)
    words = [0]
    for index, column in enumerate(columns):
        own = column | 1 << (base + index)
        words += [word ^ own for word in words]
    for word in words[1:]:
        counts[word.bit_count()] += 1
    return tuple(counts)


def _first(candidates: list[int], base: int, added: int, least: int) -> tuple[int, ...] | None:
    return next(_all_with(candidates, base, added, least), None)


def _all_with(candidates: list[int], base: int, added: int, least: int) -> Iterator[tuple[int, ...]]:
    """All choices of columns of which no fewer than `least` with the base's sum to zero, in rising order."""
    sums = _sums_up_to([1 << j for j in range(base)], least - 2)
    budget = [3_000_000]

    def search(
        start: int, chosen: tuple[int, ...], forbidden: frozenset[int], columns: tuple[int, ...]
    ) -> Iterator[tuple[int, ...]]:
        if len(chosen) == added:
            yield chosen
            return
        for index in range(start, len(candidates)):
            budget[0] -= 1
            if budget[0] < 0:
                return
            column = candidates[index]
            if column in forbidden or len(candidates) - index < added - len(chosen):
                continue
            grown = (*columns, column)
            more = _sums_with(columns, column, least - 2)
            yield from search(index + 1, (*chosen, column), forbidden | more, grown)

    yield from search(0, (), frozenset(sums), tuple(1 << j for j in range(base)))


def _sums_up_to(columns: list[int], most: int) -> set[int]:
    """The sums of at most so many of the columns, in the field of two elements."""
    sums = {0}
    for size in range(1, most + 1):
        for chosen in itertools.combinations(columns, size):
            total = 0
            for column in chosen:
                total ^= column
            sums.add(total)
    return sums


def _sums_with(columns: tuple[int, ...], column: int, most: int) -> frozenset[int]:
    """The sums of at most so many columns of which one is the last."""
    return (
        frozenset(total ^ column for total in _sums_up_to(list(columns), most - 1))
        if most >= 1
        else frozenset()
    )
