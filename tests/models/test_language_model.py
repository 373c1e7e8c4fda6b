"""Language models as folders: what was saved is what loads, in transformers too, and what does not fit is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from codefit.errors import CodefitError, InputError
from codefit.files import read_json, write_json
from codefit.models.hub_cache import model_folder
from codefit.models.language_model import (
    END,
    SPECIAL_TOKENS,
    LanguageModelShape,
    check_adapter,
    encode_texts,
    fim_tokens,
    load_language_model,
    load_lm_tokenizer,
    new_language_model,
    read_config,
    refuse_pickle,
    save_language_model,
    weights_fingerprint,
)
from codefit.models.tokenizer import PAD, train_tokenizer
from small_models import small_tokenizer, standard_functions
from tiny_language_models import (
    SHAPE,
    rename_base,
    tiny_language_model,
    tiny_lm_tokenizer,
    write_adapter,
    write_language_model,
)

TEXTS = ["", "def f(x):\r\n    return x\r\n", "é e\u0301 中 \U0001f600 \U0001d54f", "\t\ta  = 1\n\n\n", "a" * 300]


@pytest.fixture
def copied(language_model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model's folder, to be broken."""
    return Path(shutil.copytree(language_model_folder, tmp_path / "copied"))


@pytest.fixture
def copied_adapter(adapter_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter_folder, tmp_path / "copied_adapter"))


def change_json(path: Path, **fields: object) -> None:
    write_json(path, read_json(path) | fields)


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    left, right = one.state_dict(), other.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_a_model_comes_back_as_it_was_saved(language_model_folder: Path) -> None:
    made = tiny_language_model()
    loaded = load_language_model(language_model_folder, device="cpu")
    assert same_weights(made.model, loaded.model)
    assert (loaded.context, loaded.end, loaded.place) == (SHAPE.context, made.end, str(language_model_folder))
    assert not loaded.model.training
    assert loaded.model.dtype == torch.float32
    assert loaded.model.config.tie_word_embeddings
    assert sorted(file.suffix for file in language_model_folder.iterdir()) == [".json"] * 4 + [".safetensors"]


