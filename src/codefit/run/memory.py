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


def resident_bytes() -> int:
    """What this process and its children hold now."""
    import psutil

    process = psutil.Process()
    total: int = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended between the two calls
    return total
