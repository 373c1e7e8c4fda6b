"""The model card: its front matter, its figures, and what it says about loading and licences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.files import hash_file
from codefit.models.info import ModelInfo, write_info
from codefit.models.words import WordWeights
from codefit.run.card import write_card
from run.report.sample_run import change, evaluation, make_run, manifest, read


def model_folder(run: Path, **fields: Any) -> Path:
    folder = run / "model"
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    info: dict[str, Any] = {
        "kind": "static",
        "dimensions": 256,
        "max_tokens": 4096,
        "tokenizer_sha256": hash_file(folder / "tokenizer.json"),
        "words": WordWeights(),
        "code_revision": "1a2b3c4d5e6f",
        "packages": {"numpy": "2.4.6"},
    }
    write_info(folder, ModelInfo(**(info | fields)))
    return folder


def card(run: Path, **fields: Any) -> str:
    folder = model_folder(run, **fields)
    write_card(folder, run)
    return (folder / "README.md").read_text()


def front_matter(text: str) -> dict[str, Any]:
    opening, front, _ = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def test_the_front_matter_is_what_a_hub_reads(tmp_path: Path) -> None:
    front = front_matter(card(make_run(tmp_path / "run")))
    assert front["library_name"] == "sentence-transformers"
    assert front["pipeline_tag"] == "sentence-similarity"
    assert {"code-search", "static"} <= set(front["tags"])
    assert "license" not in front
    (result,) = front["model-index"][0]["results"]
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    measured = evaluation()["sets"][0]["model"]
    assert values == {name: round(measured[name], 4) for name in values}
    assert set(values) == {"mrr@10", "ndcg@10", "recall@1", "recall@5", "recall@10"}


def test_the_figures_stand_with_their_intervals_and_baseline(tmp_path: Path) -> None:
    text = card(make_run(tmp_path / "run"))
    whole = evaluation()["sets"][0]
    for system in ("bm25", "model", "hybrid"):
        low, high = whole[system]["ci95"]["mrr@10"]
        assert f"{whole[system]['mrr@10']:.3f} ({low:.3f} to {high:.3f})" in text
    gain = whole["difference_to_bm25"]["hybrid"]
    assert f"Hybrid over BM25: +{gain['mrr@10']:.3f} MRR@10" in text


def test_the_data_receipt_names_licences_and_hashes(tmp_path: Path) -> None:
    text = card(make_run(tmp_path / "run"))
    data = manifest()
    for name, rows in data["train"]["licenses"].items():
        assert f"| {name} | {rows:,} |" in text
    for name, file in data["outputs"].items():
        assert f"| `{name}` | {file['rows']:,} | `{file['sha256']}` |" in text
    assert "is for its owner to choose" in text


def test_weighted_words_are_warned_of_and_raw_text_is_not(tmp_path: Path) -> None:
    weighted = card(make_run(tmp_path / "a"))
    assert "The two are not the same" in weighted
    raw = card(make_run(tmp_path / "b"), words=None, kind="encoder", sizes=[64, 128])
    assert "The two are not the same" not in raw
    assert "the first 64, 128 work alone" in raw


def test_the_command_repeats_the_run(tmp_path: Path) -> None:
    assert "```sh\ncodefit run quickstart --out runs/mine\n```" in card(make_run(tmp_path / "mine"))


def test_text_of_data_cannot_break_the_card(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    data = read(run, "data/manifest.json")
    data["train"]["licenses"] = {"MIT | <script>alert(1)</script>\n# head": 5}
    change(run, "data/manifest.json", **data)
    text = card(run)
    assert "<script>" not in text
    assert "| MIT \\| &lt;script>alert(1)&lt;/script> # head | 5 |" in text


@pytest.mark.parametrize("upto", ["train", "tokenizer"])
def test_without_an_evaluation_there_is_no_card(tmp_path: Path, upto: str) -> None:
    run = make_run(tmp_path / "run", upto=upto)
    folder = model_folder(run)
    with pytest.raises(InputError, match="needs the run's evaluation"):
        write_card(folder, run)
    assert not (folder / "README.md").exists()
