"""Chats as tokens: the library's own, an answer marked to its end, and nothing that a message says in the frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_examples import CHATML, ROOM, TURNS, chat_format, chat_model, short_chat, whole_chat
from codefit.errors import InputError
from codefit.models.chat import PLAIN_TEMPLATE, ChatFormat
from codefit.models.generation import end_tokens
from codefit.models.language_model import LanguageModel
from codefit.records import Conversation, Message
from codefit.tasks.complexity.chat import answer

ANSWER = answer(2, 1, 3, 7.4)
TEMPLATES = {"plain": None, "chatml": CHATML, "thinking": "{%- set thinks = true -%}\n" + CHATML}
THREE_TURNS = Conversation(
    messages=[
        Message("user", "def f(): pass"),
        Message("assistant", "one"),
        Message("user", "and\nthis"),
        Message("assistant", "two\n\nlines"),
    ],
    kind="chat",
    source="here",
)
TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)


def asked(model: LanguageModel, chat: Conversation, **arguments: Any) -> Any:
    """What transformers makes of a chat."""
    messages = [{"role": message.role, "content": message.content} for message in chat.messages]
    return model.tokenizer.apply_chat_template(messages, enable_thinking=False, **arguments)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("chat", [short_chat("def f(x):\n    g(x)", ANSWER), THREE_TURNS])
def test_ids_and_mask_are_those_of_transformers(name: str, chat: Conversation) -> None:
    model = chat_model(TEMPLATES[name])
    found = chat_format(model).encode(chat)
    wanted = asked(model, chat, return_dict=True, return_assistant_tokens_mask=True)
    assert found.ids.tolist() == wanted["input_ids"]
    assert found.learned.astype(int).tolist() == wanted["assistant_masks"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_learned_is_the_answer_and_the_token_that_ends_it(name: str) -> None:
    model = chat_model(TEMPLATES[name])
    found = chat_format(model).encode(short_chat("def f(x): pass", ANSWER))
    *written, end = found.ids[found.learned].tolist()
    assert model.tokenizer.decode(written) == ANSWER
    assert model.tokenizer.decode([end]) == ("<|endoftext|>" if name == "plain" else "<|im_end|>")
    assert end in end_tokens(model)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEMPLATES)), TEXTS, st.one_of(st.just(ANSWER), TEXTS))
def test_what_is_asked_in_training_is_what_is_asked_later(name: str, question: str, answered: str) -> None:
    formatted = chat_format(chat_model(TEMPLATES[name]))
    prompt = formatted.encode(short_chat(question, None))
    whole = formatted.encode(short_chat(question, answered))
    assert not prompt.learned.any()
    assert whole.ids[: len(prompt.ids)].tolist() == prompt.ids.tolist()
    assert whole.learned.argmax() == len(prompt.ids)


@pytest.mark.parametrize("length", [10, 400, 4000])
def test_also_where_the_question_is_cut(length: int) -> None:
    formatted = chat_format(chat_model(CHATML))
    code = "".join(f"    step({n})\n" for n in range(length // 10))
    prompt = formatted.encode(short_chat(code, None))
    for answered in ("1", answer(99, 99, 999, 10.0)):
        whole = formatted.encode(short_chat(code, answered))
        assert whole.ids[: len(prompt.ids)].tolist() == prompt.ids.tolist()
        assert whole.left_out == prompt.left_out


@pytest.mark.parametrize("name", ["plain", "chatml"])
def test_marks_in_a_message_are_text(name: str) -> None:
    model = chat_model(TEMPLATES[name])
    ids = chat_format(model).encode(short_chat("stop = '<|im_end|><|endoftext|>'", "<|im_end|> and on")).ids.tolist()
    frame = chat_format(model).encode(short_chat("stop", "and on")).ids.tolist()
    for token in (*TURNS, "<|endoftext|>"):
        number = model.tokenizer.convert_tokens_to_ids(token)
        assert ids.count(number) == frame.count(number)
    assert (
        model.tokenizer.decode(ids).count("<|im_end|>")
        == frame.count(model.tokenizer.convert_tokens_to_ids("<|im_end|>")) + 2
    )


def test_a_tokenizer_without_a_template_is_given_one_and_no_token() -> None:
    model = chat_model()
    size = len(model.tokenizer)
    chat_format(model)
    assert model.tokenizer.chat_template == PLAIN_TEMPLATE
    assert len(model.tokenizer) == size
    kept = chat_model(CHATML)
    chat_format(kept)
    assert kept.tokenizer.chat_template == CHATML


@pytest.mark.parametrize("line", ["    call({n})\n", "call({n}); ", "    x = '中文 é {n}'\n"])
def test_long_code_keeps_its_ends_and_the_frame(line: str) -> None:
    model = chat_model(context=512)
    formatted = chat_format(model, max_tokens=400)
    body = "".join(line.format(n=n) for n in range(300))
    code = f"def first(x):\n{body}    return last"
    found = formatted.encode(whole_chat(code, ANSWER))
    text = model.tokenizer.decode(found.ids)
    assert 280 < len(formatted.encode(whole_chat(code, None)).ids) <= 400 - ROOM
    head, _, tail = text.partition("[... ")
    assert "### system\nYou are a static analysis expert" in head
    assert "### user\nLanguage: python\n\n```python\ndef first(x):\n" in head
    assert tail.endswith(f"    return last\n```\n\n### assistant\n{ANSWER}<|endoftext|>")
    gone = body[body.index(head.rpartition("def first(x):\n")[2]) + len(head.rpartition("def first(x):\n")[2]) :]
    assert found.left_out > len(body) / 2
    assert tail.startswith(f"{gone[: found.left_out].count(chr(10))} lines, {found.left_out} characters left out ...]")
    kept = tail.partition("...]")[2].partition("    return last")[0]
    assert body.endswith(kept)
    if line.endswith("\n"):
        assert head.endswith("\n")
        assert kept.startswith("\n")


def test_code_that_fits_is_not_touched() -> None:
    formatted = chat_format(chat_model())
    chat = short_chat("x = 1", ANSWER)
    size = len(formatted.encode(short_chat("x = 1", None)).ids)
    assert formatted.encode(chat).left_out == 0
    tight = ChatFormat(chat_model().tokenizer, max_tokens=size + ROOM, answer_tokens=ROOM)
    np.testing.assert_array_equal(tight.encode(chat).ids, formatted.encode(chat).ids)


def test_too_few_tokens_for_any_question_are_one_line() -> None:
    formatted = chat_format(chat_model(), max_tokens=ROOM + 30)
    with pytest.raises(InputError, match=rf"^{ROOM + 30} tokens hold no question .*raise max_tokens"):
        formatted.encode(short_chat("word " * 200, ANSWER))


def test_half_of_a_surrogate_pair_is_no_end() -> None:
    formatted = chat_format(chat_model())
    assert formatted.encode(short_chat("x = '\ud800'" * 100, ANSWER)).left_out > 0


ENDLESS = CHATML.replace("+ '<|im_end|>' -}}{% endgeneration", "-}}{% endgeneration")
SILENT = CHATML.replace("{%- if add_generation_prompt -%}", "{%- if false -%}")
FORGETFUL = CHATML.replace("message.role == 'assistant'", "message.role == 'system'").replace("message.content +", "")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (ENDLESS, "ends no answer with a special token, so a model would never learn to stop"),
        (SILENT, "asks for an answer otherwise than it shows one"),
        (FORGETFUL, "asks for an answer otherwise than it shows one"),
        ("{{- raise_exception('no system please') -}}", r"takes no chat of system, user.* \(no system please\)"),
    ],
)
def test_templates_that_cannot_be_learned_by_are_refused(template: str, told: str) -> None:
    assert template != CHATML
    with pytest.raises(InputError, match=f"the chat template {told}; choose another base"):
        chat_format(chat_model(template)).encode(short_chat("x", "y"))


def test_a_template_that_leaves_out_what_is_asked_is_refused() -> None:
    template = CHATML.replace("message.role + '\\n' + message.content", "message.role")
    with pytest.raises(InputError, match="the chat template leaves out or repeats a message"):
        chat_format(chat_model(template)).encode(short_chat("x", "y"))
