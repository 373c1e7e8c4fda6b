"""A recipe that is small in everything, over a few packages of the standard library."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest
import yaml

from codefit.recipe import recipe_text
from codefit.run.trip import run_recipe

PACKAGES = ("asyncio", "email", "importlib", "logging", "multiprocessing", "unittest", "xml")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the packages, each a repository of its own, with the doc comments that they have."""
    folder = tmp_path_factory.mktemp("sources")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("test*", "__pycache__")
        shutil.copytree(Path(sysconfig.get_path("stdlib")) / name, folder / name, ignore=ignored)
    return folder


@pytest.fixture(scope="session")
def recipe_file(sources: Path) -> Path:
    values = yaml.safe_load(recipe_text("quickstart"))
    values["name"] = "small"
    values["data"] |= {
        "documents": [str(sources / name) for name in PACKAGES],
        "evaluation_sources": ["email", "xml"],
        "validation_sources": ["logging"],
    }
    values["tokenizer"] |= {"vocab_size": 2000, "compare": True}
    values["model"]["dimensions"] = 32
    values["train"] |= {"epochs": None, "max_steps": 40, "batch_size": 64, "save_every": 5, "eval_every": 20}
    values["evaluate"] |= {"pool_size": 100}
    values["export"] |= {"batch_size": 2, "seq_len": 16}
    values["ask"] |= {"source": str(sources / "email"), "queries": ["decode a header", "parse an address"]}
    file = sources / "recipe.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


@pytest.fixture(scope="session")
def repair_run(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run of a small ranker of repairs; tests that change a file work on a copy."""
    from run.small_repair_run import write_repair_run

    return write_repair_run(tmp_path_factory.mktemp("repair"), sources)


@pytest.fixture(scope="session")
def complexity_places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of functions and a language model to ask."""
    from run.small_complexity_run import write_base, write_functions

    folder = tmp_path_factory.mktemp("complexity")
    write_functions(folder / "functions")
    write_base(folder / "base")
    return folder


@pytest.fixture(scope="session")
def complexity_run(complexity_places: Path) -> Path:
    """The finished run of small scorers of complexity, a language model among them; tests that change it copy it."""
    from run.small_complexity_run import small_complexity_recipe

    run = complexity_places / "small-complexity"
    run_recipe(small_complexity_recipe(complexity_places / "functions", base=complexity_places / "base"), run)
    return run
