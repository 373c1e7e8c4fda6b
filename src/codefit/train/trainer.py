"""The training loop: batches, rate, checkpoints, evaluation, the best model, the progress bar.

What is learned, and how, is the learner's: `StaticLearner`, `EncoderLearner` and `CausalLearner`. In what order it sees
its data is the data's: pairs from one source at a time, documents packed in a curriculum of lengths.
"""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError
from codefit.files import atomic_folder, write_text
from codefit.progress import Progress
from codefit.train.checkpoint import Checkpoint, disk_errors, latest_checkpoint, save_checkpoint
from codefit.train.schedule import Schedule, rate_factor

B = TypeVar("B")
Evaluate = Callable[[], Mapping[str, float]]

SMOOTHING = 0.95  # of the loss on the progress bar: about the last 20 steps


class Examples(Protocol[B]):
    """What is learned from, in the order of the batches."""

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[B]:
        """Batches without end from `first_step` on: a resumed run sees what the unbroken one saw."""

    def tokens(self, batch: B) -> int:
        """Tokens of a batch."""

    def notes(self, batch: B) -> Mapping[str, float]:
        """What the journal says of a batch besides."""

    def name(self, batch: B) -> str:
        """Where a batch comes from, for an error."""


class Learner(Protocol[B]):
    """Something that gets better by batches and can be put to disk at any step."""

    @property
    def data(self) -> Examples[B]:
        """What it learns from."""

    def learn(self, batch: B, rate_factor: float) -> float:
        """Take one step on a batch with this share of the peak learning rate; the loss before it."""

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and optimizer state, as arrays."""

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave after `step` steps."""

    def save_model(self, folder: Path) -> None:
        """Write the files of the model, as its library has them, into an existing folder."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How long, in what batches, at what rate, and how often to save and to evaluate (0: only at the end).

    `best_metric` chooses the model that is kept, the `best` value of it; `folder` is where it is kept.
    """

    max_steps: int
    batch_size: int
    warmup_steps: int = 0
    schedule: Schedule = "linear"
    save_every: int = 500
    eval_every: int = 0
    keep_checkpoints: int = 2
    seed: int = 0
    best_metric: str = "mrr@10"
    best: Literal["highest", "lowest"] = "highest"
    folder: str = "model"


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training came to: `tokens` and `seconds` are of this session alone, `best` is the evaluation kept."""

    steps: int
    final_loss: float
    best_step: int
    best: Mapping[str, float]
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Of this session."""
        return self.tokens / max(self.seconds, 1e-9)


class _Journal:
    """`metrics.jsonl`: a row a step. After a kill, rows newer than the checkpoint are dropped, so none stands twice."""

    def __init__(self, path: Path, first_step: int) -> None:
        kept = [row for row in read_metrics(path) if row["step"] <= first_step] if path.exists() else []
        # Whole or not at all: a kill while the kept rows are copied would lose what the checkpoint has behind it.
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))
        self._stream = path.open("a", encoding="utf-8")

    def write(self, row: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(row) + "\n")

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a `metrics.jsonl`; a last line that a kill cut in two is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def train(
    learner: Learner[B],
    settings: TrainSettings,
    out: Path,
    *,
    evaluate: Evaluate | None = None,
    describe: Callable[[Path], None] | None = None,
) -> TrainResult:
    """Train to `max_steps`, from the newest checkpoint in `out/checkpoints` if there is one.

    Writes `out/metrics.jsonl`, `out/checkpoints/` and `out/model/` (or another `folder`): the best by `best_metric`
    where `evaluate` is given, else the last; `describe` adds its files to that folder. Ctrl-C ends after the step with
    a checkpoint. The same settings give the same model, interrupted or not.
    """
    return _Training(learner, settings, out, evaluate, describe).run()


