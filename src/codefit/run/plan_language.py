"""What training a language model will cost: documents, tokens, memory and time, and rows of what it would learn from.

Nothing is trained for keeps and nothing is written. The data stage's own functions choose the documents, the learner's
own cut them into rows; where a model is at hand and light enough a few of its steps are timed.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codefit.corpus.richness import bytes_of
from codefit.errors import CodefitError, InputError
from codefit.recipe import BaseLanguageModel, ExtendedPretraining
from codefit.records import Document
from codefit.run.language_model import by_source, training_of
from codefit.run.machine import machine_facts
from codefit.run.plan_curriculum import BYTES_A_TOKEN, StagePlan, assumed_stages, plan_stages
from codefit.run.plan_documents import Kind, Surveyed, part_of, survey_repository, survey_sources, total_bytes
from codefit.run.plan_memory import Load, count_parameters, find_device, memory_plan
from codefit.run.plan_rows import show_row
from codefit.run.plan_speed import Speed, generation_seconds, measure_speed
from codefit.train.language_model import LanguageTraining, spread

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerFast

    from codefit.models.language_model import LanguageModel
    from codefit.train.causal_data import CausalData, Row

LanguageRecipe = BaseLanguageModel | ExtendedPretraining

# Text that is cut into rows, at most, and as much again of replay: some eight seconds for three lengths with holes.
TOKENIZED_BYTES = 1_500_000
PROMPT_TOKENS = 400  # of a place that the report lets the model write on from


@dataclass(frozen=True, slots=True)
class _Model:
    """What is known of the model to train: its shape always, its tokenizer and weights where they are at hand."""

    config: PretrainedConfig
    tokenizer: PreTrainedTokenizerFast | None
    loaded: LanguageModel | None
    place: str | None
    tokenizer_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The curriculum over the documents, and the first rows of each length, where there is a tokenizer."""

    stages: list[StagePlan]
    data: CausalData | None
    first: list[list[Row]]
    files: int
    bytes_a_token: float
    counted: bool


def plan_language_model(recipe: LanguageRecipe) -> dict[str, Any]:
    """The plan of a language model; see `codefit.run.plan_language_text` for how it is told.

    Raises what the data stage would raise, `InputError` where the base is neither a folder nor at hand from the hub, or
    the device asked for is not there.
    """
    import psutil

    surveyed = survey_sources(recipe) if isinstance(recipe, BaseLanguageModel) else survey_repository(recipe)
    adapter, replay_share = None, 0.0
    if isinstance(recipe, ExtendedPretraining):
        adapter, replay_share = recipe.model.adapter, recipe.data.replay_share
    training = training_of(recipe.train, adapter, recipe.seed, replay_share=replay_share)
    device = find_device(training.learning)
    model = _new_model(recipe, surveyed) if isinstance(recipe, BaseLanguageModel) else _base_model(recipe)
    _check_context(model.config, recipe)
    sizes = count_parameters(model.config, training.learning)
    load = Load(model.config, sizes, training.learning, max(recipe.train.lengths), device)
    memory = memory_plan(load)
    rows = _rows(surveyed, model, training)
    loaded = _loaded(recipe, model) if memory["fits"] else None
    speed = measure_speed(load, rows.data, rows.first, loaded, recipe.seed)
    seconds = _seconds(recipe, surveyed, model, rows, load, speed)
    return {
        "recipe": recipe.name,
        "system": recipe.system,
        "data": surveyed.to_dict(),
        "tokens": _tokens(surveyed, model, rows),
        "stages": [
            stage.to_dict() | {"seconds": speed.training_seconds(load, stage.length, stage.tokens, stage.context)}
            for stage in rows.stages
        ],
        "steps": sum(stage.steps for stage in rows.stages),
        "rows_a_step": training.rows_a_step,
        "parameters": {"all": sizes.parameters + sizes.adapter, "trained": sizes.trained},
        "precision": device.half or "fp32",
        "memory_bytes": memory,
        "speed": {
            "matmul_flops": speed.matmul,
            "utilisation": speed.utilisation,
            "measured": speed.measured,
            "tokens_per_second": sum(stage.tokens for stage in rows.stages) / max(seconds["train"], 1e-9),
        },
        "seconds": {**seconds, "total": sum(seconds.values())},
        "machine": machine_facts() | {"device": device.name, "load": psutil.getloadavg()[0]},
        "rows": _shown(rows, model),
    }


