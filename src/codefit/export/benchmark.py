"""How long a batch of ids takes, by backend: one after the other in turns, so that a busy moment hits all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.models.onnx_embedder import OnnxEncoder
from codefit.models.processor import describe_machine

IdArray = npt.NDArray[np.int64]
Call = Callable[[], object]

WARM_UP = 2  # calls of each backend that are not counted: memory is claimed, caches fill
MIN_ROUNDS = 20  # the fewest from which a 95th percentile can be read
MAX_ROUNDS = 200
SECONDS = 10.0  # after which no more rounds than `MIN_ROUNDS` are run


def batch_of_ids(vocab_size: int, batch_size: int, tokens: int) -> tuple[IdArray, IdArray]:
    """Ids drawn over the whole vocabulary and a mask without padding, both (batch_size, tokens)."""
    ids = np.random.default_rng(0).integers(0, vocab_size, size=(batch_size, tokens), dtype=np.int64)
    return ids, np.ones_like(ids)


def run_in_turns(calls: Mapping[str, Call], batch_size: int, seq_len: int) -> dict[str, Any]:
    """Times of each backend's call on its batch: `{"batch_size", "seq_len", "machine", "rounds", "rows": [...]}`."""
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    started = time.perf_counter()
    order, rounds = list(calls), 0
    while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and time.perf_counter() - started < SECONDS):
        names = order if rounds % 2 == 0 else order[::-1]
        for name in names:
            before = time.perf_counter()
            calls[name]()
            seconds[name].append(time.perf_counter() - before)
        rounds += 1
    rows = [_row(name, np.array(values), batch_size) for name, values in seconds.items()]
    return {
        "batch_size": batch_size,
        "seq_len": seq_len,
        "machine": describe_machine(),
        "rounds": rounds,
        "rows": rows,
    }


def _row(backend: str, seconds: npt.NDArray[np.float64], batch_size: int) -> dict[str, Any]:
    p50, p95 = np.percentile(seconds, [50, 95])
    return {
        "backend": backend,
        "p50_ms": float(p50) * 1000,
        "p95_ms": float(p95) * 1000,
        "texts_per_second": batch_size / float(p50),
    }


def onnx_call(encoder: OnnxEncoder, ids: IdArray, mask: IdArray) -> Call:
    """A call of the exported graph."""
    return lambda: encoder.run(ids, mask)


def torch_call(model: Any, ids: IdArray, mask: IdArray, *, static: bool) -> Call:
    """A call of the `SentenceTransformer` on the same ids, without its tokenizer."""
    import torch

    ids_t, mask_t = torch.from_numpy(ids).to(model.device), torch.from_numpy(mask).to(model.device)
    offsets = torch.arange(len(ids), device=model.device) * ids.shape[1]

    def call() -> object:
        # The modules write into what they are given.
        features = (
            {"input_ids": ids_t.flatten(), "offsets": offsets}
            if static
            else {"input_ids": ids_t, "attention_mask": mask_t}
        )
        with torch.inference_mode():
            return model(features)["sentence_embedding"].cpu()

    return call


def fastest(benchmark: Mapping[str, Any], among: Mapping[str, Any]) -> str:
    """The backend of `among` with the lowest median."""
    rows = [row for row in benchmark["rows"] if row["backend"] in among]
    name: str = min(rows, key=lambda row: row["p50_ms"])["backend"]
    return name
