"""A base model and its adapter become one model: read, changed and written tensor by tensor.

What is held in memory is one tensor in single precision, so that a model merges on a machine that could not load it.
Files keep the base's names, tensors its types.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codefit.errors import CodefitError, InputError
from codefit.export.adapter import Adapter, read_adapter
from codefit.export.tensor_file import INDEX, SINGLE, TensorKind, open_tensors, shards_of, tensor_kinds, write_tensors
from codefit.files import atomic_folder, check_writable, hash_file, read_json, write_json
from codefit.models.language_model import CHAT_TEMPLATE, CODEFIT_FILE, check_adapter, refuse_pickle, weights_fingerprint
from codefit.progress import Progress

# What makes a folder of weights a model: configuration, tokenizer, how it generates and talks, its licence.
BESIDE = ("*.json", "*.txt", "*.jinja", "*.model", "LICENSE*", "NOTICE*")
CONFIG = "config.json"


def merge_adapter(base: Path, adapter: Path, out: Path) -> dict[str, Any]:
    """Write `base` with `adapter` merged into it to the new or empty folder `out`; what stands in its codefit.json.

    Raises `InputError` for an adapter of another base or of a kind that cannot be merged exactly, for pickled or
    quantized weights, and where `out` is not empty.
    """
    check_empty(out)
    with atomic_folder(out) as folder:
        return write_merged(base, adapter, folder)


def base_folder(place: str, revision: str | None = None) -> Path:
    """The folder of a base model: itself, or that of a name on the hub, fetched where it is not in the cache yet."""
    if Path(place).is_dir():
        return Path(place)
    if Path(place).exists() or place.startswith((".", "/", "~")) or place.count("/") != 1:
        raise InputError("no model there", where=place, fix="give a model's folder or the name of one on the hub")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(place, revision=revision, allow_patterns=[*BESIDE, "*.safetensors"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).strip().split("\n")[0]
        raise CodefitError(
            f"the model {place} is neither a folder nor at hand from the hub ({first})",
            fix="download it once where there is a network, or give a local folder",
        ) from error


def check_empty(out: Path) -> None:
    """Raise `InputError` where an output folder holds something, and what writing into it would raise."""
    check_writable(out)
    if out.exists() and any(out.iterdir()):
        raise InputError("the output folder is not empty", where=str(out), fix="choose another, or remove it")


def write_merged(base: Path, adapter: Path, folder: Path) -> dict[str, Any]:
    """As `merge_adapter`, into an existing empty folder."""
    _check_base(base)
    check_adapter(adapter, str(base))
    plan = _plan(base, read_adapter(adapter))
    for pattern in BESIDE:
        for file in base.glob(pattern):
            if file.is_file() and file.name not in (CODEFIT_FILE, INDEX):
                shutil.copyfile(file, folder / file.name)
    if (adapter / CHAT_TEMPLATE).exists():  # what it was asked by in training; the base may have none, or another
        shutil.copyfile(adapter / CHAT_TEMPLATE, folder / CHAT_TEMPLATE)
    if plan.untied is not None:
        write_json(folder / CONFIG, {**read_json(base / CONFIG), "tie_word_embeddings": False})
    total = sum(len(kinds) for kinds in plan.shards.values())
    with Progress("merging", total, "tensors") as progress:
        for shard, kinds in plan.shards.items():
            _write_shard(base / shard, folder / shard, kinds, plan, progress)
    _write_index(base, folder, plan)
    record = {
        "base": base.resolve().name,  # not its place: this file is published
        "base_sha256": weights_fingerprint(base),
        "adapter_sha256": hash_file(adapter / "adapter_model.safetensors"),
        "merged_tensors": len(plan.adapter.changes),
        "tensors": total,
    }
    write_json(folder / CODEFIT_FILE, {**_provenance(base, adapter), "merged": record})
    return record


def _provenance(base: Path, adapter: Path) -> dict[str, Any]:
    """What the adapter's own file says of its training, which is the merged model's too."""
    beside = adapter / CODEFIT_FILE
    told = read_json(beside) if beside.exists() else {"base": base.resolve().name}
    return {**told, "kind": "language-model", "context": read_json(base / CONFIG).get("max_position_embeddings")}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which tensors go into which file; `untied` is (the head that is new there, the embedding it was tied to)."""

    adapter: Adapter
    shards: Mapping[str, Mapping[str, TensorKind]]
    untied: tuple[str, str] | None


def _check_base(base: Path) -> None:
    if not (base / CONFIG).is_file():
        raise InputError("no model there", where=str(base), fix=f"give a folder with {CONFIG} and safetensors weights")
    refuse_pickle(base)
    if "quantization_config" in read_json(base / CONFIG):
        raise InputError("the base is quantized", where=str(base), fix="merge into the base that it was made from")


def _plan(base: Path, adapter: Adapter) -> _Plan:
    shards: dict[str, dict[str, TensorKind]] = {}
    for shard in shards_of(base):
        with open_tensors(shard) as file:
            shards[shard.name] = tensor_kinds(file)
    names = {name for kinds in shards.values() for name in kinds}
    untied = None
    if read_json(base / CONFIG).get("tie_word_embeddings"):
        untied = _untied(base, adapter)
        if untied is not None:
            head, embedding = untied
            place = next((kinds for kinds in shards.values() if embedding in kinds), None)
            if place is not None and head not in names:
                place[head] = place[embedding]
                names.add(head)
    missing = sorted(adapter.changes.keys() - names)
    if missing:
        raise InputError(
            f"the adapter changes {missing[0]}, which the base {base} does not have",
            where=str(adapter.folder),
            fix="give the base it was trained on",
        )
    return _Plan(adapter, shards, untied)


def _untied(base: Path, adapter: Adapter) -> tuple[str, str] | None:
    """Names of head and embedding where the base ties them and the adapter, which changes one or both, unties them.

    PEFT trains each of the two apart from the other, so that after it they are two matrices.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
    named = {id(module): name for name, module in model.named_modules()}
    head, embedding = (
        f"{named[id(module)]}.weight" for module in (model.get_output_embeddings(), model.get_input_embeddings())
    )
    return (head, embedding) if head in adapter.changes or embedding in adapter.changes else None


def _write_shard(source: Path, target: Path, kinds: Mapping[str, TensorKind], plan: _Plan, progress: Progress) -> None:
    with open_tensors(source) as file:

        def merged(name: str) -> Any:
            progress.advance()
            stored = plan.untied[1] if plan.untied is not None and name == plan.untied[0] else name
            return plan.adapter.applied(name, file.get_tensor(stored))

        write_tensors(target, kinds, merged)


def _write_index(base: Path, folder: Path, plan: _Plan) -> None:
    if not (base / INDEX).exists():
        assert list(plan.shards) == [SINGLE]
        return
    index = read_json(base / INDEX)
    size = sum(kind.bytes for kinds in plan.shards.values() for kind in kinds.values())
    weights = {name: shard for shard, kinds in plan.shards.items() for name in kinds}
    metadata = {"total_size": size}
    write_json(folder / INDEX, {**index, "metadata": metadata, "weight_map": dict(sorted(weights.items()))})
