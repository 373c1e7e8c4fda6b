"""The stages of a ranker of repairs: from broken snippets to a model that proposes, orders, mends and is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.files import hash_file, hash_folder, read_json, read_lines, write_json
from codefit.progress import say, track
from codefit.recipe import RepairRanking, RepairSteps
from codefit.records import Repair, load_rows
from codefit.run.machine import package_versions
from codefit.run.pair_data import find_files
from codefit.run.record import code_revision, new_record
from codefit.run.repair_data import (
    EVALUATION,
    MANIFEST,
    SNIPPETS,
    SNIPPETS_VALIDATION,
    TRAIN,
    VALIDATION,
    data_files,
    write_given_repairs,
    write_repair_data,
    write_snippet_data,
)
from codefit.run.runner import Stage, run_stages

if TYPE_CHECKING:
    from codefit.models.ranker import RankerShape
    from codefit.tasks.repairs.instances import RepairPair
    from codefit.tasks.repairs.ngrams import NgramModel
    from codefit.tasks.repairs.ranking import RankingList
    from codefit.train.proposer import ProposerSettings
    from codefit.train.ranker import Steps, TrainedPart

PROPOSER, PROPOSER_REPORT = "proposer", "proposer.json"
NAMES_REPORT = "names.json"
LISTS = "lists"
TRAIN_LISTS, VALIDATION_LISTS, LISTS_REPORT = (
    f"{LISTS}/{name}" for name in ("train.npz", "validation.npz", "report.json")
)
PRETRAINED = "pretrained"
ENCODER, PRETRAIN_METRICS = f"{PRETRAINED}/encoder", f"{PRETRAINED}/metrics.jsonl"
RANKER, METRICS = "ranker", "metrics.jsonl"
VARIANTS, VARIANTS_REPORT = "variants", "variants.json"
MODEL, EXPORT_REPORT = "model", "export.json"
EVALUATION_REPORT = "evaluation.json"
CARD_FILES = (f"{MODEL}/README.md", f"{MODEL}/codefit.json")


def stages_of(recipe: RepairRanking, *, encoder: Path | None = None) -> list[Stage]:
    """The recipe's stages in order; the ranker begins with `encoder` where one is given."""
    settings: dict[str, Any] = recipe.model_dump(mode="json")
    seed = {"seed": recipe.seed}
    own_encoder = [ENCODER] if recipe.pretrain is not None else []
    given = {"encoder": hash_folder(encoder)} if encoder is not None else {}
    stages = [
        Stage(
            "data",
            partial(write_repair_data, recipe.data, recipe.seed),
            outputs=["data"],
            settings={**seed, "data": settings["data"], "files": data_files(recipe.data)},
        ),
        Stage(
            "propose",
            partial(_propose, recipe),
            outputs=[PROPOSER, PROPOSER_REPORT],
            settings={**seed, "propose": settings["propose"]},
            inputs=[TRAIN, VALIDATION],
        ),
        Stage(
            "names",
            partial(_names, recipe),
            outputs=[NAMES_REPORT],
            settings={**seed, "lists": settings["lists"]},
            inputs=[TRAIN, PROPOSER],
        ),
        Stage(
            "lists",
            partial(_lists, recipe),
            outputs=[LISTS],
            settings={**seed, "lists": settings["lists"], "shares": settings["propose"]["shares"]},
            inputs=[TRAIN, VALIDATION, PROPOSER],
        ),
    ]
    if recipe.pretrain is not None:
        stages.append(
            Stage(
                "pretrain",
                partial(_pretrain, recipe),
                outputs=[ENCODER, PRETRAIN_METRICS],
                settings={**seed, "model": settings["model"], "pretrain": settings["pretrain"]},
                inputs=[SNIPPETS, SNIPPETS_VALIDATION],
                scratch=[f"{PRETRAINED}/checkpoints"],
            )
        )
    stages.append(
        Stage(
            "train",
            partial(_train, recipe, encoder),
            outputs=[RANKER, METRICS],
            settings={**seed, **given, "model": settings["model"], "train": settings["train"]},
            inputs=[LISTS, *own_encoder],
            scratch=["checkpoints"],
        )
    )
    if recipe.variants:
        stages.append(
            Stage(
                "variants",
                partial(_variants, recipe),
                outputs=[VARIANTS_REPORT],
                settings={**seed, **{name: settings[name] for name in ("variants", "model", "train", "pretrain")}},
                inputs=[LISTS, RANKER, *own_encoder],
                scratch=[VARIANTS],
            )
        )
    return [
        *stages,
        Stage(
            "export",
            partial(_export, recipe),
            outputs=[MODEL, EXPORT_REPORT],
            settings=settings["export"],
            inputs=[PROPOSER, RANKER, VALIDATION_LISTS, NAMES_REPORT],
            later=CARD_FILES,
        ),
        Stage(
            "evaluate",
            partial(_evaluate, recipe),
            outputs=[EVALUATION_REPORT],
            settings={**seed, **settings["evaluate"]},
            inputs=[EVALUATION, MODEL],
            later=CARD_FILES,
        ),
    ]


