"""Real functions for benchmarks: mined from the Python environment, and from the development data where present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from benchmarks.common import data_folder
from codefit.corpus.hashing import seeded_hash
from codefit.records import Pair, read_rows

SEED = 0


def gather_functions(count: int) -> tuple[list[str], dict[str, int]]:
    """At most `count` functions in a fixed random order, and how many come from where.

    Half come from each of the two places where both have enough, so that no one package or language is all.
    """
    data = _shuffled(_from_data())
    # Twice as many as are needed, so that a quick run need not read every package.
    environment = _shuffled(islice(_from_environment(), 2 * count))
    from_data = min(len(data), max(count // 2, count - len(environment)))
    from_environment = min(len(environment), count - from_data)
    functions = _shuffled([*data[:from_data], *environment[:from_environment]])
    return functions, {"data/pairs": from_data, "Python environment": from_environment}


def _shuffled(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: seeded_hash(SEED, text))


def _from_data() -> Iterator[str]:
    folder = data_folder()
    for path in sorted(folder.glob("pairs/*__*.jsonl.gz")) if folder else ():
        for pair in read_rows(path, Pair):
            yield pair.positive


def _from_environment() -> Iterator[str]:
    from codefit.corpus.documents.environment import read_environment
    from codefit.corpus.manifest import Receipt
    from codefit.tasks.pairs import mine_pairs

    # networkx is reserved for evaluation.
    documents = read_environment(exclude=["networkx"], receipt=Receipt())
    for pair in mine_pairs(documents, receipt=Receipt()):
        yield pair.positive
