"""A tokenizer from files or pairs: which texts it learns from, which it is measured on, and the report beside it.

The corpus is read twice: once to see how much there is of what, once for the texts that were drawn. Memory is that of
the sample measured and 36 bytes a text, whatever the corpus. What is drawn hangs on each text alone, so that the same
corpus gives the same tokenizer in whatever order its files come.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.corpus.balance import temperature_counts
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import UNKNOWN
from codefit.errors import InputError
from codefit.files import check_writable, write_json
from codefit.models.tokenizer import (
    DEFAULT_VOCAB_SIZE,
    PAD,
    Splitting,
    check_vocab_size,
    compare_with_plain,
    save_tokenizer,
    tokens_per_byte,
    train_tokenizer,
)
from codefit.models.tokenizer_texts import Sample, read_samples
from codefit.progress import Progress
from codefit.records import Document, Pair, Rejects

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_FILE = "tokenizer.json"
REPORT_FILE = "report.json"
REJECTED_FILE = "rejected.jsonl"
DEFAULT_MAX_BYTES = 60_000_000  # more of the same kind of code changes few merges and takes as much longer
HELD_OUT_SHARE = 0.1  # of every language's bytes; the report is of these, which the tokenizer never saw
SEED = 0  # of the hashes that draw: there is one sample of a corpus, not one a run

Read = Callable[[], Iterator[Sample]]
Mask = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer]


def train_from_pairs(
    pairs: Sequence[Pair], vocab_size: int, max_bytes: int, output_folder: Path, *, compare: bool = True
) -> dict[str, Any]:
    """Learn a tokenizer from descriptions and code, write `tokenizer.json` and `report.json`, return the report.

    At most `max_bytes` are learned from, evenly over the languages, from nine in ten sources; the report says
    `tokens_per_byte` of unseen code by language and, with `compare`, that of a plain byte-level BPE of the same size
    learned from the same texts, which takes as long again.
    """

    def read() -> Iterator[Sample]:
        for pair in pairs:
            yield Sample.of_pair(pair.language or UNKNOWN, pair.source, pair.path, pair.anchor, pair.positive)

    return _train(read, vocab_size, max_bytes, output_folder / TOKENIZER_FILE, compare=compare)


def train_from_documents(
    documents: Sequence[Document], vocab_size: int, max_bytes: int, output_folder: Path
) -> dict[str, Any]:
    """The same from whole files, with the splitting and the special tokens of a language model."""
    from codefit.models.language_model import SPECIAL_TOKENS

    def read() -> Iterator[Sample]:
        for document in documents:
            yield Sample.of_pair(
                document.language or UNKNOWN, document.repo or UNKNOWN, document.path, "", document.text
            )

    output = output_folder / TOKENIZER_FILE
    return _train(read, vocab_size, max_bytes, output, compare=False, splitting="qwen2", special_tokens=SPECIAL_TOKENS)


def summary_of(report: Mapping[str, Any]) -> str:
    """A line of a report: pieces, and tokens a byte of unseen code over all languages."""
    languages = report["languages"].values()
    size = sum(entry["bytes"] for entry in languages)
    density = sum(entry["tokens_per_byte"] * entry["bytes"] for entry in languages) / max(1, size)
    return f"{report['vocab_size']:,} pieces, {density:.3f} tokens a byte of unseen code"


def train_tokenizer_from_files(
    files: Sequence[Path],
    output: Path,
    *,
    vocab_size: int = DEFAULT_VOCAB_SIZE,
    max_bytes: int = DEFAULT_MAX_BYTES,
    compare: bool = True,
) -> dict[str, Any]:
    """Learn a tokenizer from files (see `codefit.models.tokenizer_texts`) and write it to `output`.

    `report.json`, which is returned, goes beside it, and `rejected.jsonl` where rows do not fit. Raises `InputError`
    where there is no text, or more than 1 % of the rows of the files do not fit; then no tokenizer is written.
    """
    with Rejects(output.parent / REJECTED_FILE) as rejects:
        first = True

        def read() -> Iterator[Sample]:
            nonlocal first
            counted = rejects if first else Rejects()  # the second reading would count every rejected row again
            first = False
            yield from read_samples(files, counted)

        return _train(read, vocab_size, max_bytes, output, compare=compare, rejects=rejects)


def _train(
    read: Read,
    vocab_size: int,
    max_bytes: int,
    output: Path,
    *,
    compare: bool,
    rejects: Rejects | None = None,
    splitting: Splitting = "identifiers",
    special_tokens: Sequence[str] = (PAD,),
) -> dict[str, Any]:
    if max_bytes <= 0:
        raise InputError(f"max bytes {max_bytes} must be above 0")
    check_vocab_size(vocab_size, special_tokens)
    check_writable(output.parent)
    survey = _survey(read)
    if rejects is not None:
        rejects.check()
    if not len(survey.sizes):
        raise InputError("there is no text to learn a tokenizer from", fix="check that the corpus is not empty")
    held_out = survey.held_out()
    chosen = survey.drawn(~held_out, max_bytes)
    measured = _measured_texts(read, survey.drawn(held_out, max(1, int(HELD_OUT_SHARE * max_bytes))))
    count = int(chosen.sum())
    texts = _shown(_chosen(read, chosen), count, "learning")
    tokenizer = train_tokenizer(texts, vocab_size, splitting=splitting, special_tokens=special_tokens)
    report = {
        "vocab_size": tokenizer.get_vocab_size(),
        "bytes": int(survey.sizes[chosen].sum()),
        "texts": count,
        "corpus_bytes": int(survey.sizes.sum()),
        "languages": _density(tokenizer, _shown(_chosen(read, chosen), count, "learning plain"), measured, compare),
    }
    save_tokenizer(tokenizer, output)
    write_json(output.with_name(REPORT_FILE), report)
    return report


def _density(
    tokenizer: Tokenizer, texts: Iterable[str], measured: dict[str, list[str]], compare: bool
) -> dict[str, dict[str, Any]]:
    if compare:
        return compare_with_plain(tokenizer, texts, measured)
    ours = tokens_per_byte(tokenizer, measured)
    return {
        language: {"bytes": sum(len(text.encode("utf-8")) for text in rows), "tokens_per_byte": ours[language]}
        for language, rows in measured.items()
    }


@dataclass(frozen=True, slots=True)
class _Survey:
    """What is where: for each sample (n,) its language's number, its bytes, and hashes of source, file and text."""

    languages: list[str]
    language: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]
    source: npt.NDArray[np.uint64]
    file: npt.NDArray[np.uint64]
    text: npt.NDArray[np.uint64]
    first: Mask  # whether no sample before has the same text

    def held_out(self) -> Mask:
        """Samples to measure on, (n,): whole sources up to a tenth of each language that they have.

        A language whose every source is larger gives files, and one whose every file is larger, texts: at least one
        where it has two.
        """
        totals = np.bincount(self.language, self.sizes * self.first, minlength=len(self.languages))
        allowed, held = HELD_OUT_SHARE * totals, np.zeros_like(totals)
        mask = np.zeros(len(self.sizes), dtype=np.bool_)
        for keys in (self.source, self.file):
            rows = np.flatnonzero(self.first & (held == 0)[self.language])
            for members in _groups(rows, keys):
                parts = np.bincount(self.language[members], self.sizes[members], minlength=len(totals))
                if (held + parts <= allowed)[parts > 0].all():
                    held += parts
                    mask[members] = True
        for number in np.flatnonzero(held == 0):
            own = np.flatnonzero(self.first & (self.language == number))
            if len(own) > 1:
                mask[self._lowest(own, allowed[number])] = True
        return mask

    def drawn(self, among: Mask, budget: int) -> Mask:
        """Samples of `among` (n,) with at most `budget` bytes, evenly over languages; at least one of each language."""
        rows = np.flatnonzero(among & self.first)
        available = np.bincount(self.language[rows], self.sizes[rows], minlength=len(self.languages))
        # An infinite temperature gives each an equal share; what a language has not goes to the others.
        counts = {name: int(size) for name, size in zip(self.languages, available, strict=True)}
        shares = temperature_counts(counts, math.inf, budget)
        mask = np.zeros(len(self.sizes), dtype=np.bool_)
        for number, share in enumerate(shares.values()):
            own = rows[self.language[rows] == number]
            mask[self._lowest(own, share)] = True
        return mask

    def _lowest(self, rows: IntArray, share: float) -> IntArray:
        """Of `rows` those whose texts hash lowest, within `share` bytes but for the first."""
        order = rows[np.argsort(self.text[rows], kind="stable")]
        return order[: max(1, int(np.searchsorted(np.cumsum(self.sizes[order]), share, side="right")))]


