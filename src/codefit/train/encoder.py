"""Training an encoder: large batches in little memory, and as little padding as may be.

The loss needs every vector of a batch at once, the network does not: texts go through it in chunks of like length, and
where a batch is too large for memory, the gradient is taken at the vectors first and each chunk is run once more with
its graph (Gao et al., Scaling deep contrastive learning batch size under memory limited setup, 2021). Chunks that do
fit keep their graph and are run once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.models.device import autocast_type, choose_device
from codefit.models.encoder import save_encoder
from codefit.models.length_chunks import CPU_CHUNK_COST, length_chunks
from codefit.models.tokenizer import encode_batch
from codefit.train.adamw import AdamWSteps
from codefit.train.contrastive import info_nce
from codefit.train.pair_batches import TokenizedPairs

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]
TokenIds = npt.NDArray[np.int32]

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.999)  # AdamW's own defaults (Loshchilov and Hutter, 2019)

# What a chunk costs by itself, in tokens, and how large it may be: a CPU is fastest while a chunk's hidden states stay
# in its caches, a GPU while its kernels are long enough to be worth their launch.
_CPU_CHUNK_TOKENS = 2_048
_GPU_CHUNK_COST, _GPU_CHUNK_TOKENS = 2_048, 65_536


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How an encoder learns. `memory_tokens` is how many padded tokens' activations are held at once."""

    learning_rate: float = 3e-4
    temperature: float = 0.05
    sizes: tuple[int, ...] = ()
    hard_negative_weight: float = 1.0
    memory_tokens: int = 16_384
    weight_decay: float = 0.01
    device: str = "auto"


class EncoderLearner:
    """Trains an encoder of `codefit.models.encoder`; a step depends on weights, batch, seed and its number alone."""

    def __init__(
        self, network: SentenceTransformer, data: TokenizedPairs, settings: EncoderSettings, *, seed: int
    ) -> None:
        import torch

        self.data = data
        self.settings = settings
        self.device = choose_device(settings.device)
        self.network = network.to(self.device, torch.float32)
        self._transformer = network[0].model
        self._projection = network[2].linear
        self._word_vectors = self._transformer.get_input_embeddings()
        self._half = autocast_type(self.device)
        self._steps = AdamWSteps(
            dict(network.named_parameters()),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
            most_norm=MAX_GRADIENT_NORM,
            seed=seed,
        )

    def learn(self, batch: IntArray, rate_factor: float) -> float:
        """One AdamW step; the loss before it. A loss that is not finite changes nothing."""
        texts = [self.data.anchors[i] for i in batch] + [self.data.positives[i] for i in batch]
        texts += [negative for i in batch for negative in self.data.negatives[i]]
        self.network.train()
        return self._steps.take(self._gradient(texts, len(batch)), rate_factor)

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        """Unit vectors of questions, (texts, projection); an empty text is the zero vector."""
        return self._encode(queries)

    def encode_codes(self, codes: Sequence[str]) -> FloatArray:
        """Unit vectors of pieces of code, (texts, projection)."""
        return self._encode(codes)

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and AdamW's moments, all float32."""
        return self._steps.state()

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._steps.restore(arrays, step)

    def save_model(self, folder: Path) -> None:
        """Write the encoder into an existing folder, as sentence-transformers has it."""
        save_encoder(self.network, folder)

    def _gradient(self, texts: Sequence[TokenIds], pairs: int) -> float:
        """Leave the gradient of the batch's loss at the parameters; the loss."""
        import torch

        self._steps.clear()
        chunks = self._chunks(texts, self.settings.memory_tokens)
        held = _how_many_fit(chunks, self.settings.memory_tokens)
        random_states = [torch.cuda.current_device()] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=random_states):
            outputs = [self._run(chunk, number, graph=number < held) for number, chunk in enumerate(chunks)]
            vectors = torch.cat([output.vectors.detach() for output in outputs])
            # Of the chunks that run again, nothing but their vectors is kept till then.
            del outputs[held:]
            back = torch.from_numpy(np.argsort(np.concatenate([chunk.rows for chunk in chunks]))).to(self.device)
            vectors = vectors[back].requires_grad_()
            loss = info_nce(
                vectors[:pairs],
                vectors[pairs : 2 * pairs],
                negatives=vectors[2 * pairs :] if len(vectors) > 2 * pairs else None,
                temperature=self.settings.temperature,
                sizes=self.settings.sizes,
                hard_negative_weight=self.settings.hard_negative_weight,
            )
            loss.backward()  # type: ignore[no-untyped-call]
            assert vectors.grad is not None
            words = _WordGradient(self._word_vectors, self.settings.memory_tokens)
            for number, chunk in reversed(list(enumerate(chunks))):
                output = outputs.pop() if number < held else self._run(chunk, number, graph=True)
                output.vectors.backward(vectors.grad[torch.from_numpy(chunk.rows).to(self.device)])
                words.add(chunk.ids, output.words.grad)
            words.flush()
        return float(loss.item())

    def _run(self, chunk: _Chunk, number: int, *, graph: bool) -> _Output:
        """Vectors of a chunk before they are normalised, with their `graph` or without.

        The dropout of a chunk depends on its number and the step, so that both passes drop the same.
        """
        import torch

        torch.manual_seed(self._steps.seed_of(number))
        with torch.no_grad():
            words = self._word_vectors(chunk.ids)
        words.requires_grad_(graph)
        with torch.set_grad_enabled(graph):
            return _Output(self._vectors(words, chunk.mask, self._half), words)

    def _vectors(self, words: torch.Tensor, mask: torch.Tensor | None, half: torch.dtype | None) -> torch.Tensor:
        import torch

        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            hidden = self._transformer(inputs_embeds=words, attention_mask=mask).last_hidden_state
        if mask is None:
            mean = hidden.float().mean(dim=1)
        else:
            share = mask / mask.sum(dim=1, keepdim=True)
            mean = (share[:, None, :] @ hidden.float()).squeeze(1)
        projected: torch.Tensor = self._projection(mean)
        return projected

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        import torch

        ids = encode_batch(self.network.tokenizer.backend_tokenizer, texts, self.network.max_seq_length)
        vectors = torch.zeros((len(texts), self._projection.out_features))
        self.network.eval()
        with torch.inference_mode():
            for chunk in self._chunks(ids, self.settings.memory_tokens):
                # In full precision, as the saved model will be run.
                found = self._vectors(self._word_vectors(chunk.ids), chunk.mask, None)
                vectors[torch.from_numpy(chunk.rows)] = torch.nn.functional.normalize(found, dim=-1).cpu()
        # A text without tokens was given one of padding; sentence-transformers makes it the zero vector.
        vectors[torch.from_numpy(np.array([len(own) == 0 for own in ids], dtype=np.bool_))] = 0
        array: FloatArray = vectors.numpy()
        return array

    def _chunks(self, texts: Sequence[TokenIds], most: int) -> list[_Chunk]:
        gpu = self.device.type != "cpu"
        limit = min(most, _GPU_CHUNK_TOKENS if gpu else _CPU_CHUNK_TOKENS)
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        rows = length_chunks(np.maximum(lengths, 1), limit, _GPU_CHUNK_COST if gpu else CPU_CHUNK_COST)
        return [_as_chunk(texts, own, self._transformer.config.pad_token_id, self.device) for own in rows]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Texts `rows` (m,) of a batch as `ids` (m, longest); `mask`, 1 where a token is, is None where none is padding."""

    rows: IntArray
    ids: torch.Tensor
    mask: torch.Tensor | None


@dataclass(slots=True)
class _Output:
    """A chunk's vectors (m, projection) and the word vectors (m, longest, hidden) that they were made of."""

    vectors: torch.Tensor
    words: torch.Tensor


