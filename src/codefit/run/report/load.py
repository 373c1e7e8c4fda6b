"""Read a run's folder as far as it goes: what is not there is None, what is damaged is an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codefit.errors import InputError
from codefit.run.record import FILE, RunRecord, StageRecord, read_record
from codefit.run.report.complexity_shapes import (
    AnswerRow,
    Baselines,
    ComplexityEvaluation,
    ComplexityExport,
    ComplexityManifest,
    ScoreRow,
    ScoresRow,
)
from codefit.run.report.decode import read_file, read_metrics, read_scores
from codefit.run.report.language_shapes import (
    DocumentManifest,
    PerplexityEvaluation,
    PerplexityRow,
    Samples,
    Shipped,
)
from codefit.run.report.repair_shapes import (
    Lists,
    ListsRow,
    NameWeights,
    Proposer,
    RepairEvaluation,
    RepairExport,
    RepairManifest,
    Variants,
)
from codefit.run.report.shapes import Answers, EvalRow, Evaluation, Export, Manifest, TokenizerReport, TrainRow

LANGUAGE_MODELS = ("base-language-model", "extended-pretraining")

# Which stage of the recipe each part of the page comes from.
STAGE_OF = {
    "evaluation": "evaluate",
    "training": "train",
    "answers": "ask",
    "data": "data",
    "tokenizer": "tokenizer",
    "export": "export",
    "shipped": "ship",
    "samples": "complete",
    "proposer": "propose",
    "names": "names",
    "lists": "lists",
    "pretraining": "pretrain",
    "variants": "variants",
    "baselines": "baselines",
    "chat": "chat",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as its folder tells it. None, or no rows, stands for what the run has not come to."""

    folder: Path
    record: RunRecord
    steps: Sequence[TrainRow]
    tokenizer: TokenizerReport | None

    def parts(self) -> dict[str, object]:
        """What there is, by the names of `STAGE_OF`."""
        return {"training": self.steps, "tokenizer": self.tokenizer}

    def missing(self, part: str) -> str:
        """Why a part of `STAGE_OF` is not there, as a sentence."""
        stage = self._stage(part)
        if stage is None:
            return "This recipe has no such stage."
        reasons = {
            "waiting": "has not begun",
            "running": "was running when this page was written, or was killed",
            "failed": "failed",
            "stopped": "was stopped",
            "done": "is done, but its file is no longer there",
        }
        return f"Not there: the stage “{stage.name}” {reasons[stage.state]}."

    def has(self, part: str) -> bool:
        """Whether a part of `STAGE_OF` is there."""
        return bool(self.parts()[part])

    def has_stage(self, part: str) -> bool:
        """Whether the recipe has the stage that a part of `STAGE_OF` comes from."""
        return self._stage(part) is not None

    def is_stale(self, part: str) -> bool:
        """Whether a stage before this part's is being done again: what stands there is of the time before."""
        stage = self._stage(part)
        if stage is None:
            return False
        before = self.record.stages[: self.record.stages.index(stage)]
        return any(earlier.state != "done" for earlier in before)

    def unfinished(self) -> StageRecord | None:
        """The first stage that is not done."""
        return next((stage for stage in self.record.stages if stage.state != "done"), None)

    def seconds(self) -> float:
        """Time of all stages together."""
        return sum(stage.seconds or 0.0 for stage in self.record.stages)

    def _stage(self, part: str) -> StageRecord | None:
        return next((stage for stage in self.record.stages if stage.name == STAGE_OF[part]), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRun(Run):
    """The run of a code embedding model."""

    looks: Sequence[EvalRow]
    manifest: Manifest | None
    evaluation: Evaluation | None
    export: Export | None
    answers: Answers | None

    def parts(self) -> dict[str, object]:
        """What there is, by the names of `STAGE_OF`."""
        return {
            **Run.parts(self),
            "data": self.manifest,
            "evaluation": self.evaluation,
            "export": self.export,
            "answers": self.answers,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelRun(Run):
    """The run of a language model, from scratch or on a base."""

    looks: Sequence[PerplexityRow]
    manifest: DocumentManifest | None
    evaluation: PerplexityEvaluation | None
    shipped: Shipped | None
    samples: Samples | None

    def parts(self) -> dict[str, object]:
        """What there is, by the names of `STAGE_OF`."""
        return {
            **Run.parts(self),
            "data": self.manifest,
            "evaluation": self.evaluation,
            "shipped": self.shipped,
            "samples": self.samples,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRun(Run):
    """The run of a ranker of repairs."""

    looks: Sequence[ListsRow]
    pretraining: Sequence[TrainRow]
    pretraining_looks: Sequence[PerplexityRow]
    manifest: RepairManifest | None
    proposer: Proposer | None
    names: NameWeights | None
    lists: Lists | None
    variants: Variants | None
    export: RepairExport | None
    evaluation: RepairEvaluation | None

    def parts(self) -> dict[str, object]:
        """What there is, by the names of `STAGE_OF`."""
        return {
            **Run.parts(self),
            "data": self.manifest,
            "proposer": self.proposer,
            "names": self.names,
            "lists": self.lists,
            "pretraining": self.pretraining,
            "variants": self.variants,
            "export": self.export,
            "evaluation": self.evaluation,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexityRun(Run):
    """The run of scorers of complexity; `steps` are the encoder's, `answering` those of the language model."""

    looks: Sequence[ScoreRow]
    answering: Sequence[TrainRow]
    answering_looks: Sequence[AnswerRow]
    manifest: ComplexityManifest | None
    baselines: Baselines | None
    export: ComplexityExport | None
    evaluation: ComplexityEvaluation | None
    scores: Sequence[ScoresRow]

    def parts(self) -> dict[str, object]:
        """What there is, by the names of `STAGE_OF`."""
        return {
            **Run.parts(self),
            "data": self.manifest,
            "baselines": self.baselines,
            "chat": self.answering,
            "export": self.export,
            "evaluation": self.evaluation,
        }


AnyRun = EncoderRun | LanguageModelRun | RepairRun | ComplexityRun


def load_run(folder: Path) -> AnyRun:
    """Read a run's folder; `InputError` where it is no run or one of its files is damaged."""
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), fix="give the folder of a run, such as runs/quickstart")
    record = read_record(folder)
    tokenizer = read_file(folder / "tokenizer" / "report.json", TokenizerReport)
    if record.system == "code-encoder":
        steps, looks = read_metrics(folder / "metrics.jsonl", EvalRow)
        return EncoderRun(
            folder=folder,
            record=record,
            steps=steps,
            looks=looks,
            tokenizer=tokenizer,
            manifest=read_file(folder / "data" / "manifest.json", Manifest),
            evaluation=read_file(folder / "evaluation.json", Evaluation),
            export=read_file(folder / "export" / "codefit-export.json", Export),
            answers=read_file(folder / "answers.json", Answers),
        )
    if record.system in LANGUAGE_MODELS:
        steps, perplexities = read_metrics(folder / "metrics.jsonl", PerplexityRow)
        return LanguageModelRun(
            folder=folder,
            record=record,
            steps=steps,
            looks=perplexities,
            tokenizer=tokenizer,
            manifest=read_file(folder / "data" / "manifest.json", DocumentManifest),
            evaluation=read_file(folder / "evaluation.json", PerplexityEvaluation),
            shipped=read_file(folder / "shipped.json", Shipped),
            samples=read_file(folder / "samples.json", Samples),
        )
    if record.system == "repair-ranking":
        return _load_repair_run(folder, record)
    if record.system == "complexity-scoring":
        return _load_complexity_run(folder, record)
    raise InputError(
        f"a run of the system {record.system!r}, which this codefit has no page for",
        where=str(folder / FILE),
        fix="use the codefit that made it, or a newer one",
    )


def _load_repair_run(folder: Path, record: RunRecord) -> RepairRun:
    steps, looks = read_metrics(folder / "metrics.jsonl", ListsRow)
    pretraining, perplexities = read_metrics(folder / "pretrained" / "metrics.jsonl", PerplexityRow, "pretrain")
    return RepairRun(
        folder=folder,
        record=record,
        steps=steps,
        looks=looks,
        pretraining=pretraining,
        pretraining_looks=perplexities,
        tokenizer=None,
        manifest=read_file(folder / "data" / "manifest.json", RepairManifest),
        proposer=read_file(folder / "proposer.json", Proposer),
        names=read_file(folder / "names.json", NameWeights),
        lists=read_file(folder / "lists" / "report.json", Lists),
        variants=read_file(folder / "variants.json", Variants),
        export=read_file(folder / "export.json", RepairExport),
        evaluation=read_file(folder / "evaluation.json", RepairEvaluation),
    )


def _load_complexity_run(folder: Path, record: RunRecord) -> ComplexityRun:
    steps, looks = read_metrics(folder / "metrics.jsonl", ScoreRow)
    answering, answers = read_metrics(folder / "language_model" / "metrics.jsonl", AnswerRow, "chat")
    return ComplexityRun(
        folder=folder,
        record=record,
        steps=steps,
        looks=looks,
        answering=answering,
        answering_looks=answers,
        tokenizer=None,
        manifest=read_file(folder / "data" / "manifest.json", ComplexityManifest),
        baselines=read_file(folder / "baselines.json", Baselines),
        export=read_file(folder / "export.json", ComplexityExport),
        evaluation=read_file(folder / "evaluation.json", ComplexityEvaluation),
        scores=read_scores(folder / "scores.jsonl.gz"),
    )
