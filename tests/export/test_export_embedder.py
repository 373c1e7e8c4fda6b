"""An export: what is in it, that it is proved before it is written, and that nothing is left of one that fails."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codefit.errors import CodefitError, InputError
from codefit.export import benchmark, onnx_graph, parity
from codefit.export import embedder as export_module
from codefit.export.embedder import bench_embedder, export_embedder
from codefit.files import read_json
from codefit.models.embedder import load_embedder
from codefit.models.export_info import FP32, INT8, TORCH, read_export_info
from small_models import SHAPE, STATIC_DIMENSIONS, write_foreign

FILES = {"model.onnx", "model.int8.onnx", "tokenizer.json", "codefit.json", "codefit-export.json"}


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A function that copies a checkpoint, to be broken."""
    return lambda checkpoint: Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))


def change_weights(checkpoint: Path, change: Callable[[dict[str, np.ndarray]], None], part: str = "") -> None:
    """Apply `change` to the arrays of one of the checkpoint's weight files."""
    from safetensors.numpy import load_file, save_file

    file = checkpoint / part / "model.safetensors"
    weights = {name: array.copy() for name, array in load_file(file).items()}
    change(weights)
    save_file(weights, file)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(("kind", "dimensions"), [("static", STATIC_DIMENSIONS), ("encoder", SHAPE.projection)])
