"""The language models that recipes begin with: a folder of one's own, or a name on the hub."""

from __future__ import annotations

from pathlib import Path

from codefit.errors import InputError
from codefit.train.language_model import MODEL


def key_of_base(place: str, revision: str | None) -> str:
    """What tells a base's weights from others: a folder's fingerprint, or the name and revision on the hub.

    `InputError` where the place is a folder that is not there.
    """
    from codefit.models.language_model import weights_fingerprint

    if Path(place).is_dir():
        return weights_fingerprint(Path(place))
    parts = Path(place).parts
    if place.startswith((".", "/", "~")) or len(parts) != 2:
        name = parts[-2] if len(parts) > 1 else parts[-1]
        is_run = len(parts) > 2 and parts[-1] == MODEL
        fix = f"make it first: codefit run {name}" if is_run else "give a model's folder or the name of one on the hub"
        raise InputError("the base model is not there", where=place, fix=fix)
    return f"{place}@{revision or 'main'}"
