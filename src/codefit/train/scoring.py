"""Training the network that scores functions: the score itself, and beside it what the score is made of.

The loss is Huber's (1964) on the score, and on what is counted: at each token where the places are known, as a whole
where they are not. A label is the sum of what a few hundred places add; a network that is shown the places learns in a
few passes which function of several is meant, what of it counts, and what does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.device import choose_device
from codefit.models.score_windows import Chunk, Tokens, chunks_of
from codefit.train.adamw import AdamWSteps

if TYPE_CHECKING:
    import torch

    from codefit.models.score_network import ScoreNetwork

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.98)
HUBER = 0.5  # of the score: errors beyond it count in proportion and not by their square
BY_SUM = 0.1  # of what is counted as a whole, beside the score

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    """How the network learns; `counting` is the weight of what each token counts for, beside the score."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    counting: float = 10.0
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A function to learn from: its tokens, its score, and what each token counts for, (tokens, 3).

    Where the places are not known, `places` is None and `sums` (3,) alone tells what is counted.
    """

    tokens: Tokens
    score: float
    sums: FloatArray
    places: FloatArray | None
    name: str


Batch = list[ScoredText]


class ScoringData:
    """The functions of a training, in an order that a seed draws anew for each pass.

    `variants` are other ways to write some of them; of each batch that share is replaced by variants.
    """

    def __init__(
        self, texts: Sequence[ScoredText], variants: Sequence[ScoredText] = (), *, variant_share: float = 0.0
    ) -> None:
        if not texts:
            raise InputError("there is no function to learn from")
        self.texts = texts
        self.variants = variants
        self.variant_share = variant_share if variants else 0.0

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[Batch]:
        """Batches without end; the same from `first_step` on as in one go."""
        count = len(self.texts)
        size = min(batch_size, count)
        own = size - round(size * self.variant_share)
        step = first_step
        while True:
            rng = np.random.default_rng([seed, step])
            first = step * own
            order = np.random.default_rng([seed, first // count, 1]).permutation(count)
            following = np.random.default_rng([seed, first // count + 1, 1]).permutation(count)
            chosen = np.concatenate([order, following])[first % count : first % count + own]
            others = rng.integers(0, max(1, len(self.variants)), size - own)
            yield [*(self.texts[i] for i in chosen), *(self.variants[i] for i in others)]
            step += 1

    def tokens(self, batch: Batch) -> int:
        """Tokens of a batch."""
        return sum(len(text.tokens) for text in batch)

    def notes(self, batch: Batch) -> Mapping[str, float]:
        """Nothing besides."""
        return {}

    def name(self, batch: Batch) -> str:
        """Some functions of a batch."""
        return ", ".join(text.name for text in batch[:3])


class ScoringLearner:
    """Trains a `ScoreNetwork`; a step depends on weights, batch, seed and its number alone."""

    def __init__(self, network: ScoreNetwork, data: ScoringData, settings: ScoringSettings, *, seed: int) -> None:
        self.network = network
        self._data = data
        self.settings = settings
        self.device = choose_device(settings.device)
        network.to(self.device)
        self._steps = AdamWSteps(
            dict(network.named_parameters()),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
            most_norm=MAX_GRADIENT_NORM,
            seed=seed,
        )

    @property
    def data(self) -> ScoringData:
        """What it learns from."""
        return self._data

    def learn(self, batch: Batch, rate_factor: float) -> float:
        """One AdamW step; the mean loss of a function before it."""
        import torch

        self.network.train()
        self._steps.clear()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._steps.seed_of())
            loss = self._loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
        return self._steps.take(float(loss.item()), rate_factor)

    def score(self, texts: Sequence[Tokens]) -> FloatArray:
        """The scores of texts, (texts,), between 1 and 10."""
        import torch

        self.network.eval()
        with torch.no_grad():
            sums = self._zeros(len(texts))
            for chunk in chunks_of(texts, self.network.shape.window, self.network.shape.pad):
                sums = self._added(sums, chunk, self._amounts(chunk))
            scores: FloatArray = self.network.read_off(sums).clamp(1.0, 10.0).cpu().numpy()
        return scores

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and moments."""
        return self._steps.state()

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._steps.restore(arrays, step)

    def save_model(self, folder: Path) -> None:
        """Write the network."""
        from codefit.models.score_network import save_score_network

        save_score_network(self.network, folder)

    def _loss(self, batch: Batch) -> torch.Tensor:
        import torch

        from codefit.models.score_network import COUNTED

        huber = torch.nn.functional.smooth_l1_loss
        sums = self._zeros(len(batch))
        at_tokens = torch.zeros((), device=self.device)
        tokens = 0
        for chunk in chunks_of([text.tokens for text in batch], self.network.shape.window, self.network.shape.pad):
            amounts = self._amounts(chunk)
            sums = self._added(sums, chunk, amounts)
            wanted, known = self._places(batch, chunk)
            differences = huber(amounts[..., :COUNTED], wanted, beta=HUBER, reduction="none").sum(-1)
            at_tokens = at_tokens + (differences * known).sum()
            tokens += int(known.sum())
        score = torch.tensor([text.score for text in batch], device=self.device)
        counted = torch.from_numpy(np.stack([text.sums for text in batch])).to(self.device)
        loss: torch.Tensor = huber(self.network.read_off(sums), score, beta=HUBER)
        loss = loss + BY_SUM * huber(torch.log1p(sums[:, :COUNTED]), torch.log1p(counted), beta=HUBER)
        return loss + self.settings.counting * at_tokens / max(1, tokens)

    def _amounts(self, chunk: Chunk) -> torch.Tensor:
        import torch

        tokens, nesting = (torch.from_numpy(part).to(self.device) for part in (chunk.tokens, chunk.nesting))
        amounts: torch.Tensor = self.network.count(tokens, nesting)
        return amounts

    def _added(self, sums: torch.Tensor, chunk: Chunk, amounts: torch.Tensor) -> torch.Tensor:
        import torch

        return sums.index_add(0, torch.from_numpy(chunk.text).to(self.device), amounts.sum(1))

    def _zeros(self, texts: int) -> torch.Tensor:
        import torch

        return torch.zeros(texts, self.network.shape.amounts, device=self.device)

    def _places(self, batch: Batch, chunk: Chunk) -> tuple[torch.Tensor, torch.Tensor]:
        """What each token of a chunk counts for, and 1 where that is known, (windows, length)."""
        import torch

        from codefit.models.score_network import COUNTED

        wanted = np.zeros((*chunk.tokens.shape, COUNTED), dtype=np.float32)
        known = np.zeros(chunk.tokens.shape, dtype=np.float32)
        for row, (number, start) in enumerate(zip(chunk.text.tolist(), chunk.start.tolist(), strict=True)):
            places = batch[number].places
            if places is not None:
                own = places[start : start + chunk.tokens.shape[1]]
                wanted[row, : len(own)] = own
                known[row, : len(own)] = 1
        return torch.from_numpy(wanted).to(self.device), torch.from_numpy(known).to(self.device)
