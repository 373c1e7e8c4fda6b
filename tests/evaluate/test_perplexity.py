"""Perplexity by a sliding window, held against the loop of the transformers documentation."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.errors import CodefitError, InputError
from codefit.evaluate import perplexity, token_nats
from codefit.evaluate.intervals import bootstrap_ratio
from codefit.evaluate.perplexity import DocumentScore, PerplexityReport, compare, evaluate_perplexity
from codefit.evaluate.token_nats import Scorer, windows_of
from codefit.models.language_model import LanguageModel, load_language_model
from codefit.records import Document
from small_models import standard_functions
from tiny_language_models import SHAPE, tiny_language_model, tiny_lm_tokenizer

WINDOW, STRIDE = 64, 24
TEXTS = [
    "",
    "x",
    "def f(x):\r\n    return '\U0001f600 \U0001d54f'\r\n",
    "e\u0301 is two letters that the tokenizer makes one of\n",
    *standard_functions()[:20],
    "\n\n".join(standard_functions()[:12]),  # far longer than the context
]


def documents_of(texts: list[str]) -> list[Document]:
    return [Document(f"lib/part{i % 3}/deep/f{i}.py", text, "python", "repo") for i, text in enumerate(texts)]


DOCUMENTS = documents_of(TEXTS)


def by_transformers(model: LanguageModel, text: str, window: int, stride: int) -> tuple[float, int]:
    """Nats and tokens as the documentation's loop has them, with the separator before the text.

    https://huggingface.co/docs/transformers/perplexity; there the loss is the mean over the labels of a window.
    """
    separator = model.tokenizer.bos_token_id
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    encodings = torch.tensor([[model.end if separator is None else separator, *ids]])
    length = encodings.shape[1]
    nats, scored, previous_end = 0.0, 0, 0
    for begin in range(0, length, stride):
        end = min(begin + window, length)
        target_length = end - previous_end
        input_ids = encodings[:, begin:end]
        target_ids = input_ids.clone()
        target_ids[:, :-target_length] = -100
        labels = int((target_ids[:, 1:] != -100).sum())  # the first of a window is shifted out
        if labels:
            with torch.no_grad():
                nats += labels * model.model(input_ids, labels=target_ids).loss.item()
            scored += labels
        previous_end = end
        if end == length:
            break
    return nats, scored


def assert_equal_to_transformers(model: LanguageModel, report: PerplexityReport, documents: list[Document]) -> None:
    expected = [by_transformers(model, d.text, report.window, report.stride) for d in documents]
    assert [score.tokens for score in report.scores] == [tokens for _, tokens in expected]
    for score, (nats, tokens) in zip(report.scores, expected, strict=True):
        assert score.nats / max(1, tokens) == pytest.approx(nats / max(1, tokens), abs=1e-4)
    nats, tokens = (sum(column) for column in zip(*expected, strict=True))
    assert report.perplexity == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    sizes = sum(len(document.text.encode()) for document in documents)
    assert report.bits_per_byte == pytest.approx(nats / math.log(2) / sizes, abs=1e-4)


@pytest.mark.parametrize(("window", "stride"), [(WINDOW, STRIDE), (64, 63), (96, 1), (2, 1), (50, 49)])
def test_it_equals_transformers(window: int, stride: int) -> None:
    model = tiny_language_model()
    documents = DOCUMENTS if stride > 1 else DOCUMENTS[:6]
    report = evaluate_perplexity(model, documents, window=window, stride=stride)
    assert max(score.tokens for score in report.scores) > (SHAPE.context if stride > 1 else 0)
    assert_equal_to_transformers(model, report, documents)


def test_it_equals_transformers_with_an_adapter(language_model_folder: Path, adapter_folder: Path) -> None:
    model = load_language_model(language_model_folder, adapter=adapter_folder, device="cpu")
    report = evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)
    assert_equal_to_transformers(model, report, DOCUMENTS)
    plain = load_language_model(language_model_folder, device="cpu")
    other = evaluate_perplexity(plain, DOCUMENTS, window=WINDOW, stride=STRIDE)
    assert abs(other.perplexity - report.perplexity) > 0.1


def test_it_equals_transformers_where_the_head_is_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemma 2 caps its logits, GPT-2 calls its parts by other names and learns positions."""
    from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    base = tiny_language_model()
    vocab = len(base.tokenizer)
    capped = Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=vocab,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=96,
            final_logit_softcapping=0.5,
            initializer_range=0.3,
        )
    )
    gpt2 = GPT2LMHeadModel(
        GPT2Config(vocab_size=vocab, n_embd=32, n_layer=2, n_head=2, n_positions=96, initializer_range=0.3)
    )
    for network, head_is_all in ((capped, False), (gpt2, True)):
        model = dataclasses.replace(base, model=network.eval())
        assert (Scorer(network)._head is not None) == head_is_all
        report = evaluate_perplexity(model, DOCUMENTS[:8], window=WINDOW, stride=STRIDE)
        assert_equal_to_transformers(model, report, DOCUMENTS[:8])


