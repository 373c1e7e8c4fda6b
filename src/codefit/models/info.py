"""`codefit.json`: what codefit keeps beside a model that the ecosystem's own files have no place for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from codefit.errors import InputError
from codefit.files import atomic_path, hash_file
from codefit.models.fusion import DEFAULT_MODEL_WEIGHT
from codefit.models.words import WordWeights

FILE = "codefit.json"

Kind = Literal["static", "encoder"]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How texts are prepared for a model, how it is fused with BM25, and where it comes from.

    `words` is None where texts are embedded as they are. `sizes` are the leading dimensions that work alone
    (Matryoshka). `tokenizer_sha256` ties the model to its `tokenizer.json`. The rest is provenance: the resolved
    recipe, the seed, the revision of the code, hashes of the data, package versions, and the figures measured.
    """

    kind: Kind
    dimensions: int
    max_tokens: int
    tokenizer_sha256: str
    words: WordWeights | None = None
    model_weight: float = DEFAULT_MODEL_WEIGHT
    sizes: list[int] = []
    recipe: dict[str, Any] = {}
    seed: int | None = None
    code_revision: str | None = None
    data: dict[str, str] = {}
    packages: dict[str, str] = {}
    metrics: dict[str, Any] = {}

    def query_text(self, query: str) -> str:
        """What the model embeds for a question."""
        return self.words.query_text(query) if self.words else query

    def code_text(self, code: str) -> str:
        """What the model embeds for a piece of code."""
        return self.words.code_text(code) if self.words else code


def write_info(folder: Path, info: ModelInfo) -> None:
    """Write `codefit.json` into a model folder."""
    with atomic_path(folder / FILE) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")


def read_info(folder: Path) -> ModelInfo:
    """Read `codefit.json` and check that the tokenizer beside it is the one the model was trained with."""
    file = folder / FILE
    if not file.exists():
        raise InputError("no codefit.json there, so it is no model of codefit", where=str(folder))
    try:
        info = msgspec.json.decode(file.read_bytes(), type=ModelInfo)
    except msgspec.DecodeError as error:
        raise InputError(f"not a model's codefit.json ({error})", where=str(file)) from error
    check_tokenizer(folder, info)
    return info


def check_tokenizer(folder: Path, info: ModelInfo) -> None:
    """Raise `InputError` where `tokenizer.json` is missing or another one than the model's."""
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.exists():
        raise InputError("the model's tokenizer.json is missing", where=str(folder))
    if hash_file(tokenizer) != info.tokenizer_sha256:
        raise InputError(
            "tokenizer.json is not the one that this model was trained with",
            where=str(tokenizer),
            fix="put the model's own tokenizer.json back, or train again",
        )
