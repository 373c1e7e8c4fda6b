"""A checkpoint is whole or an error that names it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.errors import CodefitError
from codefit.train.checkpoint import Checkpoint, disk_errors, latest_checkpoint, load_checkpoint, save_checkpoint

ARRAYS = {"weights": np.arange(12, dtype=np.float32).reshape(3, 4), "steps": np.array([7], dtype=np.int64)}


def saved(folder: Path, step: int = 3, keep: int = 2) -> Path:
    return save_checkpoint(folder, Checkpoint(step, {"loss": 0.5, "best": {}}, ARRAYS), keep=keep)


def test_what_is_saved_is_loaded(tmp_path):
    arrays = {**ARRAYS, "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T}
    save_checkpoint(tmp_path, Checkpoint(12, {"loss": 0.25, "best": {"mrr@10": 0.5}}, arrays), keep=1)
    loaded = latest_checkpoint(tmp_path)
    assert loaded is not None
    assert (loaded.step, loaded.values) == (12, {"loss": 0.25, "best": {"mrr@10": 0.5}})
    assert loaded.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array, strict=True)


def test_the_newest_counts_and_only_so_many_are_kept(tmp_path):
    assert latest_checkpoint(tmp_path / "none") is None
    for step in (9, 10, 100, 1000):
        saved(tmp_path, step)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["step-00000100", "step-00001000"]
    assert latest_checkpoint(tmp_path).step == 1000


@pytest.mark.parametrize("name", ["state.safetensors", "values.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_file_is_named(tmp_path, name, damage):
    folder = saved(tmp_path)
    file = folder / name
    data = bytearray(file.read_bytes())
    if damage == "removed":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[:-5])
    else:
        data[-3] ^= 1
        file.write_bytes(data)
    with pytest.raises(CodefitError) as error:
        latest_checkpoint(tmp_path)
    assert str(folder) in error.value.line()
    assert f"{name} of the checkpoint is damaged or cut off" in error.value.line()
    assert "delete that folder" in error.value.line()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_checkpoint_cut_anywhere_is_an_error(tmp_path_factory, data):
    folder = saved(tmp_path_factory.mktemp("cut"))
    name = data.draw(st.sampled_from(["state.safetensors", "values.json", "manifest.json"]))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: data.draw(st.integers(0, len(whole) - 2))])
    with pytest.raises(CodefitError, match=str(folder)):
        load_checkpoint(folder)


def test_a_missing_manifest_and_a_wrong_hash_are_errors(tmp_path):
    folder = saved(tmp_path)
    manifest = folder / "manifest.json"
    hashes = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**hashes, "state.safetensors": "0" * 64}))
    with pytest.raises(CodefitError, match=r"state\.safetensors of the checkpoint is damaged"):
        load_checkpoint(folder)
    manifest.write_text("{}")
    with pytest.raises(CodefitError, match=r"manifest of the checkpoint does not name state\.safetensors"):
        load_checkpoint(folder)
    manifest.unlink()
    with pytest.raises(CodefitError, match=f"{folder}: the checkpoint has no manifest"):
        load_checkpoint(folder)


def test_a_failed_write_names_the_place(tmp_path):
    from safetensors import SafetensorError

    with pytest.raises(OSError, match="No space left") as full, disk_errors(tmp_path):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert (full.value.errno, full.value.filename) == (28, str(tmp_path))
    with pytest.raises(OSError, match="five") as nameless, disk_errors(tmp_path):
        raise OSError(5, "five")
    assert nameless.value.filename == str(tmp_path)
    with pytest.raises(CodefitError, match=f"{tmp_path}: the weights could not be written"), disk_errors(tmp_path):
        raise SafetensorError("something else")
