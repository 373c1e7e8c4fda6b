"""Progress on stderr: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

PLAIN_INTERVAL = 10.0  # seconds between lines where stderr is not a terminal: enough to see that it lives

T = TypeVar("T")


def say(message: str) -> None:
    """One line of log on stderr."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """Counts units of work and shows rate, time left and the latest figures (`advance(1, loss=0.3)`)."""

    def __init__(self, label: str, total: int | None, unit: str = "rows") -> None:
        self.label = label
        self.total = total
        self.unit = unit
        self.done = 0
        self.figures: dict[str, float | str] = {}
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._started = self._last_line = time.monotonic()
        self._start_done = self.done
        if sys.stderr.isatty():
            self._open_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._last_line > self._started:
            say(self._plain())

    def resume_at(self, done: int) -> None:
        """Start counting at `done`: a resumed job's rate is of this session's work alone."""
        self.done = self._start_done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def advance(self, count: int = 1, **figures: float | str) -> None:
        """`count` more units are done."""
        self.done += count
        self.figures.update(figures)
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, figures=self._figures())
        elif time.monotonic() - self._last_line >= PLAIN_INTERVAL:
            self._last_line = time.monotonic()
            say(self._plain())

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(self.label, total=self.total, figures="")
        self._bar.start()

    def _figures(self) -> str:
        shown = [f"{k} {v:,.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in self.figures.items()]
        return "  ".join([f"{self._rate():,.0f} {self.unit}/s", *shown])

    def _rate(self) -> float:
        return (self.done - self._start_done) / max(time.monotonic() - self._started, 1e-9)

    def _plain(self) -> str:
        rate = self._rate()
        of = f"/{self.total:,}" if self.total else ""
        left = f"  {(self.total - self.done) / rate:,.0f} s left" if self.total and rate > 0 else ""
        return f"{self.label}: {self.done:,}{of} {self.unit}  {self._figures()}{left}"


def track(items: Iterable[T], label: str, total: int | None = None, unit: str = "rows") -> Iterator[T]:
    """The items, with progress shown as they are consumed."""
    with Progress(label, total, unit) as progress:
        for item in items:
            yield item
            progress.advance()
