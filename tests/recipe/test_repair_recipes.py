"""Recipes of repair ranking: what variants change, and that the bundled ones differ where they say so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.recipe import RepairRanking, load_recipe, parse_recipe, recipe_text


def values() -> dict[str, Any]:
    stated: dict[str, Any] = yaml.safe_load(recipe_text("repair-ranking-cpu"))
    return stated


def recipe(changed: dict[str, Any]) -> RepairRanking:
    found = parse_recipe({**values(), **changed}, where="here")
    assert isinstance(found, RepairRanking)
    return found


def problem(changed: dict[str, Any]) -> str:
    with pytest.raises(InputError) as error:
        recipe(changed)
    return error.value.what


def test_a_variant_changes_what_it_names_and_nothing_else() -> None:
    variants = {
        "small": {"model": {"hidden": 64}},
        "short": {"train": {"max_steps": 7}, "pretrained": False},
    }
    whole = recipe({"variants": variants})
    small, short = (whole.with_variant(whole.variants[name]) for name in ("small", "short"))
    assert small.model.hidden == 64
    assert small.model.layers == whole.model.layers
    assert small.train == whole.train
    assert small.pretrain == whole.pretrain
    assert not small.variants
    assert (short.train.max_steps, short.train.epochs) == (7, None)
    assert short.pretrain is None
    assert short.data == whole.data


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"variants": {"small": {"model": {"hiden": 64}}}}, "hiden"),
        ({"variants": {"small": {"model": {"hidden": 63}}}}, "must be even"),
        ({"variants": {"a/b": {}}}, "letters, digits and dashes"),
        ({"model": {"hidden": 30, "heads": 4}}, "heads (4) must divide it"),
        ({"propose": {"shares": [0, 0]}}, "not all nought"),
        ({"train": {"epochs": 1, "max_steps": 2}}, "one of epochs and max_steps"),
        ({"data": {"repairs": [], "evaluation": ["x"]}}, "repairs"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    assert said in problem(changed)


def test_the_sweep_is_the_recipe_with_variants() -> None:
    """Else a sweep in the folder of a run would do its stages again."""
    own, sweep = (load_recipe(name).model_dump() for name in ("repair-ranking-cpu", "repair-ranking-sweep"))
    different = {name for name in own if own[name] != sweep[name]}
    assert different == {"name", "description", "variants"}


def test_the_large_recipe_differs_in_size_and_how_long_it_trains_alone() -> None:
    own, large = (load_recipe(name).model_dump() for name in ("repair-ranking-cpu", "repair-ranking"))
    fields = {
        f"{section}.{field}"
        for section in own
        if isinstance(own[section], dict) and section != "variants"
        for field in own[section]
        if own[section][field] != large[section][field]
    }
    assert fields == {
        "data.snippet_tokens", "lists.synthetic", "model.hidden", "model.heads", "model.ffn", "model.edit",
        "pretrain.epochs", "pretrain.max_steps", "pretrain.batch_size", "pretrain.learning_rate",
        "pretrain.warmup_steps", "pretrain.save_every", "train.epochs", "train.batch_size", "train.learning_rate",
        "train.warmup_steps",
    }  # fmt: skip
