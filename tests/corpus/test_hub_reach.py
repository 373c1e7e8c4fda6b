"""Whether the hub answers is found out within seconds, whatever is wrong with it."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from codefit.corpus.hub import reach
from codefit.corpus.hub.reach import hub_problem, is_offline


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes a connection and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def angry_server() -> Iterator[int]:
    """A port where a server answers everything with 503."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(503)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def problem_at(monkeypatch: pytest.MonkeyPatch, address: str, seconds: float) -> tuple[str | None, float]:
    monkeypatch.setenv("HF_ENDPOINT", address)
    before = time.monotonic()
    return hub_problem(seconds), time.monotonic() - before


def test_a_refused_connection_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    problem, took = problem_at(monkeypatch, address, 3.0)
    assert problem == f"the hub {address} cannot be reached (Connection refused)"
    assert took < 1.0


def test_a_server_that_says_nothing_costs_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, silent_server: int
) -> None:
    problem, took = problem_at(monkeypatch, f"http://127.0.0.1:{silent_server}", 0.3)
    assert problem is not None
    assert "cannot be reached" in problem
    assert took < 2.0


def test_a_lookup_that_hangs_costs_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_ask", lambda seconds: time.sleep(5))
    problem, took = problem_at(monkeypatch, "http://hub.example", 0.2)
    assert problem == "the hub http://hub.example cannot be reached (no answer within 0.2 s)"
    assert took < 2.0


def test_a_name_that_does_not_resolve_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, took = problem_at(monkeypatch, "https://hub.invalid", 3.0)
    assert problem is not None
    assert problem.startswith("the hub https://hub.invalid cannot be reached (")
    assert took < 4.0


def test_an_address_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be reached" in str(problem_at(monkeypatch, "hub", 1.0)[0])


def test_any_answer_counts(monkeypatch: pytest.MonkeyPatch, angry_server: int) -> None:
    assert problem_at(monkeypatch, f"http://127.0.0.1:{angry_server}", 3.0)[0] is None


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("TRUE", True), ("0", False), ("", False)])
def test_the_hubs_own_switch_is_honoured(monkeypatch: pytest.MonkeyPatch, value: str, offline: bool) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert is_offline() is offline
