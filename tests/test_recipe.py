"""Recipes: every mistake is one line that names the field, and a typo is answered with the nearest one."""

from __future__ import annotations

import copy
from pathlib import Path
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
    apply_override,
    bundled_recipes,
    load_recipe,
    parse_recipe,
    recipe_text,
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


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(MINIMAL)
    return path


def problem(given: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_recipe(given, where="small.yaml")
    assert caught.value.where == "small.yaml"
    assert "\n" not in caught.value.line()
    return caught.value.what


def test_a_minimal_recipe_has_every_default() -> None:
    recipe = parse_recipe(values(), where="x")
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
        ({"system": "code-decoder"}, "system: Input should be 'code-encoder'"),
        ({"train": None}, "train: Input should be"),
    ],
)
def test_a_wrong_value_names_its_field(change: dict[str, Any], message: str) -> None:
    assert message in problem(values(**change))


def test_a_wrong_kind_of_model_names_those_there_are() -> None:
    message = problem(values(model={"kind": "statik"}))
    assert message.startswith("model")
    assert "'statik'" in message
    assert "'static', 'encoder'" in message
    assert "kind" in problem(values(model={}))


@pytest.mark.parametrize("field", ["system", "name", "description", "data", "model", "train"])
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


def test_a_recipe_cannot_be_changed_once_it_is_read() -> None:
    from pydantic import ValidationError

    recipe = parse_recipe(values(), where="x")
    with pytest.raises(ValidationError, match="frozen"):
        recipe.seed = 2


@pytest.mark.parametrize(
    ("override", "place", "value"),
    [
        ("seed=7", ("seed",), 7),
        ("train.batch_size=512", ("train", "batch_size"), 512),
        ("train.learning_rate=0.5", ("train", "learning_rate"), 0.5),
        ("train.sizes=[64, 128]", ("train", "sizes"), [64, 128]),
        ("data.languages=null", ("data", "languages"), None),
        ("data.exclude=[a, b]", ("data", "exclude"), ["a", "b"]),
        ("data.benchmarks={HumanEval: [x.jsonl]}", ("data", "benchmarks"), {"HumanEval": ["x.jsonl"]}),
        ("tokenizer.compare=false", ("tokenizer", "compare"), False),
        ("name=a=b", ("name",), "a=b"),
        ("name='12'", ("name",), "12"),
        ("description=", ("description",), None),
        ("model.words.repeat=3", ("model", "words", "repeat"), 3),
    ],
)
def test_overrides_put_yaml_values_at_dotted_places(override: str, place: tuple[str, ...], value: object) -> None:
    given = values()
    before = copy.deepcopy(given)
    apply_override(given, override)
    found: Any = given
    for name in place:
        found = found[name]
    assert found == value
    for name in set(before) - {place[0]}:
        assert given[name] == before[name]


def test_overrides_are_checked_like_the_file_and_the_last_one_counts(file: Path) -> None:
    assert load_recipe(str(file), ["seed=1", "seed=2", "ask.source=x", "ask.queries=[q]"]).seed == 2
    with pytest.raises(InputError, match=r"train\.batchsize: no such field \(did you mean batch_size\?\)"):
        load_recipe(str(file), ["train.batchsize=3"])
    with pytest.raises(InputError, match="description: Input should be a valid string"):
        load_recipe(str(file), ["description="])


def test_a_section_that_is_null_can_be_overridden(file: Path) -> None:
    file.write_text(MINIMAL + "ask: null\n")
    recipe = load_recipe(str(file), ["ask.source=x", "ask.queries=[q]"])
    assert recipe.ask == Ask(source="x", queries=["q"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "'seed' is not an override; write section.field=value, such as seed=1"),
        ("=1", "'=1' is not an override"),
        ("name.first=1", "name in name.first is a value, not a section"),
        ("train.epochs.x=1", "epochs in train.epochs.x is a value, not a section"),
        ("seed=[1", "the value is not valid YAML"),
        ("seed=a: b: c", "the value is not valid YAML"),
        ("seed=!!python/object:os.system {}", "the value is not valid YAML"),
        ("train..epochs=1", "'train..epochs=1' is not an override"),
        (".seed=1", "'.seed=1' is not an override"),
    ],
)
def test_what_is_no_override_is_refused_in_one_line(file: Path, override: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_recipe(str(file), [override])
    assert message in caught.value.line()
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1", "not valid YAML"),
        (b"a: b: c", "not valid YAML"),
        (b"\ttab: 1", "not valid YAML"),
        (b"", "a recipe is a mapping of sections"),
        (b"- a\n- b\n", "a recipe is a mapping of sections"),
        (b"just text", "a recipe is a mapping of sections"),
        (b"1: 2\n? [a, b]\n: c\n", "small.yaml"),
        (b"name: \xff\xfe\n", "not UTF-8"),
        (b"name: \x00\n", "not valid YAML"),
        (b"a: !!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_one_line(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_recipe(str(file))
    assert message in caught.value.line()
    assert caught.value.where == str(file)
    assert "\n" not in caught.value.line()


def test_a_name_that_no_recipe_has_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr("codefit.recipe.bundled_recipes", lambda: {"quickstart": MINIMAL, "code-encoder": MINIMAL})
    assert recipe_text("quickstart") == MINIMAL
    with pytest.raises(InputError, match="no recipe is called 'quikstart'; did you mean quickstart"):
        load_recipe("quikstart")
    with pytest.raises(InputError, match="known: quickstart, code-encoder"):
        load_recipe("zzz")
    with pytest.raises(FileNotFoundError):
        load_recipe(str(file.with_name("missing.yaml")))
    assert load_recipe(str(file)).name == "small"


def test_a_folder_is_no_recipe_and_hides_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no recipe is called"):
        load_recipe(str(tmp_path))
    monkeypatch.setattr("codefit.recipe.bundled_recipes", lambda: {"quickstart": MINIMAL})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").mkdir()
    assert load_recipe("quickstart").name == "small"


@pytest.mark.parametrize("name", bundled_recipes())
def test_a_bundled_recipe_is_valid_and_writes_and_explains_every_field(name: str) -> None:
    text = recipe_text(name)
    assert load_recipe(name).name == name
    written = yaml.safe_load(text)
    model = EncoderModel if written["model"]["kind"] == "encoder" else StaticModel
    expected = {"data": Data, "tokenizer": TokenizerSection, "model": model, "train": Train}
    expected |= {"evaluate": Evaluate, "export": Export}
    for section, fields in expected.items():
        assert set(written[section]) == set(fields.model_fields), section
    lines = text.splitlines()
    for section, fields in expected.items():
        start = lines.index(f"{section}:")
        for field in fields.model_fields:
            line = next(line for line in lines[start + 1 :] if line.startswith(f"  {field}:"))
            assert "#" in line, f"{section}.{field} has no comment"
