"""Loaded embedders: the same vectors on every backend, without torch where torch is not needed, and clear refusals."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.export.embedder import export_embedder
from codefit.files import read_json, write_json
from codefit.models import onnx_embedder
from codefit.models.embedder import load_embedder
from codefit.models.export_info import FILE, FP32, INT8, read_export_info
from codefit.models.info import read_info, write_info
from codefit.models.onnx_embedder import TOKENS_PER_BATCH, WINDOW, batches_by_length, open_encoder, rectangle
from codefit.models.words import WordWeights
from small_models import SHAPE, standard_functions, unit, write_foreign, write_static

ODD = ["", " ", "\t\n", "x", "größte Zahl", "計算 sum", "\ud800 alone", "def f(): pass"]


@pytest.fixture
def copy(static_export: Path, tmp_path: Path) -> Path:
    """An export to damage."""
    return Path(shutil.copytree(static_export, tmp_path / "copy"))


def plain(folder: Path, texts: list[str]) -> np.ndarray:
    """What the library itself gives."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(texts)


def test_texts_are_prepared_as_the_model_was_trained(static_checkpoint: Path, static_export: Path) -> None:
    info = read_info(static_checkpoint)
    codes = list(standard_functions()[:40])
    questions = ["merge sorted lists", "Merge merge merge"]
    expected_codes = plain(static_checkpoint, [info.code_text(code) for code in codes])
    expected_questions = plain(static_checkpoint, [info.query_text(question) for question in questions])
    for folder, backend in ((static_checkpoint, "torch"), (static_export, FP32)):
        embedder = load_embedder(folder, backend=backend)
        np.testing.assert_allclose(embedder.encode_codes(codes), expected_codes, atol=1e-5)
        np.testing.assert_allclose(embedder.encode_queries(questions), expected_questions, atol=1e-5)
    assert np.abs(expected_codes - plain(static_checkpoint, codes)).max() > 0.1


def test_an_encoder_gives_the_librarys_vectors(encoder_checkpoint: Path, encoder_export: Path) -> None:
    codes = [code for code in standard_functions() if code][:60]
    expected = plain(encoder_checkpoint, codes)
    exported = load_embedder(encoder_export, backend=FP32).encode_codes(codes)
    np.testing.assert_allclose(exported, expected, atol=1e-5)
    np.testing.assert_allclose(load_embedder(encoder_checkpoint).encode_codes(codes), expected, atol=1e-5)
    small = load_embedder(encoder_export, backend=INT8).encode_codes(codes)
    assert 0.98 < (small * expected).sum(axis=1).mean() < 0.9999999
    assert exported.dtype == np.float32
    assert exported.shape == (60, SHAPE.projection)


def test_a_foreign_model_keeps_its_prompts_and_special_tokens(tmp_path: Path) -> None:
    folder = write_foreign(tmp_path / "foreign", work=tmp_path / "bert")
    export_embedder(folder, tmp_path / "export", benchmark=False)
    texts = ["read a file", "def read(path): return open(path).read()", "a " * 90, ""]
    for place, backend in ((folder, "torch"), (tmp_path / "export", FP32)):
        embedder = load_embedder(place, backend=backend)
        assert embedder.info is None
        np.testing.assert_allclose(
            embedder.encode_queries(texts), unit(plain(folder, [f"search: {text}" for text in texts])), atol=1e-5
        )
        np.testing.assert_allclose(
            embedder.encode_codes(texts), unit(plain(folder, [f"code: {text}" for text in texts])), atol=1e-5
        )


@pytest.mark.parametrize("kind", ["static", "encoder"])
def test_odd_texts_are_alike_on_all_backends(kind: str, request: pytest.FixtureRequest) -> None:
    checkpoint, export = (request.getfixturevalue(f"{kind}_{what}") for what in ("checkpoint", "export"))
    reference = load_embedder(checkpoint).encode_codes(ODD)
    assert np.isfinite(reference).all()
    assert not reference[0].any()
    for backend, tolerance in ((FP32, 1e-5), (INT8, 0.05)):
        vectors = load_embedder(export, backend=backend).encode_codes(ODD)
        np.testing.assert_allclose(vectors, reference, atol=tolerance)
        assert not vectors[0].any()
        alone = load_embedder(export, backend=backend).encode_codes([""])
        np.testing.assert_array_equal(alone, np.zeros_like(reference[:1]))


