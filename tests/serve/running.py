"""A real server in a thread, and a model that can be held at any of its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from codefit.models.language_model import LanguageModel
from codefit.serve.app import create_app
from codefit.serve.server import listen, server_of, url_of

SECONDS = 60.0  # what anything here may take at most on a loaded machine


class Gate:
    """Counts a model's steps; while it is shut, the model waits before the step after `open_until`."""

    def __init__(self, language_model: LanguageModel, open_until: int | None = None) -> None:
        self.steps = 0
        self._open_until = open_until
        self._changed = threading.Condition()
        self._hook = language_model.model.register_forward_pre_hook(self._wait)

    def _wait(self, *_: object) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: self._open_until is None or self.steps < self._open_until, timeout=SECONDS
            )
            self.steps += 1

    def open(self, until: int | None = None) -> None:
        """Let the model go on, up to a step."""
        with self._changed:
            self._open_until = until
            self._changed.notify_all()

    def remove(self) -> None:
        """Open it for good."""
        self.open()
        self._hook.remove()


@contextmanager
def gate(language_model: LanguageModel, open_until: int | None = None) -> Iterator[Gate]:
    """A gate that is taken away at the end."""
    made = Gate(language_model, open_until)
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def running(language_model: LanguageModel, **options: Any) -> Iterator[httpx.Client]:
    """A client of a server on a free port, where the model's name is `tiny`."""
    with running_app(create_app(language_model, "tiny", **options)) as client:
        yield client


@contextmanager
def running_app(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of a server of any app."""
    with listen("127.0.0.1", 0) as listening:
        server = server_of(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=url_of(listening), timeout=SECONDS, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(SECONDS)
            assert not thread.is_alive()


def until(true: Any, seconds: float = SECONDS) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.02)
