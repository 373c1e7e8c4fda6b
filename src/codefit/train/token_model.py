"""Pre-training the ranker's encoder: the next lexical token of sound code, with a causal mask.

The head shares its weights with the embeddings (Press and Wolf, 2017). What is padding is neither seen nor predicted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.models.device import choose_device
from codefit.tasks.repairs.ranking import BEGIN, FINISH, PAD
from codefit.train.adamw import AdamWSteps
from codefit.train.length_batches import length_batches

if TYPE_CHECKING:
    import torch

    from codefit.models.ranker import TokenEncoder

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.98)
IGNORED = -100


class TokenData:
    """Strings of terminals in batches of like length; each is seen once a round."""

    def __init__(self, strings: Sequence[Sequence[int] | bytes]) -> None:
        self.strings = strings

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[npt.NDArray[np.int64]]:
        """Batches without end, (batch, length) with BEGIN and FINISH, filled up with PAD."""
        lengths = [len(string) for string in self.strings]
        for group in length_batches(lengths, batch_size, seed=seed, first_step=first_step):
            yield padded([self.strings[k] for k in group])

    def tokens(self, batch: npt.NDArray[np.int64]) -> int:
        """Tokens that are predicted."""
        return int((batch[:, 1:] != PAD).sum())

    def notes(self, batch: npt.NDArray[np.int64]) -> Mapping[str, float]:
        """The share of filling."""
        return {"padding": float((batch == PAD).mean())}

    def name(self, batch: npt.NDArray[np.int64]) -> str:
        """What an error says of the batch."""
        return f"{len(batch)} strings of up to {batch.shape[1]} tokens"


def padded(strings: Sequence[Sequence[int] | bytes]) -> npt.NDArray[np.int64]:
    """Strings with their ends, filled up to the longest."""
    table = np.full((len(strings), max(len(string) for string in strings) + 2), PAD, dtype=np.int64)
    for row, string in enumerate(strings):
        table[row, : len(string) + 2] = [BEGIN, *string, FINISH]
    return table


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How the encoder learns."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    device: str = "auto"


class TokenLearner:
    """Trains a `TokenEncoder` on the next token."""

    def __init__(self, encoder: TokenEncoder, data: TokenData, settings: TokenSettings, *, seed: int) -> None:
        self.encoder = encoder
        self._data = data
        self.settings = settings
        self.device = choose_device(settings.device)
        encoder.to(self.device)
        self._steps = AdamWSteps(
            dict(encoder.named_parameters()),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
            most_norm=MAX_GRADIENT_NORM,
            seed=seed,
        )

    @property
    def data(self) -> TokenData:
        """What it learns from."""
        return self._data

    def learn(self, batch: npt.NDArray[np.int64], rate_factor: float) -> float:
        """One AdamW step; the mean loss of a token before it, in nats."""
        import torch

        self.encoder.train()
        self._steps.clear()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._steps.seed_of())
            total, count = self._loss(torch.from_numpy(batch).to(self.device))
            (total / count).backward()
        return self._steps.take(float(total.item()) / count, rate_factor)

    def perplexity(self, strings: Sequence[Sequence[int] | bytes], *, batch_size: int = 64) -> float:
        """exp of the mean nats of a token, FINISH among them."""
        import torch

        self.encoder.eval()
        nats, tokens = 0.0, 0
        by_length = sorted(strings, key=len)
        with torch.no_grad():
            for start in range(0, len(by_length), batch_size):
                batch = torch.from_numpy(padded(by_length[start : start + batch_size])).to(self.device)
                total, count = self._loss(batch)
                nats, tokens = nats + float(total.item()), tokens + count
        return math.exp(nats / tokens)

    def _loss(self, batch: torch.Tensor) -> tuple[torch.Tensor, int]:
        """The summed loss and how many tokens were predicted."""
        import torch

        hidden = self.encoder(batch[:, :-1], causal=True)
        wanted = batch[:, 1:].masked_fill(batch[:, 1:] == PAD, IGNORED)
        logits = hidden @ self.encoder.tokens.weight.T
        total = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return total, int((wanted != IGNORED).sum())

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and moments."""
        return self._steps.state()

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._steps.restore(arrays, step)

    def save_model(self, folder: Path) -> None:
        """Write the encoder."""
        from codefit.models.ranker import RankerShape, save_network

        assert isinstance(self.encoder.shape, RankerShape)
        save_network(self.encoder, self.encoder.shape, folder)