def test_a_token_for_the_begin_of_a_text_is_the_separator() -> None:
    model = tiny_language_model()
    plain = evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)
    model.tokenizer.bos_token = "<|fim_prefix|>"
    try:
        begun = evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)
        assert_equal_to_transformers(model, begun, DOCUMENTS)
    finally:
        model.tokenizer.bos_token = None
    assert begun.perplexity != plain.perplexity


def test_buffers_batches_and_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_language_model()
    whole = evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)
    monkeypatch.setattr(perplexity, "TEXT_BUFFER", 100)
    monkeypatch.setattr(perplexity, "BUFFERED_BATCHES", 1)
    monkeypatch.setattr(token_nats, "CPU_BATCH_TOKENS", 150)
    monkeypatch.setattr(token_nats, "CPU_LOGITS", 7 * len(model.tokenizer))
    parts = evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)
    assert [s.path for s in parts.scores] == [d.path for d in DOCUMENTS]
    assert [s.nats for s in parts.scores] == pytest.approx([s.nats for s in whole.scores], rel=1e-5)


def test_the_head_is_computed_only_where_a_token_is_scored() -> None:
    model = tiny_language_model()
    rows: list[int] = []
    scorer = Scorer(model.model)
    head = scorer._head
    assert head is not None
    scorer._head = lambda hidden: (rows.append(len(hidden)), head(hidden))[1]
    ids = np.arange(300, dtype=np.int32)
    scorer.nats(list(windows_of(0, ids, window=WINDOW, stride=STRIDE)))
    assert sum(rows) == 299


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.integers(2, 40), st.data())
def test_windows_score_each_token_once_with_context(length: int, window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window - 1))
    scored: list[int] = []
    for number, found in enumerate(windows_of(7, np.arange(length, dtype=np.int32), window=window, stride=stride)):
        assert (found.document, len(found.ids) <= window) == (7, True)
        assert found.scored >= (window - stride if number else 1)
        scored += found.ids[found.scored :].tolist()
    assert scored == list(range(1, length))