def proposer_settings(recipe: RepairRanking) -> ProposerSettings:
    """What the recipe says of the n-grams and the model of edits."""
    from codefit.train.proposer import ProposerSettings

    section = recipe.propose.model_dump()
    return ProposerSettings(**{**section, "shares": tuple(section["shares"])}, seed=recipe.seed)


def shape_of(recipe: RepairRanking) -> RankerShape:
    """The network's sizes."""
    from codefit.models.ranker import RankerShape

    return RankerShape(**recipe.model.model_dump())


def steps_of(section: RepairSteps, seed: int) -> Steps:
    """How long a training of the recipe is."""
    from codefit.train.ranker import Steps

    return Steps(
        batch_size=section.batch_size,
        epochs=section.epochs,
        max_steps=section.max_steps,
        warmup_steps=section.warmup_steps,
        schedule=section.schedule,
        save_every=section.save_every,
        eval_every=section.eval_every,
        seed=seed,
    )


def _training_pairs(recipe: RepairRanking, run: Path) -> tuple[list[Repair], list[RepairPair], npt.NDArray[np.int64]]:
    """The rows to learn from, their strings, and a number for each that near duplicates share."""
    from codefit.tasks.repairs.instances import groups_of, pair_of

    rows = load_rows(run / TRAIN, Repair)
    groups = groups_of(rows, threshold=recipe.data.near_duplicate_threshold)
    return rows, [pair_of(row) for row in rows], groups


def _propose(recipe: RepairRanking, run: Path) -> str:
    from codefit.models.repair import load_repair_model
    from codefit.tasks.repairs.instances import pair_of
    from codefit.train.proposer import ALL, train_proposer

    _, pairs, groups = _training_pairs(recipe, run)
    report = train_proposer(pairs, groups, proposer_settings(recipe), run / PROPOSER)
    own = load_repair_model(run / PROPOSER / ALL).language_model
    fixed = [pair_of(row).fixed for row in load_rows(run / VALIDATION, Repair)]
    report["perplexity"] = {"these repairs": own.perplexity(fixed), **_other_perplexities(recipe, run, fixed)}
    write_json(run / PROPOSER_REPORT, report)
    perplexities = ", ".join(f"{value:.2f} by {name}" for name, value in report["perplexity"].items())
    return f"{report['pairs']:,} pairs and {report['synthetic']:,} made ones; perplexity of repairs {perplexities}"


def _other_perplexities(recipe: RepairRanking, run: Path, fixed: Sequence[Sequence[int]]) -> dict[str, float]:
    """The same by n-grams of other code: the snippets for pre-training, and counts that were published."""
    from codefit.tasks.repairs.ngrams import count_ngrams, read_counts, smooth
    from codefit.tasks.repairs.snippet_files import read_snippets

    def of(model: NgramModel) -> float:
        return model.perplexity(fixed)

    most = recipe.propose.contexts
    found = {}
    if (run / SNIPPETS).exists():
        counted = count_ngrams(read_snippets(run / SNIPPETS), recipe.propose.order)
        found["snippets of sound code"] = of(smooth(counted, most_contexts=most))
    for path in find_files(recipe.data.counts)[0]:
        found[path.name.partition(".")[0]] = of(smooth(read_counts(path), most_contexts=most))
    return found


