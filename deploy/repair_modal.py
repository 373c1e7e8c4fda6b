"""A ranker of Python syntax repairs on Modal: trained on a GPU, then served where it costs nothing while nobody asks.

Once, for an account and for the token that the service asks for:

    pip install modal && modal setup
    modal secret create codefit-token CODEFIT_TOKEN=...

Train on repairs (JSONL of broken and fixed tokens), beginning with an encoder that `codefit repair pretrain` wrote. The
same command again goes on where it was stopped; --detach lets it run while this machine sleeps:

    modal run --detach deploy/repair_modal.py --train-file repairs.jsonl.gz --encoder runs/encoder/encoder --gpu H100

Everything is on a volume then, the curves in report.html; and the service answers POST /rerank with the model:

    modal volume get codefit-runs ranker/report.html
    modal deploy deploy/repair_modal.py

CODEFIT_RUN names another run to serve. tidyparse's client sends no token: CODEFIT_OPEN=1 deploys for whoever asks.
Without an account nothing of this runs, but `train_run` is a plain function.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

import modal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from codefit.models.repair import RepairModel

ROOT = Path(__file__).resolve().parents[1]
RECIPE = "repair-ranking"
STEPS = 13_000
GPU = "L4"  # unless --gpu names another
DAY = 24 * 60 * 60  # seconds: the longest that Modal lets a function run; a longer training goes on in the next attempt
INPUTS, RUNS = Path("/inputs"), Path("/runs")  # where the volumes are in a container
TOKEN_VARIABLE, RUN_VARIABLE, OPEN_VARIABLE = "CODEFIT_TOKEN", "CODEFIT_RUN", "CODEFIT_OPEN"
SERVED_RUN = os.environ.get(RUN_VARIABLE, "ranker")
IS_OPEN = os.environ.get(OPEN_VARIABLE) == "1"

inputs = modal.Volume.from_name("codefit-inputs", create_if_missing=True)
runs = modal.Volume.from_name("codefit-runs", create_if_missing=True)
token = modal.Secret.from_name("codefit-token", required_keys=[TOKEN_VARIABLE])


def image_with(*extras: str) -> modal.Image:
    """An image with codefit and some of its extras, in the versions that its tests run with."""
    return (
        modal.Image.debian_slim(python_version="3.11")
        .add_local_file(ROOT / "constraints.txt", "/constraints.txt", copy=True)
        .pip_install_from_pyproject(
            str(ROOT / "pyproject.toml"), list(extras), extra_options="--constraint /constraints.txt"
        )
        # What numba compiles is kept where it may write.
        .env({"NUMBA_CACHE_DIR": "/tmp/numba", "TOKENIZERS_PARALLELISM": "false"})
        # The sources last, and with the files that are no Python, so that a change of them builds nothing anew.
        .add_local_dir(ROOT / "src" / "codefit", "/root/codefit", ignore=["**/__pycache__"])
    )


app = modal.App("codefit-repair")


def train_run(
    run: Path,
    train_file: Path,
    *,
    eval_file: Path | None = None,
    encoder: Path | None = None,
    steps: int | None = None,
    changes: Sequence[str] = (),
) -> dict[str, Any]:
    """Train a repair model in the folder `run`, or go on, and plot the log of metrics in `run/report.html`.

    The ranker has the sizes of the encoder that it begins with. `changes` are fields of the recipe, such as
    `train.tau=0.1`. Gives the folder of the model and what each stage came to. Raises `InputError` for wrong files.
    """
    from codefit.models.ranker import read_shape
    from codefit.recipe import RepairRanking, load_recipe
    from codefit.run.repair_ranking import train_from
    from codefit.run.report import write_report

    values = [f"train.max_steps={steps}", "train.epochs=null"] if steps is not None else []
    if encoder is not None:
        sizes = asdict(read_shape(encoder))
        values += [f"model.{name}={sizes[name]}" for name in ("hidden", "layers", "heads", "ffn")]
    recipe = load_recipe(RECIPE, [*values, *changes])
    assert isinstance(recipe, RepairRanking)
    result = train_from(recipe, run, train_file, eval_file, encoder)
    return {**result, "report": str(write_report([run], run / "report.html"))}


@app.function(
    image=image_with("train", "repair"),
    gpu=GPU,
    cpu=8.0,
    memory=32 * 1024,
    volumes={str(INPUTS): inputs.with_mount_options(read_only=True), str(RUNS): runs},
    timeout=DAY,
    startup_timeout=15 * 60,
    # A container that was taken away, or its day that was over: the next one goes on at the last checkpoint.
    retries=modal.Retries(max_retries=5, initial_delay=10.0),
    max_containers=1,
    single_use_containers=True,  # each sees the volumes as they are when it begins
)
def train(
    name: str, train_file: str, eval_file: str | None, encoder: str | None, steps: int, changes: list[str]
) -> dict[str, Any]:
    """`train_run` on the volumes; files are paths below that of the inputs."""
    from codefit.errors import InputError

    def given(path: str | None) -> Path | None:
        return INPUTS / path if path is not None else None

    try:
        return train_run(
            RUNS / name,
            INPUTS / train_file,
            eval_file=given(eval_file),
            encoder=given(encoder),
            steps=steps,
            changes=changes,
        )
    except InputError as error:
        return {"error": error.line()}  # the same next time: nothing to try again
    finally:
        runs.commit()


class Upload(Protocol):
    """What of `modal.Volume.batch_upload` is used."""

    def put_file(self, local_file: str, remote_path: str) -> None: ...

    def put_directory(self, local_path: str, remote_path: str) -> None: ...


def upload(batch: Upload, name: str, role: str, local: Path) -> str:
    """Put a file or a folder below the run's name; its path on the volume."""
    if not local.exists():
        raise SystemExit(f"error: {local}: no such file or folder; check the path")
    remote = str(PurePosixPath(name, role, local.resolve().name))
    (batch.put_directory if local.is_dir() else batch.put_file)(str(local), f"/{remote}")
    return remote


