"""`codefit serve --complexity` as a process: where it listens, what it answers, how it ends."""

from __future__ import annotations

import json
import signal
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi.testclient import TestClient
from test_serve_command import served

from codefit.cli.main import main
from codefit.cli.output import Settings
from codefit.source.metrics.measure import measure
from small_scorers import ByLength

CODE = "function f(a) { if (a) { return 1 } }\n"


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CODEFIT_TOKEN", raising=False)
    yield
    Settings.json = Settings.debug = False


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The port that was asked for and the app that would have answered there."""
    from codefit.serve.server import listen

    seen: list[Any] = []
    monkeypatch.setattr("codefit.serve.server.listen", lambda host, port: (seen.append(port), listen(host, 0))[1])
    monkeypatch.setattr("codefit.serve.server.serve", lambda app, listening: seen.append(app))
    return seen


def scored(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/v1/complexity", json={"code": code, "language": "javascript"})


def test_the_process_ends_with_sigterm_after_the_answer_that_is_under_way() -> None:
    with served("--complexity", CODEFIT_TOKEN="abc") as (process, ready):
        assert ready["model"] == "exact complexity scores"
        workers = psutil.Process(process.pid).children()
        assert workers
        headers = {"authorization": "Bearer abc"}
        with (
            httpx.Client(base_url=ready["url"], timeout=60, trust_env=False, headers=headers) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            assert httpx.get(f"{ready['url']}/v1/complexity/languages", trust_env=False).status_code == 401
            page = httpx.get(ready["url"], trust_env=False)
            assert page.headers["content-type"].startswith("text/html")
            (found,) = scored(client, CODE).json()["results"][0]["functions"]
            assert found["score"] == measure(CODE, "javascript").functions[0].score
            long = pool.submit(scored, client, CODE * 12_000)
            while "codefit_requests_at_work 1.0" not in client.get("/metrics").text:
                pass
            process.send_signal(signal.SIGTERM)
            assert len(long.result().json()["results"][0]["functions"]) == 12_000
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert psutil.wait_procs(workers, 10)[1] == []


def test_a_process_that_is_killed_leaves_no_worker() -> None:
    with served("--complexity") as (process, _):
        workers = psutil.Process(process.pid).children()
        process.kill()
        process.wait(30)
    assert workers
    assert psutil.wait_procs(workers, 10)[1] == []


def test_its_own_port_and_line(answered: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--complexity"]) == 0
    port, app = answered
    assert port == 8083
    with TestClient(app) as client:
        assert client.get("/ready").json() == {"status": "ready", "model": None}
    assert capsys.readouterr().out.startswith("exact complexity scores at http://127.0.0.1:")


def test_with_a_folder_its_model_is_asked_too(
    answered: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, asked, scorer = tmp_path / "mine" / "model", [], ByLength()
    folder.mkdir(parents=True)
    scorer.missing = {"boosted": "lightgbm is not installed"}  # type: ignore[attr-defined]
    module = types.ModuleType("codefit.models.complexity")
    module.load_complexity_model = lambda place: (asked.append(place), scorer)[1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codefit.models.complexity", module)
    assert main(["serve", "--complexity", str(folder), "--queue", "1", "--json"]) == 0
    with TestClient(answered[1]) as client:
        functions = scored(client, CODE).json()["results"][0]["functions"]
    assert functions[0]["learned"]["score"] == round(1 + len(CODE.strip()) / 50, 2)
    assert asked == [folder]
    told = capsys.readouterr()
    assert json.loads(told.out)["model"] == "mine"
    assert told.err == "warning: the learned scores are without boosted: lightgbm is not installed\n"


def test_wrong_input_is_one_line(answered: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in (
        (["--complexity", "--repair"], "give one of --model, --repair and --complexity"),
        (["--complexity", "--model", "m"], "give one of --model, --repair and --complexity"),
        (["--complexity", "--device", "cpu"], "--device: only for a language model; leave it out to serve complexity"),
        (["folder"], "give one of --model, --repair and --complexity"),
    ):
        assert main(["serve", *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
    assert answered == []
