"""What the page of a language model shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codefit.run.report import language_charts as charts
from codefit.run.report import run_charts
from codefit.run.report.formats import signed_share, signed_share_span, surprise, surprise_span
from codefit.run.report.language_shapes import PerplexityEvaluation, PerplexitySet, Sample
from codefit.run.report.load import LanguageModelRun
from codefit.run.report.parts import Part, common_view
from codefit.run.report.svg import swatch

PREFIX_LINES = 12  # of what stands before a place in a sample: enough to see where one is
SUFFIX_LINES = 6

# What each number means, in a line for somebody who sees it for the first time.
MEANINGS = {
    "Perplexity": "How surprised the model is by code, token by token: 1 would be no surprise at all, 8 is as "
    "unsure as a choice among eight equally likely tokens. Lower is better. It hangs on how a tokenizer cuts text, so "
    "it is compared between models of the same tokenizer alone.",
    "Bits per byte": "The same surprise, counted by byte of text instead of by token: how small the model could pack "
    "the code, where plain text takes 8. It can be compared between any two models.",
    "Change": "Perplexity after training divided by that before, less one: −30 % is a fall by three tenths.",
    "95 % interval": "Where the figure would fall in 95 of 100 repetitions with other files of the same kind "
    "(bootstrap over files). Of a change, it is taken file by file.",
    "Forgetting": "A model that learns one repository can lose what it knew of other code. Code in other languages, "
    "measured before and after, shows it: a change above zero is what was forgotten.",
    "Replay": "General code that is mixed into training, so that less is forgotten.",
    "Trained on": "Files that the model learned from. Far lower here than on held-out files means that it knows them "
    "by heart, and says nothing of new code.",
}
# Those that a model without a before has use for.
FROM_SCRATCH = ("Perplexity", "Bits per byte", "95 % interval")


def language_view(run: LanguageModelRun) -> dict[str, Any]:
    """What the template shows."""
    view = common_view(run, _parts(run))
    evaluation = run.evaluation
    main = evaluation.main if evaluation is not None else None
    adapted = main is not None and main.before is not None
    drawn = view["charts"]
    if evaluation is not None and evaluation.sets:
        drawn["sets"] = charts.sets_chart(evaluation.sets)
    by_directory = main.by_directory if main is not None else {}
    if by_directory:
        drawn["directories"] = charts.directories_chart(by_directory)
    if run.steps:
        drawn["loss"] = run_charts.loss_chart(run.steps, "loss, nats a token", charts.stage_dividers(run.steps))
        drawn["tokens"] = charts.speed_chart(run)
    if run.looks:
        drawn["looks"] = charts.looks_chart(run.looks, charts.stage_dividers(run.steps))
    return {
        **view,
        "short": "short_language.html",
        "meanings": MEANINGS if adapted else {name: MEANINGS[name] for name in FROM_SCRATCH},
        "legend": {"before": swatch(charts.SHAPE_OF[charts.BEFORE], charts.BEFORE), "after": swatch("dot", "model")},
        "main": main,
        "adapted": adapted,
        "measured": _measured(evaluation),
        "described": _described(evaluation.sets) if evaluation is not None else {},
        "verdict": verdict(evaluation) if evaluation is not None else [],
        "general_change": general_change(evaluation) if evaluation is not None else None,
        "set_name": charts.set_name,
        "directories": charts.largest(by_directory),
        "curriculum": [(length, rows, charts.speed_of(rows)) for length, rows in charts.curriculum(run.steps)],
        "speed": charts.speed_of(run.steps),
        "best_look": charts.best_look(run.looks) if run.looks else None,
        "samples": [_sample_view(sample) for sample in run.samples.samples] if run.samples is not None else [],
    }


def _parts(run: LanguageModelRun) -> Sequence[Part]:
    """The parts of the run's page: those whose stages its recipe has."""
    parts = [Part("perplexity", "Perplexity", "perplexity.html")]
    if run.record.system == "extended-pretraining":  # the directories of one repository; a base has many
        parts.append(Part("directories", "By directory", "directories.html"))
    parts.append(Part("training", "Training", "training_language.html"))
    if run.has_stage("samples"):
        parts.append(Part("samples", "What it writes", "samples.html"))
    parts.append(Part("data", "Data receipt", "data_documents.html"))
    if run.has_stage("tokenizer"):
        parts.append(Part("tokenizer", "Tokenizer", "tokenizer.html"))
    if run.has_stage("shipped"):
        parts.append(Part("shipped", "Forms shipped", "shipped.html"))
    return parts