@app.local_entrypoint()
def main(
    train_file: str,
    eval_file: str = "",
    encoder: str = "",
    name: str = "ranker",
    steps: int = STEPS,
    gpu: str = GPU,
    change: str = "",
) -> None:
    """Upload what to learn from, train, and say where the report is; --change "train.tau=0.1 seed=1" sets fields."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise SystemExit(f"error: --name {name!r}: a name is of letters, digits, - and _")
    with inputs.batch_upload(force=True) as batch:
        learned_from = upload(batch, name, "train", Path(train_file))
        chosen_by = upload(batch, name, "eval", Path(eval_file)) if eval_file else None
        begins_with = upload(batch, name, "encoder", Path(encoder)) if encoder else None
    result = train.with_options(gpu=gpu).remote(name, learned_from, chosen_by, begins_with, steps, shlex.split(change))
    if "error" in result:
        raise SystemExit(f"error: {result['error']}")
    print("\n".join(result["stages"].values()))
    print(f"report  modal volume get codefit-runs {name}/report.html")


@app.cls(
    image=image_with("serve", "repair"),
    cpu=2.0,
    memory=2 * 1024,
    volumes={str(RUNS): runs.with_mount_options(read_only=True)},
    secrets=[] if IS_OPEN else [token],
    env={RUN_VARIABLE: SERVED_RUN},
    min_containers=0,
    scaledown_window=5 * 60,  # seconds without a request until the container goes
    timeout=150,  # seconds: tidyparse's client waits two minutes, and after 150 Modal answers with a redirection
    enable_memory_snapshot=True,  # a container begins with the model loaded and its code compiled
)
@modal.concurrent(max_inputs=16)  # they wait in the container, which answers one at a time
class Rerank:
    """The service that orders repairs, with the model of a run."""

    @modal.enter(snap=True)
    def load(self) -> None:
        """Load the model."""
        from codefit.models.repair import load_repair_model

        self.model: RepairModel = load_repair_model(RUNS / os.environ[RUN_VARIABLE] / "model")
        self.model.rank([0], [[0]])  # compiles what a request needs

    @modal.asgi_app()
    def web(self) -> FastAPI:
        """The app."""
        from codefit.serve.rerank import create_rerank_app

        return create_rerank_app(self.model, token=os.environ.get(TOKEN_VARIABLE))
