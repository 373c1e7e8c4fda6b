"""The contrastive objective: symmetric InfoNCE over a batch, with optional hard negatives and Matryoshka sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def info_nce(
    queries: torch.Tensor,
    codes: torch.Tensor,
    *,
    temperature: float,
    sizes: Sequence[int] = (),
    negatives: torch.Tensor | None = None,
    hard_negative_weight: float = 1.0,
) -> torch.Tensor:
    """Mean over directions and sizes of the cross-entropy of each query's own code (van den Oord et al., 2018).

    `queries` and `codes` are (batch, d), row i of one belongs to row i of the other, and every other row is a negative;
    they need not be normalised. `negatives` (m, d) join the codes for every query, each counted
    `hard_negative_weight` times in the denominator. `sizes` are the leading dimensions that must work alone
    (Kusupati et al., Matryoshka representation learning, 2022); the full size is always one of them.
    """
    import torch

    losses = []
    for size in dict.fromkeys((queries.shape[1], *sizes)):
        # Divided before the product: 2 n d divisions, not n².
        q = torch.nn.functional.normalize(queries[:, :size], dim=-1) / temperature
        c = torch.nn.functional.normalize(codes[:, :size], dim=-1)
        scores = q @ c.T
        # Both directions share one matrix; a cross-entropy each would write three more of its size.
        among_codes, among_queries = scores.logsumexp(dim=1), scores.logsumexp(dim=0)
        if negatives is not None and hard_negative_weight > 0:
            n = torch.nn.functional.normalize(negatives[:, :size], dim=-1)
            hard = (q @ n.T).logsumexp(dim=1) + math.log(hard_negative_weight)
            among_codes = torch.logaddexp(among_codes, hard)
        losses.append(((among_codes + among_queries) / 2 - (q * c).sum(dim=1)).mean())
    return torch.stack(losses).mean()
