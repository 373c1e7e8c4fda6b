"""Write a model's card from its run."""

from __future__ import annotations

from pathlib import Path

from codefit.errors import InputError
from codefit.files import write_text
from codefit.run.card.complexity import complexity_card
from codefit.run.card.encoder import encoder_card
from codefit.run.card.language import language_card
from codefit.run.report.load import AnyRun, ComplexityRun, EncoderRun, RepairRun, load_run

FILE = "README.md"


def write_card(folder: Path, run: Path) -> None:
    """Write the card into a model's or an adapter's folder, from the figures and the data receipt of its run.

    No licence of the model itself is stated: that is its owner's to choose. Raises `InputError` where the run has no
    evaluation or no manifest yet.
    """
    text = _card(folder, load_run(run))
    if text is None:
        raise InputError("a card needs the run's evaluation and data manifest", where=str(run))
    write_text(folder / FILE, text)


def _card(folder: Path, run: AnyRun) -> str | None:
    """The card of the run's system; None where the run has not come to what it needs."""
    if isinstance(run, RepairRun):
        if run.evaluation is None or run.manifest is None:
            return None
        from codefit.run.card.repair import repair_card  # needs the extra `repair`

        return repair_card(folder, run, run.evaluation, run.manifest)
    if isinstance(run, ComplexityRun):
        if run.evaluation is None or run.manifest is None:
            return None
        return complexity_card(folder, run, run.evaluation, run.manifest)
    if run.evaluation is None or not run.evaluation.sets or run.manifest is None:
        return None
    if isinstance(run, EncoderRun):
        return encoder_card(folder, run, run.evaluation.sets[0], run.manifest)
    return language_card(folder, run, run.evaluation, run.manifest)