def test_an_export_is_whole_and_says_what_it_is(kind: str, dimensions: int, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(f"{kind}_export")
    assert names(folder) == FILES
    said = read_json(folder / "codefit-export.json")
    assert (said["format"], said["kind"], said["dimensions"]) == (1, kind, dimensions)
    assert said["files"] == {"onnx-fp32": "model.onnx", "onnx-int8": "model.int8.onnx"}
    assert said["bytes"] == {backend: (folder / name).stat().st_size for backend, name in said["files"].items()}
    assert said["parity"]["fp32"]["max_abs"] <= 1e-4
    assert said["parity"]["fp32"]["min_cosine"] >= 0.9999
    assert 0.98 <= said["parity"]["int8"]["mean_cosine"] < 1
    assert said["parity"]["fp32"]["texts"] == len(parity.parity_texts(100))
    assert (said["benchmark"], said["winner"]) == (None, FP32)
    assert (folder / "codefit.json").read_bytes() == (folder.parent / kind / "codefit.json").read_bytes()


@pytest.mark.parametrize("kind", ["static", "encoder"])
def test_the_graph_goes_from_ids_to_the_unit_vector(kind: str, request: pytest.FixtureRequest) -> None:
    import onnx
    import onnxruntime

    folder = request.getfixturevalue(f"{kind}_export")
    for name in ("model.onnx", "model.int8.onnx"):
        onnx.checker.check_model(str(folder / name))
        model = onnx.load(folder / name)
        assert all(opset.version >= 17 for opset in model.opset_import if opset.domain == "")
        session = onnxruntime.InferenceSession(str(folder / name))
        assert {each.name: (each.type, each.shape) for each in session.get_inputs()} == {
            "input_ids": ("tensor(int64)", ["batch", "tokens"]),
            "attention_mask": ("tensor(int64)", ["batch", "tokens"]),
        }
        for batch, tokens in ((1, 1), (5, 17)):
            ids = np.random.default_rng(0).integers(1, 900, (batch, tokens))
            mask = np.ones_like(ids)
            mask[0, tokens // 2 + 1 :] = 0
            (vectors,) = session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
            # What the mask leaves out counts for nothing (in int8 it may shift the scale of the activations).
            changed = np.where(mask, ids, 1)
            (again,) = session.run(["embedding"], {"input_ids": changed, "attention_mask": mask})
            np.testing.assert_allclose(again, vectors, atol=0.02 if name == "model.int8.onnx" else 1e-6)


def test_int8_takes_a_quarter_of_the_table(static_export: Path) -> None:
    bytes_of = read_export_info(static_export).bytes
    # A scale of 4 bytes for each row of 32 numbers.
    assert 0.25 < bytes_of[INT8] / bytes_of[FP32] < 0.31


def test_weights_keep_to_7_bits_where_products_saturate(
    encoder_checkpoint: Path, encoder_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnx
    from onnx import numpy_helper

    def extremes(folder: Path) -> tuple[int, int]:
        weights = [
            numpy_helper.to_array(each)
            for each in onnx.load(folder / "model.int8.onnx").graph.initializer
            if each.data_type == onnx.TensorProto.INT8 and each.name.endswith("_quantized") and len(each.dims) == 2
        ]
        # The tables that rows are taken from are multiplied by nothing: those of products alone, (in, out).
        products = [w for w in weights if w.shape[0] in (SHAPE.hidden, SHAPE.ffn)]
        assert len(products) >= 6 * SHAPE.layers
        return min(int(w.min()) for w in products), max(int(w.max()) for w in products)

    # The slowest step gives the same each time.
    graph = encoder_export / "model.onnx"
    monkeypatch.setattr(export_module, "write_encoder_graph", lambda model, path, size: shutil.copyfile(graph, path))
    for saturates, limit in ((True, 64), (False, 128)):
        monkeypatch.setattr(export_module, "int8_saturates", lambda answer=saturates: answer)
        export_embedder(encoder_checkpoint, tmp_path / str(saturates), benchmark=False)
        low, high = extremes(tmp_path / str(saturates))
        assert limit / 2 < max(-low, high) <= limit
        assert read_export_info(tmp_path / str(saturates)).int8_full_range is not saturates


@pytest.mark.parametrize("kind", ["static", "encoder"])
def test_the_benchmark_names_the_fastest_file(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "SECONDS", 0.0)
    if kind == "encoder":
        graph = request.getfixturevalue("encoder_export") / "model.onnx"
        monkeypatch.setattr(export_module, "write_encoder_graph", lambda _, path, size: shutil.copyfile(graph, path))
    checkpoint = request.getfixturevalue(f"{kind}_checkpoint")
    result = export_embedder(checkpoint, tmp_path / "out", benchmark=True, batch_size=3, seq_len=60)
    assert result == read_json(tmp_path / "out" / "codefit-export.json")
    measured = result["benchmark"]
    # The encoder reads 48 tokens at most.
    assert (measured["batch_size"], measured["seq_len"]) == (3, 48 if kind == "encoder" else 60)
    assert measured["rounds"] == benchmark.MIN_ROUNDS
    assert [row["backend"] for row in measured["rows"]] == [TORCH, FP32, INT8]
    for row in measured["rows"]:
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["texts_per_second"] == pytest.approx(3 / row["p50_ms"] * 1000)
    best = min(measured["rows"][1:], key=lambda row: row["p50_ms"])
    assert result["winner"] == best["backend"] == load_embedder(tmp_path / "out").backend
    assert measured["machine"]["cores"] >= 1


def test_an_export_is_timed_without_torch_too(static_export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SECONDS", 0.0)
    measured = bench_embedder(static_export, batch_size=2, seq_len=8)
    assert [row["backend"] for row in measured["rows"]] == [FP32, INT8]
    assert measured["winner"] in (FP32, INT8)


def test_weights_that_are_no_numbers_are_refused(
    static_checkpoint: Path, copy_of: Callable[[Path], Path], tmp_path: Path
) -> None:
    checkpoint = copy_of(static_checkpoint)
    change_weights(checkpoint, lambda weights: weights["embedding.weight"].__setitem__((slice(300, 400), 0), np.nan))
    with pytest.raises(CodefitError, match="vectors that are no numbers"):
        export_embedder(checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == {"checkpoint"}


def test_a_graph_that_computes_something_else_is_refused(
    static_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = onnx_graph.write_static_graphs
    monkeypatch.setattr(export_module, "write_static_graphs", lambda table, *files: whole(table[::-1].copy(), *files))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("an earlier export")
    with pytest.raises(CodefitError, match=r"other vectors than torch.*nothing was written"):
        export_embedder(static_checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == {"out"}
    assert names(tmp_path / "out") == {"kept"}


def test_an_encoder_that_8_bits_break_is_refused(
    encoder_checkpoint: Path, copy_of: Callable[[Path], Path], tmp_path: Path
) -> None:
    checkpoint = copy_of(encoder_checkpoint)

    def one_huge_state(weights: dict[str, np.ndarray]) -> None:
        name = next(name for name in weights if name.endswith("layer.1.output.LayerNorm.weight"))
        weights[name][0] = 1e6

    change_weights(checkpoint, one_huge_state)
    # The projection does not look at that state: in float32 nothing is lost, in 8 bits everything beside it.
    change_weights(checkpoint, lambda weights: weights["linear.weight"].__setitem__((slice(None), 0), 0), "2_Dense")
    with pytest.raises(CodefitError, match=r"int8 changes the model: mean cosine.*nothing was written"):
        export_embedder(checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == {"checkpoint"}


def test_parity_of_int8_is_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 8)).astype(np.float32)
    assert parity.compare_int8(vectors, vectors, "m")["mean_cosine"] == pytest.approx(1)
    other = vectors.copy()
    other[:2] *= -1
    with pytest.raises(CodefitError, match=r"mean cosine 0\.9200"):
        parity.compare_int8(vectors, other, "m")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1.01])
def test_parity_of_fp32_is_of_every_number(bad: float) -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert parity.compare_fp32(vectors, vectors, "m") == {"texts": 4, "max_abs": 0.0, "min_cosine": 1.0}
    other = vectors.copy()
    other[2, 2] = bad
    with np.errstate(invalid="ignore"), pytest.raises(CodefitError, match="other vectors than torch"):
        parity.compare_fp32(vectors, other, "m")


def test_zero_vectors_are_alike_and_unlike_others() -> None:
    zero, one = np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)
    assert parity.cosines(zero, zero).tolist() == [1]
    assert parity.cosines(zero, one).tolist() == [0]


def test_parity_texts_are_varied() -> None:
    texts = parity.parity_texts(256)
    assert len(set(texts)) == len(texts)
    lengths = sorted(len(text) for text in texts)
    assert lengths[0] == 0
    assert lengths[-1] > 256 * 5
    assert sum(not text.isascii() for text in texts) >= 4
    assert sum(text.startswith("def ") for text in texts) >= 40
    spread = [len(text) for text in texts if text.startswith("def ")]
    assert min(spread) < 120
    assert max(spread) > 2000


@pytest.mark.parametrize("pooling", ["max", ("cls", "mean")])
def test_another_pooling_is_refused(pooling: str, tmp_path: Path) -> None:
    folder = write_foreign(tmp_path / "foreign", pooling=pooling, work=tmp_path / "bert")
    with pytest.raises(InputError, match="pools by"):
        export_embedder(folder, tmp_path / "out", benchmark=False)
    assert not (tmp_path / "out").exists()


def test_other_modules_are_refused(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    SentenceTransformer(modules=[BoW(["read", "write"])], device="cpu").save(str(tmp_path / "bow"))
    with pytest.raises(InputError, match="cannot export a model of BoW"):
        export_embedder(tmp_path / "bow", tmp_path / "out", benchmark=False)


def test_the_output_must_be_a_folder_that_can_be_written(
    static_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="a file stands where a folder is needed"):
        export_embedder(static_checkpoint, tmp_path / "file", benchmark=False)
    assert (tmp_path / "file").read_text() == "x"
    # Permissions stop no tests that run as root: the answer of the system is given.
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(CodefitError, match="cannot be written to"):
        export_embedder(static_checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == {"file"}


def test_a_full_disk_leaves_nothing(static_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export_module, "write_export_info", full)
    with pytest.raises(OSError, match="No space"):
        export_embedder(static_checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == set()


def test_a_checkpoint_is_not_replaced_by_its_export(static_checkpoint: Path) -> None:
    for output in (static_checkpoint, static_checkpoint.parent):
        with pytest.raises(InputError, match="would replace the checkpoint"):
            export_embedder(static_checkpoint, output, benchmark=False)
    assert (static_checkpoint / "model.safetensors").exists()


def test_a_checkpoint_that_is_none_or_cut_off_is_refused(
    encoder_checkpoint: Path, static_export: Path, copy_of: Callable[[Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"modules\.json"):
        export_embedder(static_export, tmp_path / "out", benchmark=False)
    checkpoint = copy_of(encoder_checkpoint)
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot load it"):
        export_embedder(checkpoint, tmp_path / "out", benchmark=False)
    other = (checkpoint / "tokenizer.json").read_text()
    (checkpoint / "tokenizer.json").write_text(other + "\n")
    with pytest.raises(InputError, match=r"tokenizer\.json is not the one"):
        export_embedder(checkpoint, tmp_path / "out", benchmark=False)
    assert names(tmp_path) == {"checkpoint"}
