"""Generation: transformers' own as the oracle, its ends, holes, prompts that are too long, seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codefit.errors import CodefitError, InputError
from codefit.models.generation import Generation, GenerationRequest, complete, end_tokens, generate
from codefit.models.generation_prompt import encode_prompt
from codefit.models.language_model import (
    LanguageModel,
    encode_texts,
    fim_tokens,
    load_language_model,
)
from codefit.models.tokenizer import train_tokenizer
from phrase_model import AFTER, ANSWER, BEFORE, HOLE, OPENING, phrase_model
from tiny_language_models import tiny_language_model, write_adapter, write_language_model

if TYPE_CHECKING:
    import torch

PROMPT = "def read(path):\n    "
SAMPLING = {"temperature": 0.8, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.1}


def by_transformers(language_model: LanguageModel, count: int, seed: int | None = None, **settings: Any) -> str:
    """The text that transformers' `generate` writes after `PROMPT`."""
    import torch

    ids = torch.tensor(encode_texts(language_model.tokenizer, [PROMPT]))
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        whole = language_model.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=count,
            do_sample=seed is not None,
            eos_token_id=sorted(end_tokens(language_model)),
            **settings,
        )
    new = [token for token in whole[0, ids.shape[1] :].tolist() if token not in end_tokens(language_model)]
    return str(language_model.tokenizer.decode(new))


@pytest.mark.parametrize("seed", range(4))
def test_greedy_tokens_are_those_of_transformers(seed: int) -> None:
    made = tiny_language_model(seed=seed)
    answer = complete(made, GenerationRequest(PROMPT, max_new_tokens=40))
    assert answer.text == by_transformers(made, 40)
    assert answer.text != ""
    assert not answer.truncated


@pytest.mark.parametrize("seed", range(4))
def test_sampled_tokens_are_those_of_transformers_with_the_same_seed(seed: int) -> None:
    made = tiny_language_model()
    answer = complete(made, GenerationRequest(PROMPT, max_new_tokens=40, seed=seed, **SAMPLING))
    assert answer.text == by_transformers(made, 40, seed, **SAMPLING)


def test_a_seed_gives_the_same_text_whatever_else_draws_random_numbers() -> None:
    import torch

    made = tiny_language_model()
    request = GenerationRequest(PROMPT, max_new_tokens=20, temperature=1.0, seed=7)
    pieces = []
    for piece in generate(made, request):
        torch.rand(3)
        pieces.append(piece.text)
    assert "".join(pieces) == complete(made, request).text
    others = {complete(made, GenerationRequest(PROMPT, max_new_tokens=20, temperature=1.0)).text for _ in range(3)}
    assert len(others) > 1


