"""How surprising documents are to a causal language model: perplexity a token and bits a byte, with intervals.

Every token of a document is scored exactly once, the first one after the document separator as its only context: the
token that the tokenizer has for the begin of a text, or where it has none the end token, which stands between two
documents in training. The separator itself and the end of a document are not scored, so that a document costs what
its own text costs. Tokens in the middle have at least `window - stride` tokens of their document before them.

Perplexity is exp(nats / tokens), summed over all documents first, so that a token weighs the same in a long file and
in a short one. Bits a byte is nats / ln 2 / bytes of the text in UTF-8 as it was given, and can be compared between
tokenizers, which perplexity cannot.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.evaluate.intervals import Estimate, bootstrap_ratio
from codefit.evaluate.token_nats import Scorer, Window, windows_of
from codefit.models.language_model import LanguageModel, encode_texts
from codefit.records import Document

FloatArray = npt.NDArray[np.float64]

TOP = "."  # the directory of a file that lies in none
DEFAULT_WINDOW = 1536  # the longest texts that the recipes train on; a model made for fewer tokens has its own
# Characters that are cut into tokens at once: the tokenizer's threads are busy, and memory stays flat.
TEXT_BUFFER = 1 << 18
# Windows wait for each other until they fill this many batches: enough of each length that little is padding.
BUFFERED_BATCHES = 16


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """What one document cost: `nats` over `tokens`, and its `bytes` in UTF-8."""

    path: str
    directory: str
    repo: str | None
    language: str | None
    tokens: int
    bytes: int
    nats: float


@dataclass(frozen=True, slots=True)
class PerplexityReport:
    """The documents in the order in which they came, and the window that scored them."""

    scores: tuple[DocumentScore, ...]
    window: int
    stride: int

    @property
    def perplexity(self) -> float:
        """exp(nats / tokens) over all documents."""
        return math.exp(sum(score.nats for score in self.scores) / sum(score.tokens for score in self.scores))

    @property
    def bits_per_byte(self) -> float:
        """nats / ln 2 / bytes over all documents."""
        return sum(score.nats for score in self.scores) / math.log(2) / sum(score.bytes for score in self.scores)

    def summary(self) -> dict[str, Any]:
        """perplexity, bits_per_byte, tokens, bytes, documents, and ci95 of both by bootstrap over the documents."""
        return summarize(self.scores)

    def by_directory(self, depth: int) -> dict[str, dict[str, Any]]:
        """`summary` of each directory, by the first `depth` parts of its name, the most surprising first.

        A name begins with the repository where there are several. Directories whose files hold no token are left out.
        """
        several = len({score.repo for score in self.scores}) > 1
        groups: dict[str, list[DocumentScore]] = {}
        for score in self.scores:
            parts = [] if score.directory == TOP else score.directory.split("/")[:depth]
            if several:
                parts = [score.repo or TOP, *parts]
            groups.setdefault("/".join(parts) or TOP, []).append(score)
        found = {name: summarize(scores) for name, scores in groups.items() if any(score.tokens for score in scores)}
        return dict(sorted(found.items(), key=lambda item: (-item[1]["perplexity"], item[0])))


@dataclass(frozen=True, slots=True)
class Change:
    """The change of perplexity as a share of what it was (-0.3: it fell by 30 %), with the ends of its interval."""

    perplexity: float
    low: float
    high: float

    def summary(self) -> dict[str, Any]:
        """`{"perplexity": ..., "ci95": [low, high]}`."""
        return {"perplexity": self.perplexity, "ci95": [self.low, self.high]}


def evaluate_perplexity(
    language_model: LanguageModel,
    documents: Iterable[Document],
    *,
    window: int,
    stride: int,
    max_documents: int | None = None,
) -> PerplexityReport:
    """Score documents (the first `max_documents` of them) with windows of `window` tokens, `stride` apart.

    Documents are read as they are scored; of each only its sums are kept. Dropout is off while this runs. Raises
    `InputError` for a window that the model was not made for, a stride that leaves no context, and documents without
    any token; `CodefitError` where the model's figures are not finite.
    """
    check_window(window, stride, language_model.context)
    model = language_model.model
    was_training = model.training
    model.eval()
    try:
        scores = tuple(_scores(language_model, islice(documents, max_documents), window, stride))
    finally:
        model.train(was_training)
    if not any(score.tokens for score in scores):
        raise InputError("the documents hold no text to score", fix="check what is evaluated")
    return PerplexityReport(scores, window, stride)


def check_window(window: int, stride: int, context: int) -> None:
    """Raise `InputError` where windows would be longer than the context, or leave a token without context."""
    if not 2 <= window <= context:
        raise InputError(f"a window of {window} tokens", fix=f"choose 2 to {context}, the model's context")
    if not 1 <= stride < window:
        raise InputError(f"a stride of {stride} for a window of {window} tokens", fix=f"choose 1 to {window - 1}")


def compare(before: PerplexityReport, after: PerplexityReport) -> Change:
    """The change of perplexity from one model to another on the same documents, resampling the same ones for both.

    Both sums are over the same tokens, so the ratio of perplexities is exp of the difference a token. Raises
    `InputError` where documents, tokens or windows differ.
    """
    if (before.window, before.stride) != (after.window, after.stride):
        raise InputError("before and after were scored with other windows", fix="evaluate both with the same")
    if [(s.repo, s.path, s.bytes) for s in before.scores] != [(s.repo, s.path, s.bytes) for s in after.scores]:
        raise InputError("before and after were scored on other documents", fix="evaluate both on the same")
    if [score.tokens for score in before.scores] != [score.tokens for score in after.scores]:
        raise InputError("before and after cut the documents into other tokens", fix="compare their bits per byte")
    found = bootstrap_ratio(_column(after.scores, "nats") - _column(before.scores, "nats"), _tokens(before.scores))
    return Change(*(math.expm1(value) for value in found))


def summarize(scores: Sequence[DocumentScore]) -> dict[str, Any]:
    """`PerplexityReport.summary` of some of its documents, at least one of them with a token."""
    nats, tokens, sizes = _column(scores, "nats"), _tokens(scores), _column(scores, "bytes")
    per_token = Estimate(*(math.exp(value) for value in bootstrap_ratio(nats, tokens)))
    per_byte = bootstrap_ratio(nats / math.log(2), sizes)
    return {
        "perplexity": per_token.mean,
        "bits_per_byte": per_byte.mean,
        "tokens": int(tokens.sum()),
        "bytes": int(sizes.sum()),
        "documents": len(scores),
        "ci95": {
            "perplexity": [per_token.low, per_token.high],
            "bits_per_byte": [per_byte.low, per_byte.high],
        },
    }


def _column(scores: Sequence[DocumentScore], name: str) -> FloatArray:
    return np.array([getattr(score, name) for score in scores], dtype=np.float64)


def _tokens(scores: Sequence[DocumentScore]) -> FloatArray:
    return _column(scores, "tokens")


def _scores(
    language_model: LanguageModel, documents: Iterable[Document], window: int, stride: int
) -> Iterator[DocumentScore]:
    """The score of each document in turn; windows of many documents are scored together."""
    scorer = Scorer(language_model.model)
    begin = language_model.tokenizer.bos_token_id
    separator = [language_model.end if begin is None else begin]
    waiting: list[DocumentScore] = []
    windows: list[Window] = []
    tokens = 0
    for batch in _text_batches(documents):
        encoded = encode_texts(language_model.tokenizer, [document.text for document in batch])
        for document, ids in zip(batch, encoded, strict=True):
            sequence = np.array(separator + ids, dtype=np.int32)
            windows.extend(windows_of(len(waiting), sequence, window=window, stride=stride))
            waiting.append(_unscored(document, len(ids)))
            tokens += len(ids)
        if tokens >= BUFFERED_BATCHES * scorer.batch_tokens:
            yield from _scored(waiting, windows, scorer)
            waiting, windows, tokens = [], [], 0
    yield from _scored(waiting, windows, scorer)


def _scored(documents: list[DocumentScore], windows: list[Window], scorer: Scorer) -> Iterator[DocumentScore]:
    """The documents with their nats; `windows` are theirs."""
    of = np.array([window.document for window in windows], dtype=np.int64)
    sums = np.bincount(of, weights=scorer.nats(windows), minlength=len(documents))
    for score, nats in zip(documents, sums.tolist(), strict=True):
        if not math.isfinite(nats):
            raise CodefitError(
                f"the model's figures are not finite ({scorer.model.dtype})",
                where=score.path,
                fix="evaluate in float32; where they are not finite there either, the weights are broken",
            )
        yield replace(score, nats=nats)


def _unscored(document: Document, tokens: int) -> DocumentScore:
    return DocumentScore(
        path=document.path,
        directory=document.path.rpartition("/")[0] or TOP,
        repo=document.repo,
        language=document.language,
        tokens=tokens,
        bytes=len(document.text.encode("utf-8", "replace")),
        nats=0.0,
    )


def _text_batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """The documents in lists of about `TEXT_BUFFER` characters."""
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if characters >= TEXT_BUFFER:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
