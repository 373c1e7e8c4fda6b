"""Checkpoints that are whole or do not count: arrays as safetensors, a manifest of hashes written last."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
VALUES = "values.json"
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
    with disk_errors(target), atomic_folder(target) as temporary:
        save_file({k: np.ascontiguousarray(v) for k, v in checkpoint.arrays.items()}, temporary / ARRAYS)
        write_json(temporary / VALUES, {"step": checkpoint.step, **checkpoint.values})
        hashes = {name: hash_file(temporary / name) for name in (ARRAYS, VALUES)}
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
    hashes = read_json(manifest)
    for name in (ARRAYS, VALUES):
        file = folder / name
        if not isinstance(hashes, dict) or name not in hashes:
            raise CodefitError(f"the manifest of the checkpoint does not name {name}", where=str(folder))
        if not file.exists() or hash_file(file) != hashes[name]:
            raise CodefitError(
                f"{name} of the checkpoint is damaged or cut off",
                where=str(folder),
                fix="delete that folder to go on from the one before it",
            )
    values = read_json(folder / VALUES)
    return Checkpoint(step=values.pop("step"), values=values, arrays=load_file(folder / ARRAYS))


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Make a failed write name `where`; safetensors' own error, of a full disk say, becomes the system's."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise CodefitError(f"the weights could not be written ({error})", where=str(where)) from error
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(where)) from error
    except OSError as error:
        if error.filename is None:
            error.filename = str(where)
        raise


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*")) if folder.exists() else []