def test_records_and_summary() -> None:
    documents = [
        Document("top.py", "x = 1\n" * 9, "python", "one"),
        Document("a/b/c/deep.rs", "fn main() {}\n" * 9, "rust", "one"),
        Document("a/other.py", "", None, "one"),
        Document("empty/only.py", "", None, "one"),
    ]
    report = evaluate_perplexity(tiny_language_model(), iter(documents), window=WINDOW, stride=STRIDE)
    first, second, third, fourth = report.scores
    assert (first.directory, second.directory, third.directory, fourth.directory) == (".", "a/b/c", "a", "empty")
    assert (second.path, second.repo, second.language, second.bytes) == ("a/b/c/deep.rs", "one", "rust", 13 * 9)
    assert (third.tokens, third.bytes, third.nats) == (0, 0, 0.0)
    summary = report.summary()
    assert set(summary) == {"perplexity", "bits_per_byte", "tokens", "bytes", "documents", "ci95"}
    assert summary["documents"] == 4
    assert (
        summary["tokens"]
        == first.tokens + second.tokens
        == len(tiny_lm_tokenizer().encode(documents[0].text)) + len(tiny_lm_tokenizer().encode(documents[1].text))
    )
    assert summary["perplexity"] == pytest.approx(report.perplexity)
    assert summary["bits_per_byte"] == pytest.approx(report.bits_per_byte)
    for name in ("perplexity", "bits_per_byte"):
        low, high = summary["ci95"][name]
        assert low <= summary[name] <= high
        assert low < high
    assert json.loads(json.dumps(summary)) == summary
    assert set(report.by_directory(1)) == {".", "a"}
    assert set(report.by_directory(2)) == {".", "a/b", "a"} - {"a"}  # a itself holds nothing but an empty file
    assert report.by_directory(3)["a/b/c"]["perplexity"] == pytest.approx(math.exp(second.nats / second.tokens))
    surprise = [part["perplexity"] for part in report.by_directory(1).values()]
    assert surprise == sorted(surprise, reverse=True)


def test_directories_of_several_repositories_are_apart() -> None:
    documents = [Document("src/x.py", "x = 1\n", repo="one"), Document("src/x.py", "y = 2\n", repo="two")]
    documents.append(Document("z.py", "z = 3\n"))
    report = evaluate_perplexity(tiny_language_model(), documents, window=WINDOW, stride=STRIDE)
    assert set(report.by_directory(1)) == {"one/src", "two/src", "."}


def score(path: str, tokens: int, nats: float) -> DocumentScore:
    return DocumentScore(path, ".", None, None, tokens, 3 * tokens, nats)


def report_of(costs: np.ndarray, tokens: np.ndarray) -> PerplexityReport:
    rows = [score(f"{i}", int(t), float(c * t)) for i, (c, t) in enumerate(zip(costs, tokens, strict=True))]
    return PerplexityReport(tuple(rows), WINDOW, STRIDE)


def test_a_change_resamples_the_same_files_for_both() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 3000, 150)
    costs = rng.normal(2, 0.8, 150)  # files differ far more than the models do
    before, after = report_of(costs, tokens), report_of(costs - 0.3 + rng.normal(0, 0.02, 150), tokens)
    change = compare(before, after)
    assert change.perplexity == pytest.approx(after.perplexity / before.perplexity - 1)
    assert change.low < change.perplexity < change.high
    assert -0.27 < change.low < change.high < -0.25
    assert change.summary() == {"perplexity": change.perplexity, "ci95": [change.low, change.high]}
    expected = bootstrap_ratio(
        np.array([a.nats - b.nats for a, b in zip(after.scores, before.scores, strict=True)]), tokens.astype(float)
    )
    assert change.low == pytest.approx(math.expm1(expected.low))
    assert compare(before, before).summary() == {"perplexity": 0.0, "ci95": [0.0, 0.0]}


def test_what_cannot_be_compared_is_refused() -> None:
    costs = np.array([1.0, 2.0])
    before = report_of(costs, np.array([5, 7]))
    with pytest.raises(InputError, match="other windows"):
        compare(before, dataclasses.replace(before, stride=STRIDE - 1))
    with pytest.raises(InputError, match="other documents"):
        compare(before, dataclasses.replace(before, scores=before.scores[:1]))
    other_tokens = dataclasses.replace(before.scores[1], tokens=6)
    with pytest.raises(InputError, match="bits per byte"):
        compare(before, dataclasses.replace(before, scores=(before.scores[0], other_tokens)))


@pytest.mark.parametrize(("window", "stride"), [(97, 10), (1, 1), (64, 64), (64, 0), (64, -3)])
def test_windows_that_cannot_be_are_refused(window: int, stride: int) -> None:
    with pytest.raises(InputError, match="choose"):
        evaluate_perplexity(tiny_language_model(), DOCUMENTS, window=window, stride=stride)


