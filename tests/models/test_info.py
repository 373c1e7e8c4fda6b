"""`codefit.json`: written and read back, and a tokenizer of another model refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.files import hash_file
from codefit.models.info import FILE, ModelInfo, read_info, write_info
from codefit.models.words import WordWeights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer.json").write_text('{"own": 1}')
    return tmp_path


def info_of(folder: Path, **fields: object) -> ModelInfo:
    sha256 = hash_file(folder / "tokenizer.json")
    whole = {"kind": "static", "dimensions": 8, "max_tokens": 256, "tokenizer_sha256": sha256, **fields}
    return ModelInfo(**whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [None, WordWeights(), WordWeights(repeat=1.5, max_words=9, name_bonus=0)])
def test_what_is_written_is_read_back(folder: Path, words: WordWeights | None) -> None:
    info = info_of(
        folder, words=words, model_weight=0.35, sizes=[4, 8], recipe={"a": {"b": [1]}}, metrics={"mrr@10": 0.5}, seed=3
    )
    write_info(folder, info)
    assert read_info(folder) == info
    assert {path.name for path in folder.iterdir()} == {"tokenizer.json", FILE}


def test_texts_are_written_as_the_model_was_trained(folder: Path) -> None:
    words = WordWeights()
    weighted, plain = info_of(folder, words=words), info_of(folder)
    code = "def f(x): return x"
    assert weighted.query_text("read it") == words.query_text("read it") != "read it"
    assert weighted.code_text(code) == words.code_text(code) != code
    assert (plain.query_text("read it"), plain.code_text(code)) == ("read it", code)


@pytest.mark.parametrize("change", ["other", "cut", "gone"])
def test_a_tokenizer_that_does_not_match_is_refused(folder: Path, change: str) -> None:
    write_info(folder, info_of(folder))
    tokenizer = folder / "tokenizer.json"
    if change == "gone":
        tokenizer.unlink()
        message = r"the model's tokenizer\.json is missing"
    else:
        tokenizer.write_text('{"own": 2}' if change == "other" else '{"own"')
        message = r"tokenizer\.json is not the one that this model was trained with"
    with pytest.raises(InputError, match=message):
        read_info(folder)


@pytest.mark.parametrize(
    "damage", ["", "[]", '{"kind": "static"}', '{"kind": "other"', "\x00", '{"kind": "none", "dimensions": 8}']
)
def test_a_broken_codefit_json_is_one_clear_error(folder: Path, damage: str) -> None:
    (folder / FILE).write_text(damage)
    with pytest.raises(InputError, match=r"not a model's codefit\.json") as caught:
        read_info(folder)
    assert caught.value.where == str(folder / FILE)


def test_a_field_of_the_wrong_type_or_words_that_are_unknown_are_refused(folder: Path) -> None:
    write_info(folder, info_of(folder, words=WordWeights()))
    whole = json.loads((folder / FILE).read_text())
    for wrong in (whole | {"dimensions": "8"}, whole | {"words": whole["words"] | {"repaet": 1}}, whole | {"sizes": 8}):
        (folder / FILE).write_text(json.dumps(wrong))
        with pytest.raises(InputError, match=r"not a model's codefit\.json"):
            read_info(folder)


def test_a_folder_without_codefit_json_is_no_model(folder: Path) -> None:
    with pytest.raises(InputError, match="so it is no model of codefit"):
        read_info(folder)
