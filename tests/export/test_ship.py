"""What is shipped is measured again, and what became worse than its bound is not left to be published."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from codefit.errors import CodefitError, InputError
from codefit.evaluate.perplexity import evaluate_perplexity
from codefit.export.adapter import Adapter
from codefit.export.gguf import load_gguf
from codefit.export.ship import Bounds, ship
from codefit.files import read_json
from codefit.models.language_model import load_language_model
from codefit.records import Document
from export.adapters import write_adapter, write_base
from small_models import standard_functions

pytest.importorskip("bitsandbytes")
pytest.importorskip("gguf")
DOCUMENTS = [Document(f"a/{i}.py", text) for i, text in enumerate(standard_functions()[:3])]
WIDE = Bounds(int8=0.2, nf4=0.5)  # random weights stand quantization worse than trained ones
NAN = float("nan")


def perplexity(model: Any) -> float:
    return evaluate_perplexity(model, DOCUMENTS, window=128, stride=64).perplexity


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("ship") / "base", shard="60KB")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return write_adapter(base.parent / "adapter", base, target_modules=["q_proj", "down_proj"], r=8, lora_alpha=64)


def test_every_form_is_measured_where_it_lies(tmp_path: Path, base: Path, adapter: Path) -> None:
    shutil.copytree(adapter, tmp_path / "adapter")
    adapter = tmp_path / "adapter"
    shipped = ship(base, adapter, DOCUMENTS, tmp_path, forms=["int8", "nf4", "gguf"], bounds=WIDE, device="cpu")
    assert shipped == read_json(tmp_path / "shipped.json")
    rows = {row["form"]: row for row in shipped["forms"]}
    assert list(rows) == ["adapter", "merged", "int8", "nf4", "gguf"]
    assert all(row["published"] and row["note"] is None for row in rows.values())
    trained = perplexity(load_language_model(base, adapter=adapter, device="cpu"))
    assert trained != pytest.approx(perplexity(load_language_model(base, device="cpu")), rel=1e-3)
    assert shipped["domain"]["perplexity"] == pytest.approx(trained)
    assert rows["merged"]["place"] == "model"
    for form, row in rows.items():
        place = tmp_path / row["place"]
        own = load_gguf(place, device="cpu") if form == "gguf" else load_language_model(place, device="cpu")
        assert row["perplexity"] == pytest.approx(perplexity(own), rel=1e-6), form
        assert row["change"] == pytest.approx(row["perplexity"] / trained - 1, abs=1e-12)
        files = [place] if place.is_file() else list(place.iterdir())
        assert row["bytes"] == sum(file.stat().st_size for file in files)
    assert abs(rows["merged"]["change"]) < 1e-6
    assert abs(rows["nf4"]["change"]) > 1e-4
    assert rows["nf4"]["bytes"] < rows["int8"]["bytes"] < rows["merged"]["bytes"]


def test_a_form_beyond_its_bound_is_taken_away_and_the_rest_stays(tmp_path: Path, base: Path, adapter: Path) -> None:
    ship(base, adapter, DOCUMENTS, tmp_path, forms=["int8", "gguf"], bounds=WIDE, device="cpu")
    strict = Bounds(int8=-0.9, gguf=0.01)
    shipped = ship(base, adapter, DOCUMENTS, tmp_path, forms=["int8", "gguf"], bounds=strict, device="cpu")
    rows = {row["form"]: row for row in shipped["forms"]}
    assert (rows["int8"]["published"], rows["gguf"]["published"]) == (False, True)
    assert "the bound is -90.00%" in rows["int8"]["note"]
    assert [path.name for path in (tmp_path / "ship").iterdir()] == ["model.gguf"]
    ship(base, adapter, DOCUMENTS, tmp_path, bounds=strict, device="cpu")
    assert list((tmp_path / "ship").iterdir()) == []  # it was of a model that is no longer there


def test_a_merged_model_that_became_another_one_is_refused(
    tmp_path: Path, base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(base, adapter, DOCUMENTS, tmp_path, forms=["int8"], bounds=WIDE, device="cpu")
    monkeypatch.setattr(Adapter, "scaling", lambda *_: 0.3)
    with pytest.raises(CodefitError, match=r"the merged model is not published: perplexity .* bound is 0\.10%"):
        ship(base, adapter, DOCUMENTS, tmp_path, forms=["int8"], bounds=WIDE, device="cpu")
    rows = {row["form"]: row for row in read_json(tmp_path / "shipped.json")["forms"]}
    assert [row["published"] for row in rows.values()] == [True, False, False]
    assert rows["int8"]["note"] == "not made: the merged model is not published"
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "ship" / "int8").exists()


def test_rounding_to_half_precision_is_a_change_too(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", dtype="bfloat16")
    adapter = write_adapter(tmp_path / "adapter", base)
    with pytest.raises(CodefitError, match=r"the bound is 0\.00%"):
        ship(base, adapter, DOCUMENTS, tmp_path / "out", bounds=Bounds(merged=0.0), device="cpu")
    shipped = ship(base, adapter, DOCUMENTS, tmp_path / "out", device="cpu")
    assert 0 < abs(shipped["forms"][1]["change"]) < 0.001


def test_a_model_trained_in_full_is_what_the_forms_are_made_of(tmp_path: Path, base: Path) -> None:
    (tmp_path / "model").mkdir()
    for file in base.iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    shipped = ship(tmp_path / "model", None, DOCUMENTS, tmp_path, forms=["gguf"], gguf_type="q8_0", device="cpu")
    merged, gguf = shipped["forms"]
    assert (merged["form"], merged["place"], merged["change"], merged["published"]) == ("merged", "model", 0.0, True)
    assert "trained in full" in merged["note"]
    assert gguf["published"]
    assert gguf["bytes"] < merged["bytes"] / 2


def test_figures_that_are_not_finite_are_beyond_every_bound(
    tmp_path: Path, base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codefit.export import ship as module

    def broken(*given: Any, **named: Any) -> Any:
        loaded = load_gguf(*given, **named)
        next(loaded.model.parameters()).data.fill_(NAN)
        return loaded

    monkeypatch.setattr(module, "load_gguf", broken)
    shipped = ship(base, adapter, DOCUMENTS, tmp_path, forms=["gguf"], device="cpu")
    row = shipped["forms"][-1]
    assert (row["published"], row["perplexity"]) == (False, None)
    assert "not finite" in row["note"]
    assert not (tmp_path / "ship" / "model.gguf").exists()


@pytest.mark.parametrize(
    ("forms", "missing", "message"),
    [
        (["int8"], "codefit.models.quantized.find_spec", "needs bitsandbytes"),
        (["gguf"], "codefit.export.gguf.find_spec", "needs the package gguf"),
        (["int4"], None, "unknown form 'int4'"),
    ],
)
def test_a_form_that_cannot_be_made_is_said_before_the_work(
    tmp_path: Path, base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch, forms: Any, missing: Any, message: str
) -> None:
    if missing:
        monkeypatch.setattr(missing, lambda _: None)
    with pytest.raises(InputError, match=message):
        ship(base, adapter, DOCUMENTS, tmp_path / "out", forms=forms, device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_merged_model_does_not_replace_its_base(tmp_path: Path, base: Path, adapter: Path) -> None:
    with pytest.raises(InputError, match="would replace its base"):
        ship(base, adapter, DOCUMENTS, base.parent, model_place="base", device="cpu")
    assert (base / "config.json").exists()