def _measured(evaluation: PerplexityEvaluation | None) -> list[PerplexitySet]:
    """The sets that the verdict speaks of: the repository's held-out files, or all where there is no repository."""
    if evaluation is None:
        return []
    return evaluation.of_role("domain") or evaluation.sets


def _described(sets: Sequence[PerplexitySet]) -> dict[str, list[str]]:
    """What sets are, with the names of those that are so: sets of a kind share their description."""
    described: dict[str, list[str]] = {}
    for entry in sets:
        if entry.description:
            described.setdefault(entry.description, []).append(charts.set_name(entry))
    return described


def verdict(evaluation: PerplexityEvaluation) -> list[str]:
    """What the evaluation says, in sentences that its intervals allow; none where there is no set."""
    main = evaluation.main
    if main is None:
        return []
    if main.before is None or main.change is None:
        return [_from_scratch(evaluation.sets)]
    low, high = main.change.ci95
    way = "falls" if high < 0 else "rises" if low > 0 else "cannot be told from what it was"
    values = f"{surprise(main.before.perplexity)} before, {surprise(main.after.perplexity)} after"
    change = f"{signed_share(main.change.perplexity)} (95 % interval {signed_share_span(main.change.ci95)})"
    where = "files of the repository that training never saw" if main.role == "domain" else main.name
    return [f"On {where}, perplexity {way}: {values}, {change}.", *_forgetting(evaluation)]


def _from_scratch(sets: Sequence[PerplexitySet]) -> str:
    ordered = sorted(sets, key=lambda entry: entry.after.perplexity)
    best, worst = ordered[0], ordered[-1]

    def said(entry: PerplexitySet) -> str:
        interval = f", 95 % interval {surprise_span(entry.after.interval)}" if entry.after.interval else ""
        return f"{surprise(entry.after.perplexity)} ({charts.set_name(entry)}{interval})"

    if best is worst:
        return f"On code that training never saw, perplexity is {said(best)}."
    return f"On code that training never saw, perplexity is {said(best)} to {said(worst)}."


def general_change(evaluation: PerplexityEvaluation) -> PerplexitySet | None:
    """The set of general code that got worse by most, or better by least; None where none was compared."""
    compared = [entry for entry in evaluation.of_role("general") if entry.change is not None]
    return max(compared, key=lambda entry: entry.change.perplexity if entry.change else 0.0, default=None)


def _forgetting(evaluation: PerplexityEvaluation) -> list[str]:
    worst = general_change(evaluation)
    if worst is None or worst.change is None:
        return []
    number = sum(entry.change is not None for entry in evaluation.of_role("general"))
    low, high = worst.change.ci95
    change = f"{signed_share(worst.change.perplexity)} ({signed_share_span(worst.change.ci95)})"
    where = charts.set_name(worst) + (f", the least good of {number} sets" if number > 1 else "")
    said = "Some general code is forgotten" if low > 0 else "No general code is forgotten" if high < 0 else None
    return [f"{said or 'No forgetting of general code can be told'}: {change} on {where}."]


def _sample_view(sample: Sample) -> dict[str, Any]:
    lines = sample.prefix.split("\n")
    after = sample.suffix.split("\n") if sample.suffix is not None else []
    return {
        "path": sample.path,
        "kind": sample.kind,
        "prefix": "\n".join(lines[-PREFIX_LINES:]),
        "prefix_cut": len(lines) > PREFIX_LINES,
        "suffix": "\n".join(after[:SUFFIX_LINES]) if sample.suffix is not None else None,
        "truth": sample.truth,
        "before": sample.before,
        "after": sample.after,
    }
