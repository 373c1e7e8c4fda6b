"""`codefit serve` with a repair model: what it is taken for, where it listens, what it asks for and answers."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from test_serve_command import served

from codefit.cli.main import main
from codefit.cli.output import Settings
from codefit.cli.serve import REPAIR_MARK
from codefit.models import repair
from codefit.models.repair import RepairModel, save_repair_model
from codefit.source.syntax.terminals import to_characters
from phrase_model import write_phrase_model
from small_repairs import PAIRS, plain_edits, small_language

QUERY, BEST = (to_characters(string) for string in PAIRS[0])
ASKED = "\n".join([QUERY, "#" * 30, BEST]).encode()
RANKED = "\n".join([BEST, "#" * 30]).encode()


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CODEFIT_TOKEN", raising=False)
    yield
    Settings.json = Settings.debug = False


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "mending" / "model"
    folder.mkdir(parents=True)
    save_repair_model(RepairModel(small_language(), plain_edits()), folder)
    return folder


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The port that was asked for and the app that would have answered there."""
    from codefit.serve.server import listen

    seen: list[Any] = []
    monkeypatch.setattr("codefit.serve.server.listen", lambda host, port: (seen.append(port), listen(host, 0))[1])
    monkeypatch.setattr("codefit.serve.server.serve", lambda app, listening: seen.append(app))
    return seen


@pytest.fixture
def packaged(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The small model as the one that comes with codefit."""
    monkeypatch.setattr(repair, "DEFAULT", model)
    repair.default_repair_model.cache_clear()
    yield
    repair.default_repair_model.cache_clear()


def test_the_process_answers_and_asks_for_the_token_until_ctrl_c(model: Path) -> None:
    with served("--model", str(model), CODEFIT_TOKEN="abc") as (process, ready):
        assert ready["model"] == "mending"
        with httpx.Client(base_url=ready["url"], timeout=60, trust_env=False) as client:
            refused = client.post("/rerank", content=ASKED)
            assert (refused.status_code, refused.content) == (401, b"")
            java = {"authorization": "Bearer abc", "connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c"}
            answer = client.post("/rerank", content=ASKED, headers=java)
        assert (answer.status_code, answer.content) == (200, RANKED)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        told = process.stderr.read()
    assert "POST /rerank" in told
    assert "WARNING" not in told  # of an upgrade that every request of a Java client asks for


def test_the_folder_says_which_kind_of_model_it_is_and_with_it_the_port(
    model: Path, answered: list[Any], tmp_path: Path
) -> None:
    assert REPAIR_MARK == repair.NGRAMS
    language_model = write_phrase_model(tmp_path / "model")
    assert main(["serve", "--model", str(model)]) == 0
    assert main(["serve", "--model", str(language_model)]) == 0
    assert main(["serve", "--model", str(model), "--port", "8000"]) == 0
    (first, app, second, other, third, _) = answered
    assert (first, second, third) == (8082, 8000, 8000)
    assert TestClient(app).post("/rerank", content=ASKED).content == RANKED
    assert TestClient(other).post("/rerank", content=ASKED).status_code == 404


@pytest.mark.usefixtures("packaged")
def test_the_model_in_the_package(answered: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--repair", "--token", "abc", "--json"]) == 0
    port, app = answered
    assert port == 8082
    with TestClient(app) as client:  # with its beginning, which tells where it is
        assert client.post("/rerank", content=ASKED).status_code == 401
        answer = client.post("/rerank", content=ASKED, headers={"authorization": "Bearer abc"})
    assert answer.content == RANKED
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "default repair model"
    assert told["url"].startswith("http://127.0.0.1:")


@pytest.mark.usefixtures("packaged")
def test_the_line_says_the_route_and_whoever_is_let_in_is_warned_of(
    answered: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--repair", "--host", "0.0.0.0"]) == 0
    with TestClient(answered[1]):
        pass
    told = capsys.readouterr()
    assert told.out.startswith("default repair model at http://0.0.0.0:")
    assert told.out.endswith("/rerank\n")
    assert "warning: whoever reaches 0.0.0.0" in told.err


def test_wrong_input_is_one_line(model: Path, answered: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in (
        ([], "give one of --model, --repair and --complexity"),
        (["--model", str(model), "--repair"], "give one of --model, --repair and --complexity"),
        (["--repair", "somewhere"], "a folder alone is of a complexity model"),
        (["--repair", "--adapter", "a", "--queue", "3"], "--adapter and --queue: only for a language model"),
        (["--model", str(model), "--device", "cpu"], "--device: only for a language model"),
        (["--model", str(model), "--token", ""], "the token is empty"),
    ):
        assert main(["serve", *arguments]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert told in lines[0]
    assert answered == []


def test_without_the_extra_it_says_how_to_install_it(
    model: Path, answered: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib.util import find_spec

    monkeypatch.setattr("codefit.run.doctor.find_spec", lambda name: None if name == "numba" else find_spec(name))
    assert main(["serve", "--model", str(model)]) == 1
    told = capsys.readouterr().err
    assert "numba is not installed" in told
    assert "[repair]" in told
