"""What a LoRA adapter makes of a base's weights, one at a time: LoRA, rsLoRA, DoRA and modules trained in full.

LoRA: W + s B A with s = alpha / r (Hu et al., 2021, arXiv:2106.09685, section 4.1), rsLoRA: s = alpha / sqrt(r)
(Kalajdzievski, 2023, arXiv:2312.03732), DoRA: m (W + s B A) / ||W + s B A|| by output row (Liu et al., 2024,
arXiv:2402.09353, equation 5). Computed in single precision, and rounded once to the base's type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codefit.errors import CodefitError, InputError
from codefit.export.tensor_file import TensorKind, open_tensors, tensor_kinds
from codefit.files import read_json
from codefit.models.language_model import ADAPTER_CONFIG

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."  # PEFT's two wrappers around the model
# Parts of an adapted module, and whether it is an embedding: there the rows of A are columns of the weight's transpose.
FACTORS = {".lora_A.weight": "A", ".lora_B.weight": "B", ".lora_embedding_A": "A", ".lora_embedding_B": "B"}
MAGNITUDES = (".lora_magnitude_vector", ".lora_magnitude_vector.weight")  # as written now, and by PEFT below 0.12
# Fields of a LoRA configuration that are applied here, and those that say nothing about the merged weights.
APPLIED = {"r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "modules_to_save"}
SILENT = {
    *("auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "peft_type", "peft_version"),
    *("task_type", "target_modules", "exclude_modules", "lora_dropout", "layers_to_transform", "layers_pattern"),
    *("megatron_core", "qalora_group_size", "eva_config", "runtime_config", "corda_config", "lora_ga_config"),
}
# Ways of starting an adapter that leave the base as it is; others (PiSSA, OLoRA, CorDA, LoftQ) write into it.
HARMLESS_STARTS = (True, False, "gaussian", "orthogonal", "eva")


@dataclass(frozen=True, slots=True)
class Factors:
    """Names in the adapter's file of what changes one weight."""

    a: str | None = None
    b: str | None = None
    magnitude: str | None = None
    replacement: str | None = None  # the module was trained in full, or its embedding was saved with it

    @property
    def embedding(self) -> bool:
        """Whether the factors are those of an embedding."""
        return self.a is not None and self.a.endswith("lora_embedding_A")


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's settings and what it changes: the base's tensor name -> names in its own file."""

    folder: Path
    settings: Mapping[str, Any]
    changes: Mapping[str, Factors]
    kinds: Mapping[str, TensorKind]

    def applied(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """The base's tensor `name` with the adapter's change, in the type of `weight`; the same where it has none.

        Raises `InputError` where shapes do not fit, `CodefitError` where the result is not finite.
        """
        import torch

        found = self.changes.get(name)
        if found is None:
            return weight
        with open_tensors(self.folder / WEIGHTS) as file:
            result = weight.float()
            if found.replacement is not None:
                result = self._fitting(name, file.get_tensor(found.replacement).float(), weight)
            if found.a is not None:
                a, b = (file.get_tensor(part).float() for part in (found.a, found.b))
                delta = (b @ a).T if found.embedding else b @ a
                delta = self._fitting(name, delta, weight) * self.scaling(name.removesuffix(".weight"), a.shape[0])
                result = result + delta
            if found.magnitude is not None:
                across = 0 if found.embedding else 1
                norm = torch.linalg.norm(result, dim=across, keepdim=True)
                result = file.get_tensor(found.magnitude).float().view_as(norm) / norm * result
        if not torch.isfinite(result).all():
            raise CodefitError(
                f"merging {name} gives numbers that are not finite", where=str(self.folder), fix="train it again"
            )
        return result.to(weight.dtype)

    def scaling(self, module: str, rank: int) -> float:
        """What the product of a module's factors is multiplied with."""
        from peft.utils.other import get_pattern_key

        pattern = self.settings.get("alpha_pattern") or {}
        alpha = pattern.get(get_pattern_key(pattern.keys(), module), self.settings["lora_alpha"])
        return float(alpha) / (math.sqrt(rank) if self.settings.get("use_rslora") else rank)

    def _fitting(self, name: str, change: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        if change.shape != weight.shape:
            raise InputError(
                f"{name} is {tuple(change.shape)} in the adapter and {tuple(weight.shape)} in the base",
                where=str(self.folder),
                fix="give the base it was trained on",
            )
        return change


def read_adapter(folder: Path) -> Adapter:
    """An adapter's settings and names; no weight is read. `InputError` for what cannot be merged exactly."""
    settings = read_json(folder / ADAPTER_CONFIG)
    if not isinstance(settings, dict):
        raise InputError("not the settings of an adapter", where=str(folder / ADAPTER_CONFIG))
    _check_settings(folder, settings)
    with open_tensors(folder / WEIGHTS) as file:
        kinds = tensor_kinds(file)
    changes: dict[str, dict[str, str]] = {}
    for name in kinds:
        target, part = _place(folder, name)
        changes.setdefault(target, {})[part] = name
    for target, parts in changes.items():
        if ("a" in parts) != ("b" in parts) or ("magnitude" in parts and "a" not in parts):
            raise InputError(f"the adapter has half of what changes {target}", where=str(folder), fix="fetch it again")
    return Adapter(folder, settings, {target: Factors(**parts) for target, parts in changes.items()}, kinds)


def _place(folder: Path, name: str) -> tuple[str, str]:
    """The base's tensor that a tensor of the adapter changes, and which part of the change it is."""
    if not name.startswith(PREFIX):
        raise InputError(f"the tensor {name} is of no known adapter", where=str(folder))
    inner = name.removeprefix(PREFIX)
    for ending, part in FACTORS.items():
        if inner.endswith(ending):
            return f"{inner.removesuffix(ending)}.weight", part.lower()
    for ending in MAGNITUDES:
        if inner.endswith(ending):
            return f"{inner.removesuffix(ending)}.weight", "magnitude"
    if ".lora_" in inner:
        raise InputError(f"the tensor {name} is of no known adapter", where=str(folder))
    return inner.replace(".base_layer.", "."), "replacement"


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse kinds of adapters, and settings of LoRA, that are not applied here: leaving one out would be silent."""
    from peft import LoraConfig

    where = str(folder / ADAPTER_CONFIG)
    kind = str(settings.get("peft_type"))
    if kind != "LORA":
        raise InputError(f"an adapter of kind {kind} cannot be merged", where=where, fix="LORA can (also DoRA, rsLoRA)")
    if settings.get("init_lora_weights", True) not in HARMLESS_STARTS:
        raise InputError(
            f"init_lora_weights {settings['init_lora_weights']} changes the base too, which the adapter does not hold",
            where=where,
            fix="convert it to plain LoRA with PEFT's path_initial_model_for_weight_conversion",
        )
    plain = LoraConfig().to_dict()
    known = APPLIED | SILENT | {"init_lora_weights"}
    others = [name for name, value in settings.items() if name not in known and value and value != plain.get(name)]
    if others:
        raise InputError(
            f"adapters with {', '.join(sorted(others))} cannot be merged", where=where, fix="merge it with PEFT itself"
        )