def _names(recipe: RepairRanking, run: Path) -> str:
    from codefit.train.names import NamedExample, fit_names, names_of_source
    from codefit.train.proposer import examples_of

    rows, pairs, groups = _training_pairs(recipe, run)
    examples = examples_of(pairs, groups, 0, proposer_settings(recipe))
    named = [
        NamedExample(example, names)
        for example, row in zip(examples, rows, strict=True)
        if (names := names_of_source(example.pair, row.broken_source)) is not None
    ]
    report = fit_names(run / PROPOSER, named, limit=recipe.lists.limit, steps=recipe.lists.steps)
    write_json(run / NAMES_REPORT, report)
    if not report["lists"]:
        return "no name tells anything: the rows bring no sources"
    return (
        f"in {report['telling']:,} of {report['pairs']:,} pairs a name tells something; there the loss goes from "
        f"{report['loss']['without']:.2f} to {report['loss']['with']:.2f} nats"
    )


def _lists(recipe: RepairRanking, run: Path) -> str:
    from codefit.tasks.repairs.instances import pair_of
    from codefit.tasks.repairs.ranking import save_lists
    from codefit.train.proposer import ALL, examples_of, training_lists, validation_lists
    from codefit.train.ranker import list_metrics

    section = recipe.lists
    _, known, groups = _training_pairs(recipe, run)
    # Other broken strings than those that the model of edits was fitted on.
    examples = examples_of(known, groups, section.synthetic, proposer_settings(recipe), stream=1)
    (run / LISTS).mkdir(exist_ok=True)
    train = list(training_lists(run / PROPOSER, examples, limit=section.limit, steps=section.steps))
    save_lists(run / TRAIN_LISTS, train)
    pairs = [pair_of(row) for row in load_rows(run / VALIDATION, Repair)]
    validation = list(
        validation_lists(run / PROPOSER / ALL, pairs, limit=section.validation_limit, steps=section.steps)
    )
    save_lists(run / VALIDATION_LISTS, validation)
    metrics = list_metrics(validation, [one.scalars.sum(axis=1) for one in validation])
    average = sum(len(one.edits) for one in train) / len(train)
    report = {
        "train": len(train),
        "synthetic": len(examples) - len(known),
        "validation": len(validation),
        "candidates": average,
        "found": sum(one.truth >= 0 for one in validation) / len(validation),
        "edits": metrics,
    }
    write_json(run / LISTS_REPORT, report)
    return (
        f"{len(train):,} lists of {average:.0f} candidates; on validation the repair is "
        f"found for {report['found']:.1%}, MRR {metrics['mrr']:.3f} in the order of edits"
    )


def _pretrain(recipe: RepairRanking, run: Path) -> str:
    trained = pretrain(recipe, *_snippet_files(recipe, run), run / PRETRAINED)
    chosen = f", perplexity {trained.validation['perplexity']:.2f}" if trained.validation else ""
    return f"{trained.result.steps:,} steps, {trained.parameters:,} parameters{chosen}"


def _snippet_files(recipe: RepairRanking, run: Path) -> tuple[Path, Path | None]:
    """Those to learn from, and those that choose where some are held out and there are any."""
    validation = run / SNIPPETS_VALIDATION
    if next(iter(read_lines(validation)), None) is None:
        if recipe.data.snippet_validation_sources:
            say("pretrain: no snippet of data.snippet_validation_sources is here; the last encoder is kept")
        return run / SNIPPETS, None
    return run / SNIPPETS, validation


def pretrain(recipe: RepairRanking, train_file: Path, eval_file: Path | None, out: Path) -> TrainedPart:
    """Pre-train an encoder of the recipe's sizes on files of snippets; writes `out/encoder`."""
    from codefit.train.ranker import pretrain_encoder
    from codefit.train.token_model import TokenSettings

    section = recipe.pretrain
    assert section is not None
    learning = TokenSettings(section.learning_rate, section.weight_decay, section.device)
    return pretrain_encoder(train_file, eval_file, shape_of(recipe), learning, steps_of(section, recipe.seed), out)