def test_nothing_to_encode_gives_no_rows(static_export: Path, static_checkpoint: Path) -> None:
    assert load_embedder(static_export).encode_codes([]).shape == (0, 32)
    assert load_embedder(static_checkpoint).encode_codes([]).shape == (0, 32)


def test_a_vector_does_not_depend_on_place_or_company(encoder_export: Path) -> None:
    embedder = load_embedder(encoder_export, backend=FP32)
    codes = list(standard_functions()) * 8
    assert len(codes) > WINDOW
    vectors = embedder.encode_codes(codes)
    order = np.random.default_rng(0).permutation(len(codes))
    np.testing.assert_allclose(embedder.encode_codes([codes[i] for i in order]), vectors[order], atol=1e-5)
    np.testing.assert_allclose(embedder.encode_codes(codes[:1]), vectors[:1], atol=1e-5)


def test_no_torch_is_loaded_for_an_export(static_export: Path, encoder_export: Path) -> None:
    program = """
import sys
from pathlib import Path
from codefit.models.embedder import load_embedder
for folder in sys.argv[1:]:
    for backend in ("auto", "onnx-fp32", "onnx-int8"):
        assert load_embedder(Path(folder), backend=backend).encode_codes(["def f(): pass"]).any()
heavy = {"torch", "transformers", "sentence_transformers", "onnx", "scipy"} & set(sys.modules)
print(sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(static_export), str(encoder_export)], capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_auto_takes_the_winner_and_passes_over_what_this_machine_gets_wrong(
    encoder_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(encoder_export, tmp_path / "copy"))
    assert load_embedder(copy).backend == FP32
    write_json(copy / FILE, read_json(copy / FILE) | {"winner": INT8, "int8_full_range": True})
    monkeypatch.setattr(onnx_embedder, "int8_saturates", lambda: False)
    assert load_embedder(copy).backend == INT8
    monkeypatch.setattr(onnx_embedder, "int8_saturates", lambda: True)
    assert load_embedder(copy).backend == FP32
    with pytest.raises(InputError, match="VNNI"):
        load_embedder(copy, backend=INT8)


def test_the_hash_follows_what_decides_a_vector(static_export: Path, copy: Path, tmp_path: Path) -> None:
    first = load_embedder(static_export)
    assert load_embedder(copy).model_hash == first.model_hash
    assert load_embedder(copy, backend=INT8).model_hash != first.model_hash
    info = read_info(copy)
    write_info(copy, msgspec.structs.replace(info, metrics={"mrr@10": 0.5}))
    assert load_embedder(copy).model_hash == first.model_hash
    write_info(copy, msgspec.structs.replace(info, words=WordWeights(repeat=3)))
    assert load_embedder(copy).model_hash != first.model_hash


def test_the_weight_is_the_models_own(static_export: Path, static_checkpoint: Path) -> None:
    assert load_embedder(static_export).model_weight == 0.6
    assert load_embedder(static_checkpoint).model_weight == 0.6


def test_a_run_is_a_model_too(static_export: Path, static_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(static_checkpoint, tmp_path / "run" / "model")
    assert load_embedder(tmp_path / "run").backend == "torch"
    shutil.copytree(static_export, tmp_path / "run" / "export")
    assert load_embedder(tmp_path / "run").backend == FP32


def test_a_long_text_is_cut_alike(tmp_path: Path) -> None:
    folder = write_static(tmp_path / "static", words=None)
    write_info(folder, msgspec.structs.replace(read_info(folder), max_tokens=50))
    export_embedder(folder, tmp_path / "export", benchmark=False)
    text = " ".join(standard_functions())
    vectors = [load_embedder(place).encode_codes([text]) for place in (folder, tmp_path / "export")]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    assert np.abs(vectors[0] - plain(folder, [text])).max() > 0.01


def cut_off(folder: Path) -> None:
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])


def scrambled(folder: Path) -> None:
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(b"\xff" * 200 + data[200:])


def other_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace("<|pad|>", "<|pud|>"))


def other_tokenizer_without_info(folder: Path) -> None:
    (folder / "codefit.json").unlink()
    other_tokenizer(folder)


def larger_tokenizer(folder: Path) -> None:
    write_json(folder / FILE, read_json(folder / FILE) | {"vocab_size": 10})


def wrong_dimension(folder: Path) -> None:
    write_info(folder, msgspec.structs.replace(read_info(folder), dimensions=7))


def wrong_dimension_in_both(folder: Path) -> None:
    wrong_dimension(folder)
    write_json(folder / FILE, read_json(folder / FILE) | {"dimensions": 7})


def newer_format(folder: Path) -> None:
    write_json(folder / FILE, read_json(folder / FILE) | {"format": 2})


DAMAGE = {
    cut_off: "cut off",
    scrambled: "onnxruntime cannot load it",
    other_tokenizer: "tokenizer.json is not the one",
    other_tokenizer_without_info: "tokenizer.json is not the one",
    larger_tokenizer: "the tokenizer has 1,000 tokens, the model 10",
    wrong_dimension: "7 dimensions",
    wrong_dimension_in_both: "dimensions",
    newer_format: "format 2",
    lambda folder: (folder / "model.onnx").unlink(): "missing",
    lambda folder: (folder / "tokenizer.json").unlink(): "tokenizer.json is missing",
    lambda folder: (folder / FILE).write_text("{"): "not an export's codefit-export.json",
    lambda folder: (folder / "codefit.json").write_text("[]"): "not a model's codefit.json",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_a_one_line_error(damage: object, copy: Path) -> None:
    damage(copy)  # type: ignore[operator]
    with pytest.raises(InputError, match=DAMAGE[damage]) as caught:  # type: ignore[index]
        load_embedder(copy, backend=FP32)
    assert "\n" not in caught.value.line()
    assert str(copy) in caught.value.line()


def test_a_graph_of_another_kind_is_refused(copy: Path) -> None:
    import onnx

    model = onnx.load(copy / "model.onnx")
    onnx.compose.add_prefix(model, "other_", inplace=True)
    onnx.save(model, str(copy / "model.onnx"))
    info = read_export_info(copy)
    size = (copy / "model.onnx").stat().st_size
    write_json(copy / FILE, msgspec.to_builtins(msgspec.structs.replace(info, bytes=info.bytes | {FP32: size})))
    with pytest.raises(InputError, match="not a graph from input_ids"):
        load_embedder(copy, backend=FP32)


@pytest.mark.parametrize(
    ("name", "message"), [("absent", "no such folder"), ("file", "not a folder"), ("empty", "holds no model")]
)
def test_what_is_no_model_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        load_embedder(tmp_path / name)


def test_a_backend_must_be_there(static_checkpoint: Path, static_export: Path) -> None:
    with pytest.raises(InputError, match="no backend is called 'onyx'"):
        load_embedder(static_export, backend="onyx")
    with pytest.raises(InputError, match="has no 'torch'"):
        load_embedder(static_export, backend="torch")
    with pytest.raises(InputError, match="embed export"):
        load_embedder(static_checkpoint, backend=FP32)


def test_a_broken_checkpoint_is_a_one_line_error(encoder_checkpoint: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(encoder_checkpoint, tmp_path / "copy"))
    data = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[:1000])
    with pytest.raises(InputError, match="sentence-transformers cannot load it"):
        load_embedder(copy)


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(1, 2000))
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = [list(map(int, rows)) for rows in batches_by_length(lengths, budget)]
    assert sorted(row for rows in batches for row in rows) == [row for row, length in enumerate(lengths) if length]
    for rows in batches:
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= budget
    assert len({0, *map(len, batches)}) - 1 <= len(batches)


def test_little_of_a_batch_is_padding(static_export: Path) -> None:
    encoder = open_encoder(static_export, read_export_info(static_export), FP32)
    lengths = [len(ids) for ids, _ in encoder.tokenize(standard_functions())]
    padded = sum(len(rows) * lengths[rows[0]] for rows in batches_by_length(lengths, TOKENS_PER_BATCH["static"]))
    assert sum(lengths) <= padded < 1.6 * sum(lengths)


def test_a_rectangle_is_padded_on_the_right() -> None:
    ids, mask = rectangle([([5, 6, 7], None), ([8], None)], pad_id=3)
    assert ids.tolist() == [[5, 6, 7], [8, 3, 3]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64
    ids, mask = rectangle([([5, 6, 7], [1, 4, 2]), ([8], [9])], pad_id=3)
    assert ids.tolist() == [[5, 6, 7], [8, 3, 3]]
    assert mask.tolist() == [[1, 4, 2], [9, 0, 0]]
