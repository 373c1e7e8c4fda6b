"""`/v1/completions` of a real server: whole and streamed answers, holes, ends, wrong requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from running import gate, running

from codefit.models.generation import GenerationRequest, complete
from codefit.models.language_model import encode_texts, load_language_model
from phrase_model import AFTER, ANSWER, BEFORE, HOLE, OPENING, phrase_model
from tiny_language_models import tiny_language_model, write_language_model

GREEDY = {"prompt": OPENING, "max_tokens": 60, "temperature": 0}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with running(phrase_model(), body_limit=20_000) as made:
        yield made


def ask(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/completions", json=GREEDY | fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def events(client: httpx.Client, **fields: Any) -> list[dict[str, Any]]:
    """The chunks of a streamed answer, without the mark of its end, which must be there."""
    with client.stream("POST", "/v1/completions", json=GREEDY | {"stream": True} | fields) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        body = answer.read().decode()
    *told, done, rest = body.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(line.removeprefix("data: ")) for line in told]


def refused(client: httpx.Client, status: int, **fields: Any) -> dict[str, Any]:
    """The error of a request, which must be in OpenAI's form."""
    answer = client.post("/v1/completions", json=GREEDY | fields)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    return dict(answer.json()["error"])


def test_a_whole_answer_ends_at_the_end_token(client: httpx.Client) -> None:
    answer = ask(client, model="tiny")
    assert answer["choices"] == [
        {"text": ANSWER, "index": 0, "logprobs": None, "finish_reason": "stop", "truncated": False}
    ]
    asked, told = (len(ids) for ids in encode_texts(phrase_model().tokenizer, [OPENING, ANSWER]))
    assert answer["usage"] == {
        "prompt_tokens": asked,
        "completion_tokens": told + 1,
        "total_tokens": asked + told + 1,
    }
    assert (answer["object"], answer["model"], answer["id"][:5]) == ("text_completion", "tiny", "cmpl-")


def test_max_tokens_and_the_rest_have_openais_defaults(client: httpx.Client) -> None:
    greedy = client.post("/v1/completions", json={"prompt": OPENING, "temperature": 0}).json()
    assert greedy["usage"]["completion_tokens"] == 16
    assert greedy["choices"][0]["finish_reason"] == "length"
    # Without a temperature it is drawn, as OpenAI does it, and may end before.
    drawn = client.post("/v1/completions", json={"prompt": OPENING}).json()
    assert 1 <= drawn["usage"]["completion_tokens"] <= 16


def test_null_is_the_default(client: httpx.Client) -> None:
    names = ["suffix", "max_tokens", "top_p", "n", "stop", "seed", "echo", "stream", "logprobs", "model"]
    answer = ask(client, **dict.fromkeys(names))
    assert answer["usage"]["completion_tokens"] == 16


def test_a_hole_is_filled(client: httpx.Client) -> None:
    answer = ask(client, prompt=BEFORE, suffix=AFTER)
    assert answer["choices"][0]["text"] == HOLE


def test_a_stop_string_ends_the_answer(client: httpx.Client) -> None:
    for stop in ("dich", ["never", "dich"]):
        choice = ask(client, stop=stop)["choices"][0]
        assert (choice["text"], choice["finish_reason"]) == (ANSWER[: ANSWER.index("dich")], "stop")


def test_several_prompts_and_answers_come_in_order(client: httpx.Client) -> None:
    answer = ask(client, prompt=[OPENING, "x = "], n=2, max_tokens=8, temperature=1.0, seed=5)
    expected = [
        complete(phrase_model(), GenerationRequest(prompt, max_new_tokens=8, temperature=1.0, seed=seed))
        for prompt in (OPENING, "x = ")
        for seed in (5, 6)
    ]
    assert [choice["text"] for choice in answer["choices"]] == [each.text for each in expected]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert answer["usage"]["prompt_tokens"] == expected[0].prompt_tokens + expected[2].prompt_tokens
    assert answer["usage"]["completion_tokens"] == sum(each.completion_tokens for each in expected)


def test_echo_gives_the_prompt_too(client: httpx.Client) -> None:
    assert ask(client, echo=True)["choices"][0]["text"] == OPENING + ANSWER
    chunks = events(client, echo=True)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == OPENING + ANSWER


def test_a_stream_is_the_same_text_in_whole_characters(client: httpx.Client) -> None:
    chunks = events(client)
    texts = [chunk["choices"][0]["text"] for chunk in chunks]
    assert "".join(texts) == ANSWER
    assert len(texts) > 10
    assert not any("\ufffd" in text for text in texts)
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_a_stream_says_what_it_took_where_it_is_asked(client: httpx.Client) -> None:
    *chunks, last = events(client, stream_options={"include_usage": True}, prompt=[OPENING, BEFORE], n=2, max_tokens=3)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 12
    assert last["usage"] == ask(client, prompt=[OPENING, BEFORE], n=2, max_tokens=3)["usage"]
    assert {chunk["choices"][0]["index"] for chunk in chunks} == {0, 1, 2, 3}
    assert all(chunk["usage"] is None for chunk in chunks)