def pretrain_from(recipe: RepairRanking, out: Path, train_file: Path | None, eval_file: Path | None) -> TrainedPart:
    """Pre-train below `out` on a file of snippets, or on those of the recipe's documents where there is none."""
    if train_file is None:
        train_file = out / SNIPPETS
        if not train_file.exists():
            say(write_snippet_data(recipe.data, recipe.seed, out))
    return pretrain(recipe, train_file, eval_file, out)


def train_from(
    recipe: RepairRanking, out: Path, train_file: Path, eval_file: Path | None, encoder: Path | None
) -> dict[str, Any]:
    """A repair model below `out` from files of repairs; what each stage came to.

    Without `eval_file` a part of the others chooses, as large as the recipe says.
    """
    write = partial(write_given_repairs, recipe.data, recipe.seed, train_file, eval_file)
    files = {str(path): hash_file(path) for path in (train_file, eval_file) if path is not None}
    data = Stage(
        "data",
        write,
        outputs=["data"],
        settings={"files": files, "share": recipe.data.validation_share, "seed": recipe.seed},
    )
    recipe = recipe.model_copy(update={"pretrain": None, "variants": {}})
    kept = [
        stage
        for stage in stages_of(recipe, encoder=encoder)
        if stage.name in ("propose", "names", "lists", "train", "export")
    ]
    stages = [data, *kept]
    record = run_stages(stages, new_record(recipe, [stage.name for stage in stages]), out)
    return {"model": str(out / MODEL), "stages": {stage.name: stage.summary for stage in record.stages}}


def _train(recipe: RepairRanking, encoder: Path | None, run: Path) -> str:
    own = run / ENCODER if recipe.pretrain is not None else None
    trained = train_on_lists(recipe, run, run, encoder or own)
    return f"{trained.result.steps:,} steps, {trained.parameters:,} parameters, {_validation(trained.validation)}"


def train_on_lists(recipe: RepairRanking, run: Path, out: Path, pretrained: Path | None) -> TrainedPart:
    """Train a ranker of the recipe's sizes on the run's lists; writes `out/ranker`."""
    from codefit.train.ranker import train_ranker
    from codefit.train.ranking import RankingSettings

    section = recipe.train
    return train_ranker(
        run / TRAIN_LISTS,
        run / VALIDATION_LISTS,
        shape_of(recipe),
        RankingSettings(
            learning_rate=section.learning_rate,
            frozen_encoder=section.frozen_encoder,
            tau=section.tau,
            weight_decay=section.weight_decay,
            device=section.device,
        ),
        steps_of(section, recipe.seed),
        out,
        candidates=section.candidates,
        pretrained=pretrained,
    )


def _validation(metrics: Mapping[str, float]) -> str:
    return f"on validation MRR {metrics['mrr']:.3f}, P@1 {metrics['p@1']:.3f}"


def _variants(recipe: RepairRanking, run: Path) -> str:
    """Train each variant on the same lists, and hold their ranks on validation against those of the recipe itself."""
    from codefit.evaluate.ranking import rank_of
    from codefit.tasks.repairs.ranking import load_lists
    from codefit.train.ranker import score_lists

    lists = load_lists(run / VALIDATION_LISTS)

    def reciprocal(folder: Path) -> np.ndarray:
        scores = score_lists(folder / RANKER, lists)
        return np.array([1 / rank_of(own, one.truth) for own, one in zip(scores, lists, strict=True)])

    own = reciprocal(run)
    of_edits = np.array([1 / rank_of(one.scalars.sum(axis=1), one.truth) for one in lists])
    rows = [
        _variant_row("this recipe", {}, own, own, lists),
        _variant_row("n-grams and edits alone", {}, of_edits, own, lists),
    ]
    for name, variant in recipe.variants.items():
        changed = recipe.with_variant(variant)
        out = run / VARIANTS / name
        say(f"variants: {name}")
        pretrained = None
        if changed.pretrain is not None:
            same = shape_of(changed) == shape_of(recipe)
            pretrained = (
                run / ENCODER if same else pretrain(changed, *_snippet_files(recipe, run), out / PRETRAINED).folder
            )
        trained = train_on_lists(changed, run, out, pretrained)
        row = _variant_row(name, variant.model_dump(mode="json"), reciprocal(out), own, lists)
        rows.append({**row, "parameters": trained.parameters, "steps": trained.result.steps})
    write_json(run / VARIANTS_REPORT, {"variants": rows})
    return ", ".join(f"{row['name']} {row['mrr']:.3f}" for row in rows)


