"""Checkpoints that are whole or do not count: arrays as safetensors, a manifest of hashes written last."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError
from codefit.files import atomic_folder, hash_file, read_json, write_json

Arrays = Mapping[str, npt.NDArray[Any]]

MANIFEST = "manifest.json"
ARRAYS = "state.safetensors"
_PREFIX = "step-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What training needs to go on: the step it had done, small values, and arrays."""

    step: int
    values: Mapping[str, Any]
    arrays: Arrays


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Write `step-N` into `folder` and remove all but the newest `keep`."""
    from safetensors.numpy import save_file

    target = folder / f"{_PREFIX}{checkpoint.step:08d}"
    with atomic_folder(target) as temporary:
        save_file({k: np.ascontiguousarray(v) for k, v in checkpoint.arrays.items()}, temporary / ARRAYS)
        write_json(temporary / "values.json", {"step": checkpoint.step, **checkpoint.values})
        hashes = {name: hash_file(temporary / name) for name in (ARRAYS, "values.json")}
        write_json(temporary / MANIFEST, hashes)
    for old in _folders(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint in `folder`; None where there is none, an error where it is damaged."""
    folders = _folders(folder)
    return load_checkpoint(folders[-1]) if folders else None


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint after comparing every file with the manifest."""
    from safetensors.numpy import load_file

    manifest = folder / MANIFEST
    if not manifest.exists():
        raise CodefitError("the checkpoint has no manifest, so it was not written to its end", where=str(folder))
    for name, expected in read_json(manifest).items():
        file = folder / name
        if not file.exists() or hash_file(file) != expected:
            raise CodefitError(
                f"{name} of the checkpoint is damaged or cut off",
                where=str(folder),
                fix="delete that folder to go on from the one before it",
            )
    values = read_json(folder / "values.json")
    return Checkpoint(step=values.pop("step"), values=values, arrays=load_file(folder / ARRAYS))


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*")) if folder.exists() else []
