"""Complexity scores on Modal: a language model tuned on a GPU, then served where it costs nothing while nobody asks.

Once, for an account and for the token that the service asks for:

    pip install modal && modal setup
    modal secret create codefit-token CODEFIT_TOKEN=...

Train on functions of yours and measure on functions of other repositories (JSONL with `code`, `language` and, where
there is one, `score`). The base model is downloaded once, into a volume. The same command again goes on where it was
stopped; --detach lets it run while this machine sleeps:

    modal run --detach deploy/complexity_modal.py --functions train.jsonl.gz --evaluation held-out.jsonl.gz

Everything is on a volume then, the figures in report.html; and the service answers POST /v1/complexity, with a page at
its address that asks for the token:

    modal volume get codefit-runs complexity/report.html
    modal deploy deploy/complexity_modal.py

CODEFIT_RUN names another run to serve. Without an account nothing of this runs, but `train_run` and `load_scorer` are
plain functions.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

import modal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from codefit.models.complexity import Ensemble

ROOT = Path(__file__).resolve().parents[1]
RECIPE = "complexity-scoring"
TRAINING_GPU = "L4"  # unless --gpu names another
# The base has 2.7 GB in 4 bits. A T4 has no bf16: codefit computes in fp16 there.
SERVING_GPU = "T4"
DAY = 24 * 60 * 60  # seconds: the longest that Modal lets a function run; a longer training goes on in the next attempt
AT_ONCE = 32  # requests of a container: while the model works on some, the others wait, and are its next batch
INPUTS, RUNS, WEIGHTS = Path("/inputs"), Path("/runs"), Path("/weights")  # where the volumes are in a container
TOKEN_VARIABLE, RUN_VARIABLE = "CODEFIT_TOKEN", "CODEFIT_RUN"
SERVED_RUN = os.environ.get(RUN_VARIABLE, "complexity")
# The hub's cache stands on the volume; but for the download itself nobody asks the hub, which could answer otherwise.
ONLINE: dict[str, str | None] = {"HF_HOME": str(WEIGHTS)}
OFFLINE: dict[str, str | None] = {**ONLINE, "HF_HUB_OFFLINE": "1"}

inputs = modal.Volume.from_name("codefit-inputs", create_if_missing=True)
runs = modal.Volume.from_name("codefit-runs", create_if_missing=True)
weights = modal.Volume.from_name("codefit-weights", create_if_missing=True)
token = modal.Secret.from_name("codefit-token", required_keys=[TOKEN_VARIABLE])


def image_with(*extras: str) -> modal.Image:
    """An image with codefit and some of its extras, in the versions that its tests run with."""
    return (
        modal.Image.debian_slim(python_version="3.11")
        .apt_install("libgomp1")  # LightGBM's
        .add_local_file(ROOT / "constraints.txt", "/constraints.txt", copy=True)
        .pip_install_from_pyproject(
            str(ROOT / "pyproject.toml"), list(extras), extra_options="--constraint /constraints.txt"
        )
        .env({"TOKENIZERS_PARALLELISM": "false"})
        # The sources last, and with the files that are no Python, so that a change of them builds nothing anew.
        .add_local_dir(ROOT / "src" / "codefit", "/root/codefit", ignore=["**/__pycache__"])
    )


app = modal.App("codefit-complexity", image=image_with("train", "quantize", "complexity", "serve"))


def base_of_recipe(changes: Sequence[str] = ()) -> tuple[str, str | None]:
    """The name and the revision of the language model that the recipe begins with."""
    from codefit.errors import InputError
    from codefit.recipe import ComplexityScoring, load_recipe

    recipe = load_recipe(RECIPE, changes)
    assert isinstance(recipe, ComplexityScoring)
    if recipe.language_model is None:
        raise InputError("language_model is null", where=RECIPE, fix="leave the change out: a T4 is for that model")
    return recipe.language_model.base, recipe.language_model.revision


def train_run(run: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Go through the recipe's stages in the folder `run`, or go on, to a report, `run/report.html`.

    `changes` are fields of the recipe, such as `data.functions=[/inputs/train.jsonl]`. Gives what each stage came to.
    Raises `InputError` for wrong fields and files.
    """
    from codefit.recipe import load_recipe
    from codefit.run.trip import run_recipe

    record = run_recipe(load_recipe(RECIPE, changes), run)
    return {"stages": {stage.name: stage.summary for stage in record.stages}, "report": str(run / "report.html")}


def load_scorer(run: Path, *, device: str = "cuda") -> Ensemble:
    """The scorer of a run, with its language model. Raises `CodefitError` where a part of it cannot be loaded.

    codefit would leave that part out and say so; here it is what the GPU is paid for. It answers by the expectation
    over all scores; where it writes, it writes 128 tokens at most (`codefit.models.score_answers.MAX_NEW_TOKENS`).
    """
    from codefit.errors import CodefitError
    from codefit.models.complexity import load_complexity_model

    scorer = load_complexity_model(run / "model", device=device)
    if scorer.missing:
        why = "; ".join(f"{name}: {what}" for name, what in scorer.missing.items())
        raise CodefitError(f"not all of the model can be loaded ({why})", where=str(run))
    return scorer