def _variant_row(
    name: str, changed: dict[str, Any], reciprocal: np.ndarray, own: np.ndarray, lists: Sequence[RankingList]
) -> dict[str, Any]:
    from codefit.evaluate.intervals import bootstrap, paired_difference

    found, difference = bootstrap(reciprocal), paired_difference(reciprocal, own)
    return {
        "name": name,
        "changed": changed,
        "mrr": found.mean,
        "ci95": [found.low, found.high],
        "p@1": float((reciprocal == 1).mean()),
        "difference": {"mean": difference.mean, "ci95": [difference.low, difference.high]},
        "lists": len(lists),
    }


def _export(recipe: RepairRanking, run: Path) -> str:
    from codefit.export.repair import export_repair_model
    from codefit.tasks.repairs.ranking import load_lists
    from codefit.train.proposer import ALL

    report = export_repair_model(
        run / PROPOSER / ALL,
        run / RANKER,
        load_lists(run / VALIDATION_LISTS),
        run / MODEL,
        precision=recipe.export.precision,
        name_weights=tuple(read_json(run / NAMES_REPORT)["weights"].values()),
    )
    report["folder_bytes"] = sum(path.stat().st_size for path in (run / MODEL).iterdir())
    write_json(run / EXPORT_REPORT, report)
    form = report[recipe.export.precision]
    return (
        f"{recipe.export.precision}, {report['folder_bytes'] / 1e6:.1f} MB in all, {form['median_ms']:.0f} ms a list, "
        f"MRR {form['mrr']:.3f} on validation (fp32 {report['fp32']['mrr']:.3f})"
    )


def _evaluate(recipe: RepairRanking, run: Path) -> str:
    from codefit.evaluate.repairs import evaluate_repairs
    from codefit.models.repair import load_repair_model
    from codefit.tasks.repairs.instances import pair_of

    section = recipe.evaluate
    rows = load_rows(run / EVALUATION, Repair)[: section.max_instances]
    model = load_repair_model(run / MODEL)
    pairs = [pair_of(row) for row in rows]
    figures = evaluate_repairs(
        model, track(pairs, "measuring", len(pairs), "strings"), limit=section.limit, seconds=section.seconds,
        seed=recipe.seed,
    )  # fmt: skip
    figures |= {"limit": section.limit, "seconds": section.seconds}
    write_json(run / EVALUATION_REPORT, figures)
    _describe(recipe, run, figures)
    return (
        f"end to end MRR {figures['mrr']:.3f}, P@1 {figures['p@1']:.3f}, P@10 {figures['p@10']:.3f}, P@100 "
        f"{figures['p@100']:.3f}; {figures['latency_ms']['p50']:.0f} ms, 95 % within {figures['latency_ms']['p95']:.0f}"
    )


def _describe(recipe: RepairRanking, run: Path, figures: dict[str, Any]) -> None:
    """Write where the model comes from and what it is worth beside it."""
    from codefit.models.repair import RepairInfo, write_repair_info
    from codefit.run.card import write_card

    manifest = read_json(run / MANIFEST)
    kept = ("n", "mrr", "p@1", "p@10", "p@100", "p@all", "ci95", "latency_ms")
    info = RepairInfo(
        recipe=recipe.model_dump(mode="json"),
        seed=recipe.seed,
        code_revision=code_revision(),
        data={name: output["sha256"] for name, output in manifest["outputs"].items()},
        packages=package_versions(),
        metrics={name: figures[name] for name in kept},
    )
    write_repair_info(run / MODEL, info)
    write_card(run / MODEL, run)
