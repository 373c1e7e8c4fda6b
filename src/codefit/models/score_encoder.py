"""The encoder that scores functions, exported: onnxruntime and tokenizers, no torch.

`encoder.onnx` makes of windows of tokens, int64 (windows, length), and their nesting, int64 (windows, length, 3), the
sums of their amounts, float32 (windows, amounts); `head.onnx` makes of the sums of texts, (texts, amounts), their
scores, (texts,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.processor import physical_cores
from codefit.models.score_windows import CodeTokens, chunks_of
from codefit.models.scorers import Estimate
from codefit.models.tokenizer import load_tokenizer
from codefit.source.metrics.figures import HIGHEST, LOWEST

ENCODER, HEAD, INFO = "encoder.onnx", "head.onnx", "scorer.json"


class EncoderInfo(msgspec.Struct, frozen=True):
    """What a reader must know of the graphs."""

    window: int
    pad: int
    amounts: int


@dataclass(frozen=True)
class EncoderScorer:
    """Scores functions by reading their code."""

    folder: Path
    info: EncoderInfo
    name: str = "encoder"

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function; the network reads every language alike."""
        return [Estimate(score=score) for score in self.scores(codes).tolist()]

    def scores(self, codes: Sequence[str]) -> npt.NDArray[np.float32]:
        """The scores, (codes,), between 1 and 10."""
        sums = np.zeros((len(codes), self.info.amounts), dtype=np.float32)
        for chunk in chunks_of(self._tokens(codes), self.info.window, self.info.pad):
            found = self._encoder.run(None, {"tokens": chunk.tokens, "nesting": chunk.nesting})[0]
            np.add.at(sums, chunk.text, found)
        if not len(codes):
            return np.zeros(0, dtype=np.float32)
        scores: npt.NDArray[np.float32] = self._head.run(None, {"sums": sums})[0]
        return scores.clip(LOWEST, HIGHEST)

    @cached_property
    def _tokens(self) -> CodeTokens:
        return CodeTokens(load_tokenizer(self.folder))

    @cached_property
    def _encoder(self) -> Any:
        return _session(self.folder / ENCODER)

    @cached_property
    def _head(self) -> Any:
        return _session(self.folder / HEAD)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = physical_cores()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has a class of error for each way in which a file can be broken
        raise InputError("damaged or missing", where=str(path), fix="export it anew") from error


def load_encoder_scorer(folder: Path) -> EncoderScorer:
    """The exported encoder of a folder; `InputError` where it holds none."""
    try:
        info = msgspec.json.decode((folder / INFO).read_bytes(), type=EncoderInfo)
    except FileNotFoundError as error:
        raise InputError("holds no encoder that scores functions", where=str(folder)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(folder / INFO)) from error
    return EncoderScorer(folder, info)
