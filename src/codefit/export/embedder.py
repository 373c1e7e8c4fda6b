"""Export an embedding model: a checkpoint's folder in, a folder that onnxruntime alone can run out, checked before."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codefit.errors import InputError
from codefit.export.benchmark import Call, batch_of_ids, fastest, onnx_call, run_in_turns, torch_call
from codefit.export.onnx_graph import check_exportable, write_encoder_graph, write_encoder_int8, write_static_graphs
from codefit.export.parity import check_numbers, compare_fp32, compare_int8, parity_texts
from codefit.files import atomic_folder, check_writable, hash_file
from codefit.models import info as model_info
from codefit.models.embedder import prompts_of
from codefit.models.export_info import FP32, INT8, TORCH, ExportInfo, read_export_info, write_export_info
from codefit.models.info import ModelInfo, read_info
from codefit.models.onnx_embedder import OnnxEncoder, open_encoder
from codefit.models.processor import int8_saturates
from codefit.models.torch_embedder import STATIC_TOKENS, TorchEncoder, is_static, open_sentence_transformer
from codefit.progress import say

FILES: Mapping[str, str] = {FP32: "model.onnx", INT8: "model.int8.onnx"}
DEFAULT_BATCH_SIZE = 16
DEFAULT_SEQ_LEN = 128


@dataclass(frozen=True, slots=True)
class _Source:
    """The checkpoint: the library's model, codefit's own file of it where there is one, and what it reads and gives."""

    folder: Path
    model: Any
    own: ModelInfo | None
    max_tokens: int
    dimensions: int


def export_embedder(
    checkpoint: Path,
    output: Path,
    *,
    benchmark: bool,
    batch_size: int = DEFAULT_BATCH_SIZE,
    seq_len: int = DEFAULT_SEQ_LEN,
) -> dict[str, Any]:
    """Write `checkpoint` (a sentence-transformers folder) as ONNX to `output`; what stands in codefit-export.json.

    Vectors are compared with torch's on texts, from text to vector, before `output` appears: `CodefitError` where they
    differ, and nothing is written. With `benchmark` the fastest ONNX file on this machine is the winner, which `auto`
    loads; without, it is fp32, since nothing was measured and it is the exact one. A model with fewer tokens than
    `seq_len` is timed at its own length.
    """
    check_writable(output)
    if output.exists() and checkpoint.resolve().is_relative_to(output.resolve()):
        raise InputError("the output would replace the checkpoint", where=str(output), fix="choose another --output")
    source = _open(checkpoint)
    texts = parity_texts(source.max_tokens)
    reference = TorchEncoder(source.model, source.dimensions).encode(texts)
    check_numbers(reference, texts, str(checkpoint))
    with atomic_folder(output) as folder:
        info = _write(source, folder)
        encoders = {backend: open_encoder(folder, info, backend) for backend in info.files}
        parity = {
            "fp32": compare_fp32(reference, encoders[FP32].encode(texts), str(checkpoint)),
            "int8": compare_int8(reference, encoders[INT8].encode(texts), str(checkpoint)),
        }
        info = msgspec.structs.replace(info, parity=parity)
        if benchmark:
            measured = _time(source, encoders, info, batch_size, seq_len)
            info = msgspec.structs.replace(info, benchmark=measured, winner=fastest(measured, info.files))
        write_export_info(folder, info)
    result: dict[str, Any] = msgspec.to_builtins(info)
    return result


def _open(checkpoint: Path) -> _Source:
    own = read_info(checkpoint) if (checkpoint / model_info.FILE).exists() else None
    # Attention as plain products: a graph that onnxruntime knows how to fuse and to quantize.
    model = open_sentence_transformer(
        checkpoint, device="cpu", max_tokens=own.max_tokens if own else None, attention="eager"
    )
    check_exportable(model, checkpoint)
    dimensions = int(model.encode(["x"], show_progress_bar=False).shape[1])
    static_tokens = own.max_tokens if own else STATIC_TOKENS
    max_tokens = static_tokens if is_static(model) else int(model.max_seq_length)
    return _Source(checkpoint, model, own, max_tokens, dimensions)


def _write(source: _Source, folder: Path) -> ExportInfo:
    """The graphs, the tokenizer and codefit.json; what is known before anything is measured."""
    static = is_static(source.model)
    full_range = not static and not int8_saturates()
    if static:
        table = source.model[0].embedding.weight.detach().cpu().numpy().astype(np.float32)
        write_static_graphs(table, folder / FILES[FP32], folder / FILES[INT8])
        vocab_size, pad_id = len(table), 0
        tokenizer = source.model[0].tokenizer
    else:
        vocab_size = int(source.model[0].auto_model.config.vocab_size)
        write_encoder_graph(source.model, folder / FILES[FP32], vocab_size)
        write_encoder_int8(folder / FILES[FP32], folder / FILES[INT8], reduce_range=not full_range)
        pad_id = int(source.model.tokenizer.pad_token_id or 0)
        tokenizer = source.model.tokenizer.backend_tokenizer
    _write_tokenizer(source, tokenizer, folder)
    query_prompt, code_prompt = prompts_of(source.model)
    return ExportInfo(
        kind="static" if static else "encoder",
        dimensions=source.dimensions,
        max_tokens=source.max_tokens,
        vocab_size=vocab_size,
        tokenizer_sha256=hash_file(folder / "tokenizer.json"),
        special_tokens=not static,
        pad_id=pad_id,
        query_prompt=query_prompt,
        code_prompt=code_prompt,
        int8_full_range=full_range,
        files=dict(FILES),
        bytes={backend: (folder / name).stat().st_size for backend, name in FILES.items()},
    )


def _write_tokenizer(source: _Source, tokenizer: Any, folder: Path) -> None:
    """The tokenizer as the library uses it; a codefit model's own file as it is, since codefit.json names its hash."""
    from tokenizers import Tokenizer

    if source.own is not None:
        for name in ("tokenizer.json", model_info.FILE):
            shutil.copyfile(source.folder / name, folder / name)
    else:
        # A copy: the model in torch is asked for more vectors, with the length that its own tokenizer is set to.
        copy = Tokenizer.from_str(tokenizer.to_str())
        copy.no_padding()
        copy.no_truncation()
        copy.save(str(folder / "tokenizer.json"))


