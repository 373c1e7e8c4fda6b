"""A base in 4 bits made ready for an adapter to learn on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codefit.errors import InputError
from codefit.models.language_model import LanguageModel
from codefit.models.quantized import keep_as_stored

if TYPE_CHECKING:
    import torch


def prepare_four_bit(language_model: LanguageModel, device: torch.device, *, adapted: bool) -> None:
    """Freeze the base and let what is not in 4 bits stand in single precision, as PEFT prepares it.

    Raises `InputError` where no adapter is to learn, and where the base stands on another device.
    """
    from peft import prepare_model_for_kbit_training

    place = language_model.place
    if not adapted:
        raise InputError("a base in 4 bits cannot learn itself", where=place, fix="train an adapter on it")
    if language_model.device.type != device.type:
        raise InputError(
            f"the base in 4 bits stands on {language_model.device.type}, and is to be trained on {device.type}",
            where=place,
            fix="load it on the device it is trained on",
        )
    # A matrix that is packed anew for inference has no gradient.
    keep_as_stored(language_model.model, every=True)
    prepare_model_for_kbit_training(language_model.model, use_gradient_checkpointing=False)
