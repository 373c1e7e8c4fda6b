"""Several rows of tokens that go through a language model side by side, with the cache of what each has behind it.

Rows are of any lengths: what is missing is padding on the left, which no token sees and which takes no position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError
from codefit.models.language_model import LanguageModel

if TYPE_CHECKING:
    import torch

Mask = npt.NDArray[np.bool_]


class TokenRows:
    """The rows of a batch under way; the model must be in evaluation mode."""

    def __init__(self, language_model: LanguageModel, rows: int) -> None:
        from transformers import DynamicCache

        self._language_model = language_model
        self._cache = DynamicCache(config=language_model.model.config)
        self._is_token: Mask = np.zeros((rows, 0), dtype=np.bool_)

    @property
    def lengths(self) -> list[int]:
        """Tokens that each row has behind it."""
        found: list[int] = self._is_token.sum(1).tolist()
        return found

    def feed(self, new: Sequence[Sequence[int]]) -> torch.Tensor:
        """Let each row go on by some tokens, or by none; logits (rows, vocabulary) after the last of each.

        Those of a row that did not go on mean nothing.
        """
        longest = max(len(ids) for ids in new)
        ids, positions = np.zeros((2, len(new), longest), dtype=np.int64)
        is_token = np.zeros((len(new), longest), dtype=np.bool_)
        for row, (own, start) in enumerate(zip(new, self.lengths, strict=True)):
            if own:
                ids[row, -len(own) :], is_token[row, -len(own) :] = own, True
                positions[row, -len(own) :] = np.arange(start, start + len(own))
        self._is_token = np.concatenate([self._is_token, is_token], axis=1)
        return self._through(ids, positions, self._tensor(self._is_token.astype(np.int64)), kept=1)[:, 0]

    def look(self, ids: npt.NDArray[np.int64], depths: npt.NDArray[np.int64], sees: Mask, *, kept: int) -> torch.Tensor:
        """Logits (rows, `kept`, vocabulary) of the last of some tokens (rows, tokens), which leave no trace in rows.

        A token stands `depths` (rows, tokens) behind its row's end; it sees all of the row, and of the tokens those
        that `sees` (rows, tokens, tokens) has for it.
        """
        import torch

        width = self._is_token.shape[1]
        behind = np.broadcast_to(self._is_token[:, None], (*ids.shape, width))
        allowed = self._tensor(np.concatenate([behind, sees], axis=2)[:, None])
        dtype = self._language_model.model.get_input_embeddings().weight.dtype
        mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
        mask.masked_fill_(~allowed, torch.finfo(dtype).min)
        logits = self._through(ids, depths + np.array(self.lengths)[:, None], mask, kept=kept)
        self._cache.crop(-ids.shape[1])
        return logits

    def rewind(self, lengths: Sequence[int]) -> None:
        """Forget what rows were fed after their first feeding, whose lengths these are."""
        width = max(lengths)
        if self._is_token.shape[1] > width:
            self._cache.crop(width - self._is_token.shape[1])
        self._is_token = self._is_token[:, :width]

    def _through(
        self, ids: npt.NDArray[np.int64], positions: npt.NDArray[np.int64], mask: torch.Tensor, *, kept: int
    ) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            logits: torch.Tensor = self._language_model.model(
                input_ids=self._tensor(ids),
                position_ids=self._tensor(positions),
                attention_mask=mask,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=kept,
            ).logits.float()
            if logits.isnan().any():
                raise CodefitError("the model's scores are not numbers", where=self._language_model.place)
        return logits

    def _tensor(self, array: npt.NDArray[np.generic]) -> torch.Tensor:
        import torch

        return torch.from_numpy(array).to(self._language_model.device)
