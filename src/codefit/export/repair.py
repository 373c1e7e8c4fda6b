"""Export a ranker of repairs: one ONNX graph from a list's arrays to its scores, checked, beside what proposes repairs.

Inputs are those of `codefit.tasks.repairs.ranking.RankingArrays` of one list; output `scores`, float32 (candidates,).
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError
from codefit.evaluate.ranking import rank_of
from codefit.export.onnx_graph import write_encoder_int8, write_graph
from codefit.files import atomic_folder, check_writable
from codefit.models.processor import int8_saturates
from codefit.models.repair import EDITS, NGRAMS, RANKER, load_repair_model, save_name_weights
from codefit.tasks.repairs.ranking import RankingList, to_arrays

FP32_BOUND = 1e-3  # of a score's difference: scores are compared by softmax, in which that is a thousandth
INT8_BOUND = 0.01  # of the mean reciprocal rank that quantization may cost
TIMED = 50  # lists
Scores = list[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Form:
    """A graph's scores of the lists and the seconds that each took."""

    scores: Scores
    seconds: list[float]
    bytes: int


def export_repair_model(
    proposer: Path,
    ranker: Path,
    lists: Sequence[RankingList],
    out: Path,
    *,
    precision: str,
    name_weights: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Write the model's folder `out` from a proposer's and a trained ranker's; what was measured.

    Scores of the graph are held against torch's on the lists: `CodefitError` where they differ by more than a
    thousandth, or where int8 ranks worse by more than a hundredth of the mean reciprocal rank.
    """
    from codefit.train.ranker import score_lists

    check_writable(out)
    looked_at = [one for one in lists if len(one.edits) > 1]
    with atomic_folder(out) as folder:
        for name in (NGRAMS, EDITS):
            shutil.copyfile(proposer / name, folder / name)
        if name_weights is not None:
            save_name_weights(name_weights, folder)
        exact, small = folder / "ranker.fp32.onnx", folder / "ranker.int8.onnx"
        write_ranker_graph(ranker, looked_at[0], exact)
        write_encoder_int8(exact, small, reduce_range=int8_saturates())
        reference = score_lists(ranker, looked_at)
        forms = {"fp32": _run(exact, looked_at), "int8": _run(small, looked_at)}
        report = {
            "precision": precision,
            "lists": len(looked_at),
            "largest_difference": _difference(reference, forms["fp32"].scores),
            **{name: _figures(form, looked_at) for name, form in forms.items()},
        }
        _check(report)
        (exact if precision == "fp32" else small).rename(folder / RANKER)
        (small if precision == "fp32" else exact).unlink()
    return report


def write_ranker_graph(ranker: Path, example: RankingList, path: Path) -> None:
    """The graph of a folder's `RepairRanker`, for one list at a time; `example` is a list to trace it with."""
    import torch

    from codefit.models.ranker import RankingBatch, RepairRanker, load_network, read_shape

    network = RepairRanker(read_shape(ranker)).eval()
    load_network(network, ranker)

    class Graph(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """The network, with the arrays one by one."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
            return self.network(RankingBatch(*arrays))

    arrays = to_arrays([example])._asdict()
    length, edits, candidates = (torch.export.Dim(name) for name in ("length", "edits", "candidates"))
    dynamic = ({1: length}, {1: length}, *({0: edits},) * 4, {0: candidates}, {0: candidates})
    inputs = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    write_graph(Graph(), inputs, (dynamic,), "scores", path)


def _run(graph: Path, lists: Sequence[RankingList]) -> _Form:
    model = replace(load_repair_model(graph.parent), ranker=graph)
    scores, seconds = [], []
    model.score(lists[0])  # loads it
    for number, one in enumerate(lists):
        started = time.perf_counter()
        scores.append(model.score(one))
        if number < TIMED:
            seconds.append(time.perf_counter() - started)
    return _Form(scores, seconds, graph.stat().st_size)


def _difference(reference: Scores, scores: Scores) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(reference, scores, strict=True))


def _figures(form: _Form, lists: Sequence[RankingList]) -> dict[str, Any]:
    ranks = np.array([rank_of(own, one.truth) for own, one in zip(form.scores, lists, strict=True)])
    return {
        "bytes": form.bytes,
        "mrr": float((1 / ranks).mean()),
        "p@1": float((ranks <= 1).mean()),
        "median_ms": statistics.median(form.seconds) * 1000,
    }


def _check(report: dict[str, Any]) -> None:
    if not report["largest_difference"] <= FP32_BOUND:
        raise CodefitError(f"the exported ranker differs from torch's by {report['largest_difference']:.4f}")
    lost = report["fp32"]["mrr"] - report["int8"]["mrr"]
    if report["precision"] == "int8" and lost > INT8_BOUND:
        raise CodefitError(
            f"int8 costs {lost:.3f} of the mean reciprocal rank, more than {INT8_BOUND}", fix="export.precision=fp32"
        )
