"""The surprise of each token of long texts to a causal language model, by a sliding window.

The windows are those of the transformers documentation, "Perplexity of fixed-length models": each starts `stride`
tokens after the last, and what an earlier window has scored is context only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.length_chunks import length_chunks

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float64]

# Padded tokens that run through the network at once. More gains nothing on two cores; a GPU wants to be filled.
CPU_BATCH_TOKENS = 4096
GPU_BATCH_TOKENS = 16_384
# Logits that exist at once: 64 MiB in single precision, 110 rows of a vocabulary of 152,000; on a GPU 512 MiB.
CPU_LOGITS = 1 << 24
GPU_LOGITS = 1 << 27
# Where own head and the model's whole forward pass differ by more, relative to the largest logit, the model does more
# than a head to its logits (a soft cap, a scale).
HEAD_TOLERANCE = 1e-3
PROBE_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens of one document, `ids` (length,), of which those from position `scored` (at least 1) on are scored."""

    document: int
    ids: IntArray
    scored: int


def windows_of(document: int, ids: IntArray, *, window: int, stride: int) -> Iterator[Window]:
    """The windows of a sequence (n,): its first token is context alone, every other one is scored exactly once.

    A token after the first window has at least `window - stride` tokens before it.
    """
    scored_to = 1
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        if end > scored_to:
            yield Window(document, ids[begin:end], scored_to - begin)
        scored_to = end
        if end == len(ids):
            return


class Scorer:
    """Sums of surprise over windows; the head is computed only for tokens that are scored, a slice at a time."""

    def __init__(self, model: PreTrainedModel) -> None:
        from peft import PeftModel

        if isinstance(model, PeftModel):
            if model.active_peft_config.is_prompt_learning:
                raise InputError(
                    f"an adapter of kind {model.peft_type} puts tokens of its own before a text",
                    fix="evaluate a LoRA adapter, or merge this one",
                )
            model = model.get_base_model()  # the same layers, the adapter's inside them
        self.model = model
        self.device = next(model.parameters()).device
        on_cpu = self.device.type == "cpu"
        self.batch_tokens = CPU_BATCH_TOKENS if on_cpu else GPU_BATCH_TOKENS
        self._logits_at_once = CPU_LOGITS if on_cpu else GPU_LOGITS
        self._head: Callable[[torch.Tensor], torch.Tensor] | None = None
        if self._head_is_all():
            self._head = model.get_output_embeddings()
        else:
            self.batch_tokens = 1  # a window at a time, since its logits then all exist at once

    def nats(self, windows: Sequence[Window]) -> FloatArray:
        """The sum of nats over the scored tokens of each window, shape (windows,)."""
        # The last token is never read, only guessed.
        lengths = np.array([len(window.ids) - 1 for window in windows])
        sums = np.zeros(len(windows))
        for rows in length_chunks(lengths, self.batch_tokens):
            sums[rows] = self._batch([windows[row] for row in rows])
        return sums

    def _batch(self, windows: list[Window]) -> FloatArray:
        """The sums of windows that run through the network together, padded on the right.

        There is no attention mask: under causal attention no token sees the padding behind it, and without a mask the
        fused kernels run.
        """
        import torch

        longest = max(len(window.ids) for window in windows) - 1
        ids = np.zeros((len(windows), longest), dtype=np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids) - 1] = window.ids[:-1]
        counts = np.array([len(window.ids) - window.scored for window in windows])
        rows = np.repeat(np.arange(len(windows)), counts)
        columns = np.concatenate([np.arange(window.scored - 1, len(window.ids) - 1) for window in windows])
        targets = np.concatenate([window.ids[window.scored :] for window in windows]).astype(np.int64)
        with torch.inference_mode():
            at = (torch.from_numpy(rows).to(self.device), torch.from_numpy(columns).to(self.device))
            nats = self._scored(torch.from_numpy(ids).to(self.device), at, torch.from_numpy(targets).to(self.device))
        return _sums(rows, nats.cpu().numpy().astype(np.float64), len(windows))

    def _scored(self, ids: torch.Tensor, at: tuple[torch.Tensor, torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
        """Nats of `targets` (scored,) after the positions `at` of `ids` (rows, columns)."""
        import torch
        from torch.nn.functional import cross_entropy

        if self._head is None:
            logits = self.model(input_ids=ids, use_cache=False).logits[at]
            return cross_entropy(logits.float(), targets, reduction="none")
        hidden = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[at]
        at_once = max(1, self._logits_at_once // self.model.config.get_text_config().vocab_size)
        return torch.cat(
            [
                cross_entropy(self._head(part).float(), target, reduction="none")
                for part, target in zip(hidden.split(at_once), targets.split(at_once), strict=True)
            ]
        )

    def _head_is_all(self) -> bool:
        """Whether the model's logits are its head on its last hidden state, and nothing more."""
        import torch

        ids = torch.arange(PROBE_TOKENS, device=self.device)[None]
        with torch.inference_mode():
            logits = self.model(input_ids=ids, use_cache=False).logits
            own = self.model.get_output_embeddings()(
                self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            )
        return bool((logits - own).abs().max() <= HEAD_TOLERANCE * own.abs().max())


def _sums(rows: npt.NDArray[np.int64], values: FloatArray, count: int) -> FloatArray:
    """The sum of the values of each of `count` rows."""
    sums = np.zeros(count)
    np.add.at(sums, rows, values)
    return sums
