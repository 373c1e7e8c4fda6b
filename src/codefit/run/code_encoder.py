"""The stages of a code embedding model from scratch: from raw source to a measured, exported, searchable model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from codefit.errors import CodefitError
from codefit.files import read_json, write_json
from codefit.progress import say
from codefit.recipe import CodeEncoder, Data
from codefit.run.machine import package_versions
from codefit.run.pair_data import EVALUATION, TRAIN, VALIDATION, input_files, write_data
from codefit.run.record import code_revision
from codefit.run.runner import Stage

TOKENIZER = "tokenizer"
MODEL = "model"
EXPORT = "export"
EVALUATION_REPORT = "evaluation.json"
ANSWERS = "answers.json"
METRICS = "metrics.jsonl"
# What the evaluation adds to the model's folder once its figures are known.
CARD_FILES = (f"{MODEL}/README.md", f"{MODEL}/codefit.json")


def stages_of(recipe: CodeEncoder) -> list[Stage]:
    """The recipe's stages in order."""
    settings: dict[str, Any] = recipe.model_dump(mode="json")
    seed = {"seed": recipe.seed}
    stages = [
        Stage(
            "data",
            partial(write_data, recipe.data, recipe.seed),
            outputs=["data"],
            settings={**seed, "data": settings["data"], "files": input_files([], _patterns(recipe.data))},
        ),
        Stage(
            "tokenizer",
            partial(_train_tokenizer, recipe),
            outputs=[TOKENIZER],
            settings=settings["tokenizer"],
            inputs=[TRAIN],
        ),
        Stage(
            "train",
            partial(_train, recipe),
            outputs=[MODEL, METRICS],
            settings={**seed, **{name: settings[name] for name in ("model", "train", "evaluate")}},
            inputs=[TRAIN, VALIDATION, f"{TOKENIZER}/tokenizer.json"],
            scratch=["checkpoints"],
            later=CARD_FILES,
        ),
        Stage(
            "evaluate",
            partial(_evaluate, recipe),
            outputs=[EVALUATION_REPORT],
            settings=settings["evaluate"],
            inputs=[EVALUATION, MODEL],
            later=CARD_FILES,
        ),
        Stage(
            "export",
            partial(_export, recipe),
            outputs=[EXPORT],
            settings=settings["export"],
            inputs=[EVALUATION_REPORT],
        ),
    ]
    if recipe.ask is not None:
        stages.append(Stage("ask", partial(_ask, recipe), outputs=[ANSWERS], settings=settings["ask"], inputs=[EXPORT]))
    return stages


def _patterns(data: Data) -> list[str]:
    """The patterns of all files that the data stage reads."""
    return [*data.pairs, *(pattern for patterns in data.benchmarks.values() for pattern in patterns)]


def _train_tokenizer(recipe: CodeEncoder, run: Path) -> str:
    from codefit.models.tokenizer_training import summary_of, train_from_pairs
    from codefit.records import Pair, load_rows

    pairs = load_rows(run / TRAIN, Pair)
    section = recipe.tokenizer
    report = train_from_pairs(pairs, section.vocab_size, section.max_bytes, run / TOKENIZER, compare=section.compare)
    return summary_of(report)


def _train(recipe: CodeEncoder, run: Path) -> str:
    from codefit.run.embedding import train_settings, trainable
    from codefit.train.embedding import TrainFiles, train_embedding_model

    validation = run / VALIDATION
    files = TrainFiles(
        train=run / TRAIN,
        evaluation=validation if validation.exists() else None,
        tokenizer=run / TOKENIZER / "tokenizer.json",
        out=run,
    )
    trained = train_embedding_model(
        files,
        trainable(recipe.model, recipe.train),
        lambda pairs: train_settings(recipe.train, pairs, recipe.seed),
        pool_size=recipe.evaluate.pool_size,
    )
    chosen = f", MRR@10 {trained.validation['mrr@10']:.3f} on validation" if trained.validation else ""
    return f"{trained.result.steps:,} steps, {trained.parameters:,} parameters{chosen}"


def _evaluate(recipe: CodeEncoder, run: Path) -> str:
    from codefit.evaluate.pools import pooled_report, pools_by_source
    from codefit.models.embedder import load_embedder
    from codefit.records import Pair, load_rows

    pools = pools_by_source(
        load_rows(run / EVALUATION, Pair), size=recipe.evaluate.pool_size, minimum=recipe.evaluate.min_pool
    )
    if not pools:
        raise CodefitError(
            f"no evaluation source has {recipe.evaluate.min_pool} pairs",
            where=str(run / EVALUATION),
            fix="lower evaluate.min_pool or name larger sources in data.evaluation_sources",
        )
    embedder = load_embedder(run / MODEL)
    found = pooled_report(embedder, pools, embedder.model_weight)
    entry = {
        "name": "unseen",
        "description": "Each source was kept out of training, and out of all that chose the model. A question is the "
        "first paragraph of a function's documentation; the answer is that function without it, among the functions "
        "of its source.",
        **found,
    }
    write_json(run / EVALUATION_REPORT, {"sets": [entry]})
    _describe(recipe, run, entry)
    model, bm25, hybrid = (found[system]["mrr@10"] for system in ("model", "bm25", "hybrid"))
    low, high = found["difference_to_bm25"]["hybrid"]["ci95"]
    return f"MRR@10 model {model:.3f}, BM25 {bm25:.3f}, hybrid {hybrid:.3f} (+{low:.3f} to +{high:.3f} over BM25)"


def _describe(recipe: CodeEncoder, run: Path, entry: dict[str, Any]) -> None:
    """Write where the model comes from and what it is worth beside it."""
    from codefit.models.info import read_info, write_info
    from codefit.run.card import write_card

    manifest = read_json(run / "data" / "manifest.json")
    info = msgspec.structs.replace(
        read_info(run / MODEL),
        recipe=recipe.model_dump(mode="json"),
        seed=recipe.seed,
        code_revision=code_revision(),
        data={name: output["sha256"] for name, output in manifest["outputs"].items()},
        packages=package_versions(),
        metrics={key: entry[key] for key in ("n", "pool", "model", "bm25", "hybrid", "difference_to_bm25")},
    )
    write_info(run / MODEL, info)
    write_card(run / MODEL, run)


def _export(recipe: CodeEncoder, run: Path) -> str:
    from codefit.export.embedder import export_embedder

    section = recipe.export
    report = export_embedder(
        run / MODEL, run / EXPORT, benchmark=True, batch_size=section.batch_size, seq_len=section.seq_len
    )
    rows = {row["backend"]: row["texts_per_second"] for row in report["benchmark"]["rows"]}
    winner = report["winner"]
    others = ", ".join(f"{name} {speed:,.0f}" for name, speed in rows.items() if name != winner)
    return f"{winner} is the faster export here: {rows[winner]:,.0f} texts/s ({others})"


def _ask(recipe: CodeEncoder, run: Path) -> str:
    from codefit.run.ask import ask

    assert recipe.ask is not None
    answers = ask(recipe.ask, run / EXPORT, run / "data" / "manifest.json")
    write_json(run / ANSWERS, answers)
    for query in answers["queries"]:
        best = query["results"][0]
        say(f"  {query['query']}\n    -> {best['path']}:{best['start_line']}  {best['name']}")
    return f"{len(answers['queries'])} questions to {answers['functions']:,} functions of {answers['source']}"
