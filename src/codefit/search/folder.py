"""A question to a folder: read it, index it, rank its functions."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.search.functions import read_functions
from codefit.search.index import SearchModel, build_index
from codefit.search.rank import DEFAULT_RESULTS, Result, search


@dataclass(frozen=True, slots=True)
class Styles:
    """What stands before and after text that is bold or dim."""

    bold: str
    dim: str
    plain: str


PLAIN = Styles("", "", "")
TERMINAL_STYLES = Styles("\033[1m", "\033[2m", "\033[0m")


@dataclass(frozen=True, slots=True)
class Answer:
    """The functions that were found, best first, among how many; what was left out by its reason; seconds it took."""

    query: str
    found: list[Result]
    functions: int
    skipped: dict[str, int]
    indexing: float
    asking: float

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return {
            "query": self.query,
            "results": [each.to_dict() for each in self.found],
            "fresh": True,
            "took_ms": self.asking * 1000,
            "indexed_ms": self.indexing * 1000,
            "functions": self.functions,
            "skipped": self.skipped,
        }


def search_folder(
    root: Path,
    query: str,
    model: SearchModel,
    k: int = DEFAULT_RESULTS,
    *,
    languages: Collection[str] | None = None,
    globs: Sequence[str] = (),
    model_weight: float | None = None,
) -> Answer:
    """The best `k` functions under `root` (a folder or a source file), which is read anew; ignore files count.

    `languages` and `globs` keep the files in one of them, `model_weight` is the model's share of a score. Raises
    `InputError` for an empty question, for a `root` that is missing, and where these filters leave nothing.
    """
    if not query.strip():
        raise InputError("the question is empty", fix="say what the code does, such as: open a file and count lines")
    started = time.perf_counter()
    receipt = Receipt()
    functions = read_functions(root, languages=languages, globs=globs, receipt=receipt)
    filters = [f"--language {name}" for name in languages or ()] + [f"--path {glob}" for glob in globs]
    if filters and not functions:
        raise InputError(f"no function is left by {' '.join(filters)}", where=str(root), fix="check the filter")
    index = build_index(functions, model)
    indexed = time.perf_counter()
    found = search(index, model, query, k, model_weight=model_weight)
    return Answer(query, found, len(functions), receipt.by_reason(), indexed - started, time.perf_counter() - indexed)


def answer_text(answer: Answer, styles: Styles = PLAIN) -> str:
    """The results for people: place, name, score and a few lines of each, and what was read."""
    bold, dim, plain = styles.bold, styles.dim, styles.plain
    blocks = []
    for each in answer.found:
        place, signals = each.function, each.signals
        header = f"{bold}{place.path}:{place.start_line}-{place.end_line}{plain}  {place.name}  {each.score:.2f}"
        header += f"  {dim}model {signals['model']:.2f}, bm25 {signals['bm25']:.1f}{plain}"
        width = len(str(each.snippet.numbers[-1]))
        lines = zip(each.snippet.numbers, each.snippet.lines, strict=True)
        blocks.append(
            "\n".join([header, *(f"  {dim}{number:>{width}}{plain}  {line}".rstrip() for number, line in lines)])
        )
    skipped = ", ".join(f"{count} {reason}" for reason, count in answer.skipped.items())
    left_out = f"; left out: {skipped}" if skipped else ""
    summary = (
        f"{answer.functions:,} functions read and embedded in {answer.indexing:.1f} s, "
        f"searched in {answer.asking * 1000:.0f} ms"
    )
    return "\n\n".join([*blocks, f"{dim}{summary}{left_out}{plain}"])