def _new_model(recipe: BaseLanguageModel, surveyed: Surveyed) -> _Model:
    """A model from random weights with a tokenizer learned from a part of the training text."""
    from codefit.models.language_model import SPECIAL_TOKENS, LanguageModelShape, new_language_model
    from codefit.models.tokenizer import train_tokenizer

    train = surveyed.kind("train")
    part, _ = _tokenized_part(train)
    started = time.monotonic()
    tokenizer = train_tokenizer(
        (document.text for document in part),
        recipe.tokenizer.vocab_size,
        splitting="qwen2",
        special_tokens=SPECIAL_TOKENS,
    )
    size = min(recipe.tokenizer.max_bytes, train.bytes)
    seconds = (time.monotonic() - started) / max(1, total_bytes(part)) * size
    loaded = new_language_model(LanguageModelShape(**recipe.model.model_dump()), tokenizer, seed=recipe.seed)
    config = copy.deepcopy(loaded.model.config)
    if total_bytes(part) < train.bytes:
        config.vocab_size = recipe.tokenizer.vocab_size  # the whole text gives all of its pieces
    return _Model(config, loaded.tokenizer, loaded, None, seconds)


def _base_model(recipe: ExtendedPretraining) -> _Model:
    """The base as far as it is at hand: its configuration at least."""
    from codefit.models.hub_cache import CONFIG_FILES, TOKENIZER_FILES, model_folder
    from codefit.models.language_model import load_lm_tokenizer, read_config, refuse_pickle
    from codefit.run.extended_pretraining import base_key, base_place

    place, revision = base_place(recipe), recipe.model.revision
    if not Path(place).is_dir():
        base_key(recipe)  # says what to run first, where that is what is missing
    wanted = f" --revision {revision}" if revision else ""
    missing = InputError(
        "the plan needs the configuration of the base at least, and it is not at hand",
        where=place,
        fix=f"where there is a network: hf download {place} config.json tokenizer.json "
        f"tokenizer_config.json{wanted}; or give a local folder as model.base",
    )
    try:
        folder = model_folder(place, revision, CONFIG_FILES)
    except InputError:
        raise
    except CodefitError as error:
        raise missing from error
    if not (folder / "config.json").exists():  # without a network the hub's library gives what part it has
        raise missing
    config = read_config(place, revision)
    refuse_pickle(folder)
    try:
        tokenizers = any(model_folder(place, revision, TOKENIZER_FILES).glob("tokenizer*"))
    except CodefitError:
        tokenizers = False  # not to be had now: the plan says so, and what it assumes instead
    return _Model(config, load_lm_tokenizer(place, revision) if tokenizers else None, None, place)


def _loaded(recipe: LanguageRecipe, model: _Model) -> LanguageModel | None:
    """The model with its weights, where they are on this machine."""
    from codefit.models.hub_cache import CONFIG_FILES, has_weights, model_folder
    from codefit.models.language_model import load_language_model

    if isinstance(recipe, BaseLanguageModel) or model.place is None or model.tokenizer is None:
        return model.loaded
    revision = recipe.model.revision
    folder = model_folder(model.place, revision, CONFIG_FILES)
    if not has_weights(folder):
        return None
    return load_language_model(model.place, revision=revision, device=recipe.train.device)


def _check_context(config: PretrainedConfig, recipe: LanguageRecipe) -> None:
    longest, context = max(recipe.train.lengths), int(config.max_position_embeddings)
    if longest > context:
        raise InputError(
            f"rows of {longest} tokens are longer than the model's context of {context}",
            where=recipe.name,
            fix="lower train.lengths",
        )


def _tokenized_part(kind: Kind) -> tuple[list[Document], float]:
    """Documents that are cut into rows, and how many times as much there is in all."""
    part, times = part_of(kind.documents, TOKENIZED_BYTES, 0)
    return part, times * kind.scale


