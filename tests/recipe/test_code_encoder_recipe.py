"""The code encoder's recipe: every mistake is one line with its field, and a typo is answered with the nearest."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.recipe import (
    Ask,
    CodeEncoder,
    Data,
    EncoderModel,
    Evaluate,
    Export,
    Section,
    StaticModel,
    TokenizerSection,
    Train,
    Words,
    parse_recipe,
)

MINIMAL = """
system: code-encoder
name: small
description: A small one
data: {documents: [env]}
model: {kind: static}
train: {epochs: 2}
"""


def values(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load(MINIMAL)) | changes


def problem(given: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_recipe(given, where="small.yaml")
    assert caught.value.where == "small.yaml"
    assert "\n" not in caught.value.line()
    return caught.value.what


def test_a_minimal_recipe_has_every_default() -> None:
    recipe = parse_recipe(values(), where="x")
    assert isinstance(recipe, CodeEncoder)
    assert recipe.tokenizer == TokenizerSection()
    assert recipe.model == StaticModel(kind="static")
    assert (recipe.train.epochs, recipe.train.max_steps, recipe.train.batch_size) == (2, None, 1024)
    assert recipe.evaluate == Evaluate()
    assert recipe.ask is None


# Every field of every section, by where it stands, and values that make its section valid.
SECTIONS: dict[str, tuple[type[Section], dict[str, Any]]] = {
    "": (CodeEncoder, {}),
    "data": (Data, {}),
    "tokenizer": (TokenizerSection, {}),
    "model": (StaticModel, {"kind": "static"}),
    "model.words": (Words, {}),
    "model ": (EncoderModel, {"kind": "encoder"}),
    "train": (Train, {"epochs": 1}),
    "evaluate": (Evaluate, {}),
    "export": (Export, {}),
    "ask": (Ask, {"source": "x", "queries": ["q"]}),
}


@pytest.mark.parametrize(
    ("place", "field"), [(place, field) for place, (section, _) in SECTIONS.items() for field in section.model_fields]
)
def test_every_typo_is_answered_with_the_field(place: str, field: str) -> None:
    typo = f"{field[:-1]}x{field[-1]}"
    given = values()
    names = place.strip().split(".") if place.strip() else []
    section = given
    for number, name in enumerate(names):
        section[name] = dict(SECTIONS[place][1]) if number == len(names) - 1 else {"kind": "static"}
        section = section[name]
    section[typo] = 1
    assert f"{'.'.join([*names, typo])}: no such field (did you mean {field}?)" in problem(given)


def test_what_resembles_no_field_is_answered_with_all_of_them() -> None:
    given = values(evaluate={"qqqq": 1})
    assert problem(given) == "evaluate.qqqq: no such field (known: pool_size, min_pool)"


def test_a_field_of_the_other_kind_of_model_is_refused() -> None:
    assert "model.layers: no such field" in problem(values(model={"kind": "static", "layers": 2}))
    assert "model.words: no such field" in problem(values(model={"kind": "encoder", "words": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "one"}, "seed: Input should be a valid integer"),
        ({"data": []}, "data: Input should be a valid dictionary"),
        ({"data": {"documents": "env"}}, "data.documents: Input should be a valid list"),
        ({"data": {"temperature": 0}}, "data.temperature: Input should be greater than 0"),
        ({"data": {"near_duplicate_threshold": 1.5}}, "data.near_duplicate_threshold: Input should be less than or"),
        ({"tokenizer": {"vocab_size": 100}}, "tokenizer.vocab_size: Input should be greater than or equal to 300"),
        ({"train": {"epochs": 1, "batch_size": 1}}, "train.batch_size: Input should be greater than 1"),
        ({"train": {"epochs": 1, "schedule": "step"}}, "train.schedule: Input should be 'linear', 'cosine'"),
        ({"train": {"epochs": 1, "sizes": ["x"]}}, "train.sizes.0: Input should be a valid integer"),
        ({"model": {"kind": "encoder", "dropout": 1}}, "model.dropout: Input should be less than 1"),
        ({"model": {"kind": "static", "dimensions": 1.5}}, "model.dimensions: Input should be a valid integer"),
        ({"model": {"kind": "static", "words": {"repeat": 0}}}, "model.words.repeat: Input should be greater than 0"),
        ({"ask": {"source": "x", "queries": []}}, "ask.queries: List should have at least 1 item"),
        ({"train": None}, "train: Input should be"),
    ],
)
def test_a_wrong_value_names_its_field(change: dict[str, Any], message: str) -> None:
    assert message in problem(values(**change))


def test_a_wrong_kind_of_model_names_the_nearest() -> None:
    assert problem(values(model={"kind": "statik"})) == "model.kind: there is no 'statik' (did you mean static?)"
    assert problem(values(model={"kind": "qqqqq"})) == "model.kind: there is no 'qqqqq' (known: static, encoder)"
    assert problem(values(model={})) == "model.kind: missing (known: static, encoder)"


@pytest.mark.parametrize("field", ["name", "description", "data", "model", "train"])
def test_a_missing_field_is_named(field: str) -> None:
    given = values()
    del given[field]
    assert problem(given) == f"{field}: missing"


def test_missing_fields_of_a_section_are_named() -> None:
    assert problem(values(ask={})) == "ask.source: missing; ask.queries: missing"


@pytest.mark.parametrize("train", [{}, {"epochs": 1, "max_steps": 10}, {"epochs": None, "max_steps": None}])
def test_one_of_epochs_and_max_steps_is_needed(train: dict[str, Any]) -> None:
    assert problem(values(train=train)) == "train: give one of epochs and max_steps"


def test_all_mistakes_are_told_at_once() -> None:
    message = problem(values(sead=1, tokenizer={"vocab_sise": 1}, train={"epochs": "x"}))
    assert "sead: no such field (did you mean seed?)" in message
    assert "tokenizer.vocab_sise: no such field (did you mean vocab_size?)" in message
    assert "train.epochs: Input should be a valid number" in message
