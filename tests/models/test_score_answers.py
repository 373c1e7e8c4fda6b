"""A language model as a scorer: probabilities as by brute force, answers that are always answers, none made up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_examples import CHATML, ROOM, chat_model, whole_chat, write_chat_model, write_chats
from codefit.errors import CodefitError, InputError
from codefit.models.chat import ChatFormat
from codefit.models.language_model import LanguageModel, encode_texts, load_language_model
from codefit.models.score_answers import (
    NO_SCORE,
    LanguageModelScorer,
    Reading,
    ScorerSettings,
    load_language_model_scorer,
)
from codefit.models.scorers import Estimate, Scorer
from codefit.records import Rejects
from codefit.tasks.complexity.chat import ANSWER_PATTERN, SCORE_LABEL, SCORES, answer
from codefit.train.causal import AdapterSettings, CausalLearner, CausalSettings
from codefit.train.chat import ChatFiles, ChatTraining, train_chat
from codefit.train.chat_data import ChatData, encode_chats

CONTEXT = 512
CODES = [
    "def f(): pass",
    "def g(x, y):\n    if x:\n        return y\n    return g(y, x)",
    "def h(z): return [z for z in z]",
]
READINGS: list[Reading] = ["expectation", "constrained", "regex"]


def loud_model(template: str | None = CHATML, *, seed: int = 0, **sizes: int) -> LanguageModel:
    """A tiny model whose random weights are large enough that it prefers some answers by far."""
    model = chat_model(template, seed=seed, **{"context": CONTEXT, **sizes})
    with torch.no_grad():
        for parameter in model.model.parameters():
            if parameter.ndim > 1:
                parameter *= 6
    return model


def scorer(model: LanguageModel, reading: Reading = "expectation", **options: Any) -> LanguageModelScorer:
    return LanguageModelScorer(
        model, ScorerSettings(reading=reading, **{"max_tokens": CONTEXT, "answer_tokens": ROOM, **options})
    )


def by_brute_force(model: LanguageModel, prompt: list[int], begin: str) -> np.ndarray:
    """The probabilities of the scores by a forward pass of the whole chat for each."""
    logs = []
    for score in SCORES:
        (ids,) = encode_texts(model.tokenizer, [begin + score])
        with torch.no_grad():
            logits = model.model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1].double()
        logs.append(logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None]).sum())
    return torch.stack(logs).softmax(0).numpy()


def assert_by_brute_force(model: LanguageModel, tolerance: float) -> None:
    made = scorer(model)
    found = made.distributions(CODES, "python")
    prompts = made.prompts(CODES, "python")
    begun = [text.partition(SCORE_LABEL)[0] + SCORE_LABEL for text in made.answers(CODES, "python")]
    assert len({len(prompt.ids) for prompt in prompts}) == 3
    for one, prompt, begin in zip(found, prompts, begun, strict=True):
        expected = by_brute_force(model, prompt.ids.tolist(), begin)
        np.testing.assert_allclose(one.probabilities, expected, atol=tolerance)
        assert expected.max() > 3 / 91  # not flat: a wrong score would show


@pytest.mark.parametrize("template", [None, CHATML])
def test_probabilities_are_those_of_whole_forward_passes(template: str | None) -> None:
    assert_by_brute_force(loud_model(template), 1e-4)


def test_also_in_4_bits(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    folder = write_chat_model(tmp_path / "base", CHATML, hidden=64, ffn=128, context=CONTEXT)
    assert_by_brute_force(loud(load_language_model(folder, device="cpu", quantize="nf4")), 5e-3)


def loud(model: LanguageModel) -> LanguageModel:
    """A model in 4 bits made louder where it is not in 4 bits."""
    with torch.no_grad():
        model.model.get_input_embeddings().weight *= 30
    return model


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([None, CHATML]), st.integers(1, 3))
def test_a_constrained_answer_is_always_one(seed: int, template: str | None, count: int) -> None:
    texts = scorer(loud_model(template, seed=seed), "constrained").answers(CODES[:count], "python")
    assert len(texts) == count
    for text in texts:
        assert re.fullmatch(ANSWER_PATTERN, text)


def test_constrained_answers_are_scores_and_the_likeliest_at_each_token() -> None:
    model = loud_model()
    made = scorer(model, "constrained")
    estimates, texts = made.score(CODES, "python"), made.answers(CODES, "python")
    assert [f"{e.score:.1f}" for e in estimates] == [text.rpartition(" ")[2] for text in texts]
    assert all(e.low is e.high is e.error is None for e in estimates)
    # Where the first number begins, the digit is the likeliest of ten.
    prompt = made.prompts(CODES[:1], "python")[0].ids.tolist()
    (begin,), digits = (
        encode_texts(model.tokenizer, ["Parameters: "]),
        encode_texts(model.tokenizer, list("0123456789")),
    )
    with torch.no_grad():
        logits = model.model(torch.tensor([[*prompt, *begin]])).logits[0, -1]
    assert texts[0][len("Parameters: ")] == str(int(logits[[ids[0] for ids in digits]].argmax()))


def test_free_answers_are_those_of_transformers() -> None:
    model = loud_model()
    made = scorer(model, "regex", max_tokens=448)
    for prompt, text in zip(made.prompts(CODES, "python"), made.answers(CODES, "python"), strict=True):
        ids = torch.from_numpy(prompt.ids.astype(np.int64))[None]
        wanted = model.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=128)
        ended = wanted[0, ids.shape[1] :].tolist()
        if model.end in ended:
            ended = ended[: ended.index(model.end)]
        assert text == model.tokenizer.decode(ended)


@pytest.mark.parametrize(
    ("text", "estimate"),
    [
        ("Parameters: 1\n\nComplexity Score: 7.4", Estimate(score=7.4)),
        ("Complexity Score: 0.0", Estimate(error=NO_SCORE)),
        ("Complexity Score: 11", Estimate(error=NO_SCORE)),
        ("It is rather hard.", Estimate(error=NO_SCORE)),
        ("", Estimate(error=NO_SCORE)),
    ],
)
def test_a_free_answer_without_a_score_is_an_error(
    text: str, estimate: Estimate, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loud_model()
    ids = encode_texts(model.tokenizer, [text])
    monkeypatch.setattr("codefit.models.score_answers.write_freely", lambda *_, **__: ids)
    assert scorer(model, "regex").score(["def f(): pass"], "python") == [estimate]


def test_free_answers_respect_the_context() -> None:
    model = loud_model()
    made = scorer(model, "regex")
    (text,) = made.answers(["x = 1\n" * 400], "python")
    assert len(made.prompts(["x = 1\n" * 400], "python")[0].ids) > CONTEXT - ROOM - 20
    assert len(encode_texts(model.tokenizer, [text])[0]) <= 128


@pytest.mark.parametrize("reading", READINGS)
def test_functions_together_are_functions_alone(reading: Reading) -> None:
    model = loud_model()
    codes = [*CODES, CODES[0], "x = 1\n" * 60, *CODES[::-1]]
    together = scorer(model, reading).score(codes, "python")
    few = scorer(model, reading, tokens_at_once=1).score(codes, "python")
    for one, other in zip(together, few, strict=True):
        assert one.error == other.error
        if one.score is not None and other.score is not None:
            assert one.score == pytest.approx(other.score, abs=1e-3)
    assert together[0] == together[3]
    assert scorer(model, reading).score([], "python") == []


def test_an_expectation_comes_with_an_interval_around_the_median() -> None:
    made = scorer(loud_model())
    for found, estimate in zip(made.distributions(CODES, "python"), made.score(CODES, "python"), strict=True):
        assert estimate == found.estimate(0.9)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= found.median <= estimate.high
    narrow = scorer(loud_model(), interval=0.5).score(CODES, "python")
    assert all(a.high - a.low < b.high - b.low for a, b in zip(narrow, made.score(CODES, "python"), strict=True))  # type: ignore[operator]


def test_prompts_tell_what_was_cut() -> None:
    whole, cut = scorer(loud_model()).prompts([CODES[0], "x = 1\n" * 400], "python")
    assert whole.left_out == 0
    assert cut.left_out > 1000


def test_it_is_a_scorer_with_a_name() -> None:
    made: Scorer = scorer(loud_model(), "regex")
    assert made.name == "language model, regex"


def overfitted(template: str | None) -> LanguageModel:
    """A tiny model that has learned the answers of two functions by heart."""
    model = chat_model(template, context=CONTEXT)
    chats = [whole_chat(CODES[0], answer(0, 0, 0, 2.3)), whole_chat(CODES[1], answer(2, 1, 0, 7.4))]
    formatted = ChatFormat(model.tokenizer, max_tokens=CONTEXT, answer_tokens=ROOM)
    data = ChatData(encode_chats(chats, formatted, Rejects()))
    learner = CausalLearner(model, data, CausalSettings(learning_rate=1e-2, device="cpu", rows_at_once=2), seed=0)
    batches = data.batches(2, seed=0, first_step=0)
    for _ in range(120):
        learner.learn(next(batches), 1.0)
    return learner.evaluating()


@pytest.mark.parametrize("template", [None, CHATML])
def test_what_was_learned_is_read_in_all_three_ways(template: str | None) -> None:
    model = overfitted(template)
    for reading in READINGS:
        made = scorer(model, reading)
        low, high = (estimate.score for estimate in made.score(CODES[:2], "python"))
        assert (low, high) == (pytest.approx(2.3, abs=0.3), pytest.approx(7.4, abs=0.3))
        assert made.answers(CODES[:2], "python") == [answer(0, 0, 0, 2.3), answer(2, 1, 0, 7.4)]


def test_a_folder_is_asked_as_it_was_trained(tmp_path: Path) -> None:
    base = write_chat_model(tmp_path / "base", hidden=64, ffn=128, context=CONTEXT)
    other = write_chat_model(tmp_path / "other", seed=1, hidden=64, ffn=128, context=CONTEXT)
    chats = write_chats(tmp_path / "train.jsonl", [whole_chat(code, answer(1, 0, 0, 2.3)) for code in CODES])
    adapter = AdapterSettings(rank=4, alpha=8)
    training = ChatTraining(
        learning=CausalSettings(adapter=adapter, device="cpu"), max_tokens=400, answer_tokens=ROOM, steps=2
    )
    for quantize in (None, "nf4"):
        model = load_language_model(base, device="cpu", quantize=quantize)  # type: ignore[arg-type]
        folder = train_chat(ChatFiles(chats, tmp_path / f"out-{quantize}"), model, training).folder
        made = load_language_model_scorer(folder, device="cpu", interval=0.5)
        assert (made.settings.max_tokens, made.settings.answer_tokens, made.settings.interval) == (400, ROOM, 0.5)
        wanted = scorer(load_language_model(folder, device="cpu", quantize=quantize), max_tokens=400)  # type: ignore[arg-type]
        assert [e.score for e in made.score(CODES, "python")] == [e.score for e in wanted.score(CODES, "python")]
        again = load_language_model_scorer(folder, "constrained", base=str(base), device="cpu")
        assert all(estimate.score for estimate in again.score(CODES, "python"))
        with pytest.raises(InputError, match=r"the adapter was trained on other weights than those of .*other"):
            load_language_model_scorer(folder, base=str(other), device="cpu")
    with pytest.raises(InputError, match="no language model that learned chats; give what train_chat wrote"):
        load_language_model_scorer(base)


def test_a_context_that_holds_no_chat_is_one_line() -> None:
    with pytest.raises(InputError, match="600 tokens of a chat are more than the context of 512; lower max_tokens"):
        scorer(loud_model(), max_tokens=600)
    with pytest.raises(InputError, match=r"answers of up to \d+ tokens do not fit into 20; raise answer_tokens"):
        scorer(loud_model(), answer_tokens=20)


def test_without_llguidance_it_is_one_line_and_free_answers_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codefit.models.answer_form.find_spec", lambda _: None)
    for reading in READINGS[:2]:
        with pytest.raises(InputError, match=r"need llguidance; pip install 'codefit\[complexity\]'"):
            scorer(loud_model(), reading).score(CODES, "python")
    assert len(scorer(loud_model(), "regex").score(CODES, "python")) == 3


def test_a_form_that_is_none_is_one_line() -> None:
    from codefit.models.answer_form import AnswerForm

    with pytest.raises(CodefitError, match="no form of answers"):
        AnswerForm(loud_model(), "(")
