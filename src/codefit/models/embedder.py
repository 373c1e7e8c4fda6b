"""Load a trained model and embed with it: an export with onnxruntime alone, a sentence-transformers folder with torch.

However it is loaded, texts are prepared as the model was trained: weighted words and prompts are applied here, and
nobody has to remember them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.files import hash_bytes, hash_file
from codefit.models import export_info, info
from codefit.models.export_info import TORCH, ExportInfo, read_export_info
from codefit.models.fusion import DEFAULT_MODEL_WEIGHT
from codefit.models.info import ModelInfo, read_info
from codefit.models.onnx_embedder import OnnxEncoder, TokensOf, choose_backend, open_encoder
from codefit.models.word_tokens import WordTokens
from codefit.progress import Progress

FloatArray = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str], Callable[[int], None]], FloatArray]

BACKENDS = ("auto", export_info.FP32, export_info.INT8, TORCH)


class _Encoder(Protocol):
    """What the backends share."""

    def encode(self, texts: Sequence[str], advance: Callable[[int], None] = ...) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class LoadedEmbedder:
    """A model that embeds questions and code. `info` is None where the folder is no codefit model."""

    folder: Path
    backend: str
    info: ModelInfo | None
    dimensions: int
    embed_queries: Embed
    embed_codes: Embed
    query_prompt: str
    code_prompt: str
    model_file: Path

    @property
    def model_weight(self) -> float:
        """The model's share where it is fused with BM25 (`codefit.models.fusion`)."""
        return self.info.model_weight if self.info else DEFAULT_MODEL_WEIGHT

    @property
    def model_hash(self) -> str:
        """SHA-256 over all that decides a vector: the weights, the tokenizer, and how texts are prepared."""
        prepared = msgspec.json.encode([self.info.words if self.info else None, self.query_prompt, self.code_prompt])
        files = [self.model_file, self.folder / "tokenizer.json", self.folder / export_info.FILE]
        parts = [hash_file(file) if file.exists() else "" for file in files]
        return hash_bytes("\n".join([*parts, hash_bytes(prepared)]).encode())

    def encode_queries(self, queries: Sequence[str], label: str | None = None) -> FloatArray:
        """Unit vectors of questions, (n, d); with a `label` progress is shown."""
        return _shown(self.embed_queries, queries, label)

    def encode_codes(self, codes: Sequence[str], label: str | None = None) -> FloatArray:
        """Unit vectors of pieces of code, (n, d); with a `label` progress is shown."""
        return _shown(self.embed_codes, codes, label)


def _shown(embed: Embed, texts: Sequence[str], label: str | None) -> FloatArray:
    if label is None:
        return embed(texts, lambda _: None)
    with Progress(label, len(texts), "texts") as progress:
        return embed(texts, progress.advance)


def _embed_texts(encoder: _Encoder, prepare: Callable[[str], str]) -> Embed:
    """Embed texts as `prepare` writes them."""
    return lambda texts, advance: encoder.encode([prepare(text) for text in texts], advance)


def _embed_words(encoder: OnnxEncoder, tokens_of: TokensOf) -> Embed:
    """Embed texts by the ids and weights of their words."""
    return lambda texts, advance: encoder.encode(texts, advance, tokens_of)


def _prepare(prompt: str, prepare: Callable[[str], str] | None) -> Callable[[str], str]:
    return lambda text: prompt + (prepare(text) if prepare else text)


def load_embedder(path: Path, *, backend: str = "auto", device: str | None = None) -> LoadedEmbedder:
    """The model in a folder: an export, a sentence-transformers model, or a run that holds one of them.

    `backend` is one of `BACKENDS`; `auto` takes the winner of an export's benchmark, and torch for another model.
    `device` is torch's, None its own choice. Raises `InputError` where the folder holds no model, the backend is not
    there, or files are damaged or do not belong together.
    """
    if backend not in BACKENDS:
        raise InputError(f"no backend is called {backend!r}", fix=f"choose from {', '.join(BACKENDS)}")
    folder = _model_folder(path)
    own = read_info(folder) if (folder / info.FILE).exists() else None
    if (folder / export_info.FILE).exists():
        return _load_export(folder, own, backend)
    if backend not in ("auto", TORCH):
        raise InputError(
            f"it has no {backend!r}", where=str(folder), fix="export it with: codefit embed export, or choose torch"
        )
    return _load_checkpoint(folder, own, device)


