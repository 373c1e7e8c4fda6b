"""`codefit serve` as a process: it listens, answers, warns, and ends with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from codefit.cli.main import main
from codefit.cli.output import Settings
from codefit.cli.serve import default_name
from codefit.serve.server import is_local
from phrase_model import ANSWER, OPENING, write_phrase_model

ENTRY = "from codefit.cli.main import entry_point; entry_point()"


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    Settings.json = Settings.debug = False


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phrase_model(tmp_path_factory.mktemp("runs") / "greetings" / "model")


@contextmanager
def served(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process, and what it printed when it was ready."""
    command = [sys.executable, "-c", ENTRY, "--json", "serve", "--port", "0", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "CODEFIT_TOKEN"} | variables
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            lines = ""
            while not lines.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "it ended before it was ready"
                lines += line
            yield process, json.loads(lines)
        finally:
            process.kill()


def test_it_answers_until_ctrl_c_and_asks_for_the_token_of_the_environment(model: Path) -> None:
    with served("--model", str(model), CODEFIT_TOKEN="abc") as (process, ready):
        assert ready["model"] == "greetings"  # the run's name, since the folder is called model
        with httpx.Client(base_url=ready["url"], timeout=60, trust_env=False) as client:
            assert client.get("/v1/models").status_code == 401
            body = {"model": "greetings", "prompt": OPENING, "max_tokens": 60, "temperature": 0}
            answer = client.post("/v1/completions", json=body, headers={"authorization": "Bearer abc"})
        assert answer.json()["choices"][0]["text"] == ANSWER
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == ""  # nothing but the one object
        told = process.stderr.read()
    assert "warning" not in told
    assert "POST /v1/completions" in told


def test_bound_elsewhere_without_a_token_it_warns(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("codefit.serve.server.serve", lambda app, listening: None)
    monkeypatch.delenv("CODEFIT_TOKEN", raising=False)
    for arguments, warned in (
        (["--host", "0.0.0.0"], True),
        (["--host", "0.0.0.0", "--token", "abc"], False),
        (["--host", "localhost"], False),
    ):
        assert main(["serve", "--model", str(model), "--port", "0", *arguments]) == 0
        assert ("warning: whoever reaches 0.0.0.0" in capsys.readouterr().err) == warned


def test_a_port_that_is_taken_is_said_before_the_model_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--model", "nowhere", "--port", port]) == 2
    assert "another program listens there" in capsys.readouterr().err


def test_wrong_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in (
        (["--model", str(tmp_path / "none"), "--port", "0"], "no model there"),
        (["--model", "m", "--host", "no.such.host.invalid", "--port", "0"], "unknown host"),
        (["--model", "m", "--token", " "], "the token is empty"),
        (["--model", "m", "--port", "70000"], "65535"),
    ):
        assert main(["serve", *arguments]) == 2
        assert told in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("codefit.serve.server.PACKAGES", ("fastapi", "no_such_package"))
    assert main(["serve", "--model", "m"]) == 1
    told = capsys.readouterr().err
    assert "no_such_package is not installed" in told
    assert "[serve]" in told


def test_names_and_hosts() -> None:
    assert default_name("Qwen/Qwen2.5-Coder-3B") == "Qwen/Qwen2.5-Coder-3B"
    assert [is_local(host) for host in ("127.0.0.1", "127.3.2.1", "::1", "localhost")] == [True] * 4
    assert [is_local(host) for host in ("0.0.0.0", "::", "192.168.0.5", "example.org")] == [False] * 4
