"""`POST /rerank` asked by Java's own HTTP client, as tidyparse's evaluator asks it."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import running_app

from codefit.models.repair import RepairModel
from codefit.serve.rerank import create_rerank_app
from codefit.source.syntax.terminals import TERMINALS, from_characters, to_characters
from java import java
from small_repairs import PAIRS, plain_edits, small_language

CLIENT = Path(__file__).with_name("RerankClient.java")
SECONDS = 300
TOKEN = "s3cret"


@dataclass(frozen=True)
class Answer:
    """What the client read, as it is, and what stood in the head."""

    body: str
    status: int
    content_type: str
    problem: str


@pytest.fixture(scope="module")
def model() -> RepairModel:
    return RepairModel(small_language(), plain_edits())


def candidates(count: int) -> tuple[str, list[str]]:
    """A broken string and different strings that are one to five edits from it, as characters."""
    query = to_characters(PAIRS[2][0])
    chance = random.Random(0)
    made: dict[str, None] = {}
    while len(made) < count:
        document = list(query)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(document))
            document[place : place + chance.randint(0, 1)] = chr(33 + chance.randrange(len(TERMINALS)))
        made["".join(document)] = None
    return query, list(made)


@pytest.fixture(scope="module")
def bodies() -> dict[str, str]:
    """What is posted, by name: line 1 the query, then documents."""
    query, thousand = candidates(1000)
    assert chr(33 + len(TERMINALS)) == "{"  # the first character that stands for no terminal
    rest = ["#" * 70] * (5_000_000 // 71)
    return {
        "a thousand": "\n".join([query, *thousand]),
        "with ends": "\n".join([f"|{query}}}", *(f"|{document}}}" for document in thousand[:50])]) + "\n",
        "one": f"{query}\n{thousand[0]}",
        "ten thousand": "\n".join([query, *(thousand * 10)]),
        "duplicates": "\n".join([query, *(thousand[:3] * 5), query, query]),
        "no such token": "\n".join([query, *thousand[:9], "{", thousand[9] + "~", "日本", *thousand[10:20]]),
        "an empty document": "\n".join([query, thousand[0], "", thousand[1]]),
        "an empty query": "\n".join(["", *thousand[:5]]),
        "an unknown query": "\n".join(["{~", *thousand[:5]]),
        "5 MB": "\n".join([query, *rest, *thousand[:9]]),
        "a line of 5 MB": "\n".join([query, "#" * 5_000_000, thousand[0]]),
        "too large": "#" * (8 * 2**20 + 1),
        "nothing": "",
        "only a query": query,
    }


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[dict[str, Answer], list[dict[str, str]]]]:
    """A function that posts bodies with Java; it gives the answers by name, and the headers that came to the server."""
    program = java()

    def posted(
        model: RepairModel, bodies: Mapping[str, str], sent: str = "", **options: Any
    ) -> tuple[dict[str, Answer], list[dict[str, str]]]:
        folder = tmp_path_factory.mktemp("bodies")
        files = [folder / str(number) for number in range(len(bodies))]
        for file, body in zip(files, bodies.values(), strict=True):
            file.write_text(body, encoding="utf-8")
        app = create_rerank_app(model, **options)
        seen: list[dict[str, str]] = []

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
            await app(scope, receive, send)

        with running_app(watched) as client:
            done = subprocess.run(
                [program, str(CLIENT), f"{client.base_url}/rerank", sent, *map(str, files)],
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        assert done.returncode == 0, done.stderr
        heads = [line.split("\t") for line in done.stdout.splitlines()]
        answers = [
            Answer(Path(f"{file}.answer").read_text(encoding="utf-8"), int(status), kind, problem)
            for file, (status, kind, problem) in zip(files, heads, strict=True)
        ]
        return dict(zip(bodies, answers, strict=True)), seen

    return posted


@pytest.fixture(scope="module")
def answered(
    ask: Callable[..., tuple[dict[str, Answer], list[dict[str, str]]]], model: RepairModel, bodies: dict[str, str]
) -> tuple[dict[str, Answer], list[dict[str, str]]]:
    """One run of the client with all bodies, since a virtual machine takes a second to start."""
    return ask(model, bodies)


def tokens_of(text: str) -> list[int] | None:
    """None for what has a character that stands for no token."""
    return from_characters(text) if all(33 <= ord(each) < 33 + len(TERMINALS) for each in text) else None


def documents_of(body: str) -> list[str]:
    return body.removesuffix("\n").split("\n")[1:]


def test_the_client_asks_for_an_upgrade_and_its_body_is_not_lost(
    answered: tuple[dict[str, Answer], list[dict[str, str]]], bodies: dict[str, str]
) -> None:
    answers, seen = answered
    assert len(seen) == len(bodies)
    assert {headers.get("upgrade") for headers in seen} == {"h2c"}
    assert [int(headers["content-length"]) for headers in seen] == [len(body.encode()) for body in bodies.values()]
    assert answers["a thousand"].body


@pytest.mark.parametrize(
    "name",
    [
        "a thousand",
        "with ends",
        "one",
        "ten thousand",
        "duplicates",
        "no such token",
        "an empty document",
        "an empty query",
        "an unknown query",
        "5 MB",
        "a line of 5 MB",
    ],
)
def test_the_answer_is_an_exact_permutation_without_a_line_break_at_its_end(
    answered: tuple[dict[str, Answer], list[dict[str, str]]], bodies: dict[str, str], name: str
) -> None:
    answer = answered[0][name]
    assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert sorted(answer.body.split("\n")) == sorted(documents_of(bodies[name]))


@pytest.mark.parametrize("name", ["a thousand", "ten thousand", "duplicates", "no such token", "5 MB"])
def test_the_best_come_first_as_the_model_scores_them(
    answered: tuple[dict[str, Answer], list[dict[str, str]]], bodies: dict[str, str], model: RepairModel, name: str
) -> None:
    ranking = answered[0][name].body.split("\n")
    scores = model.rank(tokens_of(bodies[name].partition("\n")[0]) or [], [tokens_of(each) for each in ranking])
    assert (scores[:-1] >= scores[1:]).all()
    assert len(set(scores[np.isfinite(scores)].tolist())) > 2
    assert np.isneginf(scores).sum() == (3 if name == "no such token" else 0)


def test_without_anything_to_go_by_they_stay_as_they_came(
    answered: tuple[dict[str, Answer], list[dict[str, str]]], bodies: dict[str, str]
) -> None:
    for name in ("an empty query", "an unknown query"):
        assert answered[0][name].body.split("\n") == documents_of(bodies[name])
    for name in ("nothing", "only a query"):
        assert (answered[0][name].status, answered[0][name].body) == (200, "")


def test_an_error_has_no_body_that_the_client_could_take_for_a_ranking(
    answered: tuple[dict[str, Answer], list[dict[str, str]]],
    ask: Callable[..., tuple[dict[str, Answer], list[dict[str, str]]]],
    model: RepairModel,
    bodies: dict[str, str],
) -> None:
    large = answered[0]["too large"]
    assert (large.status, large.body) == (413, "")
    assert "longer than" in large.problem
    one = {"one": bodies["one"]}
    for given in ("", "wrong"):
        refused = ask(model, one, given, token=TOKEN)[0]["one"]
        assert (refused.status, refused.body) == (401, "")
        assert "Authorization: Bearer" in refused.problem
    assert ask(model, one, TOKEN, token=TOKEN)[0]["one"] == answered[0]["one"]