def _model_folder(path: Path) -> Path:
    if not path.is_dir():
        what = "not a folder" if path.exists() else "no such folder"
        raise InputError(what, where=str(path), fix="give the folder of a model")
    # A run holds its model twice; the export is the faster one.
    for folder in (path, path / "export", path / "model"):
        if (folder / export_info.FILE).exists() or (folder / "modules.json").exists():
            return folder
    raise InputError(
        "holds no model: neither codefit-export.json nor modules.json is there",
        where=str(path),
        fix="give the folder of an exported or a sentence-transformers model",
    )


def _load_export(folder: Path, own: ModelInfo | None, backend: str) -> LoadedEmbedder:
    exported: ExportInfo = read_export_info(folder)
    if own is not None and own.dimensions != exported.dimensions:
        raise InputError(
            f"codefit.json says {own.dimensions} dimensions, codefit-export.json {exported.dimensions}",
            where=str(folder),
            fix="export the model again",
        )
    chosen = choose_backend(folder, exported, backend)
    encoder = open_encoder(folder, exported, chosen)
    if exported.kind == "static" and own is not None and own.words is not None:
        # The graph multiplies rows by the mask, so a word's vector is looked up once and added as often as it counts.
        words = WordTokens(encoder.tokenizer, own.words)
        embed_queries = _embed_words(encoder, partial(words.counted_queries, max_tokens=exported.max_tokens))
        embed_codes = _embed_words(encoder, partial(words.counted_codes, max_tokens=exported.max_tokens))
    else:
        embed_queries = _embed_texts(encoder, _prepare(exported.query_prompt, own.query_text if own else None))
        embed_codes = _embed_texts(encoder, _prepare(exported.code_prompt, own.code_text if own else None))
    return LoadedEmbedder(
        folder=folder,
        backend=chosen,
        info=own,
        dimensions=encoder.dimensions,
        embed_queries=embed_queries,
        embed_codes=embed_codes,
        query_prompt=exported.query_prompt,
        code_prompt=exported.code_prompt,
        model_file=folder / exported.files[chosen],
    )


def _load_checkpoint(folder: Path, own: ModelInfo | None, device: str | None) -> LoadedEmbedder:
    from codefit.models.torch_embedder import TorchEncoder, open_sentence_transformer

    model = open_sentence_transformer(folder, device=device, max_tokens=own.max_tokens if own else None)
    dimensions = int(model.encode(["x"], show_progress_bar=False).shape[1])
    if own is not None and own.dimensions != dimensions:
        raise InputError(
            f"the model gives vectors of {dimensions} dimensions, codefit.json says {own.dimensions}",
            where=str(folder),
            fix="put the model's own codefit.json back, or train again",
        )
    query_prompt, code_prompt = prompts_of(model)
    encoder = TorchEncoder(model, dimensions)
    return LoadedEmbedder(
        folder=folder,
        backend=TORCH,
        info=own,
        dimensions=dimensions,
        embed_queries=_embed_texts(encoder, _prepare(query_prompt, own.query_text if own else None)),
        embed_codes=_embed_texts(encoder, _prepare(code_prompt, own.code_text if own else None)),
        query_prompt=query_prompt,
        code_prompt=code_prompt,
        model_file=folder / "model.safetensors",
    )


def prompts_of(model: Any) -> tuple[str, str]:
    """What a `SentenceTransformer` puts before questions and before code, by its own configuration."""
    prompts = {name: text for name, text in model.prompts.items() if text}
    default = prompts.get(model.default_prompt_name or "", "")
    document = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), default)
    return prompts.get("query", default), document
