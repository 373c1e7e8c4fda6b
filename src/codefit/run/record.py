"""`run.json`: what a run is, where it stands, and on what machine it was made."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

import codefit
from codefit.errors import InputError
from codefit.files import hash_bytes, hash_file, write_json
from codefit.recipe import Recipe
from codefit.run.machine import machine_facts, package_versions

FILE = "run.json"
FORMAT = 1

State = Literal["waiting", "running", "done", "failed", "stopped"]


class StageRecord(msgspec.Struct):
    """Where a stage stands: `key` is the hash of what its result depends on, `outputs` the hashes of what it wrote."""

    name: str
    state: State = "waiting"
    seconds: float | None = None
    key: str | None = None
    outputs: dict[str, str] = {}
    summary: str = ""


class RunRecord(msgspec.Struct, kw_only=True):
    """The whole of `run.json`. Times are UTC; `seconds` of a resumed stage count the session that finished it."""

    name: str
    system: str
    description: str
    recipe: dict[str, Any]
    seed: int
    code_revision: str | None
    machine: dict[str, Any]
    packages: dict[str, str]
    started: str
    finished: str | None = None
    peak_memory_bytes: int | None = None
    stages: list[StageRecord]
    format: int = FORMAT

    def stage(self, name: str) -> StageRecord:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)

    def save(self, run: Path) -> None:
        """Write `run.json`, whole or not at all."""
        write_json(run / FILE, self)


def new_record(recipe: Recipe, stages: Iterable[str]) -> RunRecord:
    """The record of a run of this recipe that has not begun, with the names of its stages."""
    return RunRecord(
        name=recipe.name,
        system=recipe.system,
        description=recipe.description,
        recipe=recipe.model_dump(mode="json"),
        seed=recipe.seed,
        code_revision=code_revision(),
        machine=machine_facts(),
        packages=package_versions(),
        started=now(),
        stages=[StageRecord(name) for name in stages],
    )


def read_record(run: Path) -> RunRecord:
    """Read a run's `run.json`; `InputError` where there is none or it is damaged."""
    file = run / FILE
    if not file.exists():
        raise InputError("no run.json there, so it is no run of codefit", where=str(run))
    try:
        return msgspec.json.decode(file.read_bytes(), type=RunRecord)
    except msgspec.DecodeError as error:
        raise InputError(f"not a run.json ({error})", where=str(file), fix="delete it to start the run anew") from error


def now() -> str:
    """The time in UTC, to the second, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def key_of(**parts: Any) -> str:
    """A hash that changes when any part does."""
    return hash_bytes(msgspec.json.encode({"codefit": codefit.__version__, **parts}, order="sorted"))


def hashes_of(run: Path, places: Iterable[str], leave_out: Iterable[str] = ()) -> dict[str, str]:
    """SHA-256 of every file at `places` (files or folders below `run`), by path; missing places are left out."""
    files: list[Path] = []
    for place in places:
        path = run / place
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.exists() else []
    named = {file.relative_to(run).as_posix(): file for file in files}
    return {name: hash_file(file) for name, file in named.items() if name not in set(leave_out)}


def code_revision() -> str | None:
    """The commit of the checkout that codefit runs from, "+" behind it where files differ; None if installed."""
    source = Path(codefit.__file__).parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=source, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An installed package may lie inside another project's checkout, whose commit says nothing about codefit.
    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = git("rev-parse", "--short=12", "HEAD")
    return commit and (f"{commit}+" if git("status", "--porcelain", "--", str(source)) else commit)
