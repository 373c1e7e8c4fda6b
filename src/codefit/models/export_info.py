"""`codefit-export.json`: what an exported model needs to be run, and what was measured of it when it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from codefit.errors import InputError
from codefit.files import atomic_path
from codefit.models.info import Kind

FILE = "codefit-export.json"
FORMAT = 1

FP32, INT8, TORCH = "onnx-fp32", "onnx-int8", "torch"


class ExportInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How texts become ids for the graph, what the parity check and the benchmark found, and which file to run.

    A longer text is cut to `max_tokens`. `special_tokens` says whether the tokenizer adds its own (`[CLS]` and the
    like), `pad_id` what fills a batch. `query_prompt` and `code_prompt` stand before every text. `int8_full_range`:
    the weights use all 8 bits, so the int8 file is only right where products do not saturate
    (`codefit.models.processor`). `files` and `bytes` go by backend.
    """

    kind: Kind
    dimensions: int
    max_tokens: int
    vocab_size: int
    tokenizer_sha256: str
    special_tokens: bool
    pad_id: int
    query_prompt: str = ""
    code_prompt: str = ""
    int8_full_range: bool = False
    parity: dict[str, dict[str, Any]] = {}
    files: dict[str, str]
    bytes: dict[str, int]
    benchmark: dict[str, Any] | None = None
    winner: str = FP32
    format: int = FORMAT


def write_export_info(folder: Path, info: ExportInfo) -> None:
    """Write `codefit-export.json` into an export's folder."""
    with atomic_path(folder / FILE) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")


def read_export_info(folder: Path) -> ExportInfo:
    """Read `codefit-export.json`; `InputError` where it is missing, damaged or of a newer format."""
    file = folder / FILE
    if not file.exists():
        raise InputError(
            "no codefit-export.json there, so it is no exported model",
            where=str(folder),
            fix="make one with: codefit embed export",
        )
    try:
        info = msgspec.json.decode(file.read_bytes(), type=ExportInfo)
    except msgspec.DecodeError as error:
        raise InputError(f"not an export's codefit-export.json ({error})", where=str(file)) from error
    if info.format != FORMAT:
        raise InputError(
            f"format {info.format} is not one that this codefit reads ({FORMAT})", where=str(file), fix="export again"
        )
    return info
