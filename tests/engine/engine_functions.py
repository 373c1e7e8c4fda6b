"""What the tests of the engine have worker processes do; workers import it by name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from typing import Any

from codefit.errors import InputError
from codefit.source.functions import Unit, units_of


def double(number: int) -> int:
    return 2 * number


def misbehave(item: Any) -> Any:
    """Does what the item says; anything else comes back as it is."""
    match item:
        case "hang":
            time.sleep(600)
        case "hang in native code":  # with the interpreter lock held, as a parser does
            ctypes.PyDLL(None).usleep(600_000_000)
        case "crash":
            ctypes.string_at(0)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            sys.exit(1)
        case "exit at once":
            os._exit(3)
        case "raise":
            raise ValueError("two\nlines")
        case "wrong input":
            raise InputError("no such thing", where="here", fix="look there")
        case "not picklable":
            return lambda: None
        case "large":
            return "x" * 5_000_000
        case "print":
            print("printed by a worker")
    return item


def process_id(_item: int) -> int:
    return os.getpid()


def slow_first(index: int) -> int:
    if index == 0:
        time.sleep(0.5)
    return index


def read_typescript(text: str) -> list[Unit]:
    return units_of(text, "typescript", seconds=0.5)


class Unloadable:
    """A function that no other process can load."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (int, ("no number",))

    def __call__(self, item: int) -> int:
        return item
