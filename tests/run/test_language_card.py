"""The card of a language model and of an adapter: what a hub reads, its figures, and how it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.models.language_info import LanguageModelInfo, write_language_info
from codefit.run.card import write_card
from codefit.run.report.formats import signed_share, surprise, surprise_span
from run.report.parsed import squeezed
from run.report.sample_language_run import evaluation, make_language_run, manifest, shipped
from run.report.sample_run import change

REVISION = "09d9bc5d376b0cfa0100a0694ea7de7232525803"
HUB = {"base": "Qwen/Qwen2.5-Coder-3B", "base_revision": REVISION, "base_sha256": "5a" * 32}


def card(run: Path, place: str = "adapter", **fields: Any) -> str:
    folder = run / place
    folder.mkdir()
    info: dict[str, Any] = {"kind": "adapter" if place == "adapter" else "language-model", "context": 512}
    info |= {"lengths": [256, 512], "code_revision": "1a2b3c4d5e6f", "packages": {"peft": "0.18.0"}}
    write_language_info(folder, LanguageModelInfo(**(info | fields)))
    write_card(folder, run)
    return (folder / "README.md").read_text()


def front_matter(text: str) -> dict[str, Any]:
    opening, front, _ = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def test_the_front_matter_of_an_adapter_is_what_a_hub_reads(tmp_path: Path) -> None:
    front = front_matter(card(make_language_run(tmp_path / "run"), **HUB))
    assert (front["library_name"], front["base_model"]) == ("peft", HUB["base"])
    assert front["base_model_relation"] == "adapter"
    assert {"lora", "codefit", "extended-pretraining"} <= set(front["tags"])
    assert "license" not in front
    results = front["model-index"][0]["results"]
    measured = [entry for entry in evaluation()["sets"] if entry["role"] != "training"]
    assert [result["metrics"][0]["value"] for result in results] == [
        round(entry["after"]["perplexity"], 4) for entry in measured
    ]


def test_a_merged_model_and_a_local_base_are_said_to_be_so(tmp_path: Path) -> None:
    front = front_matter(card(make_language_run(tmp_path / "one"), "model", **HUB))
    assert (front["library_name"], front["base_model_relation"]) == ("transformers", "finetune")
    assert "lora" not in front["tags"]
    # A hub refuses a card whose base_model is no name of its own.
    local = card(make_language_run(tmp_path / "two"), base="runs/base-lm-cpu/model", base_sha256="5a" * 32)
    assert "base_model" not in front_matter(local)
    assert f"Base: `runs/base-lm-cpu/model`; the SHA-256 of its weights is `{'5a' * 32}`" in local


def test_figures_have_their_intervals_and_the_data_its_receipt(tmp_path: Path) -> None:
    text = card(make_language_run(tmp_path / "run"), **HUB)
    for entry in evaluation()["sets"]:
        for side in ("before", "after"):
            found = entry[side]
            assert f"{surprise(found['perplexity'])} ({surprise_span(found['ci95']['perplexity'])})" in text
        assert squeezed(signed_share(entry["change"]["perplexity"])) in text
    assert "perplexity falls: 14.62 before, 8.930 after" in text
    for name, output in manifest()["outputs"].items():
        assert f"| `{name}` | {output['rows']:,} | `{output['sha256']}` |" in text
    assert "211 files of general code were mixed in, 50.0" in text
    assert "Each of 124 held-out files was compared with all training files" in text
    refused = [form["form"] for form in shipped()["forms"] if not form["published"]]
    assert [line.split("|")[1].strip() for line in text.splitlines() if line.endswith("| no |")] == refused


def test_how_to_load_names_the_base_at_its_revision(tmp_path: Path) -> None:
    adapter = card(make_language_run(tmp_path / "one"), **HUB)
    assert f'from_pretrained("Qwen/Qwen2.5-Coder-3B", revision="{REVISION}")' in adapter
    assert "PeftModel.from_pretrained" in adapter
    assert "The adapter fits no other weights." in adapter
    merged = card(make_language_run(tmp_path / "two"), "model", **HUB)
    assert "PeftModel" not in merged
    for text in (adapter, merged):
        for block in text.split("```python\n")[1:]:
            compile(block.split("```")[0], "card", "exec")
        assert "codefit lm generate --model path/to/this/folder" in text
        assert "codefit run extended-pretraining-cpu" in text


def test_a_base_model_has_no_before_and_no_base(tmp_path: Path) -> None:
    text = card(make_language_run(tmp_path / "run", name="base-lm-cpu"), "model")
    assert "| Files | Perplexity | Bits per byte | Files measured |" in text
    assert "Base:" not in text
    assert "## Forms" not in text
    assert "base_model" not in front_matter(text)


def test_text_of_data_is_no_markup(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    data = manifest()
    data["train"]["licenses"] = {"<script>|x\ny": 3}
    change(run, "data/manifest.json", **data)
    text = card(run, **HUB)
    assert "| &lt;script>\\|x y | 3 |" in text
    assert "<script>" not in text


def test_a_run_without_figures_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the run's evaluation"):
        card(make_language_run(tmp_path / "run", upto="train"))
