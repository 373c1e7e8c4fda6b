"""Encoding with a sentence-transformers folder: the library itself, in torch."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.models.quiet import quiet

FloatArray = npt.NDArray[np.float32]

BATCH_SIZE = 32
CHUNK = 4096  # texts that the library sorts by length and encodes at a time; between them progress is told
# Tokens of the longest text of a table without a limit of its own: as many rows of 256 take 16 MB when they are added.
STATIC_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class TorchEncoder:
    """Texts to unit vectors by a `SentenceTransformer`."""

    model: Any
    dimensions: int

    def encode(self, texts: Sequence[str], advance: Callable[[int], None] = lambda _: None) -> FloatArray:
        """Unit vectors (texts, d); a text without tokens is the zero vector. `advance` is told of texts done."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            chunk = [text.encode("utf-8", "replace").decode() for text in texts[start : start + CHUNK]]
            rows = [row for row, text in enumerate(chunk) if text.strip() or self._has_tokens(text)]
            if rows:
                vectors[[start + row for row in rows]] = self.model.encode(
                    [chunk[row] for row in rows],
                    batch_size=BATCH_SIZE,
                    prompt="",  # prompts are put before texts by the embedder, the same for every backend
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            advance(len(chunk))
        return vectors

    def _has_tokens(self, text: str) -> bool:
        """Whether a blank text has tokens at all: a batch of texts without any breaks the library."""
        return bool(len(token_ids(self.model, text)))


def token_ids(model: Any, text: str) -> list[int]:
    """The ids that the model sees of a text."""
    if is_static(model):
        ids: list[int] = model[0].tokenizer.encode(text, add_special_tokens=False).ids
        return ids
    return list(model.tokenizer(text)["input_ids"])


def is_static(model: Any) -> bool:
    """Whether a `SentenceTransformer` is a table of token vectors."""
    return module_names(model)[0] == "StaticEmbedding"


def module_names(model: Any) -> list[str]:
    """The names of its modules' classes."""
    return [type(module).__name__ for module in model]


def open_sentence_transformer(
    folder: Path, *, device: str | None = None, max_tokens: int | None = None, attention: str | None = None
) -> Any:
    """Load a folder with the library, quietly and without the network; `InputError` where it is not one.

    `max_tokens` cuts the texts of a static model, which has no limit of its own.
    """
    if not (folder / "modules.json").exists():
        raise InputError("not a sentence-transformers model: there is no modules.json", where=str(folder))
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise CodefitError(
            "this model needs torch and sentence-transformers",
            where=str(folder),
            fix="install them with: pip install 'codefit[train]', or export the model where they are",
        ) from error

    with _quiet():
        try:
            model = SentenceTransformer(
                str(folder),
                device=device,
                local_files_only=True,
                model_kwargs={"attn_implementation": attention} if attention else None,
            )
        except Exception as error:  # the library raises whatever its parts raise
            line = " ".join(str(error).split())[:200]
            raise InputError(
                f"sentence-transformers cannot load it ({line})", where=str(folder), fix="train or copy it again"
            ) from error
    if is_static(model):
        model[0].tokenizer.no_padding()
        model[0].tokenizer.enable_truncation(max_tokens or STATIC_TOKENS)
    return model.eval()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no warnings about weights while a model loads: stderr is for what the user must know."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    library = logging.getLogger("sentence_transformers")
    before = library.level
    transformers_logging.set_verbosity_error()
    library.setLevel(logging.ERROR)
    try:
        with quiet():
            yield
    finally:
        transformers_logging.set_verbosity(level)
        library.setLevel(before)
