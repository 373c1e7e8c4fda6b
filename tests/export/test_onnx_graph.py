"""The graphs by themselves: a table's against numpy, and what memory a session keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import psutil
import pytest

from codefit.export.onnx_graph import write_static_graphs
from codefit.models.export_info import FP32, read_export_info
from codefit.models.onnx_embedder import open_session


@pytest.fixture
def table() -> np.ndarray:
    """Rows of very different lengths, one of them zero."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((50, 16)) * 10.0 ** rng.uniform(-3, 3, (50, 1))
    rows[7] = 0
    return rows.astype(np.float32)


def test_a_static_graph_is_the_unit_vector_of_the_masked_sum(table: np.ndarray, tmp_path: Path) -> None:
    write_static_graphs(table, tmp_path / "fp32.onnx", tmp_path / "int8.onnx")
    rng = np.random.default_rng(4)
    ids = rng.integers(0, 50, (9, 6))
    ids[0] = 7
    mask = rng.integers(0, 2, (9, 6))
    mask[:, 0] = 1
    summed = (table[ids].astype(np.float64) * mask[:, :, None]).sum(axis=1)
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    expected = summed / np.maximum(lengths, 1e-12)
    for name, tolerance in (("fp32", 1e-6), ("int8", 0.02)):
        session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"))
        (vectors,) = session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})
        np.testing.assert_allclose(vectors, expected, atol=tolerance)
        assert not vectors[0].any()


def test_a_session_gives_the_memory_of_a_batch_back(static_export: Path) -> None:
    session = open_session(static_export, read_export_info(static_export), FP32)
    process = psutil.Process()

    def run(tokens: int) -> None:
        ids = np.zeros((64, tokens), dtype=np.int64)
        session.run(["embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})

    run(100)
    before = process.memory_info().rss
    # Rows of 32 numbers for 64 texts of 20,000 tokens: 164 MB, which onnxruntime's arena would keep.
    run(20_000)
    assert process.memory_info().rss - before < 50_000_000