def test_an_adapter_is_part_of_the_model(tmp_path: Path) -> None:
    base = write_language_model(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    adapted = load_language_model(base, adapter=adapter, device="cpu")
    text = complete(adapted, GenerationRequest(PROMPT, max_new_tokens=20)).text
    assert text == by_transformers(adapted, 20)
    assert text != complete(load_language_model(base, device="cpu"), GenerationRequest(PROMPT, max_new_tokens=20)).text


def test_a_trained_model_stops_at_its_end_token() -> None:
    pieces = list(generate(phrase_model(), GenerationRequest(OPENING, max_new_tokens=60)))
    assert "".join(piece.text for piece in pieces) == ANSWER
    assert [piece.finish_reason for piece in pieces] == [None] * (len(pieces) - 1) + ["stop"]
    assert [piece.tokens for piece in pieces] == list(range(1, len(pieces) + 1))
    assert all("\ufffd" not in piece.text for piece in pieces)
    assert len(pieces) == len(encode_texts(phrase_model().tokenizer, [ANSWER])[0]) + 1  # the end token too


def test_a_hole_is_filled_with_what_stands_between_its_sides() -> None:
    answer = complete(phrase_model(), GenerationRequest(BEFORE, suffix=AFTER, max_new_tokens=60))
    assert (answer.text, answer.finish_reason) == (HOLE, "stop")


def test_an_empty_suffix_is_no_hole() -> None:
    assert encode_prompt(phrase_model(), OPENING, "", 1) == encode_prompt(phrase_model(), OPENING, None, 1)


def test_the_order_of_a_hole_is_prefix_suffix_middle() -> None:
    made = tiny_language_model()
    marks = fim_tokens(made.tokenizer)
    assert marks is not None
    before, after = encode_texts(made.tokenizer, ["a = ", " + c"])
    assert encode_prompt(made, "a = ", " + c", 8).ids == (
        marks.prefix,
        *before,
        marks.suffix,
        *after,
        marks.middle,
    )


def test_a_model_without_marks_fills_no_hole() -> None:
    from transformers import PreTrainedTokenizerFast

    plain = PreTrainedTokenizerFast(tokenizer_object=train_tokenizer(["a b c"], 300), eos_token="<|pad|>")
    made = replace(tiny_language_model(), tokenizer=plain)
    with pytest.raises(InputError, match="no tokens for one"):
        generate(made, GenerationRequest("a", suffix="b"))


def test_an_answer_ends_at_its_length() -> None:
    answer = complete(tiny_language_model(), GenerationRequest(PROMPT, max_new_tokens=5))
    assert (answer.finish_reason, answer.completion_tokens) == ("length", 5)


def test_an_answer_ends_where_the_context_is_full() -> None:
    made = tiny_language_model()
    answer = complete(made, GenerationRequest(PROMPT, max_new_tokens=10_000))
    assert answer.finish_reason == "length"
    assert answer.prompt_tokens + answer.completion_tokens == made.context


def test_every_mark_ends_an_answer_and_is_no_text() -> None:
    made = tiny_language_model()
    marks = fim_tokens(made.tokenizer)
    assert marks is not None
    named = made.tokenizer.pad_token_id
    for mark in (made.end, named, marks.prefix, marks.middle, marks.suffix):
        chosen = tiny_language_model()

        def only(_module: torch.nn.Module, _inputs: Any, scores: torch.Tensor, mark: int = mark) -> torch.Tensor:
            scores[..., mark] = 1e4
            return scores

        chosen.model.lm_head.register_forward_hook(only)
        answer = complete(chosen, GenerationRequest(PROMPT))
        assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("", "stop", 1)


def test_marks_that_are_not_said_to_be_special_end_an_answer_and_runs_of_blanks_do_not() -> None:
    from transformers import AddedToken

    made = tiny_language_model()
    made.tokenizer.add_tokens([AddedToken("<|file_sep|>", special=False), AddedToken("    ", special=False)])
    made.model.generation_config.eos_token_id = [1, 99]
    ends = end_tokens(made)
    assert made.tokenizer.convert_tokens_to_ids("<|file_sep|>") in ends
    assert made.tokenizer.convert_tokens_to_ids("    ") not in ends
    assert 99 in ends


@pytest.mark.parametrize("stop", ["ich", "ß d", '🙂 "', "\n", "return"])
def test_a_stop_string_ends_the_answer_and_is_no_part_of_it(stop: str) -> None:
    pieces = list(generate(phrase_model(), GenerationRequest(OPENING, stop=(stop, "never"))))
    assert "".join(piece.text for piece in pieces) == ANSWER[: ANSWER.index(stop)]
    assert pieces[-1].finish_reason == "stop"


def test_what_is_held_back_for_a_stop_string_comes_at_the_end() -> None:
    answer = complete(phrase_model(), GenerationRequest(OPENING, stop=("name\n\n",)))
    assert (answer.text, answer.finish_reason) == (ANSWER, "stop")
    cut = len(encode_texts(phrase_model().tokenizer, ['    return "g'])[0])
    answer = complete(phrase_model(), GenerationRequest(OPENING, stop=('"gx',), max_new_tokens=cut))
    assert (answer.text, answer.finish_reason) == ('    return "g', "length")


def test_of_a_long_prompt_the_end_is_kept() -> None:
    made = tiny_language_model()
    long = "".join(f"x{number} = {number}\n" for number in range(200))
    (ids,) = encode_texts(made.tokenizer, [long])
    prompt = encode_prompt(made, long, None, 10)
    assert prompt.ids == tuple(ids[-(made.context - 10) :])
    assert prompt.left_out == len(ids) - len(prompt.ids)
    assert complete(made, GenerationRequest(long, max_new_tokens=10)).truncated
    # An answer longer than the context takes at most half of it from the prompt.
    assert len(encode_prompt(made, long, None, 10_000).ids) == made.context // 2


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [(400, 400, (62, 20)), (400, 5, (77, 5)), (5, 400, (5, 77)), (70, 400, (62, 20)), (40, 43, (40, 42))],
)
def test_of_a_long_hole_the_nearest_parts_are_kept(before: int, after: int, kept: tuple[int, int]) -> None:
    made = tiny_language_model()  # context 96: 11 for the answer, 3 marks
    prefix, suffix = "1" * before, "2" * after  # a digit is a token
    one, two = (encode_texts(made.tokenizer, [digit])[0][0] for digit in "12")
    prompt = encode_prompt(made, "0" + prefix[1:], suffix[1:] + "3", 11)
    marks = fim_tokens(made.tokenizer)
    assert marks is not None
    middle = prompt.ids.index(marks.suffix)
    assert (middle - 1, len(prompt.ids) - middle - 2) == kept
    if kept[0] < before:
        assert set(prompt.ids[1:middle]) == {one}
    if kept[1] < after:
        assert set(prompt.ids[middle + 1 : -1]) == {two}
    assert prompt.left_out == before + after - sum(kept)


