"""The recipes of language models: every field and bound, and what must fit together."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.recipe import (
    AdaptedEvaluate,
    AdaptedModel,
    Adapter,
    BaseData,
    BaseLanguageModel,
    BaseTokenizer,
    CausalTrain,
    Complete,
    DecoderModel,
    ExtendedPretraining,
    HoldOut,
    LanguageModelEvaluate,
    RepositoryData,
    Section,
    Ship,
    Sources,
    load_recipe,
    parse_recipe,
    parse_section,
)

BASE = """
system: base-language-model
name: small
description: A small one
data: {documents: [env]}
train: {max_steps: 10}
"""
EXTENDED = """
system: extended-pretraining
name: small
description: A small one
data: {documents: [repo], general: {documents: [env], sources: [networkx]}}
model: {base: some/where}
train: {epochs: 2}
"""
MINIMAL = {"base-language-model": BASE, "extended-pretraining": EXTENDED}
SYSTEMS = ["code-encoder", "base-language-model", "extended-pretraining", "repair-ranking", "complexity-scoring"]
# What the recipe of a 3B model may have otherwise than the small one's: size, and what follows from it, as a rate does.
# How it learns (adapter, holes, replay, data) is the same, or the small run would say nothing of the large one.
SIZE = {
    *("name", "description", "model.base", "model.revision", "train.lengths", "train.epochs", "train.max_steps"),
    "train.learning_rate",
    *("evaluate.max_documents", "evaluate.validation_documents", "evaluate.training_documents"),
}


def values(system: str, **changes: Any) -> dict[str, Any]:
    """The minimal recipe with fields changed; `section__field` is a field of a section."""
    given: dict[str, Any] = copy.deepcopy(yaml.safe_load(MINIMAL[system]))
    for place, value in changes.items():
        *parents, field = place.split("__")
        section = given
        for parent in parents:
            section = section.setdefault(parent, {})
        section[field] = value
    return given


def problem(given: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_recipe(given, where="small.yaml")
    assert "\n" not in caught.value.line()
    return caught.value.what


def base(**changes: Any) -> str:
    return problem(values("base-language-model", **changes))


def extended(**changes: Any) -> str:
    return problem(values("extended-pretraining", **changes))


def test_minimal_recipes_have_every_default() -> None:
    small = parse_recipe(values("base-language-model"), where="x")
    assert isinstance(small, BaseLanguageModel)
    assert small.tokenizer == BaseTokenizer()
    assert small.model == DecoderModel()
    assert small.evaluate == LanguageModelEvaluate()
    assert small.train.lengths == [768, 1024, 1536]
    assert small.complete is None
    adapted = parse_recipe(values("extended-pretraining"), where="x")
    assert isinstance(adapted, ExtendedPretraining)
    # The reference run: the 300 richest files of 25 to 4,000 lines, LoRA r=16 alpha=32, 1e-3 cosine, 768/1024/1536.
    assert (adapted.data.top, adapted.data.min_lines, adapted.data.max_lines) == (300, 25, 4000)
    assert adapted.model.adapter == Adapter(kind="lora", rank=16, alpha=32)
    assert (adapted.train.learning_rate, adapted.train.schedule) == (1e-3, "cosine")
    assert (adapted.data.hold_out, adapted.data.replay, adapted.data.replay_share) == (HoldOut(), None, 0)


# Every section of both systems by where it stands, with values that make it valid.
SECTIONS: dict[str, list[tuple[str, type[Section], dict[str, Any]]]] = {
    "base-language-model": [
        ("", BaseLanguageModel, {}),
        ("data", BaseData, {"documents": ["env"]}),
        ("tokenizer", BaseTokenizer, {}),
        ("model", DecoderModel, {}),
        ("train", CausalTrain, {"epochs": 1}),
        ("evaluate", LanguageModelEvaluate, {}),
        ("complete", Complete, {}),
    ],
    "extended-pretraining": [
        ("", ExtendedPretraining, {}),
        ("data", RepositoryData, {"documents": ["x"], "general": {"documents": ["env"]}}),
        ("data.hold_out", HoldOut, {}),
        ("data.general", Sources, {"documents": ["env"]}),
        ("data.replay", Sources, {"documents": ["env"]}),
        ("model", AdaptedModel, {"base": "x"}),
        ("model.adapter", Adapter, {}),
        ("train", CausalTrain, {"epochs": 1}),
        ("evaluate", AdaptedEvaluate, {}),
        ("ship", Ship, {}),
        ("complete", Complete, {}),
    ],
}
FIELDS = [
    (system, place, field, valid)
    for system, sections in SECTIONS.items()
    for place, section, valid in sections
    for field in section.model_fields
]


@pytest.mark.parametrize(("system", "place", "field", "valid"), FIELDS)
def test_every_typo_is_answered_with_the_field(system: str, place: str, field: str, valid: dict[str, Any]) -> None:
    given = section = values(system)
    names = place.split(".") if place else []
    for number, name in enumerate(names):
        section[name] = copy.deepcopy(valid) if number == len(names) - 1 else section.get(name, {})
        section = section[name]
    typo = f"{field[:-1]}x{field[-1]}"
    section[typo] = 1
    assert f"{'.'.join([*names, typo])}: no such field (did you mean {field}?)" in problem(given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train__epochs": 1}, "train: give one of epochs and max_steps"),
        ({"train__max_steps": None}, "train: give one of epochs and max_steps"),
        ({"train__max_steps": 0}, "train.max_steps: Input should be greater than 0"),
        ({"train__lengths": []}, "train.lengths: List should have at least 1 item"),
        ({"train__lengths": [512, 256]}, "train: lengths must not fall from one stage to the next, and [512, 256] do"),
        ({"train__lengths": [31, 64]}, "train: lengths of fewer than 32 tokens teach nothing"),
        ({"train__lengths": [64, "x"]}, "train.lengths.1: Input should be a valid integer"),
        ({"train__lengths": [1024, 2048]}, "train.lengths: 2048 tokens are more than model.context, 1536"),
        ({"train__batch_size": 0}, "train.batch_size: Input should be greater than 0"),
        ({"train__accumulation": 0}, "train.accumulation: Input should be greater than 0"),
        ({"train__learning_rate": 0}, "train.learning_rate: Input should be greater than 0"),
        ({"train__weight_decay": -1}, "train.weight_decay: Input should be greater than or equal to 0"),
        ({"train__schedule": "step"}, "train.schedule: Input should be 'linear', 'cosine' or 'constant'"),
        ({"train__fim_rate": 1.1}, "train.fim_rate: Input should be less than or equal to 1"),
        ({"train__fim_rate": -0.1}, "train.fim_rate: Input should be greater than or equal to 0"),
        ({"train__spm_rate": 2}, "train.spm_rate: Input should be less than or equal to 1"),
        ({"train__precision": "fp8"}, "train.precision: Input should be 'auto', 'fp32', 'bf16' or 'fp16'"),
        ({"train__gradient_checkpointing": "yes"}, "train.gradient_checkpointing: Input should be 'auto', True or"),
        ({"data__documents": []}, "data: give documents, pairs or both"),
        ({"data__languages": ["go"], "data__leave_out_languages": ["go"]}, "data: go stands in languages and in leave"),
        ({"data__sources": ["a", "b"], "data__exclude": ["b"]}, "data: b stands in sources and in exclude"),
        ({"data__evaluation_sources": ["a"], "data__validation_sources": ["a"]}, "a stands in evaluation_sources and"),
        ({"data__near_duplicate_threshold": 0}, "data.near_duplicate_threshold: Input should be greater than 0"),
        ({"data__train_bytes": 0}, "data.train_bytes: Input should be greater than 0"),
        ({"tokenizer__vocab_size": 10}, "tokenizer.vocab_size: Input should be greater than or equal to 300"),
        ({"model__heads": 3}, "model: heads (3) must divide hidden (256) into an even number"),
        ({"model__hidden": 12}, "model: heads (4) must divide hidden (12) into an even number"),
        ({"model__kv_heads": 3}, "model: kv_heads (3) must divide heads (4)"),
        ({"model__context": 31}, "model.context: Input should be greater than or equal to 32"),
        ({"evaluate__stride": 2000}, "evaluate.stride: 2000 tokens are more than model.context, 1536"),
        ({"evaluate__max_documents": 0}, "evaluate.max_documents: Input should be greater than 0"),
        ({"complete__samples": 0}, "complete.samples: Input should be greater than 0"),
        ({"ship__forms": []}, "ship: no such field"),
    ],
)
def test_what_a_base_models_recipe_cannot_say(change: dict[str, Any], message: str) -> None:
    assert message in base(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data__documents": []}, "data.documents: List should have at least 1 item"),
        ({"data__top": 0}, "data.top: Input should be greater than 0"),
        ({"data__min_lines": 50, "data__max_lines": 40}, "data: min_lines (50) is more than max_lines (40)"),
        ({"data__hold_out__share": 0}, "data.hold_out.share: Input should be greater than 0"),
        ({"data__hold_out__share": 1}, "data.hold_out.share: Input should be less than 1"),
        ({"data__hold_out__since": "yesterday"}, "data.hold_out.since: Input should be a valid date"),
        ({"data__general": {}}, "data.general: give documents, pairs or both"),
        ({"data__general": {"documents": "env"}}, "data.general.documents: Input should be a valid list"),
        ({"data__replay": {}}, "data.replay: give documents, pairs or both"),
        ({"data__replay_share": 0.2}, "data: replay_share is 0.2, and replay names nothing to take it from"),
        ({"data__replay_share": 1}, "data.replay_share: Input should be less than 1"),
        ({"model__base": ""}, "model.base: String should have at least 1 character"),
        ({"model__adapter__kind": "qlora"}, "model.adapter.kind: Input should be 'lora', 'dora' or 'rslora'"),
        ({"model__adapter__rank": 0}, "model.adapter.rank: Input should be greater than 0"),
        ({"model__adapter__alpha": 0}, "model.adapter.alpha: Input should be greater than 0"),
        ({"model__adapter__dropout": 1}, "model.adapter.dropout: Input should be less than 1"),
        ({"evaluate__training_documents": -1}, "evaluate.training_documents: Input should be greater than or equal"),
        ({"ship__forms": ["int4"]}, "ship.forms.0: Input should be 'int8', 'nf4' or 'gguf'"),
        ({"ship__forms": ["nf4", "nf4"]}, "ship: forms names one of them twice"),
        ({"ship__nf4_bound": -0.1}, "ship.nf4_bound: Input should be greater than or equal to 0"),
        ({"train__lengths": [64, 32]}, "train: lengths must not fall"),
        ({"tokenizer__vocab_size": 500}, "tokenizer: no such field"),
    ],
)
def test_what_an_extended_pretrainings_recipe_cannot_say(change: dict[str, Any], message: str) -> None:
    assert message in extended(**change)


@pytest.mark.parametrize("field", ["name", "description", "data", "model", "train"])
def test_a_missing_field_is_named(field: str) -> None:
    given = values("extended-pretraining")
    del given[field]
    assert problem(given) == f"{field}: missing"


def test_null_means_full_training_and_every_choice_of_forms_is_one() -> None:
    given = values(
        "extended-pretraining",
        model__adapter=None,
        ship__forms=["gguf", "int8"],
        data__replay={"pairs": ["x"]},
        data__replay_share=0.0,
        train__gradient_checkpointing=False,
        train__lengths=[32, 32],
    )
    recipe = parse_recipe(given, where="x")
    assert isinstance(recipe, ExtendedPretraining)
    assert recipe.model.adapter is None
    assert recipe.ship.forms == ["gguf", "int8"]
    assert recipe.train.gradient_checkpointing is False


def test_a_day_survives_being_written_as_json() -> None:
    for day in ("2025-01-31", yaml.safe_load("2025-01-31")):
        recipe = parse_recipe(values("extended-pretraining", data__hold_out={"since": day}), where="x")
        written = recipe.model_dump(mode="json")
        assert written["data"]["hold_out"]["since"] == "2025-01-31"
        assert parse_recipe(written, where="x") == recipe


def test_an_unknown_system_is_answered_with_the_nearest() -> None:
    given = values("base-language-model") | {"system": "extended-pretrainin"}
    assert problem(given) == "system: there is no 'extended-pretrainin' (did you mean extended-pretraining?)"
    assert problem(given | {"system": "zzz"}) == f"system: there is no 'zzz' (known: {', '.join(SYSTEMS)})"
    assert problem(given | {"system": 3}) == f"system: there is no '3' (known: {', '.join(SYSTEMS)})"
    assert problem(given | {"system": ["a"]}).startswith("system: ")
    del given["system"]
    assert problem(given) == f"system: missing (known: {', '.join(SYSTEMS)})"


@pytest.mark.parametrize("system", MINIMAL)
def test_a_mistake_points_to_the_recipe_that_explains_its_system(system: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe(values(system, sead=1), where="x")
    shown = (caught.value.fix or "").removeprefix("codefit recipes show ").split()[0]
    assert load_recipe(shown).system == system


def test_a_section_alone_is_checked_by_the_same_rules() -> None:
    assert parse_section(CausalTrain, {"epochs": 1}, where="flags").epochs == 1
    with pytest.raises(InputError, match=r"^flags: epoch: no such field \(did you mean epochs\?\)"):
        parse_section(CausalTrain, {"epoch": 1}, where="flags")


def test_the_large_recipe_differs_from_the_small_one_in_size_alone() -> None:
    small, large = (_leaves(load_recipe(name).model_dump(mode="json")) for name in PAIRS["extended-pretraining"])
    assert {place for place in small | large if small.get(place) != large.get(place)} <= SIZE
    assert small["model.base"] != large["model.base"]


def test_what_is_measured_on_is_in_no_bundled_training_data() -> None:
    for name in PAIRS["extended-pretraining"]:
        recipe = load_recipe(name)
        assert isinstance(recipe, ExtendedPretraining)
        assert recipe.data.replay is not None
        measured = set(recipe.data.general.sources or ())
        assert measured <= set(recipe.data.replay.exclude)
        assert set(recipe.data.languages or ()) <= set(recipe.data.replay.leave_out_languages)
        for base_name in PAIRS["base-language-model"]:
            base_recipe = load_recipe(base_name)
            assert isinstance(base_recipe, BaseLanguageModel)
            assert measured <= set(base_recipe.data.evaluation_sources)  # so the base has never seen them either
            assert set(recipe.data.languages or ()) <= set(base_recipe.data.leave_out_languages)


def test_the_base_model_on_a_gpu_has_about_a_hundred_million_weights() -> None:
    recipe = load_recipe("base-lm")
    assert isinstance(recipe, BaseLanguageModel)
    shape = recipe.model
    wide, head = shape.hidden, shape.hidden // shape.heads
    # Embeddings (tied), attention with shared keys and values, and the three matrices of a gated feed-forward part.
    layer = 2 * wide * wide + 2 * wide * head * shape.kv_heads + 3 * wide * shape.ffn
    assert 100e6 <= recipe.tokenizer.vocab_size * wide + shape.layers * layer <= 150e6


PAIRS = {
    "base-language-model": ("base-lm-cpu", "base-lm"),
    "extended-pretraining": ("extended-pretraining-cpu", "extended-pretraining"),
}


def _leaves(value: dict[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, inner in value.items():
        place = f"{path}.{field}" if path else field
        found |= _leaves(inner, place) if isinstance(inner, dict) else {place: inner}
    return found