class _Interruption:
    """Ctrl-C while training: it waits for the end of the step, since half a step cannot be resumed.

    A second one ends the step at once; then the last checkpoint is the one that was there before. Outside of the main
    thread, where no signal arrives, this does nothing.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class _Training(Generic[B]):
    def __init__(
        self,
        learner: Learner[B],
        settings: TrainSettings,
        out: Path,
        evaluate: Evaluate | None,
        describe: Callable[[Path], None] | None,
    ) -> None:
        self.learner = learner
        self.describe = describe
        self.settings = settings
        self.out = out
        self.evaluate = evaluate
        self.step = 0
        self.loss = float("nan")
        self.best: dict[str, float] = {}
        self.best_step = 0
        self.tokens = 0
        _remove_remains(out, settings.folder)
        self._resume()
        self.saved_at = self.step
        self.journal = _Journal(out / "metrics.jsonl", self.step)

    def run(self) -> TrainResult:
        started = time.monotonic()
        settings = self.settings
        batches = self.learner.data.batches(settings.batch_size, seed=settings.seed, first_step=self.step)
        try:
            with Progress("training", settings.max_steps, "steps") as progress, _Interruption() as interruption:
                progress.resume_at(self.step)
                while self.step < settings.max_steps:
                    self._one_step(next(batches), started, progress)
                    if interruption.asked:
                        self._save()
                        raise KeyboardInterrupt
        finally:
            self.journal.close()
        if self.evaluate is None:
            self._save_model()
        return TrainResult(
            steps=self.step,
            final_loss=self.loss,
            best_step=self.best_step,
            best=self.best,
            tokens=self.tokens,
            seconds=time.monotonic() - started,
        )

    def _one_step(self, batch: B, started: float, progress: Progress) -> None:
        settings = self.settings
        factor = rate_factor(self.step, settings.max_steps, warmup=settings.warmup_steps, schedule=settings.schedule)
        loss = self.learner.learn(batch, factor)
        if not np.isfinite(loss):
            kept = f"; the checkpoint of step {self.saved_at} is kept" if self.saved_at else ""
            raise CodefitError(
                f"the loss became {loss} at step {self.step + 1}, on {self.learner.data.name(batch)}{kept}",
                fix="lower the learning rate or raise the warm-up",
            )
        self.step += 1
        self.loss = loss if np.isnan(self.loss) else SMOOTHING * self.loss + (1 - SMOOTHING) * loss
        self.tokens += self.learner.data.tokens(batch)
        speed = self.tokens / max(time.monotonic() - started, 1e-9)
        row = {"kind": "train", "step": self.step, "loss": loss, "rate": factor, "tokens_per_second": round(speed)}
        self.journal.write({**row, **self.learner.data.notes(batch)})
        last = self.step == settings.max_steps
        if self.evaluate is not None and (last or _due(self.step, settings.eval_every)):
            self._evaluate(self.evaluate)
        if last or _due(self.step, settings.save_every):
            self._save()
        progress.advance(1, loss=self.loss, **{"tokens/s": f"{speed:,.0f}"})

    def _evaluate(self, evaluate: Evaluate) -> None:
        result = dict(evaluate())
        self.journal.write({"kind": "eval", "step": self.step, **result})
        metric, sign = self.settings.best_metric, 1 if self.settings.best == "highest" else -1
        if not self.best or sign * result[metric] > sign * self.best[metric]:
            self.best, self.best_step = result, self.step
            self._save_model()

    def _save_model(self) -> None:
        target = self.out / self.settings.folder
        with disk_errors(target), atomic_folder(target) as folder:
            self.learner.save_model(folder)
            if self.describe is not None:
                self.describe(folder)

    def _save(self) -> None:
        if self.step == self.saved_at:
            return
        self.journal.flush()
        values = {"loss": self.loss, "best": self.best, "best_step": self.best_step}
        save_checkpoint(
            self.out / "checkpoints",
            Checkpoint(step=self.step, values=values, arrays=self.learner.state()),
            keep=self.settings.keep_checkpoints,
        )
        self.saved_at = self.step

    def _resume(self) -> None:
        checkpoint = latest_checkpoint(self.out / "checkpoints")
        if checkpoint is None:
            return
        self.step = checkpoint.step
        self.loss = checkpoint.values["loss"]
        self.best = checkpoint.values["best"]
        self.best_step = checkpoint.values["best_step"]
        self.learner.restore(checkpoint.arrays, checkpoint.step)


def _remove_remains(out: Path, model: str) -> None:
    """Remove what a killed training was just writing; whole folders have other names."""
    for pattern in ("checkpoints/.tmp-*", "checkpoints/.old-*", f".tmp-*-{model}", f".old-*-{model}"):
        for folder in out.glob(pattern):
            shutil.rmtree(folder)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
