"""The other side of `codefit.engine.processes`: a process that applies one function to the items it is sent.

Started as its own interpreter, not forked: it shares no locks with a parent whose threads hold some (torch), and it
does not run the parent's main module again, so a plain script needs no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from multiprocessing.connection import Connection
from typing import Any, cast

from codefit.errors import CodefitError

EXIT_LATE = 1  # what faulthandler ends a process with; nothing else ends a worker so
READY = "ready"


def serve(descriptor: int) -> None:
    """Answer every item of every chunk that comes over the connection, until it is closed.

    The first message is the pickled function and the limit in seconds an item (None for none). The answer is `READY`,
    or the reason why the function cannot be loaded. Then each chunk, a list of items, is answered by one pair of value
    and error an item, each as soon as it is there: so the other end knows which item a worker died of.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    os.dup2(2, 1)  # what a function prints must not stand among a command's results
    # A worker is ended by a kill, which would take what still waits to be written with it.
    cast(TextIOWrapper, sys.stdout).reconfigure(line_buffering=True)
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        payload, seconds = connection.recv()
        try:
            function = pickle.loads(payload)
        except Exception as error:
            connection.send(describe(error))
            return
        connection.send(READY)
        while True:
            _answer(connection, function, connection.recv(), seconds)


def _answer(connection: Connection, function: Callable[[Any], Any], items: list[Any], seconds: float | None) -> None:
    """Apply the function to each item, under the limit.

    The limit's clock is a thread of faulthandler's that needs no interpreter lock: it ends this process while native
    code holds the lock, and also when the parent is long dead, so that no worker is left that runs for ever.
    """
    with open(os.devnull, "w") as nowhere:
        for item in items:
            if seconds is not None:
                faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            answer = apply(function, item)
            faulthandler.cancel_dump_traceback_later()
            try:
                data = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                data = pickle.dumps((None, f"its value cannot be sent back ({describe(error)})"))
            connection.send_bytes(data)


def apply(function: Callable[[Any], Any], item: Any) -> tuple[Any, str | None]:
    """The function's value and None, or None and what it raised; also `SystemExit`, whose code may be `EXIT_LATE`."""
    try:
        return function(item), None
    except (Exception, SystemExit) as error:
        return None, describe(error)


def describe(error: BaseException) -> str:
    """An exception as one line."""
    if isinstance(error, CodefitError):
        return error.line()
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