def test_transformers_reads_the_same_model_and_ids(language_model_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(language_model_folder)
    texts = [*TEXTS, *standard_functions()[:20]]
    assert tokenizer(texts, add_special_tokens=False)["input_ids"] == encode_texts(tokenizer, texts)
    assert encode_texts(tokenizer, texts) == [tiny_lm_tokenizer().encode(text).ids for text in texts]
    assert same_weights(AutoModelForCausalLM.from_pretrained(language_model_folder), tiny_language_model().model)
    assert (tokenizer.eos_token, tokenizer.pad_token, tokenizer.bos_token) == (END, PAD, None)


def test_generation_knows_where_to_stop(language_model_folder: Path) -> None:
    settings_file = json.loads((language_model_folder / "generation_config.json").read_text())
    end = tiny_lm_tokenizer().token_to_id(END)
    assert settings_file["eos_token_id"] == end
    assert settings_file["pad_token_id"] == tiny_lm_tokenizer().token_to_id(PAD) != end


def test_a_seed_decides_the_weights_and_leaves_the_others_alone() -> None:
    state = torch.get_rng_state()
    first, again, other = (tiny_language_model(seed=seed).model for seed in (3, 3, 4))
    assert same_weights(first, again)
    assert not same_weights(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "sizes", [{"heads": 3}, {"heads": 4, "kv_heads": 3}, {"hidden": 12, "heads": 4, "kv_heads": 2}]
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(InputError, match="do not fit"):
        tiny_language_model(**sizes)


def test_a_tokenizer_needs_the_special_tokens() -> None:
    with pytest.raises(InputError, match=r"lacks <\|endoftext\|>, <\|fim_prefix\|>"):
        new_language_model(LanguageModelShape(), small_tokenizer(), seed=0)


def test_a_splitting_that_transformers_would_replace_is_not_saved(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(standard_functions()[:20], 400, special_tokens=SPECIAL_TOKENS)
    with pytest.raises(CodefitError, match="pre_tokenizer"):
        save_language_model(new_language_model(SHAPE, tokenizer, seed=0), tmp_path)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_ids_decode_to_the_text(text: str) -> None:
    model = tiny_language_model()
    (ids,) = encode_texts(model.tokenizer, [text])
    assert model.tokenizer.decode(ids) == unicodedata.normalize("NFC", text)  # Qwen2's tokenizers normalize


def test_a_special_token_named_in_a_text_is_text(language_model_folder: Path) -> None:
    tokenizer = load_lm_tokenizer(str(language_model_folder))
    text = f"stop at {END} or <|fim_middle|>"
    (ids,) = encode_texts(tokenizer, [text])
    assert not {tokenizer.eos_token_id, *marks_of(tokenizer)} & set(ids)
    assert tokenizer.decode(ids) == text
    assert tokenizer(END)["input_ids"] == [tokenizer.eos_token_id]  # as before, for who writes it on purpose


def marks_of(tokenizer) -> tuple[int, int, int]:
    marks = fim_tokens(tokenizer)
    assert marks is not None
    return marks.prefix, marks.middle, marks.suffix


@pytest.mark.parametrize(
    "spelling",
    [
        ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
        ("<fim_prefix>", "<fim_middle>", "<fim_suffix>"),
        # DeepSeek-Coder: what stands in the place of the hole is in front of the suffix, "end" asks for the middle.
        ("<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜fim▁hole｜>"),
    ],
)
def test_marks_of_a_hole_in_each_spelling(spelling: tuple[str, str, str]) -> None:
    from transformers import PreTrainedTokenizerFast

    trained = train_tokenizer(["x = 1"], 400, special_tokens=(PAD, END, *spelling))
    marks = fim_tokens(PreTrainedTokenizerFast(tokenizer_object=trained))
    assert marks is not None
    assert (marks.prefix, marks.middle, marks.suffix) == tuple(trained.token_to_id(token) for token in spelling)
    assert fim_tokens(PreTrainedTokenizerFast(tokenizer_object=small_tokenizer())) is None


def test_pickled_weights_are_refused(copied: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(copied)
    torch.save(model.state_dict(), copied / "pytorch_model.bin")
    refuse_pickle(copied)  # beside safetensors it is never read
    (copied / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"pickled \(pytorch_model.bin\)"):
        load_language_model(copied)
    with pytest.raises(InputError, match="pickled"):
        refuse_pickle(copied)


def drop_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def drop_one(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def other_shape(folder: Path) -> None:
    change_json(folder / "config.json", intermediate_size=48)


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def no_end(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({key: value for key, value in read_json(path).items() if key != "eos_token"}))
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", config | {"model_type": "llama", "architectures": ["LlamaForCausalLM"]})
    change_json(path, tokenizer_class="PreTrainedTokenizerFast")


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def unknown_kind(folder: Path) -> None:
    change_json(folder / "config.json", model_type="no-such-model")


def small_embedding(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"][:300].clone()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    change_json(folder / "config.json", vocab_size=300)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop_weights, "no safetensors weights there"),
        (drop_one, r"1 of the model's weights are missing \(model.layers.1.mlp.up_proj"),
        (other_shape, "weights cannot be read"),
        (cut_short, "weights cannot be read"),
        (no_end, "no end token"),
        (no_config, "no language model there"),
        (unknown_kind, "no language model there"),
        (small_embedding, "600 tokens, the model 300 embeddings"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(copied: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(copied)
    with pytest.raises(InputError, match=message) as caught:
        load_language_model(copied, device="cpu")
    assert str(copied) in caught.value.line()
    assert "\n" not in caught.value.line()


def test_places_that_are_none(tmp_path: Path, adapter_folder: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "nothing", tmp_path / "file", "./nothing", "one-word", "a/b/c"):
        with pytest.raises(InputError, match="no model there"):
            load_language_model(place)
        with pytest.raises(InputError, match="no model there"):
            read_config(str(place))
    with pytest.raises(InputError, match="no adapter there"):
        check_adapter(tmp_path, "base")


def test_types_of_weights(language_model_folder: Path, copied: Path) -> None:
    half = load_language_model(language_model_folder, device="cpu", dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16
    half.model.save_pretrained(copied)
    assert read_config(str(copied)).dtype == torch.bfloat16
    assert load_language_model(copied, device="cpu").model.dtype == torch.float32


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.arange(20, 40)[None]).logits


def test_an_adapter_is_peft_s_own(language_model_folder: Path, adapter_folder: Path) -> None:
    from peft import PeftModel

    oracle = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(language_model_folder), adapter_folder)
    named = load_language_model(adapter_folder, device="cpu")  # its own files name the base
    given_both = load_language_model(language_model_folder, adapter=adapter_folder, device="cpu")
    plain = load_language_model(language_model_folder, device="cpu")
    assert torch.equal(logits(named.model), logits(oracle.eval()))
    assert torch.equal(logits(named.model), logits(given_both.model))
    assert (logits(named.model) - logits(plain.model)).abs().max() > 0.01
    assert named.place == str(adapter_folder)


def test_an_adapter_for_other_weights_is_refused(adapter_folder: Path, tmp_path: Path) -> None:
    other = write_language_model(tmp_path / "other", seed=9)
    with pytest.raises(InputError, match="trained on other weights") as caught:
        load_language_model(other, adapter=adapter_folder)
    assert str(adapter_folder) in caught.value.line()


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_adapter_that_does_not_fit_is_refused(
    layers: int, language_model_folder: Path, copied_adapter: Path, tmp_path: Path
) -> None:
    """PEFT itself leaves out the adapter's layers that a model lacks, and begins anew those that the adapter lacks."""
    (copied_adapter / "codefit.json").unlink()
    other = write_language_model(tmp_path / "other", layers=layers)
    with pytest.raises(InputError, match="does not fit the model"):
        load_language_model(other, adapter=copied_adapter)
    wider = write_adapter(tmp_path / "wider", write_language_model(tmp_path / "wide", ffn=80), fingerprint=False)
    with pytest.raises(InputError, match="does not fit the model"):
        load_language_model(language_model_folder, adapter=wider)


def test_an_adapter_without_base_or_weights(copied_adapter: Path, tmp_path: Path, language_model_folder: Path) -> None:
    rename_base(copied_adapter, str(tmp_path / "gone"))
    with pytest.raises(InputError, match="no model there"):
        load_language_model(copied_adapter)
    rename_base(copied_adapter, "")
    with pytest.raises(InputError, match="does not name its base"):
        load_language_model(copied_adapter)
    (copied_adapter / "adapter_model.safetensors").rename(copied_adapter / "adapter_model.bin")
    with pytest.raises(InputError, match="no safetensors weights"):
        load_language_model(language_model_folder, adapter=copied_adapter)


def test_a_fingerprint_is_of_all_weights(copied: Path, language_model_folder: Path) -> None:
    before = weights_fingerprint(language_model_folder)
    assert weights_fingerprint(copied) == before
    change_json(copied / "config.json", note="no weight")
    assert weights_fingerprint(copied) == before
    weights = load_file(copied / "model.safetensors")
    weights["model.norm.weight"][0] += 1e-3
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    changed = weights_fingerprint(copied)
    assert changed != before
    (copied / "model-2.safetensors").write_bytes(b"x")
    assert weights_fingerprint(copied) != changed
    with pytest.raises(InputError, match="no safetensors"):
        weights_fingerprint(copied.parent)


REVISION = "0123456789abcdef0123456789abcdef01234567"
HUB = """
import json, sys, time
from pathlib import Path
from codefit.cli.main import main
from codefit.models.hub_cache import model_folder
from codefit.models.language_model import load_language_model, check_adapter
from codefit.errors import InputError
adapter = Path(sys.argv[1])
told = {"places": [], "name": None, "folder": None}
for revision in (None, sys.argv[2]):
    loaded = load_language_model("owner/tiny", revision=revision, device="cpu")
    told["places"].append(loaded.place)
    told["name"] = loaded.model.name_or_path
    told["folder"] = str(model_folder("owner/tiny", revision))
    check_adapter(adapter, "owner/tiny", revision)
for place in ("owner/pickled", "owner/other"):
    try:
        load_language_model("owner/other" if place == "owner/other" else place, adapter=adapter)
    except InputError as error:
        told[place] = error.line()
print(json.dumps(told))
sys.stdout.flush()
started = time.monotonic()
code = main(["lm", "eval", "--model", "owner/absent", "--documents", sys.argv[3]])
print(json.dumps({"code": code, "seconds": time.monotonic() - started}))
"""


def lay_in_cache(home: Path, name: str, folder: Path) -> Path:
    """A model's folder in the hub's cache, as the hub's library leaves it: the files are links into `blobs`."""
    top = home / "hub" / f"models--owner--{name}"
    snapshot = top / "snapshots" / REVISION
    for part in (snapshot, top / "refs", top / "blobs"):
        part.mkdir(parents=True)
    (top / "refs" / "main").write_text(REVISION)
    for file in folder.iterdir():
        shutil.copy(file, top / "blobs" / file.name)
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    return snapshot


def test_models_of_the_hub_come_from_its_cache_without_a_network(
    language_model_folder: Path, adapter_folder: Path, copied: Path, tmp_path: Path
) -> None:
    snapshot = lay_in_cache(tmp_path / "home", "tiny", language_model_folder)
    lay_in_cache(tmp_path / "home", "other", write_language_model(tmp_path / "other", seed=5))
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    lay_in_cache(tmp_path / "home", "pickled", copied)
    documents = tmp_path / "x.py"
    documents.write_text("x = 1\n")
    done = subprocess.run(
        [sys.executable, "-c", HUB, str(adapter_folder), REVISION, str(documents)],
        env={**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, missing = (json.loads(line) for line in done.stdout.splitlines())
    assert told["places"] == ["owner/tiny", "owner/tiny"]
    assert told["name"] == "owner/tiny"  # what an adapter's files then name as their base
    assert told["folder"] == str(snapshot)
    assert "pickled (pytorch_model.bin)" in told["owner/pickled"]
    assert "trained on other weights than those of owner/other" in told["owner/other"]
    assert missing["code"] == 1
    assert missing["seconds"] < 10
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: the model owner/absent is neither a folder nor at hand from the hub")
    assert last.endswith("download it once where there is a network, or give a local folder")


def test_a_part_of_a_model_in_the_cache_is_not_taken_for_the_model(
    language_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading the configuration alone leaves a folder without weights behind."""
    from huggingface_hub import constants

    snapshot = lay_in_cache(tmp_path / "home", "part", language_model_folder)
    (snapshot / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
    asked: list[str] = []

    def download(name: str, **_: object) -> str:
        asked.append(name)
        (snapshot / "model.safetensors").symlink_to("../../blobs/model.safetensors")
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert read_config("owner/part").vocab_size == 600
    assert load_lm_tokenizer("owner/part").eos_token == END
    assert asked == []
    loaded = load_language_model("owner/part", device="cpu")
    assert asked == ["owner/part"]
    assert same_weights(loaded.model, tiny_language_model().model)
    started = time.monotonic()
    assert model_folder("owner/part") == snapshot
    assert time.monotonic() - started < 5
    assert asked == ["owner/part"]
