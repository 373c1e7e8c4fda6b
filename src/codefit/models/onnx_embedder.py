"""Encoding with an exported model: onnxruntime and tokenizers, no torch.

Texts are tokenized a window at a time by the tokenizer's own threads while the window before it is encoded. Within a
window batches are filled in order of length up to a budget of tokens, so that little is padding and the memory of a
batch does not depend on its longest text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.files import hash_file
from codefit.models.export_info import FP32, INT8, ExportInfo
from codefit.models.piece_tokens import PieceTokens
from codefit.models.processor import int8_saturates, physical_cores
from codefit.models.tokenizer import encode_ids, load_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]
IdArray = npt.NDArray[np.int64]
Tokens = tuple[list[int], list[int] | None]  # ids of a text, and how much each counts (None: 1)
TokensOf = Callable[[Sequence[str]], Sequence[Tokens]]

WINDOW = 1024  # texts that are tokenized and sorted together: padding is then below a tenth, ids take a few megabytes
# Tokens of a batch, padding counted. A table's rows and an encoder's activations stay near the processor's caches;
# twice as many were slower, half as many no faster.
TOKENS_PER_BATCH = {"static": 4096, "encoder": 2048}


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """Texts to unit vectors by a graph from `input_ids` and `attention_mask` to `embedding`."""

    session: Any
    tokenizer: Tokenizer
    dimensions: int
    special_tokens: bool
    pad_id: int
    tokens_per_batch: int
    max_tokens: int
    adds_rows: bool
    pieces: PieceTokens

    def encode(
        self,
        texts: Sequence[str],
        advance: Callable[[int], None] = lambda _: None,
        tokens_of: TokensOf | None = None,
    ) -> FloatArray:
        """Unit vectors (texts, d); a text without tokens is the zero vector. `advance` is told of texts done.

        `tokens_of` gives ids and their weights in place of the tokenizer: a table's graph adds each row up as often.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        tokenize = tokens_of or self.tokenize
        with ThreadPoolExecutor(1) as ahead:
            windows = range(0, len(texts), WINDOW)
            waiting = ahead.submit(tokenize, texts[:WINDOW])
            for start in windows:
                tokens = waiting.result()
                waiting = ahead.submit(tokenize, texts[start + WINDOW : start + 2 * WINDOW])
                for rows in batches_by_length([len(ids) for ids, _ in tokens], self.tokens_per_batch):
                    vectors[start + rows] = self.run(*rectangle([tokens[row] for row in rows], self.pad_id))
                    advance(len(rows))
                advance(sum(not ids for ids, _ in tokens))
        return vectors

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids of each text, cut to the model's length."""
        if self.pieces.fits:
            # A table's graph multiplies rows by the mask: a piece that stands ten times is looked up once.
            if self.adds_rows:
                return list(self.pieces.counted(texts, self.max_tokens))
            return [(ids, None) for ids in self.pieces.ids(texts, self.max_tokens)]
        return [(ids, None) for ids in encode_ids(self.tokenizer, texts, add_special_tokens=self.special_tokens)]

    def run(self, ids: IdArray, mask: IdArray) -> FloatArray:
        """Vectors of one padded batch, both (texts, tokens), (texts, d)."""
        vectors: FloatArray = self.session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def batches_by_length(lengths: Sequence[int], budget: int) -> Iterator[npt.NDArray[np.intp]]:
    """Row numbers of batches, longest rows first, of at most `budget` tokens with padding, at least one row each.

    Rows without tokens are in none.
    """
    sizes = np.asarray(lengths, dtype=np.intp)
    order = np.argsort(-sizes, kind="stable")
    order = order[: np.count_nonzero(sizes)]
    start = 0
    while start < len(order):
        count = max(1, budget // int(sizes[order[start]]))
        yield order[start : start + count]
        start += count


def rectangle(tokens: Sequence[Tokens], pad_id: int) -> tuple[IdArray, IdArray]:
    """Ids of different lengths as one array (texts, longest), and their weights: 1 where there are none, 0 padding."""
    lengths = np.array([len(ids) for ids, _ in tokens])
    padded = np.full((len(tokens), lengths.max()), pad_id, dtype=np.int64)
    weights = (np.arange(padded.shape[1]) < lengths[:, None]).astype(np.int64)
    for row, (ids, own) in enumerate(tokens):
        padded[row, : len(ids)] = ids
        if own is not None:
            weights[row, : len(ids)] = own
    return padded, weights


def open_encoder(folder: Path, info: ExportInfo, backend: str) -> OnnxEncoder:
    """The encoder of one backend of an export; `InputError` where its files are damaged or belong elsewhere."""
    tokenizer = open_tokenizer(folder, info)
    return OnnxEncoder(
        session=open_session(folder, info, backend),
        tokenizer=tokenizer,
        dimensions=info.dimensions,
        special_tokens=info.special_tokens,
        pad_id=info.pad_id,
        tokens_per_batch=TOKENS_PER_BATCH[info.kind],
        max_tokens=info.max_tokens,
        adds_rows=info.kind == "static",
        pieces=PieceTokens(tokenizer),
    )


def choose_backend(folder: Path, info: ExportInfo, backend: str) -> str:
    """`backend`, or for `auto` the export's winner; one that computes wrongly on this machine is not chosen."""
    int8_is_wrong = info.int8_full_range and int8_saturates()
    if backend == "auto":
        wanted = info.winner if info.winner in info.files else FP32
        return FP32 if wanted == INT8 and int8_is_wrong else wanted
    if backend not in info.files:
        raise InputError(f"it has no {backend!r}", where=str(folder), fix=f"choose auto, {', '.join(info.files)}")
    if backend == INT8 and int8_is_wrong:
        raise InputError(
            "this int8 model was made for processors with VNNI and gives wrong vectors on this one",
            where=str(folder),
            fix="export it again on this machine, or use onnx-fp32",
        )
    return backend


def open_session(folder: Path, info: ExportInfo, backend: str) -> Any:
    """An onnxruntime session whose memory is given back after each batch."""
    import onnxruntime

    file = folder / info.files[backend]
    again = "export the model again"
    if not file.exists():
        raise InputError("the model's file is missing", where=str(file), fix=again)
    size, expected = file.stat().st_size, info.bytes.get(backend)
    if size != expected:
        raise InputError(f"has {size:,} bytes of {expected:,}: cut off or another file", where=str(file), fix=again)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    # Adding rows takes a tenth of the time that tokenizing does, which wants the other cores for the next window.
    options.intra_op_num_threads = 1 if info.kind == "static" else physical_cores()
    # Batches differ in shape: the arena would keep the largest block of every shape seen, and a memory plan for each.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class
        raise InputError(f"onnxruntime cannot load it ({_first_line(error)})", where=str(file), fix=again) from error
    _check_graph(session, info, file)
    return session


def _check_graph(session: Any, info: ExportInfo, file: Path) -> None:
    inputs = {each.name for each in session.get_inputs()}
    outputs = {each.name: each.shape for each in session.get_outputs()}
    if inputs != {"input_ids", "attention_mask"} or "embedding" not in outputs:
        raise InputError(
            f"not a graph from input_ids and attention_mask to embedding ({', '.join(sorted(inputs))})",
            where=str(file),
            fix="export the model with: codefit embed export",
        )
    width = outputs["embedding"][-1]
    if width != info.dimensions:
        raise InputError(
            f"gives vectors of {width} dimensions, codefit-export.json says {info.dimensions}",
            where=str(file),
            fix="export the model again",
        )


def open_tokenizer(folder: Path, info: ExportInfo) -> Tokenizer:
    """The export's tokenizer, set to the model's length; `InputError` where it is another one."""
    file = folder / "tokenizer.json"
    tokenizer = load_tokenizer(file)
    if hash_file(file) != info.tokenizer_sha256:
        raise InputError(
            "tokenizer.json is not the one that this model was exported with",
            where=str(file),
            fix="put the model's own tokenizer.json back, or export again",
        )
    if tokenizer.get_vocab_size() > info.vocab_size:
        raise InputError(
            f"the tokenizer has {tokenizer.get_vocab_size():,} tokens, the model {info.vocab_size:,}",
            where=str(file),
            fix="export the model again with its own tokenizer",
        )
    tokenizer.no_padding()
    tokenizer.enable_truncation(info.max_tokens)
    return tokenizer


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