class _WordGradient:
    """The word vectors' gradient, gathered over chunks: chunk by chunk it would be as large as the table every time."""

    def __init__(self, word_vectors: torch.nn.Module, tokens: int) -> None:
        self._word_vectors = word_vectors
        self._tokens = tokens
        self._ids: list[torch.Tensor] = []
        self._gradients: list[torch.Tensor] = []

    def add(self, ids: torch.Tensor, gradient: torch.Tensor | None) -> None:
        """Take the gradient (m, longest, hidden) of a chunk's word vectors `ids` (m, longest)."""
        assert gradient is not None
        self._ids.append(ids.flatten())
        self._gradients.append(gradient.flatten(0, 1))
        if sum(map(len, self._ids)) >= self._tokens:
            self.flush()

    def flush(self) -> None:
        """Add what was gathered to the parameter's gradient."""
        import torch

        if self._ids:
            self._word_vectors(torch.cat(self._ids)).backward(torch.cat(self._gradients))
        self._ids, self._gradients = [], []


def _as_chunk(texts: Sequence[TokenIds], rows: IntArray, pad_id: int, device: torch.device) -> _Chunk:
    import torch

    lengths = np.array([max(1, len(texts[i])) for i in rows])
    ids = np.full((len(rows), lengths.max()), pad_id, dtype=np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(texts[row])] = texts[row]
    mask = None
    if lengths.min() < lengths.max():
        mask = torch.from_numpy((np.arange(ids.shape[1]) < lengths[:, None]).astype(np.float32)).to(device)
    return _Chunk(rows, torch.from_numpy(ids).to(device), mask)


def _how_many_fit(chunks: Sequence[_Chunk], tokens: int) -> int:
    """How many of the first chunks keep their graph: all, or as many as leave room to run any other chunk."""
    sizes = np.array([chunk.ids.numel() for chunk in chunks])
    if sizes.sum() <= tokens:
        return len(chunks)
    return int(np.searchsorted(np.cumsum(sizes), tokens - sizes.max(), side="right"))
