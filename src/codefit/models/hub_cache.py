"""The folder of a model on the hub: from the hub's cache, else downloaded into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codefit.errors import CodefitError, InputError
from codefit.files import read_json
from codefit.models.quiet import quiet

CONFIG_FILES = ("config.json", "generation_config.json")
TOKENIZER_FILES = ("config.json", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json")
# Never pickled weights, and of folders in folders nothing: there lie the same weights in other formats.
MODEL_FILES = (*CONFIG_FILES, *TOKENIZER_FILES, "*.safetensors", "*.safetensors.index.json", "chat_template*")
OTHER_FILES = ("*/*", "consolidated*")
WEIGHTS_INDEX = "model.safetensors.index.json"


def model_folder(place: str, revision: str | None = None, files: Sequence[str] = MODEL_FILES) -> Path:
    """The folder of a model: the place itself, or that of the hub's name in its cache, with `files` (patterns) there.

    What the cache holds whole is used as it stands, and the network is not asked; a branch that has moved since is
    seen once its files are removed from the cache. Raises `InputError` for what is neither a folder nor a name, and
    `CodefitError` where the hub cannot be reached or does not have it.
    """
    if Path(place).is_dir():
        return Path(place)
    if Path(place).exists() or place.startswith((".", "/", "~")) or place.count("/") != 1:
        raise InputError("no model there", where=place, fix="give a model's folder or the name of one on the hub")
    cached = folder_at_hand(place, revision, files)
    if cached is not None:
        return cached
    from huggingface_hub import snapshot_download

    try:
        with quiet():
            return Path(
                snapshot_download(
                    place, revision=revision, allow_patterns=list(files), ignore_patterns=list(OTHER_FILES)
                )
            )
    except (OSError, ValueError) as error:  # the hub's own errors are of these kinds
        first = str(error).strip().split("\n")[0]
        raise CodefitError(
            f"the model {place} is neither a folder nor at hand from the hub ({first})",
            fix="download it once where there is a network, or give a local folder",
        ) from error


def folder_at_hand(place: str, revision: str | None = None, files: Sequence[str] = MODEL_FILES) -> Path | None:
    """The folder of a model with `files` where it is on this machine; None where it is not. The hub is not asked."""
    if Path(place).is_dir():
        return Path(place)
    cached = _cached(place, revision) if place.count("/") == 1 else None
    return cached if cached is not None and _is_whole(cached, files) else None


def has_weights(folder: Path) -> bool:
    """Whether all of a model's weights lie in a folder; pickled ones do not count."""
    index = folder / WEIGHTS_INDEX
    names = set(read_json(index)["weight_map"].values()) if index.exists() else {"*.safetensors"}
    return all(any(folder.glob(name)) for name in names)


def _cached(place: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(place, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _is_whole(folder: Path, files: Sequence[str]) -> bool:
    """Whether a folder of the cache holds all that `files` asks for: an earlier look may have left a part there."""
    if "*.safetensors" in files and not has_weights(folder):
        # Pickled alone: to be refused, not asked for.
        return any(folder.glob("*.bin")) and not (folder / WEIGHTS_INDEX).exists()
    return "tokenizer*" not in files or any(folder.glob("tokenizer*"))
