"""Export the encoder that scores functions: two ONNX graphs, held against torch before they are written."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from codefit.errors import CodefitError, InputError
from codefit.export.onnx_graph import write_encoder_int8, write_graph
from codefit.files import atomic_folder, check_writable, write_json
from codefit.models.processor import int8_saturates
from codefit.models.score_encoder import ENCODER, HEAD, INFO, EncoderInfo, load_encoder_scorer
from codefit.models.score_network import TOKENIZER, ScoreNetwork, load_score_network
from codefit.models.score_windows import NESTING

FP32_BOUND = 1e-3  # of a score, which is given to a tenth
INT8_BOUND = 0.02  # of the mean absolute error on validation that quantization may cost
TIMED = 64  # functions


def export_score_encoder(
    network: Path, codes: Sequence[str], truths: Sequence[float], out: Path, *, precision: str
) -> dict[str, Any]:
    """Write the exported encoder of a trained network's folder to `out`; what was measured on `codes`.

    Raises `CodefitError` where the graphs' scores differ from torch's by a thousandth, or int8 costs too much.
    """
    from codefit.train.score_encoder import score_codes

    if not codes:
        raise InputError("there is no function to hold the export against")
    check_writable(out)
    trained = load_score_network(network)
    reference = score_codes(trained, network / TOKENIZER, codes)
    with atomic_folder(out) as folder:
        info = EncoderInfo(trained.shape.window, trained.shape.pad, trained.shape.amounts)
        write_json(folder / INFO, info)
        shutil.copyfile(network / TOKENIZER, folder / TOKENIZER)
        small = folder / "encoder.int8.onnx"
        write_score_graphs(trained, folder / ENCODER, folder / HEAD)
        write_encoder_int8(folder / ENCODER, small, reduce_range=int8_saturates())
        report: dict[str, Any] = {"precision": precision, "functions": len(codes)}
        report["fp32"] = _figures(folder, codes, truths, reference)
        exact = folder / "encoder.fp32.onnx"
        (folder / ENCODER).rename(exact)
        small.rename(folder / ENCODER)
        report["int8"] = _figures(folder, codes, truths, reference)
        if precision == "fp32":
            exact.replace(folder / ENCODER)
        else:
            exact.unlink()
        _check(report)
    return report


def write_score_graphs(network: ScoreNetwork, encoder: Path, head: Path) -> None:
    """The graphs of a network, free in windows, their length, and texts."""
    import torch

    class Sums(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """A window's amounts, summed."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, tokens: torch.Tensor, nesting: torch.Tensor) -> torch.Tensor:
            return self.network.count(tokens, nesting).sum(1)

    class Head(torch.nn.Module):  # type: ignore[misc]
        """Scores of sums."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, sums: torch.Tensor) -> torch.Tensor:
            return self.network.read_off(sums)

    # Sizes that are unlike each other and unlike 1, so that none is taken for a constant or for another.
    tokens = torch.arange(3 * 7).reshape(3, 7) % network.shape.vocabulary
    windows, length, texts = (torch.export.Dim(name) for name in ("windows", "length", "texts"))
    free = {0: windows, 1: length}
    nesting = torch.zeros((*tokens.shape, len(NESTING)), dtype=tokens.dtype)
    write_graph(Sums(), {"tokens": tokens, "nesting": nesting}, (free, free), "sums", encoder)
    write_graph(Head(), {"sums": torch.ones(5, network.shape.amounts)}, ({0: texts},), "scores", head)


def _figures(folder: Path, codes: Sequence[str], truths: Sequence[float], reference: np.ndarray) -> dict[str, Any]:
    scorer = load_encoder_scorer(folder)
    scores = scorer.scores(codes)
    seconds = []
    for code in codes[:TIMED]:
        started = time.perf_counter()
        scorer.scores([code])
        seconds.append(time.perf_counter() - started)
    return {
        "bytes": (folder / ENCODER).stat().st_size,
        "mae": float(np.abs(scores - np.array(truths)).mean()),
        "largest_difference": float(np.abs(scores - reference).max()),
        "median_ms": statistics.median(seconds) * 1000,
    }


def _check(report: dict[str, Any]) -> None:
    difference = report["fp32"]["largest_difference"]
    if not difference <= FP32_BOUND:
        raise CodefitError(f"the exported encoder differs from torch's by {difference:.4f}")
    lost = report["int8"]["mae"] - report["fp32"]["mae"]
    if report["precision"] == "int8" and not lost <= INT8_BOUND:
        raise CodefitError(
            f"int8 costs {lost:.3f} of the mean absolute error, more than {INT8_BOUND}", fix="export.precision=fp32"
        )
