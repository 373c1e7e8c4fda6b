"""Write a model's card from its run."""

from __future__ import annotations

from pathlib import Path

from codefit.errors import InputError
from codefit.files import write_text
from codefit.run.card.encoder import encoder_card
from codefit.run.card.language import language_card
from codefit.run.report.load import EncoderRun, load_run

FILE = "README.md"


def write_card(folder: Path, run: Path) -> None:
    """Write the card into a model's or an adapter's folder, from the figures and the data receipt of its run.

    No licence of the model itself is stated: that is its owner's to choose. Raises `InputError` where the run has no
    evaluation or no manifest yet.
    """
    loaded = load_run(run)
    text = None
    if isinstance(loaded, EncoderRun):
        if loaded.evaluation is not None and loaded.evaluation.sets and loaded.manifest is not None:
            text = encoder_card(folder, loaded, loaded.evaluation.sets[0], loaded.manifest)
    elif loaded.evaluation is not None and loaded.evaluation.sets and loaded.manifest is not None:
        text = language_card(folder, loaded, loaded.evaluation, loaded.manifest)
    if text is None:
        raise InputError("a card needs the run's evaluation and data manifest", where=str(run))
    write_text(folder / FILE, text)
