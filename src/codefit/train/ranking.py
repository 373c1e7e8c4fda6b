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
from codefit.train.adamw import arrays_of, new_adamw, restore_arrays
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
        named = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self._parameters = named
        self._optimizer = new_adamw(
            list(named.values()),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
        )
        self._seed = seed
        self._step = 0

    @property
    def data(self) -> RankingData:
        """What it learns from."""
        return self._data

    def learn(self, batch: list[RankingList], rate_factor: float) -> float:
        """One AdamW step; the mean loss of a list before it, in nats."""
        import torch

        self.network.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_factor
        self._optimizer.zero_grad(set_to_none=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence([self._seed, self._step]).generate_state(1, np.uint64)[0]))
            scores = self.network(to_batch(batch, self.device)) / self.settings.tau
            lists = torch.nn.utils.rnn.pad_sequence(
                scores.split([len(one.edits) for one in batch]), batch_first=True, padding_value=float("-inf")
            )
            truths = torch.tensor([one.truth for one in batch], device=self.device)
            loss = torch.nn.functional.cross_entropy(lists, truths)
            loss.backward()
        self._step += 1
        value = float(loss.item())
        if not np.isfinite(value):
            return value
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), MAX_GRADIENT_NORM)
        self._optimizer.step()
        return value

    def score(self, lists: Sequence[RankingList]) -> list[npt.NDArray[np.float32]]:
        """The scores of each list's candidates."""
        import torch

        self.network.eval()
        with torch.no_grad():
            return [self.network(to_batch([one], self.device)).cpu().numpy() for one in lists]

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and moments."""
        return arrays_of(self._parameters, self._optimizer)

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._step = step
        restore_arrays(self._parameters, self._optimizer, arrays, lambda name: float(step))

    def save_model(self, folder: Path) -> None:
        """Write the network."""
        from codefit.models.ranker import save_network

        save_network(self.network, self.network.shape, folder)


def to_batch(lists: Sequence[RankingList], device: torch.device) -> RankingBatch:
    """Lists as tensors."""
    import torch

    from codefit.models.ranker import RankingBatch

    return RankingBatch(*(torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in to_arrays(lists)))
