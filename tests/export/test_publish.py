"""What is pushed to the hub is what was checked: models and datasets, against a local fake of the hub's HTTP API."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.corpus.manifest import describe_file
from codefit.errors import CodefitError, InputError
from codefit.export.publish import plan_dataset, push
from codefit.files import write_json
from codefit.records import Document, write_rows
from export.adapters import write_adapter, write_base
from export.fake_hub import TOKEN, Hub, serve_hub

CARD = "---\ntags:\n- code\n---\n\n# A model\n\nIt says größer.\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    with serve_hub() as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its storage is no HTTP API that could be faked
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = write_base(tmp_path / "run" / "model", shard="60KB")
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return folder


def test_a_model_goes_there_byte_by_byte_in_one_commit(hub: Hub, model: Path) -> None:
    (model / "ship" / "int8").mkdir(parents=True)
    (model / "ship" / "int8" / "model.safetensors").write_bytes(b"another model")
    (model / ".cache").mkdir()
    (model / ".cache" / "notes").write_text("mine")
    result = push(model, "me/small", license_name="apache-2.0")
    repository = hub.repositories["models/me/small"]
    assert (repository.private, repository.commits) == (True, 1)
    own = {file.name: file.read_bytes() for file in model.iterdir() if file.is_file()}
    card = repository.files.pop("README.md").decode()
    assert own.pop("README.md").decode().partition("---\n\n")[2] == card.partition("---\n\n")[2]
    assert yaml.safe_load(card.split("---")[1]) == {"license": "apache-2.0", "tags": ["code"]}
    assert (model / "README.md").read_text(encoding="utf-8") == CARD
    assert repository.files == own
    assert len([path for method, path in hub.requests if method == "PUT"]) == len(list(model.glob("*.safetensors")))
    assert result["pushed"]
    assert result["commit"] == "2" * 40
    assert {file["path"] for file in result["files"]} == {*own, "README.md"}


def test_weights_of_an_older_push_go_with_the_new_one(hub: Hub, model: Path, tmp_path: Path) -> None:
    push(model, "me/small", license_name="mit")
    single = write_base(tmp_path / "single")
    (single / "README.md").write_text(CARD, encoding="utf-8")
    hub.repositories["models/me/small"].files["images/a.png"] = b"theirs"
    result = push(single, "me/small", license_name="mit")
    assert sorted(result["removed"]) == sorted(
        [*(file.name for file in model.glob("model-*.safetensors")), "model.safetensors.index.json"]
    )
    left = hub.repositories["models/me/small"].files
    assert {name for name in left if "safetensors" in name} == {"model.safetensors"}
    assert left["images/a.png"] == b"theirs"


def test_a_dry_run_says_what_it_would_push_and_sends_nothing(
    hub: Hub, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    result = push(model, "me/small", license_name="mit", dry_run=True)
    assert (result["pushed"], hub.requests) == (False, [])
    sizes = {file["path"]: file["bytes"] for file in result["files"]}
    assert sizes["config.json"] == (model / "config.json").stat().st_size
    assert result["bytes"] == sum(sizes.values())


def test_a_public_repository_is_not_filled_by_a_private_push(hub: Hub, model: Path) -> None:
    push(model, "me/small", private=False, license_name="mit")
    assert not hub.repositories["models/me/small"].private
    with pytest.raises(InputError, match=r"me/small is public already.*--public"):
        push(model, "me/small", license_name="mit")
    assert hub.repositories["models/me/small"].commits == 1


def _pickle(model: Path) -> None:
    (model / "optimizer.pt").write_bytes(b"\x80\x04N.")


def _shipped(model: Path, **row: Any) -> None:
    rows = [{"form": "merged", "place": "model", "bound": 0.001, "change": 0.0, "published": True, **row}]
    write_json(model.parent / "shipped.json", {"forms": rows})


@pytest.mark.parametrize(
    ("damage", "given", "message"),
    [
        (lambda m: (m / "README.md").unlink(), "mit", "the model has no card"),
        (lambda m: (m / "README.md").write_text(" \n"), "mit", "the card is empty"),
        (lambda m: None, None, "the card names no licence; name one with --license"),
        (
            lambda m: (m / "README.md").write_text("---\nlicense: gpl-3.0\n---\n# A\n"),
            "mit",
            "names the licence gpl-3.0",
        ),
        (lambda m: (m / "README.md").write_text("---\nlicense: [\n---\n# A\n"), "mit", "is no YAML"),
        (_pickle, "mit", "optimizer.pt is pickled"),
        (
            lambda m: _shipped(m, published=False, note="it got worse"),
            "mit",
            "merged is not to be published: it got worse",
        ),
        (lambda m: _shipped(m, change=0.002), "mit", "merged is not to be published: it is beyond its bound"),
        (lambda m: [file.unlink() for file in m.glob("*.safetensors")], "mit", "no weights there"),
    ],
    ids=[
        "no card",
        "empty card",
        "no licence",
        "two licences",
        "no yaml",
        "pickled",
        "refused",
        "beyond",
        "no weights",
    ],
)
def test_a_folder_that_is_not_to_be_published_is_refused_before_anything_is_sent(
    hub: Hub, model: Path, damage: Any, given: str | None, message: str
) -> None:
    damage(model)
    with pytest.raises(InputError, match=message):
        push(model, "me/small", license_name=given)
    assert hub.requests == []


def test_what_was_shipped_within_its_bound_is_pushed(hub: Hub, model: Path) -> None:
    _shipped(model)
    assert push(model, "me/small", license_name="mit")["pushed"]
    _shipped(model, form="nf4", place="ship/nf4", published=False)  # another folder's
    assert push(model, "me/small", license_name="mit")["pushed"]


def test_an_adapter_that_names_a_folder_of_this_machine_is_refused(hub: Hub, model: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", model)
    (adapter / "README.md").write_text("---\nlicense: mit\n---\n# An adapter\n")
    with pytest.raises(InputError, match="names its base by a place on this machine"):
        push(adapter, "me/adapter")
    settings = json.loads((adapter / "adapter_config.json").read_text())
    write_json(adapter / "adapter_config.json", {**settings, "base_model_name_or_path": "me/small"})
    assert push(adapter, "me/adapter")["pushed"]


@pytest.mark.parametrize("name", ["small", "a/b/c", "me/../small", "", "me/sm all"])
def test_a_name_that_is_none_is_refused(hub: Hub, model: Path, name: str) -> None:
    with pytest.raises(InputError, match="owner/name"):
        push(model, name, license_name="mit")
    assert hub.requests == []


def test_no_token_is_one_line(hub: Hub, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no token of the hub on this machine; hf auth login, or set HF_TOKEN"):
        push(model, "me/small", license_name="mit")
    assert hub.requests == []


def test_a_hub_that_refuses_is_one_line(hub: Hub, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.broken = True
    with pytest.raises(CodefitError, match=r"the push to me/small failed .*nothing was published") as failed:
        push(model, "me/small", license_name="mit")
    assert not isinstance(failed.value, InputError)
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(CodefitError, match="the push to me/small failed"):
        push(model, "me/small", license_name="mit")
    assert hub.repositories["models/me/small"].files == {}


def write_data(folder: Path, licenses: tuple[str | None, ...] = ("MIT",)) -> Path:
    folder.mkdir(parents=True)
    outputs = {}
    for split, count in {"train": 6, "eval": 2}.items():
        path = folder / f"{split}_documents.jsonl.gz"
        rows = [
            Document(
                f"{split}{i}.rs", f"fn f{i}() {{}}", language="rust", repo="a|b", license=licenses[i % len(licenses)]
            )
            for i in range(count)
        ]
        write_rows(path, rows)
        outputs[path.name] = describe_file(path, count)
    write_json(folder / "manifest.json", {"outputs": outputs})
    (folder / "dropped.jsonl").write_text('{"stage": "length", "reason": "too long", "where": "a.rs", "count": 1}\n')
    return folder


def test_a_dataset_goes_there_with_its_receipt_and_a_card(hub: Hub, tmp_path: Path) -> None:
    data = write_data(tmp_path / "run" / "data")
    result = push(tmp_path / "run", "me/rows", kind="dataset")
    assert result["license"] == "mit"
    files = hub.repositories["datasets/me/rows"].files
    names = ["train_documents.jsonl.gz", "eval_documents.jsonl.gz"]
    assert {f"data/{name}": (data / name).read_bytes() for name in names}.items() <= files.items()
    assert {"manifest.json", "dropped.jsonl", "README.md"} < files.keys()
    card = files["README.md"].decode()
    front = yaml.safe_load(card.split("---")[1])
    assert front["configs"][0]["data_files"] == [
        {"split": "test", "path": "data/eval_documents.jsonl.gz"},
        {"split": "train", "path": "data/train_documents.jsonl.gz"},
    ]
    assert front["size_categories"] == ["n<1K"]
    assert "8 rows of source code" in card
    assert "| rust | 8 |" in card
    assert "| a\\|b | 8 |" in card


def test_the_card_s_splits_are_what_datasets_reads(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = write_data(tmp_path / "data")
    upload = plan_dataset(data, None, "me/rows")
    for path, source in upload.files.items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    read = datasets.load_dataset(str(tmp_path / "copy"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in read.items()} == {"train": 6, "test": 2}
    assert read["train"][0]["text"] == "fn f0() {}"


@pytest.mark.parametrize("licenses", [("MIT", "Apache-2.0"), (None,), ("MIT", None)])
def test_rows_of_several_licences_want_one_for_the_collection(tmp_path: Path, licenses: tuple[str | None, ...]) -> None:
    data = write_data(tmp_path / "data", licenses)
    with pytest.raises(InputError, match=r"the rows have several licences, or none; .*--license other"):
        push(data, "me/rows", kind="dataset", dry_run=True)
    assert push(data, "me/rows", kind="dataset", license_name="other", dry_run=True)["license"] == "other"


def test_rows_that_are_not_those_of_the_manifest_are_refused(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    with gzip.open(data / "train_documents.jsonl.gz", "at") as stream:
        stream.write('{"path": "x", "text": "added later"}\n')
    with pytest.raises(InputError, match=r"the file is not the one that manifest\.json describes"):
        push(data, "me/rows", kind="dataset", dry_run=True)
    (data / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"no manifest.json there"):
        push(data, "me/rows", kind="dataset", dry_run=True)


def test_rows_that_are_no_json_are_one_line_with_the_place(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    (data / "more.jsonl").write_text('{"text": "a"}\n[1]\n')
    with pytest.raises(InputError, match=r"more.jsonl:2: the row is no object"):
        push(data, "me/rows", kind="dataset", dry_run=True)
    (data / "more.jsonl").write_text('{"text": "a"}\n{"text"\n')
    with pytest.raises(InputError, match=r"more.jsonl:2: not valid JSON"):
        push(data, "me/rows", kind="dataset", dry_run=True)
