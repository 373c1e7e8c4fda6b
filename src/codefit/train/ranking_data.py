"""Lists of candidates in batches: strings of like length together, drawn anew each time through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from codefit.tasks.repairs.ranking import RankingList
from codefit.train.length_batches import length_batches


class RankingData:
    """Lists to learn from. Those whose truth is not among the candidates teach nothing and are left out.

    Of a long list only `most` candidates are seen at a time: the truth, the best half and others drawn.
    """

    def __init__(self, lists: Sequence[RankingList], *, most: int) -> None:
        self.lists = [one for one in lists if one.truth >= 0 and len(one.edits) > 1]
        self.most = most

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[list[RankingList]]:
        """Batches without end; the same from `first_step` on as in one go."""
        lengths = [len(one.tokens) for one in self.lists]
        groups = length_batches(lengths, batch_size, seed=seed, first_step=first_step)
        for step, group in enumerate(groups, start=first_step):
            yield [self._cut(self.lists[k], np.random.default_rng([seed, step, int(k)])) for k in group]

    def _cut(self, one: RankingList, rng: np.random.Generator) -> RankingList:
        if len(one.edits) <= self.most:
            return one
        others = np.delete(np.arange(len(one.edits)), one.truth)
        best = others[: self.most // 2]
        drawn = rng.choice(others[self.most // 2 :], self.most - 1 - len(best), replace=False)
        kept = np.concatenate([[one.truth], best, drawn])
        return RankingList(one.tokens, one.first_error, one.last_error, one.edits[kept], one.scalars[kept], 0)

    def tokens(self, batch: list[RankingList]) -> int:
        """Tokens of the strings."""
        return sum(len(one.tokens) + 2 for one in batch)

    def notes(self, batch: list[RankingList]) -> Mapping[str, float]:
        """How many candidates the batch has."""
        return {"candidates": sum(len(one.edits) for one in batch)}

    def name(self, batch: list[RankingList]) -> str:
        """What an error says of the batch."""
        return f"{len(batch)} lists, the first of {len(batch[0].tokens)} tokens and {len(batch[0].edits)} candidates"
