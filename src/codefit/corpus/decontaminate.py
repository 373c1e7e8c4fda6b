"""Training rows that hold a benchmark's text: HumanEval, MBPP and CoSQA, when their files are given.

As in GPT-3 (Brown et al. 2020, arXiv:2005.14165, appendix C) a text is contaminated when it shares 13 words in a row
with a benchmark, in lower case and without punctuation. A benchmark's text of fewer words, where no such run fits (a
search query, a solution of one line), counts only when it is the whole text: GPT-3 goes down to 8 words for the same
reason, but 8 words of code are a loop header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codefit.corpus.shingles import TokenHashes, UInt64Array, runs
from codefit.errors import InputError
from codefit.files import read_lines

NGRAM_WORDS = 13

# The fields of each benchmark's rows that a model must not have seen, and those that tell its rows apart.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "HumanEval": ("prompt", "canonical_solution"),
    "MBPP": ("text", "prompt", "code"),
    "CoSQA": ("anchor", "query", "doc", "code"),
}
_IDS = ("task_id", "id", "idx", "positive_id")
_CODE = ("canonical_solution", "code")

_WORD = re.compile(r"\w+")
_DOCSTRING = re.compile(r'[rRuU]?("""|\'\'\').*?\1', re.DOTALL)


class Benchmarks:
    """The benchmarks' runs of words, to ask of each text whether it holds one."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """`texts` are pairs of a name (benchmark and row) and a text."""
        self._hashes = TokenHashes()
        self._names: list[str] = []
        self._whole: dict[bytes, str] = {}
        parts: list[UInt64Array] = []
        for name, text in texts:
            hashes = self._words(text)
            if len(hashes) >= NGRAM_WORDS:
                parts.append(runs(hashes, NGRAM_WORDS))
                self._names.append(name)
            elif len(hashes):
                self._whole.setdefault(hashes.tobytes(), name)
        flat = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        order = np.argsort(flat, kind="stable")
        self._runs = flat[order]
        self._owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order]

    @classmethod
    def read(cls, files: Mapping[str, Sequence[Path]]) -> Benchmarks:
        """From JSONL files of rows as the benchmarks publish them, by the benchmark's name (a key of `FIELDS`)."""
        return cls(text for benchmark, paths in files.items() for path in paths for text in _texts(benchmark, path))

    def contaminated(self, text: str) -> str | None:
        """The first benchmark row, by name, that `text` holds a run of words of; None where it holds none."""
        if not self._names and not self._whole:  # no benchmark is given: spare a million texts their hashing
            return None
        hashes = self._words(text)
        if len(hashes) < NGRAM_WORDS:
            return self._whole.get(hashes.tobytes())
        asked = runs(hashes, NGRAM_WORDS)
        places = np.searchsorted(self._runs, asked)
        inside = places < len(self._runs)
        hits = places[inside][self._runs[places[inside]] == asked[inside]]
        return self._names[self._owner[hits[0]]] if hits.size else None

    def _words(self, text: str) -> UInt64Array:
        words = _WORD.findall(text.lower())
        return self._hashes.of(words)


def _texts(benchmark: str, path: Path) -> Iterator[tuple[str, str]]:
    """The texts of a benchmark's file with their names; code also without its docstrings, as a pair's code is."""
    if benchmark not in FIELDS:
        raise InputError(f"no benchmark is called {benchmark!r}", fix=f"choose from {', '.join(FIELDS)}")
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        row = _row(line, f"{path}:{number}")
        found = [field for field in FIELDS[benchmark] if isinstance(row.get(field), str)]
        if not found:
            raise InputError(f"no row of {benchmark}: it has none of {', '.join(FIELDS[benchmark])}", where=str(path))
        identifier = next((row[key] for key in _IDS if key in row), number)
        name = str(identifier) if str(identifier).startswith(benchmark) else f"{benchmark}/{identifier}"
        for field in found:
            yield name, row[field]
        for field in _CODE:
            if field in found:
                # HumanEval's solution begins where its prompt, the signature and the docstring, ends.
                code = row["prompt"] + row[field] if benchmark == "HumanEval" else row[field]
                yield name, _DOCSTRING.sub("", code)


def _row(line: bytes, place: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InputError(f"not a JSON object ({error})", where=place) from error