def test_an_empty_prompt_starts_a_document() -> None:
    made = tiny_language_model()
    assert encode_prompt(made, "", None, 4).ids == (made.end,)
    assert complete(made, GenerationRequest("", max_new_tokens=4)).prompt_tokens == 1


def test_a_begin_token_that_the_tokenizer_puts_before_a_text_is_put_there() -> None:
    from tokenizers.processors import TemplateProcessing

    made = tiny_language_model()
    made.tokenizer.bos_token = "<|pad|>"
    assert encode_prompt(made, "a", None, 4).ids == tuple(encode_texts(made.tokenizer, ["a"])[0])
    made.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|pad|> $A", special_tokens=[("<|pad|>", made.tokenizer.pad_token_id)]
    )
    expected = (made.tokenizer.pad_token_id, *encode_texts(made.tokenizer, ["a"])[0])
    assert encode_prompt(made, "a", None, 4).ids == expected
    assert encode_prompt(made, "", None, 4).ids == (made.tokenizer.pad_token_id,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": 0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"top_k": -1},
        {"repetition_penalty": 0.0},
        {"seed": 2**64},
        {"stop": ("",)},
    ],
)
def test_a_value_out_of_its_range_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        GenerationRequest("a", **wrong)
    assert error.value.where == next(iter(wrong))


def test_a_temperature_near_zero_is_greedy() -> None:
    made = tiny_language_model()
    cold = complete(made, GenerationRequest(PROMPT, max_new_tokens=10, temperature=1e-30, seed=1))
    assert cold.text == complete(made, GenerationRequest(PROMPT, max_new_tokens=10)).text


def test_scores_that_are_no_numbers_are_an_error() -> None:
    made = tiny_language_model()
    made.model.model.norm.weight.data[0] = float("nan")
    with pytest.raises(CodefitError, match="not numbers"):
        complete(made, GenerationRequest(PROMPT))


def test_what_takes_the_pieces_is_not_in_inference_mode() -> None:
    import torch

    generation = generate(tiny_language_model(), GenerationRequest(PROMPT, max_new_tokens=3))
    assert isinstance(generation, Generation)
    assert [torch.is_inference_mode_enabled() for _ in generation] == [False] * 3
