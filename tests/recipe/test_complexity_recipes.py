"""Recipes of complexity scoring: what cannot be is refused, and the bundled ones differ in size and base alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.recipe import ComplexityScoring, load_recipe, parse_recipe, recipe_text


def values(**changes: Any) -> dict[str, Any]:
    """The bundled recipe with fields changed; `section__field` is a field of a section."""
    given: dict[str, Any] = copy.deepcopy(yaml.safe_load(recipe_text("complexity-scoring-cpu")))
    for place, value in changes.items():
        *parents, field = place.split("__")
        section = given
        for parent in parents:
            section = section[parent]
        section[field] = value
    return given


def problem(given: dict[str, Any]) -> InputError:
    with pytest.raises(InputError) as error:
        parse_recipe(given, where="here")
    assert "\n" not in error.value.line()
    return error.value


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data__functions": []}, "give functions, documents or both"),
        ({"data__evaluation": []}, "evaluation"),
        ({"data__validation_share": 1.0}, "validation_share"),
        ({"model__hidden": 130}, "heads (4) must divide it"),
        ({"model__hidden": 65, "model__heads": 1}, "must be even"),
        ({"train__epochs": 1}, "one of epochs and max_steps"),
        ({"language_model__epochs": 1}, "one of epochs and max_steps"),
        ({"language_model__readings": ["regex"]}, "expectation must be one of them"),
        ({"language_model__readings": ["expectation", "guess"]}, "readings"),
        ({"language_model__quantize": "int8"}, "quantize"),
        ({"export__precision": "bf16"}, "precision"),
        ({"train__batchsize": 3}, "batchsize"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    assert said in problem(values(**changed)).what


def test_a_language_model_may_be_left_out() -> None:
    found = parse_recipe(values(language_model=None), where="here")
    assert isinstance(found, ComplexityScoring)
    assert found.language_model is None


def test_documents_alone_are_enough() -> None:
    found = parse_recipe(values(data__functions=[], data__documents=["env"]), where="here")
    assert isinstance(found, ComplexityScoring)


def test_a_mistake_points_to_the_recipe_that_explains_its_system() -> None:
    assert (problem(values(sead=1)).fix or "").startswith("codefit recipes show complexity-scoring ")


def test_the_large_recipe_differs_in_size_base_and_how_long_it_trains_alone() -> None:
    own, large = (load_recipe(name).model_dump() for name in ("complexity-scoring-cpu", "complexity-scoring"))
    assert own["language_model"]["adapter"] == large["language_model"]["adapter"]
    fields = {
        f"{section}.{field}"
        for section in own
        if isinstance(own[section], dict)
        for field in own[section]
        if own[section][field] != large[section][field]
    }
    size = {"model.vocab_size", "model.hidden", "model.layers", "model.heads", "model.ffn"}
    training = {"batch_size", "accumulation", "learning_rate", "max_steps", "epochs", "eval_every", "warmup_steps"}
    allowed = size | {f"{section}.{field}" for section in ("train", "language_model") for field in training}
    allowed |= {f"language_model.{field}" for field in ("base", "revision", "quantize", "max_tokens")}
    assert fields <= allowed, fields - allowed
    assert "language_model.base" in fields
