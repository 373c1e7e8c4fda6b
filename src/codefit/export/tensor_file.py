"""safetensors files written tensor by tensor: what is held in memory is one tensor, whatever the file is.

The library's own `save_file` wants every tensor of a file at once. The format (safetensors, "Format": the header's
length in 8 bytes, the header as JSON, then the tensors' bytes without a gap) needs only their types and shapes first.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codefit.errors import InputError

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
HEADER_ALIGNMENT = 8  # so that every tensor starts where its type may be read from a mapped file
METADATA = {"format": "pt"}  # without it transformers does not load the file
BITS = {"F64": 64, "I64": 64, "F32": 32, "I32": 32, "F16": 16, "BF16": 16, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}


@dataclass(frozen=True, slots=True)
class TensorKind:
    """Type (as safetensors names it) and shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return math.prod(self.shape) * BITS[self.dtype] // 8


@contextmanager
def open_tensors(path: Path) -> Iterator[Any]:
    """The library's lazy reader of a file; `InputError` where the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError("the weights lack a file", where=str(path), fix="fetch the model again")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise InputError(f"not a whole safetensors file ({error})", where=str(path), fix="fetch it again") from error


def tensor_kinds(file: Any) -> dict[str, TensorKind]:
    """Type and shape of every tensor of an open file; no tensor is read."""
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    return {name: TensorKind(piece.get_dtype(), tuple(piece.get_shape())) for name, piece in slices.items()}


def shards_of(folder: Path) -> list[Path]:
    """The weight files of a model's folder, in order: those of its index, or the single one."""
    from codefit.files import read_json

    if (folder / INDEX).exists():
        return [folder / name for name in sorted(set(read_json(folder / INDEX)["weight_map"].values()))]
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    raise InputError("no safetensors weights there", where=str(folder), fix=f"give a folder with {SINGLE} or {INDEX}")


def write_tensors(path: Path, kinds: Mapping[str, TensorKind], tensor_of: Callable[[str], torch.Tensor]) -> None:
    """Write a file of tensors; `tensor_of` is asked for one after the other, and none is kept.

    Raises `ValueError` where a tensor comes in another shape or size than `kinds` says.
    """
    # Large types first, as the library orders them: each then starts at a multiple of its own size.
    order = sorted(kinds, key=lambda name: (-BITS[kinds[name].dtype], name))
    header: dict[str, Any] = {"__metadata__": METADATA}
    end = 0
    for name in order:
        start, end = end, end + kinds[name].bytes
        header[name] = {"dtype": kinds[name].dtype, "shape": kinds[name].shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            data = _bytes_of(tensor_of(name))
            if len(data) != kinds[name].bytes:
                raise ValueError(f"{name} has {len(data)} bytes, not {kinds[name].bytes}")
            stream.write(data)


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    import torch

    return memoryview(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
