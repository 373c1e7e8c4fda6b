"""The most memory that a run and its worker processes hold together."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

INTERVAL = 0.5  # seconds between looks; a stage lasts longer, and a look costs a millisecond a process


class MemoryWatch:
    """Looks at the memory of this process and its children while the block runs; `peak` is in bytes.

    Pages that processes share are counted once each (the sum of resident sizes), so the figure errs upwards.
    """

    def __init__(self, peak: int = 0) -> None:
        self.peak = peak
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        ended = False
        while not ended:
            ended = self._stop.wait(INTERVAL)
            self.peak = max(self.peak, resident_bytes())


def resident_bytes(pid: int | None = None) -> int:
    """What a process (None: this one) and its children hold now; 0 for what has ended."""
    import psutil

    total = 0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return total
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended between the two calls
    return total
