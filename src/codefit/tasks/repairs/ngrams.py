"""An n-gram model of lexical tokens: counted from any corpus, smoothed, and run as an automaton.

Smoothing is interpolated modified Kneser-Ney (Chen and Goodman, "An empirical study of smoothing techniques for
language modeling", 1999, section 3): the highest order by its counts, lower ones by how many different tokens stand
before, three discounts an order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from codefit.errors import InputError
from codefit.files import read_lines
from codefit.source.syntax.terminals import NUMBERS, TERMINALS

END = len(TERMINALS)  # the token after the last; before the first stand as many as the order needs
SYMBOLS = END + 1
LEAST_DISCOUNT = 0.01
Codes = npt.NDArray[np.int64]
Distribution = npt.NDArray[np.float64]
Context = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often n-grams of the highest order were seen: `codes` (n,) are their tokens as digits to the base SYMBOLS."""

    order: int
    codes: Codes
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class NgramModel:
    """An automaton: `log_probability` (contexts, SYMBOLS) in nats, `after` (contexts, SYMBOLS) the context that comes.

    Context 0 is that of no token, `first` that before a string's first.
    """

    order: int
    log_probability: npt.NDArray[np.float32]
    after: npt.NDArray[np.int32]
    first: int

    @cached_property
    def cheapest(self) -> npt.NDArray[np.float32]:
        """The largest log probability that each token has in any context, (SYMBOLS,)."""
        largest: npt.NDArray[np.float32] = self.log_probability.max(axis=0)
        return largest

    def contexts(self, tokens: Sequence[int]) -> npt.NDArray[np.int32]:
        """The context before each token and after the last, (n + 1,)."""
        found = np.empty(len(tokens) + 1, dtype=np.int32)
        found[0] = at = self.first
        for place, token in enumerate(tokens):
            found[place + 1] = at = self.after[at, token]
        return found

    def log_likelihood(self, tokens: Sequence[int]) -> float:
        """The natural logarithm of the probability of a whole string."""
        contexts = self.contexts(tokens)
        return float(self.log_probability[contexts, [*tokens, END]].astype(np.float64).sum())

    def log_likelihoods(self, strings: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """The same of many strings, (n,)."""
        ends = np.cumsum([len(string) for string in strings], dtype=np.int64)
        flat = np.fromiter(
            (token for string in strings for token in string), dtype=np.int32, count=ends[-1] if len(ends) else 0
        )
        found: npt.NDArray[np.float32] = _likelihoods(self.log_probability, self.after, self.first, flat, ends)
        return found

    def perplexity(self, strings: Sequence[Sequence[int]]) -> float:
        """exp of the mean nats of a token, the end of each string among them."""
        tokens = sum(len(string) + 1 for string in strings)
        return float(np.exp(-self.log_likelihoods(strings).astype(np.float64).sum() / tokens))


@njit(cache=True)
def _likelihoods(log_probability, after, first, flat, ends):  # type: ignore[no-untyped-def]
    found = np.empty(len(ends), np.float32)
    start = 0
    for number in range(len(ends)):
        context, total = first, 0.0
        for place in range(start, ends[number]):
            total += log_probability[context, flat[place]]
            context = after[context, flat[place]]
        found[number] = total + log_probability[context, log_probability.shape[1] - 1]
        start = ends[number]
    return found


def count_ngrams(strings: Iterable[Sequence[int] | bytes], order: int) -> Counts:
    """Count the n-grams of whole strings, with ends; END stands before a string's first token too."""
    parts = []
    for string in strings:
        padded = np.concatenate([np.full(order - 1, END), np.array(list(string), dtype=np.int64), [END]])
        windows = np.lib.stride_tricks.sliding_window_view(padded, order)
        parts.append(windows @ SYMBOLS ** np.arange(order - 1, -1, -1, dtype=np.int64))
    if not parts:
        raise InputError("there is nothing to count n-grams of")
    codes, counts = np.unique(np.concatenate(parts), return_counts=True)
    return Counts(order, codes, counts.astype(np.int64))


def add_counts(parts: Sequence[tuple[Counts, float]]) -> Counts:
    """The sum of counts, each weighted; what is below one half is dropped."""
    order = parts[0][0].order
    codes, where = np.unique(np.concatenate([part.codes for part, _ in parts]), return_inverse=True)
    sums = np.zeros(len(codes))
    np.add.at(sums, where, np.concatenate([part.counts * weight for part, weight in parts]))
    counts = np.rint(sums).astype(np.int64)
    return Counts(order, codes[counts > 0], counts[counts > 0])


def read_counts(path: Path) -> Counts:
    """Counts published as lines `token token token token ::: count`, as those of the tidyparse data."""
    codes, counts, order = [], [], 0
    for number, line in enumerate(read_lines(path), start=1):
        left, separator, count = line.decode("utf-8", "replace").rpartition(":::")
        names = left.split()
        where = f"{path}:{number}"
        if not separator or not count.strip().isdigit() or (order and len(names) != order):
            raise InputError("not a line of n-gram counts: `token token ::: count`", where=where)
        order = len(names)
        if any(name not in NUMBERS for name in names):
            continue  # ends of a string, which other works write in other ways
        codes.append(sum(NUMBERS[name] * SYMBOLS ** (order - 1 - place) for place, name in enumerate(names)))
        counts.append(int(count))
    if not codes:
        raise InputError("holds no n-gram counts", where=str(path))
    return add_counts([(Counts(order, np.array(codes, dtype=np.int64), np.array(counts, dtype=np.int64)), 1.0)])


def smooth(counts: Counts, *, most_contexts: int = 20_000) -> NgramModel:
    """A model of counts. Of the contexts of two tokens and more only the most frequent are kept."""
    order = counts.order
    levels = [(counts.codes, counts.counts)]
    for length in range(order - 1, 0, -1):  # how many different tokens stand before each shorter n-gram
        shorter = levels[-1][0] % SYMBOLS**length
        levels.append(np.unique(shorter, return_counts=True))
    levels.reverse()
    kept = _contexts(counts, most_contexts)
    numbers: dict[Context, int] = {(): 0}
    for context in kept:
        numbers[context] = len(numbers)
    rows = np.empty((len(numbers), SYMBOLS))
    rows[0] = _interpolated(levels[0])(0, np.full(SYMBOLS, 1 / SYMBOLS))
    smoothers = [_interpolated(level) for level in levels]
    for context, number in numbers.items():
        if context:
            shorter = numbers[_known(context[1:], numbers)]
            rows[number] = smoothers[len(context)](_code(context), rows[shorter])
    after = np.zeros((len(numbers), SYMBOLS), dtype=np.int32)
    for context, number in numbers.items():
        for token in range(SYMBOLS):
            after[number, token] = numbers[_known((*context, token)[-(order - 1) :] if order > 1 else (), numbers)]
    first = numbers[_known((END,) * (order - 1), numbers)]
    return NgramModel(order, np.log(rows).astype(np.float32), after, first)


def _code(tokens: Context) -> int:
    code = 0
    for token in tokens:
        code = code * SYMBOLS + token
    return code


def _known(context: Context, numbers: dict[Context, int]) -> Context:
    """The longest end of a context that is kept."""
    while context not in numbers:
        context = context[1:]
    return context


def _contexts(counts: Counts, most: int) -> list[Context]:
    """Contexts to keep, shorter ones first, each with all its ends: of the seen ones the most frequent."""
    found: list[tuple[int, Context]] = []
    for length in range(1, counts.order):
        codes, where = np.unique(counts.codes // SYMBOLS % SYMBOLS**length, return_inverse=True)
        sums = np.bincount(where, weights=counts.counts).astype(np.int64)
        for code, total in zip(codes.tolist(), sums.tolist(), strict=True):
            tokens = tuple(code // SYMBOLS ** (length - 1 - place) % SYMBOLS for place in range(length))
            found.append((total, tokens))
    found.sort(key=lambda entry: (-entry[0], len(entry[1]), entry[1]))
    short = [tokens for _, tokens in found if len(tokens) == 1]
    # A context's count is at most that of its end, so that with a context its ends are kept.
    chosen = [tokens for _, tokens in found if len(tokens) > 1][: max(0, most - len(short))]
    return sorted([*short, *chosen], key=lambda tokens: (len(tokens), tokens))


def _interpolated(level: tuple[Codes, npt.NDArray[np.int64]]) -> Callable[[int, Distribution], Distribution]:
    """A function from a context's code and the distribution below it to the distribution after it."""
    codes, counts = level
    ones, twos, threes, fours = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    share = ones / (ones + 2 * twos) if ones and twos else 0.5
    discounts = np.array(
        [
            0.0,
            1 - 2 * share * twos / ones if ones else 0.5,
            2 - 3 * share * threes / twos if twos else 0.75,
            3 - 4 * share * fours / threes if threes else 1.0,
        ]
    )
    discounts[1:] = discounts[1:].clip(LEAST_DISCOUNT, None)  # with none, what was never seen would be impossible
    histories = codes // SYMBOLS

    def distribution(code: int, below: Distribution) -> Distribution:
        start, end = np.searchsorted(histories, [code, code + 1])
        row = np.zeros(SYMBOLS)
        tokens, seen = codes[start:end] % SYMBOLS, counts[start:end].astype(np.float64)
        if not len(seen):
            return below
        taken = np.minimum(discounts[np.minimum(counts[start:end], 3)], seen)
        row[tokens] = (seen - taken) / seen.sum()
        smoothed: Distribution = row + taken.sum() / seen.sum() * below
        return smoothed

    return distribution