def _groups(rows: IntArray, keys: npt.NDArray[np.uint64]) -> list[IntArray]:
    """The rows that share a key, in the order of the keys: as these are hashes, in random order."""
    _, group_of, counts = np.unique(keys[rows], return_inverse=True, return_counts=True)
    return np.split(rows[np.argsort(group_of, kind="stable")], np.cumsum(counts)[:-1]) if len(rows) else []


def _survey(read: Read) -> _Survey:
    numbers: dict[str, int] = {}
    language, sizes = array("i"), array("q")
    keys = (array("Q"), array("Q"), array("Q"))  # of source, file and text
    with Progress("reading", None, "texts") as progress:
        for sample in read():
            language.append(numbers.setdefault(sample.language, len(numbers)))
            sizes.append(sum(len(text.encode("utf-8", "surrogatepass")) for text in sample.texts))
            keys[0].append(seeded_hash(SEED, sample.source))
            keys[1].append(seeded_hash(SEED, f"{sample.source}\0{sample.file}"))
            keys[2].append(seeded_hash(SEED, "\0".join(sample.texts)))
            progress.advance()
    source, file, text = (np.array(column, dtype=np.uint64) for column in keys)
    first = np.zeros(len(text), dtype=np.bool_)
    first[np.unique(text, return_index=True)[1]] = True
    return _Survey(
        languages=list(numbers),
        language=np.array(language, dtype=np.int32),
        sizes=np.array(sizes, dtype=np.int64),
        source=source,
        file=file,
        text=text,
        first=first,
    )


def _chosen(read: Read, chosen: Mask) -> Iterator[Sample]:
    for sample, wanted in zip(read(), chosen.tolist(), strict=True):
        if wanted:
            yield sample


def _shown(samples: Iterable[Sample], count: int, label: str) -> Iterator[str]:
    """The texts of samples, with progress; the merges that follow them have none, they take a fraction as long."""
    with Progress(label, count, "texts") as progress:
        for sample in samples:
            yield from sample.texts
            progress.advance()


def _measured_texts(read: Read, chosen: Mask) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for sample in _chosen(read, chosen):
        texts.setdefault(sample.language, []).append(sample.measured)
    return dict(sorted(texts.items()))
