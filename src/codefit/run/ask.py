"""Questions to the exported model, over functions that it was not trained on: what a person would do with it first."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

from codefit.corpus.documents.repository import checkout_of, repository_name
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.files import read_json
from codefit.models.embedder import load_embedder
from codefit.recipe import Ask
from codefit.run.pair_data import expanded
from codefit.search.functions import read_functions
from codefit.search.index import build_index
from codefit.search.rank import search


def ask(section: Ask, export: Path, manifest: Path) -> dict[str, Any]:
    """The answers to each question, as they stand in `answers.json`.

    Raises `InputError` where the source cannot be found, has no function, or is among those that were trained on.
    """
    folder = source_folder(section.source)
    _check_unseen(section.source, folder, manifest)
    functions = read_functions(folder, receipt=Receipt())
    if not functions:
        raise InputError("no function in a language that codefit reads", where=str(folder), fix="choose another source")
    model = load_embedder(export)
    index = build_index(functions, model)
    answers = []
    for query in section.queries:
        started = time.perf_counter()
        found = search(index, model, query, section.results)
        took = (time.perf_counter() - started) * 1000
        answers.append({"query": query, "took_ms": took, "results": [result.to_dict() for result in found]})
    return {"source": section.source, "functions": len(functions), "queries": answers}


def source_folder(source: str) -> Path:
    """The folder that a recipe names: a path, or an installed package by its import name."""
    path = Path(expanded(source))
    if path.exists():
        return path
    spec = importlib.util.find_spec(source) if source.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise InputError(
            "neither a folder nor an installed package", where=f"ask.source {source}", fix="name one that was held out"
        )
    return Path(places[0])


def _check_unseen(source: str, folder: Path, manifest: Path) -> None:
    trained: set[str] = set(read_json(manifest)["train"]["sources"])
    top = checkout_of(folder) or folder
    # The name that its rows have in the data: a package's own, a checkout's, or the folder's.
    for name in (source, source.replace("_", "-"), repository_name(top)):
        if name in trained:
            raise InputError(
                f"{name} was trained on, so its answers would show nothing",
                where=f"ask.source {source}",
                fix="name a source of data.evaluation_sources",
            )
