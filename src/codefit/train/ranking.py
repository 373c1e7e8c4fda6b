"""Training the ranker: the true repair against all of its list, as a softmax with a temperature.

The loss is ListNet's with one relevant document (Cao et al., "Learning to rank: from pairwise approach to listwise
approach", ICML 2007), over the whole list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.models.device import choose_device
from codefit.tasks.repairs.ranking import RankingList, to_arrays
from codefit.train.adamw import AdamWSteps
from codefit.train.ranking_data import RankingData

if TYPE_CHECKING:
    import torch

    from codefit.models.ranker import RankingBatch, RepairRanker

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.98)


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """How the ranker learns. `tau` divides the scores; a frozen encoder stays as it is."""

    learning_rate: float = 5e-4
    frozen_encoder: bool = False
    tau: float = 1.0
    weight_decay: float = 0.01
    device: str = "auto"


class RankingLearner:
    """Trains a `RepairRanker`; a step depends on weights, batch, seed and its number alone."""

    def __init__(self, network: RepairRanker, data: RankingData, settings: RankingSettings, *, seed: int) -> None:
        self.network = network
        self._data = data
        self.settings = settings
        self.device = choose_device(settings.device)
        network.to(self.device)
        if settings.frozen_encoder:
            network.encoder.requires_grad_(False)
        self._steps = AdamWSteps(
            {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad},
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
            most_norm=MAX_GRADIENT_NORM,
            seed=seed,
        )

    @property
    def data(self) -> RankingData:
        """What it learns from."""
        return self._data

    def learn(self, batch: list[RankingList], rate_factor: float) -> float:
        """One AdamW step; the mean loss of a list before it, in nats."""
        import torch

        self.network.train()
        self._steps.clear()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._steps.seed_of())
            scores = self.network(to_batch(batch, self.device)) / self.settings.tau
            lists = torch.nn.utils.rnn.pad_sequence(
                scores.split([len(one.edits) for one in batch]), batch_first=True, padding_value=float("-inf")
            )
            truths = torch.tensor([one.truth for one in batch], device=self.device)
            loss = torch.nn.functional.cross_entropy(lists, truths)
            loss.backward()
        return self._steps.take(float(loss.item()), rate_factor)

    def score(self, lists: Sequence[RankingList]) -> list[npt.NDArray[np.float32]]:
        """The scores of each list's candidates."""
        import torch

        self.network.eval()
        with torch.no_grad():
            return [self.network(to_batch([one], self.device)).cpu().numpy() for one in lists]

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and moments."""
        return self._steps.state()

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._steps.restore(arrays, step)

    def save_model(self, folder: Path) -> None:
        """Write the network."""
        from codefit.models.ranker import save_network

        save_network(self.network, self.network.shape, folder)


def to_batch(lists: Sequence[RankingList], device: torch.device) -> RankingBatch:
    """Lists as tensors."""
    import torch

    from codefit.models.ranker import RankingBatch

    return RankingBatch(*(torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in to_arrays(lists)))