def test_only_so_many_documents_are_read() -> None:
    read: list[str] = []

    def stream() -> Iterator[Document]:
        for document in DOCUMENTS:
            read.append(document.path)
            yield document

    report = evaluate_perplexity(tiny_language_model(), stream(), window=WINDOW, stride=STRIDE, max_documents=3)
    assert len(report.scores) == len(read) == 3


@pytest.mark.parametrize("documents", [[], documents_of(["", ""])])
def test_nothing_to_score_is_an_error(documents: list[Document]) -> None:
    with pytest.raises(InputError, match="no text to score"):
        evaluate_perplexity(tiny_language_model(), documents, window=WINDOW, stride=STRIDE)


def test_figures_that_are_not_finite_stop_it() -> None:
    model = tiny_language_model()
    with torch.no_grad():
        model.model.model.norm.weight[3] = math.nan
    with pytest.raises(CodefitError, match=r"f1\.py.*not finite .*float32"):
        evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE)


def test_dropout_is_off_while_it_runs_and_on_again_after(language_model_folder: Path) -> None:
    from peft import LoraConfig, get_peft_model

    loaded = load_language_model(language_model_folder, device="cpu")
    config = LoraConfig(
        r=2, lora_dropout=0.5, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False
    )
    model = dataclasses.replace(loaded, model=get_peft_model(loaded.model, config))
    model.model.train()
    reports = [evaluate_perplexity(model, DOCUMENTS, window=WINDOW, stride=STRIDE) for _ in range(2)]
    assert reports[0] == reports[1]
    assert model.model.training
    assert all(parameter.grad is None for parameter in model.model.parameters())


def test_an_adapter_that_adds_tokens_is_refused(language_model_folder: Path) -> None:
    from peft import PromptTuningConfig, get_peft_model

    loaded = load_language_model(language_model_folder, device="cpu")
    tuned = get_peft_model(loaded.model, PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))
    with pytest.raises(InputError, match="tokens of its own"):
        evaluate_perplexity(dataclasses.replace(loaded, model=tuned), DOCUMENTS, window=WINDOW, stride=STRIDE)


# Words of 52 letters are one token each, so that much text is little work, and the buffers are small, so that the
# smaller corpus fills them too.
MEMORY = """
import sys
from pathlib import Path
from codefit.evaluate import perplexity, token_nats
from codefit.models.language_model import SPECIAL_TOKENS, LanguageModelShape, new_language_model
from codefit.models.tokenizer import train_tokenizer
from codefit.records import Document
perplexity.TEXT_BUFFER, perplexity.BUFFERED_BATCHES, token_nats.CPU_BATCH_TOKENS = 1 << 16, 1, 2048
word = ' ' + 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'
def peak():
    line = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) * 1024
def stream(count):
    for number in range(count):
        yield Document(f'f{number}.py', word * 1000)
tokenizer = train_tokenizer([word * 100], 330, special_tokens=SPECIAL_TOKENS, splitting='qwen2')
assert len(tokenizer.encode(word * 10).ids) == 10
shape = LanguageModelShape(hidden=16, layers=1, heads=2, kv_heads=1, ffn=16, context=256)
model = new_language_model(shape, tokenizer, seed=0)
told = []
for count in (20, 200):
    report = perplexity.evaluate_perplexity(model, stream(count), window=256, stride=255)
    told += [peak(), sum(score.tokens for score in report.scores)]
print(*told)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc, which only Linux has")
def test_memory_does_not_grow_with_the_corpus() -> None:
    # One thread: how many share the work decides how much memory they hold.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", MEMORY], env=environment, capture_output=True, text=True, check=True)
    one, tokens, ten, ten_tokens = map(int, done.stdout.split())
    assert (tokens, ten_tokens) == (20_000, 200_000)
    # The texts alone are 9.5 MB more, the logits of the tokens 238 MB.
    assert ten - one < 4_000_000
