"""The service that orders repairs: an exact permutation whatever comes, and no body that could be read as one."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from codefit.models.repair import RepairModel
from codefit.serve.rerank import create_rerank_app
from codefit.source.syntax.terminals import to_characters
from small_repairs import PAIRS, plain_edits, small_language


@pytest.fixture(scope="module")
def model() -> RepairModel:
    return RepairModel(small_language(), plain_edits())


@pytest.fixture(scope="module")
def client(model: RepairModel) -> TestClient:
    return TestClient(create_rerank_app(model, body_limit=6 << 20))


def asked(client: TestClient, body: bytes, kind: str = "text/plain") -> bytes:
    answer = client.post("/rerank", content=body, headers={"content-type": kind})
    assert answer.status_code == 200
    return answer.content


def repairs(model: RepairModel, number: int, limit: int = 50) -> tuple[str, list[str]]:
    broken, _ = PAIRS[number]
    found = model.repairs(broken, limit=limit, seconds=60)
    return to_characters(broken), [to_characters(string) for string in found.strings]


def test_the_answer_is_the_documents_best_first(client: TestClient, model: RepairModel) -> None:
    for number in range(len(PAIRS)):
        query, best_first = repairs(model, number)
        answer = asked(client, "\n".join([query, *best_first[::-1]]).encode()).decode()
        assert sorted(answer.split("\n")) == sorted(best_first)
        scores = model.rank([ord(c) - 33 for c in query], [[ord(c) - 33 for c in d] for d in answer.split("\n")])
        assert (scores[:-1] >= scores[1:]).all()
        with_ends = "\n".join([f"|{query}}}", *(f"|{document}}}" for document in best_first[::-1])]) + "\n"
        assert [d[1:-1] for d in asked(client, with_ends.encode()).decode().split("\n")] == answer.split("\n")


@pytest.mark.parametrize(
    ("query", "documents"),
    [
        ('"#"!', ['"#"']),
        ('"#"!', ['"#"', '"#"', "", "~~", '"#"', "日本", " ", '"\r']),
        ("", ['"', "#"]),
        ("~ not tokens", ['"', "#"]),
        ('"#"!', ['"' * 4000, '"#"!']),
        ('"#' * 40, ["A" * 70] * 50),
        ('"' * 1_500_000, ["#" * 1_500_000, '"' * 1_500_000, '"#']),
        ('"#"!', []),
    ],
)
def test_whatever_comes_the_answer_is_a_permutation(client: TestClient, query: str, documents: list[str]) -> None:
    answer = asked(client, "\n".join([query, *documents]).encode()).decode()
    assert sorted(answer.split("\n")) == sorted(documents or [""])


def test_ten_thousand_documents(client: TestClient, model: RepairModel) -> None:
    query, best_first = repairs(model, 1, limit=1000)
    documents = (best_first * (10_000 // len(best_first) + 1))[:10_000]
    assert sorted(asked(client, "\n".join([query, *documents]).encode()).decode().split("\n")) == sorted(documents)


def test_json_has_ranks_and_scores(client: TestClient, model: RepairModel) -> None:
    query, best_first = repairs(model, 2)
    body = json.dumps({"query": query, "documents": best_first[::-1]}).encode()
    answer = json.loads(asked(client, body, "application/json"))
    assert [best_first[::-1][k] for k in answer["ranking"]] == answer["documents"]
    assert answer["scores"] == sorted(answer["scores"], reverse=True)


def test_an_error_has_no_body_that_could_be_read_as_a_ranking(client: TestClient) -> None:
    large = client.post("/rerank", content=b"x" * (7 << 20), headers={"content-type": "text/plain"})
    assert (large.status_code, large.content) == (413, b"")
    for body in (b"{", b"[]", b'{"query": 1, "documents": []}', b'{"query": "a", "documents": [1]}', b"[" * 100_000):
        answer = client.post("/rerank", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
    assert asked(client, b"") == b""
    assert client.get("/health").json() == {"status": "ok"}
    for answer, status in ((client.get("/rerank"), 405), (client.post("/elsewhere", content=b"a\nb"), 404)):
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["x-error"]


def test_a_defect_has_no_body_either(monkeypatch: pytest.MonkeyPatch, model: RepairModel) -> None:
    client = TestClient(create_rerank_app(model), raise_server_exceptions=False)
    monkeypatch.setattr("codefit.serve.rerank.score_documents", lambda *_: 1 / 0)
    broken = client.post("/rerank", content=b"a\nb")
    assert (broken.status_code, broken.content) == (500, b"")
    assert broken.headers["x-error"] == "the server failed; its log says why"
    in_json = client.post("/rerank", json={"query": "a", "documents": ["b"]})
    assert (in_json.status_code, in_json.json()["error"]["type"]) == (500, "server_error")


def test_a_token_is_asked_for_before_the_body_is_read(model: RepairModel) -> None:
    client = TestClient(create_rerank_app(model, token="s3cret-ü", body_limit=10))
    body = b'"#"!\n"#"' * 10
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic s3cret"}):
        answer = client.post("/rerank", content=body, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["www-authenticate"] == "Bearer"
        in_json = client.post("/rerank", json={"query": "a", "documents": []}, headers=headers)
        assert (in_json.status_code, in_json.json()["error"]["code"]) == (401, "invalid_api_key")
    right = {"authorization": "Bearer s3cret-ü".encode()}
    assert client.post("/rerank", content=body, headers=right).status_code == 413
    assert client.post("/rerank", content=b'"#"!\n"#"', headers=right).content == b'"#"'
    assert client.get("/health").status_code == 200