@app.function(volumes={str(WEIGHTS): weights}, env=ONLINE, timeout=60 * 60, cpu=2.0, memory=4 * 1024)
def download(changes: list[str]) -> str:
    """Have the base model on its volume: once, without a GPU that would wait for it."""
    from codefit.models.hub_cache import model_folder

    folder = model_folder(*base_of_recipe(changes))
    weights.commit()
    return str(folder)


@app.function(
    gpu=TRAINING_GPU,
    cpu=8.0,
    memory=32 * 1024,
    volumes={
        str(INPUTS): inputs.with_mount_options(read_only=True),
        str(RUNS): runs,
        str(WEIGHTS): weights.with_mount_options(read_only=True),
    },
    env=OFFLINE,
    timeout=DAY,
    startup_timeout=15 * 60,
    # A container that was taken away, or its day that was over: the next one goes on at the last checkpoint.
    retries=modal.Retries(max_retries=5, initial_delay=10.0),
    max_containers=1,
    single_use_containers=True,  # each sees the volumes as they are when it begins
)
def train(name: str, changes: list[str]) -> dict[str, Any]:
    """`train_run` on the volumes."""
    from codefit.errors import InputError

    try:
        return train_run(RUNS / name, changes)
    except InputError as error:
        return {"error": error.line()}  # the same next time: nothing to try again
    finally:
        runs.commit()


class Upload(Protocol):
    """What of `modal.Volume.batch_upload` is used."""

    def put_file(self, local_file: str, remote_path: str) -> None: ...


def upload(batch: Upload, name: str, role: str, files: Sequence[str]) -> str:
    """Put files below the run's name; the change of the recipe that names them where a container sees them."""
    places = []
    for number, file in enumerate(files):
        local = Path(file)
        if not local.is_file():
            raise SystemExit(f"error: {local}: no such file; check the path")
        remote = PurePosixPath(name, role, str(number), local.resolve().name)
        batch.put_file(str(local), f"/{remote}")
        places.append(str(INPUTS / remote))
    return f"data.{role}={json.dumps(places)}"


@app.local_entrypoint()
def main(
    functions: str,
    evaluation: str,
    human: str = "",
    name: str = "complexity",
    gpu: str = TRAINING_GPU,
    change: str = "",
) -> None:
    """Upload what to learn from and to measure on (several files with commas between), train, say where the report is.

    --change "language_model.max_steps=100 seed=1" sets fields of the recipe.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise SystemExit(f"error: --name {name!r}: a name is of letters, digits, - and _")
    given = {"functions": functions, "evaluation": evaluation, "human": human}
    with inputs.batch_upload(force=True) as batch:
        data = [upload(batch, name, role, files.split(",") if files else []) for role, files in given.items()]
    changes = [*data, *shlex.split(change)]
    download.remote(shlex.split(change))
    result = train.with_options(gpu=gpu).remote(name, changes)
    if "error" in result:
        raise SystemExit(f"error: {result['error']}")
    print("\n".join(result["stages"].values()))
    print(f"report  modal volume get codefit-runs {name}/report.html")


@app.cls(
    gpu=SERVING_GPU,
    cpu=2.0,
    memory=16 * 1024,
    volumes={
        str(RUNS): runs.with_mount_options(read_only=True),
        str(WEIGHTS): weights.with_mount_options(read_only=True),
    },
    secrets=[token],
    env={**OFFLINE, RUN_VARIABLE: SERVED_RUN},
    min_containers=0,
    scaledown_window=450,  # seconds without a request until the container goes
    timeout=1800,
    startup_timeout=15 * 60,
    # A container begins with the model on its GPU: reading 8 GB, checking them and putting them into 4 bits is nearly
    # all of a cold start, and without the GPU's memory in it a snapshot would hold none of that.
    enable_memory_snapshot=True,
    experimental_options={"enable_gpu_snapshot": True},
)
@modal.concurrent(max_inputs=AT_ONCE)
class Complexity:
    """The service, with the model of a run. Its queue makes batches over requests, which a web endpoint needs itself:
    `modal.batched` is for functions."""

    @modal.enter(snap=True)
    def load(self) -> None:
        """Load the model."""
        self.scorer: Ensemble = load_scorer(RUNS / os.environ[RUN_VARIABLE])
        self.scorer.score(["function f(a) { return a }"], "javascript")  # compiles what a request needs

    @modal.asgi_app()
    def web(self) -> FastAPI:
        """The app."""
        from codefit.serve.complexity import create_complexity_app

        return create_complexity_app(self.scorer, token=os.environ[TOKEN_VARIABLE], places=AT_ONCE)
