"""One answer at a time: the queue and its bound, clients that leave, the token."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from running import gate, running, until

from codefit.models.language_model import LanguageModel
from phrase_model import ANSWER, OPENING, phrase_model
from tiny_language_models import tiny_language_model

LONG = 50_000  # tokens: minutes of work
SHORT = {"prompt": OPENING, "max_tokens": 60, "temperature": 0}


def endless() -> LanguageModel:
    """A model that writes the same token on and on."""
    return tiny_language_model(context=2 * LONG)


def post(client: httpx.Client, **fields: Any) -> httpx.Response:
    # A connection of its own, as other clients have.
    return httpx.post(f"{client.base_url}/v1/completions", json=SHORT | fields, timeout=client.timeout, trust_env=False)


def patient(client: httpx.Client) -> httpx.Response:
    """`post`, again where every place is taken."""
    while (answer := post(client)).status_code == 503:
        pass
    return answer


def test_requests_wait_for_their_turn_and_beyond_the_bound_they_are_told_so() -> None:
    made = phrase_model()
    with running(made, places=2) as client, gate(made, open_until=1) as held, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(patient, client) for _ in range(2)]
        until(lambda: held.steps == 1 and not _accepted(client))
        busy = post(client)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert busy.json()["error"]["code"] == "busy"
        assert client.get("/health").status_code == 200  # while the model works
        held.open()
        assert [each.result().json()["choices"][0]["text"] for each in waiting] == [ANSWER] * 2
        assert post(client).status_code == 200


def test_two_answers_are_never_made_at_once() -> None:
    made = phrase_model()
    at_once: list[set[int]] = []
    inside: set[int] = set()

    def enter(*_: object) -> None:
        inside.add(threading.get_ident())
        at_once.append(set(inside))

    hooks = [
        made.model.register_forward_pre_hook(enter),
        made.model.register_forward_hook(lambda *_: inside.discard(threading.get_ident())),
    ]
    try:
        with running(made) as client, ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: post(client).json()["choices"][0]["text"], range(4)))
    finally:
        for hook in hooks:
            hook.remove()
    assert answers == [ANSWER] * 4
    assert max(map(len, at_once)) == 1
    assert len({thread for each in at_once for thread in each}) == 1


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_leaves_ends_its_answer(streamed: bool) -> None:
    made = endless()
    with running(made, places=1) as client, gate(made) as counted:
        body = SHORT | {"max_tokens": LONG}
        if streamed:
            with client.stream("POST", "/v1/completions", json=body | {"stream": True}) as answer:
                next(answer.iter_lines())
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/v1/completions", json=body, timeout=0.5)
        until(lambda: post(client, max_tokens=1).status_code == 200)
        assert 1 < counted.steps < LONG // 10


def test_a_client_that_leaves_while_it_waits_gives_its_place_free() -> None:
    made = phrase_model()
    with running(made, places=2) as client, gate(made, open_until=1) as held, ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, client)
        until(lambda: held.steps == 1)
        for _ in range(3):  # each would take the last place for good
            with pytest.raises(httpx.ReadTimeout):
                client.post("/v1/completions", json=SHORT, timeout=0.3)
        until(lambda: _accepted(client))
        held.open()
        assert first.result().json()["choices"][0]["text"] == ANSWER


def _accepted(client: httpx.Client) -> bool:
    """Whether a request gets a place, where it would wait for its turn."""
    try:
        return client.post("/v1/completions", json=SHORT, timeout=0.3).status_code != 503
    except httpx.ReadTimeout:
        return True


def test_a_server_that_ends_does_not_wait_for_long_answers() -> None:
    made = endless()
    with gate(made) as counted, ThreadPoolExecutor(1) as pool:
        with running(made) as client:
            answer = pool.submit(post, client, max_tokens=LONG)
            until(lambda: counted.steps > 1)
        assert counted.steps < LONG
        assert answer.exception() is not None or answer.result().status_code >= 499


def test_a_token_is_asked_for() -> None:
    with running(phrase_model(), token="s3cret-ü") as client:
        right = {"authorization": "Bearer s3cret-ü".encode()}
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s3cret-ü".encode()}):
            answer = client.post("/v1/completions", json=SHORT, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert client.get("/v1/models", headers=headers).status_code == 401
        assert client.post("/v1/completions", json=SHORT, headers=right).status_code == 200
        assert client.get("/health").status_code == 200
