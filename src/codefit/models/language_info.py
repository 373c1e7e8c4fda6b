"""`codefit.json` beside a language model or an adapter: where it comes from, and what it was measured at."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from codefit.errors import InputError
from codefit.files import atomic_path
from codefit.models.language_model import CODEFIT_FILE
from codefit.models.quantized import Quantization


class LanguageModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the ecosystem's own files have no place for.

    `base_sha256` ties an adapter to the weights it was trained on (`language_model.weights_fingerprint`), `quantize`
    says how those were loaded. `lengths` are those of the training's curriculum in tokens; one that learned chats has
    the most tokens of a chat, and in `answer_tokens` how many of them are kept for an answer. The rest is provenance:
    the resolved recipe, the seed, the revision of the code, hashes of the data, package versions, and the figures
    measured.
    """

    kind: Literal["language-model", "adapter"]
    context: int
    lengths: list[int] = []
    fim_rate: float = 0.0
    base: str | None = None
    base_revision: str | None = None
    base_sha256: str | None = None
    quantize: Quantization | None = None
    answer_tokens: int | None = None
    recipe: dict[str, Any] = {}
    seed: int | None = None
    code_revision: str | None = None
    data: dict[str, str] = {}
    packages: dict[str, str] = {}
    metrics: dict[str, Any] = {}


def write_language_info(folder: Path, info: LanguageModelInfo) -> None:
    """Write `codefit.json` into a model's folder."""
    with atomic_path(folder / CODEFIT_FILE) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")


def read_language_info(folder: Path) -> LanguageModelInfo:
    """Read `codefit.json`; `InputError` where there is none or it is another model's."""
    file = folder / CODEFIT_FILE
    if not file.exists():
        raise InputError("no codefit.json there, so it is no model of codefit", where=str(folder))
    try:
        return msgspec.json.decode(file.read_bytes(), type=LanguageModelInfo)
    except msgspec.DecodeError as error:
        raise InputError(f"not a language model's codefit.json ({error})", where=str(file)) from error