def _rows(surveyed: Surveyed, model: _Model, training: LanguageTraining) -> _Rows:
    from codefit.train.causal_data import CausalData, Tokenize

    train = surveyed.kind("train")
    if model.tokenizer is None:
        size = round(train.bytes / (1 - training.replay_share))
        longest = max(bytes_of(document.text) for document in train.documents)
        stages = assumed_stages(training.curriculum, training.rows_a_step, size, longest)
        return _Rows(stages, None, [], 0, BYTES_A_TOKEN, counted=False)
    part, scale = _tokenized_part(train)
    replay, _ = _tokenized_part(surveyed.kind("replay"))
    data = CausalData(
        part, Tokenize(model.tokenizer), training.curriculum, replay=replay, replay_share=training.replay_share
    )
    stages, first = plan_stages(data, training, scale)
    pieces = [piece for piece in data.pieces(data.curriculum.lengths[-1]) if piece.document < len(part)]
    tokens = sum(len(piece.ids) - 1 - piece.ends for piece in pieces)
    return _Rows(stages, data, first, len(part), total_bytes(part) / max(1, tokens), counted=scale == 1)


def _tokens(surveyed: Surveyed, model: _Model, rows: _Rows) -> dict[str, Any]:
    """Tokens of an epoch, which is one pass over the files, and of the training; how they are known."""
    context = int(model.config.max_position_embeddings)
    train = surveyed.kind("train")
    longer = sum(bytes_of(document.text) / rows.bytes_a_token > context for document in train.documents)
    return {
        "per_epoch": rows.stages[-1].tokens_a_pass,
        "total": sum(stage.tokens for stage in rows.stages),
        "bytes_a_token": rows.bytes_a_token,
        "known": "assumed" if rows.data is None else "counted" if rows.counted else "scaled up",
        "tokenized_files": rows.files,
        "context": context,
        "files_longer_than_context": round(train.scale * longer),
    }


def _seconds(
    recipe: LanguageRecipe, surveyed: Surveyed, model: _Model, rows: _Rows, load: Load, speed: Speed
) -> dict[str, float]:
    """Seconds of each stage, in the order of the run."""
    window, stride = max(recipe.train.lengths), recipe.evaluate.stride

    def reading(name: str, most: int | None, *, by: bool = False) -> float:
        """Seconds to measure the perplexity of at most so many documents of a kind, or `by` source so many of each."""
        kind = surveyed.kind(name)
        sets = [entry.documents for entry in by_source(kind.documents, None)] if by else [kind.documents]
        positions = scored = 0.0
        for documents in filter(None, sets):
            chosen = spread(documents, most)
            files = kind.scale * len(documents)
            times = min(files, most or files) / len(chosen)
            tokens = [bytes_of(document.text) / rows.bytes_a_token for document in chosen]
            scored += times * sum(tokens)
            positions += times * sum(n if n <= window else window * (1 + -(-(n - window) // stride)) for n in tokens)
        return speed.forward_seconds(load, positions, window / 2, scored=scored)

    evaluate = recipe.evaluate
    is_adapted = isinstance(recipe, ExtendedPretraining)
    domain = reading("evaluation", evaluate.max_documents, by=not is_adapted)
    validation = reading("validation", evaluate.validation_documents)
    steps = sum(stage.steps for stage in rows.stages)
    looks = -(-steps // recipe.train.eval_every) if recipe.train.eval_every else 1
    training = sum(speed.training_seconds(load, stage.length, stage.tokens, stage.context) for stage in rows.stages)
    seconds = {"data": surveyed.seconds}
    measured = domain
    if isinstance(recipe, ExtendedPretraining):
        measured += reading("general", evaluate.max_documents, by=True)
        if recipe.evaluate.training_documents:
            measured += reading("train", recipe.evaluate.training_documents)
        seconds["before"] = measured
    else:
        seconds["tokenizer"] = model.tokenizer_seconds or 0.0
    seconds["train"] = training + looks * validation
    seconds["evaluate"] = measured
    if isinstance(recipe, ExtendedPretraining):
        seconds["ship"] = (1 + len(recipe.ship.forms)) * domain  # the merged model and each form are measured again
    if recipe.complete is not None:
        written = recipe.complete.samples * (2 if is_adapted else 1)
        prompts = speed.forward_seconds(load, written * PROMPT_TOKENS, PROMPT_TOKENS / 2)
        seconds["complete"] = prompts + generation_seconds(load, written * recipe.complete.max_new_tokens)
    return seconds


def _shown(rows: _Rows, model: _Model) -> list[dict[str, Any]]:
    """A row of each length as the model sees it."""
    if rows.data is None or model.tokenizer is None:
        return []
    return [
        {"length": stage.length, "tokens": show_row(rows.data, first, model.tokenizer)}
        for stage, first in zip(rows.stages, rows.first, strict=True)
    ]
