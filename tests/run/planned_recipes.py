"""Recipes of both language-model systems, and a repository of Rust, that a plan takes seconds for."""

from __future__ import annotations

import random
import string
from pathlib import Path

from codefit.recipe import BaseLanguageModel, ExtendedPretraining, load_recipe
from codefit.records import write_rows
from document_examples import document
from tiny_language_models import write_language_model


def rust_file(index: int, functions: int) -> str:
    """Rust functions and types made of words of its own, so that no two files are near duplicates."""
    rng = random.Random(index)

    def word() -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=7))

    parts = [
        f"use crate::{word()}::{word().capitalize()};\n\npub struct {word().capitalize()} {{\n    {word()}: u64,\n}}\n"
    ]
    for _ in range(functions):
        names = [word() for _ in range(5)]
        lets = "".join(f"    let {name} = {rng.choice(names)}({rng.randint(1, 9999)})?;\n" for name in names)
        parts.append(
            f"/// {' '.join(word() for _ in range(6))}\npub fn {names[0]}() -> Result<u64> {{\n{lets}    Ok(1)\n}}\n"
        )
    return "\n".join(parts)


def rust_repository(folder: Path, directories: int = 16, files: int = 2) -> Path:
    """Files in several directories, of which some are held out."""
    for place in range(directories):
        for number in range(files):
            path = folder / f"crates/c{place}/src/m{number}.rs"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rust_file(100 * place + number, 5 + (place + number) % 3))
    return folder


def adapted(
    repository: Path, general: Path, base: Path | str, *overrides: str, name: str = "extended-pretraining-cpu"
) -> ExtendedPretraining:
    """The bundled recipe over a small repository, its general code from a folder."""
    fields = [
        f"data.documents=[{repository}]",
        f"data.general={{documents: [{general}]}}",
        "data.replay=null",
        "data.replay_share=0",
        "data.hold_out.share=0.3",
        f"model.base={base}",
    ]
    recipe = load_recipe(name, [*fields, *overrides])
    assert isinstance(recipe, ExtendedPretraining)
    return recipe


SMALL = ("train.lengths=[48, 96]", "evaluate.stride=32", "complete=null", "train.warmup_steps=0")


def from_scratch(sources: Path, *overrides: str) -> BaseLanguageModel:
    """The bundled recipe over packages of the standard library, of a size that takes seconds."""
    packages = ", ".join(str(sources / name) for name in ("asyncio", "importlib", "unittest", "email", "logging"))
    fields = [
        f"data.documents=[{packages}]",
        "data.pairs=[]",
        "data.evaluation_sources=[email]",
        "data.validation_sources=[logging]",
        "data.train_bytes=200000",
        "tokenizer.vocab_size=500",
        "model={hidden: 32, layers: 2, heads: 4, kv_heads: 2, ffn: 64, context: 96}",
        "train.max_steps=11",
    ]
    recipe = load_recipe("base-lm-cpu", [*fields, *SMALL, *overrides])
    assert isinstance(recipe, BaseLanguageModel)
    return recipe


def write_places(folder: Path) -> dict[str, Path]:
    """What small runs of both systems need: files of three packages, a Rust repository, and a model to adapt."""
    documents = [
        document(f"{repo}/m{number}.py", 100 * place + number, functions=8, repo=repo)
        for place, repo in enumerate(("alpha", "beta", "gamma"))
        for number in range(8)
    ]
    write_rows(folder / "code.jsonl", documents)
    rust_repository(folder / "rust")
    write_language_model(folder / "base")
    return {"code": folder / "code.jsonl", "rust": folder / "rust", "base": folder / "base"}
