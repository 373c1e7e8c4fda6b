"""What the stages of both language-model systems share: how they train, what they measure, what they write on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from codefit.evaluate.perplexity import DocumentScore, PerplexityReport, compare, evaluate_perplexity
from codefit.files import atomic_path, read_json, write_json
from codefit.records import Document
from codefit.run.machine import package_versions
from codefit.run.record import code_revision
from codefit.train.language_model import spread

if TYPE_CHECKING:
    from codefit.models.language_model import LanguageModel
    from codefit.recipe import Adapter, BaseLanguageModel, CausalTrain, ExtendedPretraining
    from codefit.train.language_model import LanguageTraining

Role = Literal["domain", "general", "training"]

METRICS = "metrics.jsonl"
EVALUATION_REPORT = "evaluation.json"
DIRECTORY_DEPTH = 3  # parts of a directory's name that a table row stands for: crates/NAME/src
DESCRIPTIONS: dict[Role, str] = {
    "domain": "Files of the repository in directories that were held out of training, and of all that chose the model.",
    "general": "General code in repositories that were never trained on, neither by the base nor after it.",
    "training": "Files that were trained on: what is learned by heart shows here.",
}


class MeasuredSet(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one kind and what each cost a model."""

    name: str
    role: Role
    language: str | None
    window: int
    stride: int
    scores: list[DocumentScore]

    def report(self) -> PerplexityReport:
        """The figures of this set."""
        return PerplexityReport(tuple(self.scores), self.window, self.stride)


class DocumentSet(msgspec.Struct, frozen=True):
    """Documents of one kind, to be measured together."""

    name: str
    role: Role
    documents: list[Document]

    @property
    def language(self) -> str | None:
        """Their language, where they have one."""
        languages = {document.language for document in self.documents}
        return languages.pop() if len(languages) == 1 else None


def training_of(
    train: CausalTrain, adapter: Adapter | None, seed: int, *, replay_share: float = 0.0
) -> LanguageTraining:
    """A recipe's training section as the trainer takes it."""
    from codefit.train.causal import AdapterSettings, CausalSettings
    from codefit.train.causal_data import Curriculum
    from codefit.train.language_model import LanguageTraining

    return LanguageTraining(
        learning=CausalSettings(
            learning_rate=train.learning_rate,
            weight_decay=train.weight_decay,
            rows_at_once=train.batch_size,
            adapter=AdapterSettings(**adapter.model_dump()) if adapter is not None else None,
            precision=train.precision,
            gradient_checkpointing=train.gradient_checkpointing,
            device=train.device,
        ),
        curriculum=Curriculum(
            lengths=tuple(train.lengths),
            # Each length gets its share of the epochs: three of them over three lengths are one at each.
            passes=(train.epochs or 0.0) / len(train.lengths),
            steps=train.max_steps,
            fim_rate=train.fim_rate,
            spm_rate=train.spm_rate,
        ),
        rows_a_step=train.batch_size * train.accumulation,
        warmup_steps=train.warmup_steps,
        schedule=train.schedule,
        save_every=train.save_every,
        eval_every=train.eval_every,
        replay_share=replay_share,
        seed=seed,
    )


def by_source(documents: Sequence[Document], most: int | None) -> list[DocumentSet]:
    """General code as one set a repository, in the order of their names, at most so many files of each."""
    groups: dict[str, list[Document]] = {}
    for document in documents:
        groups.setdefault(document.repo or "unknown", []).append(document)
    return [DocumentSet(name, "general", spread(groups[name], most)) for name in sorted(groups)]


def measure(
    language_model: LanguageModel, sets: Sequence[DocumentSet], *, window: int, stride: int
) -> list[MeasuredSet]:
    """What each document of the sets costs the model."""
    measured = []
    for entry in sets:
        report = evaluate_perplexity(language_model, entry.documents, window=window, stride=stride)
        measured.append(
            MeasuredSet(
                name=entry.name,
                role=entry.role,
                language=entry.language,
                window=window,
                stride=stride,
                scores=list(report.scores),
            )
        )
    return measured


def write_measured(path: Path, measured: Sequence[MeasuredSet]) -> None:
    """Keep what was measured, document by document, so that a later model can be compared on the same."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(msgspec.json.encode(measured) + b"\n")


def read_measured(path: Path) -> list[MeasuredSet]:
    """What `write_measured` kept."""
    return msgspec.json.decode(path.read_bytes(), type=list[MeasuredSet])


def evaluation_of(after: Sequence[MeasuredSet], before: Sequence[MeasuredSet] | None) -> dict[str, Any]:
    """`evaluation.json`: each set before and after with the change, and by directory where it is the repository's."""
    sets = []
    for place, measured in enumerate(after):
        report = measured.report()
        earlier = before[place].report() if before is not None else None
        directories: dict[str, Any] = {}
        if measured.role == "domain":
            was = earlier.by_directory(DIRECTORY_DEPTH) if earlier is not None else {}
            now = report.by_directory(DIRECTORY_DEPTH)
            directories = {name: {"before": was.get(name), "after": found} for name, found in now.items()}
        sets.append(
            {
                "name": measured.name,
                "role": measured.role,
                "language": measured.language,
                "description": DESCRIPTIONS[measured.role],
                "before": earlier.summary() if earlier is not None else None,
                "after": report.summary(),
                "change": compare(earlier, report).summary() if earlier is not None else None,
                "by_directory": directories,
            }
        )
    return {"sets": sets, "window": after[0].window, "stride": after[0].stride}


def write_evaluation(
    folder: Path,
    recipe: BaseLanguageModel | ExtendedPretraining,
    run: Path,
    after: Sequence[MeasuredSet],
    before: Sequence[MeasuredSet] | None,
) -> dict[str, Any]:
    """Write `evaluation.json`, which it returns, and what it says of the model in `folder` beside that."""
    evaluation = evaluation_of(after, before)
    write_json(run / EVALUATION_REPORT, evaluation)
    describe_model(folder, recipe, run, evaluation)
    return evaluation


def describe_model(
    folder: Path, recipe: BaseLanguageModel | ExtendedPretraining, run: Path, evaluation: dict[str, Any]
) -> None:
    """Write beside the model where it comes from and what it was measured at, for programs and for people."""
    from codefit.models.language_info import read_language_info, write_language_info
    from codefit.run.card import write_card

    manifest = read_json(run / "data" / "manifest.json")
    info = msgspec.structs.replace(
        read_language_info(folder),
        recipe=recipe.model_dump(mode="json"),
        seed=recipe.seed,
        code_revision=code_revision(),
        data={name: output["sha256"] for name, output in manifest["outputs"].items()},
        packages=package_versions(),
        metrics={
            entry["name"]: {key: entry[key] for key in ("role", "before", "after", "change")}
            for entry in evaluation["sets"]
        },
    )
    write_language_info(folder, info)
    write_card(folder, run)