def test_a_stream_never_shows_a_part_of_a_stop_string(client: httpx.Client) -> None:
    texts = [chunk["choices"][0]["text"] for chunk in events(client, stop=["dich, €"])]
    assert "".join(texts) == ANSWER[: ANSWER.index("dich, €")]


def test_chunks_arrive_while_the_model_is_still_writing() -> None:
    made = phrase_model()
    with (
        running(made) as client,
        gate(made, open_until=2) as held,
        client.stream("POST", "/v1/completions", json=GREEDY | {"stream": True}) as answer,
    ):
        lines = (line for line in answer.iter_lines() if line)
        for step in range(2, 6):  # the model may not take the next step before the piece of the last has come
            text = json.loads(next(lines).removeprefix("data: "))["choices"][0]["text"]
            assert text
            assert ANSWER.startswith(text) or step > 2
            assert held.steps <= step
            held.open(until=step + 1)
        held.open()
        assert list(lines)[-1] == "data: [DONE]"


def test_a_prompt_longer_than_the_context_is_said_to_be_truncated(
    client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = ask(client, prompt="x = 1\n" * 100 + OPENING)
    assert answer["choices"][0]["truncated"] is True
    assert answer["usage"]["prompt_tokens"] == phrase_model().context // 2
    assert "tokens were left out" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"n": 33}, "n"),
        ({"n": 20, "prompt": ["a", "b"]}, "n"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"seed": 2**63}, "seed"),
        ({"logprobs": 3}, "logprobs"),
        ({"best_of": 2}, "best_of"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"tempreature": 0.5}, "tempreature"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, wrong: dict[str, Any], param: str) -> None:
    error = refused(client, 400, **wrong)
    assert error["param"] == param
    assert error["message"].startswith(f"{param}: ")
    assert error["type"] == "invalid_request_error"


def test_fields_that_ask_for_nothing_are_taken(client: httpx.Client) -> None:
    ask(client, logprobs=None, best_of=1, presence_penalty=0.0, frequency_penalty=0, logit_bias={}, user="me")


def test_a_body_that_is_no_json_is_refused(client: httpx.Client) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    for body in (b"{", b"", b"\xff", b"[]", b'{"prompt": NaN}'):
        answer = client.post("/v1/completions", content=body, headers=headers)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_another_content_type_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/completions", content=json.dumps(GREEDY), headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


def test_a_body_that_is_too_long_is_refused(client: httpx.Client) -> None:
    assert refused(client, 413, prompt="x" * 20_000)["code"] == "body_too_large"
    ask(client, prompt="x" * 10_000, max_tokens=1)


def test_a_body_that_never_says_its_length_is_refused_when_it_gets_too_long(client: httpx.Client) -> None:
    parts = (b" " * 1000 for _ in range(100))
    answer = client.post("/v1/completions", content=parts, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_an_unknown_model_is_not_found(client: httpx.Client) -> None:
    error = refused(client, 404, model="gpt-4")
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert client.get("/v1/models/gpt-4").status_code == 404


def test_the_model_is_listed(client: httpx.Client) -> None:
    (listed,) = client.get("/v1/models").json()["data"]
    assert (listed["id"], listed["object"]) == ("tiny", "model")
    assert client.get("/v1/models/tiny").json() == listed
    assert client.get("/health").json() == {"status": "ok"}


def test_what_is_not_there_is_said_in_the_same_form(client: httpx.Client) -> None:
    for answer, status in ((client.get("/v2"), 404), (client.get("/v1/completions"), 405)):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_model_without_marks_refuses_a_suffix(tmp_path: Path) -> None:
    from dataclasses import replace

    from transformers import PreTrainedTokenizerFast

    from codefit.models.tokenizer import train_tokenizer

    plain = PreTrainedTokenizerFast(tokenizer_object=train_tokenizer(["a b c"], 300), eos_token="<|pad|>")
    with running(replace(tiny_language_model(), tokenizer=plain)) as client:
        assert refused(client, 400, prompt="a", suffix="b")["param"] == "suffix"


def test_a_model_that_fails_is_a_server_error_and_the_server_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = load_language_model(write_language_model(tmp_path / "made"), device="cpu")
    good = made.model.model.norm.weight.data.clone()
    with running(made) as client:
        made.model.model.norm.weight.data[0] = float("nan")
        error = refused(client, 500)
        assert error["type"] == "server_error"
        assert str(tmp_path) not in error["message"]
        with client.stream("POST", "/v1/completions", json=GREEDY | {"stream": True}) as answer:
            (told,) = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
        assert told["error"]["type"] == "server_error"
        made.model.model.norm.weight.data.copy_(good)
        ask(client)
    assert "not numbers" in capfd.readouterr().err