def _time(
    source: _Source, encoders: Mapping[str, OnnxEncoder], info: ExportInfo, batch_size: int, seq_len: int
) -> dict[str, Any]:
    tokens = min(seq_len, info.max_tokens)
    if tokens < seq_len:
        say(f"the model reads at most {tokens} tokens: timed at that, not at {seq_len}")
    ids, mask = batch_of_ids(info.vocab_size, batch_size, tokens)
    # The checkpoint as the library loads it: its own choice of attention.
    model = open_sentence_transformer(source.folder, device="cpu")
    calls: dict[str, Call] = {TORCH: torch_call(model, ids, mask, static=info.kind == "static")}
    calls |= {backend: onnx_call(encoder, ids, mask) for backend, encoder in encoders.items()}
    return run_in_turns(calls, batch_size, tokens)


def bench_embedder(
    folder: Path, *, batch_size: int = DEFAULT_BATCH_SIZE, seq_len: int = DEFAULT_SEQ_LEN
) -> dict[str, Any]:
    """Time an export's files on this machine, without torch: as the benchmark in codefit-export.json, and `winner`."""
    info = read_export_info(folder)
    tokens = min(seq_len, info.max_tokens)
    ids, mask = batch_of_ids(info.vocab_size, batch_size, tokens)
    calls: dict[str, Call] = {
        backend: onnx_call(open_encoder(folder, info, backend), ids, mask) for backend in info.files
    }
    measured = run_in_turns(calls, batch_size, tokens)
    return {**measured, "winner": fastest(measured, info.files)}
