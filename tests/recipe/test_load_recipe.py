"""Recipes are read from names and files and changed by overrides; what is wrong is said in one line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.recipe import Ask, apply_override, load_recipe, parse_recipe, recipe_text

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
    assert recipe.model_dump()["ask"] == Ask(source="x", queries=["q"]).model_dump()


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
    monkeypatch.setattr("codefit.recipe.load.bundled_recipes", lambda: {"quickstart": MINIMAL, "code-encoder": MINIMAL})
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
    monkeypatch.setattr("codefit.recipe.load.bundled_recipes", lambda: {"quickstart": MINIMAL})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").mkdir()
    assert load_recipe("quickstart").name == "small"
