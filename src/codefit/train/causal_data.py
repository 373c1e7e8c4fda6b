"""Documents as a causal language model sees them: cut where the code allows, packed into rows, in a curriculum.

A document is the end token, its text, and the end token again: the first predicts its first token, as a document in a
row of others would be read. Its pieces overlap by one token, so that every token is predicted once a pass. Pieces share
rows but never attention. Each length of the curriculum gets the same number of passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.models.language_model import encode_texts, fim_tokens
from codefit.progress import track
from codefit.records import Document
from codefit.source.cuts import cut_levels, cut_text
from codefit.train.fim import MARKS, with_hole
from codefit.train.packing import pack
from codefit.train.trainer import Examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

R = TypeVar("R")
IntArray = npt.NDArray[np.integer]
TokenIds = npt.NDArray[np.int32]
Levels = npt.NDArray[np.int8]  # `Cut` of each line

NAMED_DOCUMENTS = 5  # of a batch, in an error
# A hole brings its marks and an end token, and cuts words in two places, which then take a few tokens more: of 5,410
# holes in Python files 5 wanted more room, and stayed without.
FIM_ROOM = MARKS + 1 + 7
SHORTEST = 2 * FIM_ROOM  # tokens of a length: less holds next to nothing beside a hole
SECONDS_A_FILE = 20.0  # the parser has a limit of its own, which a few inputs break
MIN_FIM_CHARACTERS = 32  # a hole in less leaves nothing to tell its content by


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a document: its ids with the one before them as context, and whether it ends the document.

    `start` and `end` are its characters there, (0, 0) where it was cut inside a line and stands for no text of its own.
    """

    document: int
    start: int
    end: int
    ids: TokenIds
    ends: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Pieces that stand in one row: each with the ids that are read and, one further, predicted.

    Where not all of them are learned, `learned` marks those of each sequence that are, its first left out of account.
    """

    documents: list[int]
    sequences: list[TokenIds]
    learned: list[npt.NDArray[np.bool_]] | None = None

    @property
    def tokens(self) -> int:
        """Tokens that are predicted and learned."""
        if self.learned is not None:
            return sum(int(marked[1:].sum()) for marked in self.learned)
        return sum(len(ids) - 1 for ids in self.sequences)


@dataclass(frozen=True, slots=True)
class CausalBatch:
    """The rows of a step, and the length that the curriculum has come to."""

    rows: list[Row]
    length: int


class RowExamples(Examples[CausalBatch], Protocol):
    """What a causal language model learns from: rows, none longer than `longest` tokens."""

    @property
    def longest(self) -> int:
        """Tokens of the longest row there can be."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """A pass over the documents at one length: the pieces of each row, and for every piece whether it has a hole."""

    number: int
    key: tuple[int, int, int]  # seed, number of the length, number of the pass: what is drawn in it hangs on these
    rows: list[list[int]]
    holes: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Lengths one after another, `passes` over the documents at each; how often a text gets a hole.

    Where `steps` is given, each length gets its share of them instead, whatever passes that makes.
    """

    lengths: tuple[int, ...] = (512,)
    passes: float = 1.0
    steps: int | None = None
    fim_rate: float = 0.0
    spm_rate: float = 0.5


class Tokenize:
    """Texts to ids; `end` ends a document, `marks` are those of a hole, None where the tokenizer has none."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self.end = int(tokenizer.eos_token_id)
        self.marks = fim_tokens(tokenizer)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        return encode_texts(self._tokenizer, texts)


class CausalData:
    """The documents of a training, cut and in order; the same seed gives the same rows from any step on.

    Of `replay`, documents that the base knows already, so much is mixed in that they make `replay_share` of the
    tokens: a pass takes the next of them in a fixed order, from the beginning again where they are used up. Raises
    `InputError` where there is no document, or holes are wanted of a tokenizer without marks for them.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        tokenize: Tokenize,
        curriculum: Curriculum,
        *,
        replay: Sequence[Document] = (),
        replay_share: float = 0.0,
    ) -> None:
        if not documents:
            raise InputError("there is no document to learn from")
        if curriculum.fim_rate > 0 and tokenize.marks is None:
            raise InputError(
                "the tokenizer has no tokens for a hole, which fim_rate asks for", fix="set train.fim_rate to 0"
            )
        if replay_share > 0 and not replay:
            raise InputError("there is no document to replay", fix="set data.replay_share to 0")
        if min(curriculum.lengths) < SHORTEST:
            raise InputError(f"lengths of fewer than {SHORTEST} tokens teach nothing", fix="raise train.lengths")
        self.documents = [*documents, *replay]
        self.tokenize = tokenize
        self.curriculum = curriculum
        self.replay_share = replay_share if replay else 0.0
        self._own = len(documents)
        self._levels = _all_levels(self.documents)
        self._sizes = [self._line_sizes(d.text) for d in self.documents]
        self._pieces: dict[int, list[Piece]] = {}
        self._row_counts: dict[tuple[int, int, int], int] = {}

    @property
    def longest(self) -> int:
        """Tokens of the longest rows."""
        return max(self.curriculum.lengths)

    def steps(self, batch_size: int, *, seed: int) -> int:
        """Steps of the whole curriculum; a broken number of passes takes part of the last one."""
        return sum(self._steps_at(number, batch_size, seed) for number in range(len(self.curriculum.lengths)))

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[CausalBatch]:
        """Batches of `batch_size` rows, length by length; after the last pass at the longest it goes on with that.

        The last batch of a pass has the rows that are left.
        """
        step = 0
        lengths = self.curriculum.lengths
        for number in range(len(lengths)):
            left = self._steps_at(number, batch_size, seed)
            is_last = number == len(lengths) - 1
            number_of_pass = 0
            while left > 0 or is_last:
                one = self._pass(number, number_of_pass, seed)
                for chosen in slices(one.rows, batch_size):
                    if left <= 0 and not is_last:
                        break
                    if step >= first_step:
                        yield self._batch(chosen, one)
                    step += 1
                    left -= 1
                number_of_pass += 1

    def tokens(self, batch: CausalBatch) -> int:
        """Tokens that a batch predicts."""
        return sum(row.tokens for row in batch.rows)

    def notes(self, batch: CausalBatch) -> Mapping[str, float]:
        """The length that the curriculum has come to."""
        return {"length": batch.length}

    def name(self, batch: CausalBatch) -> str:
        """The documents of a batch."""
        paths = dict.fromkeys(self.documents[number].path for row in batch.rows for number in row.documents)
        more = len(paths) - NAMED_DOCUMENTS
        return f"{', '.join(list(paths)[:NAMED_DOCUMENTS])}{f' and {more} more' if more > 0 else ''}"

    def padding(self, batch_size: int) -> dict[str, float]:
        """The share of positions that padding would take if pieces were batched as they come, by length.

        Packed rows stand one after another as one row, which has none.
        """
        found = {}
        for length in dict.fromkeys(self.curriculum.lengths):
            sizes = np.array([len(piece.ids) for piece in self.pieces(length)])
            padded = sum(len(batch) * max(batch) for batch in slices(sizes.tolist(), batch_size))
            found[str(length)] = 1 - int(sizes.sum()) / padded
        return found

    def pieces(self, length: int) -> list[Piece]:
        """The documents cut into pieces of at most `length` tokens, in order."""
        if length not in self._pieces:
            room = length - (FIM_ROOM if self.curriculum.fim_rate > 0 else 0)
            self._pieces[length] = [piece for n in range(len(self.documents)) for piece in self._cut(n, room)]
        return self._pieces[length]

    def text(self, piece: Piece) -> str:
        """The text of a piece, empty where it was cut inside a line."""
        return self.documents[piece.document].text[piece.start : piece.end]

    def _line_sizes(self, text: str) -> npt.NDArray[np.int32]:
        """Tokens of each line with its line feed; the last line's, which has none, is room for the end token."""
        ids = self.tokenize([line + "\n" for line in text.split("\n")])
        return np.array([len(own) for own in ids], dtype=np.int32)

    def _cut(self, number: int, length: int) -> Iterator[Piece]:
        text = self.documents[number].text
        lines = text.split("\n")
        most = length - 1  # one token is the context's
        cuts = cut_text(self._sizes[number].tolist(), self._levels[number].tolist(), most)
        texts = ["\n".join(lines[start:end]) + ("\n" if end < len(lines) else "") for start, end in cuts]
        context = self.tokenize.end
        end = 0
        for place, (own, ids) in enumerate(zip(texts, self.tokenize(texts), strict=True)):
            first, end = end, end + len(own)
            last = place == len(texts) - 1
            whole = [*ids, self.tokenize.end] if last else ids
            # A line may be longer than a piece can be; what is cut inside it is cut at a token.
            for start in range(0, len(whole), most):
                part = whole[start : start + most]
                span = (first, end) if len(part) == len(whole) else (0, 0)
                ids_read = np.array([context, *part], dtype=np.int32)
                yield Piece(number, *span, ids_read, last and start + most >= len(whole))
                context = part[-1]

    def _steps_at(self, number: int, batch_size: int, seed: int) -> int:
        if self.curriculum.steps is not None:
            share, rest = divmod(self.curriculum.steps, len(self.curriculum.lengths))
            return share + (number < rest)
        whole, part = divmod(self.curriculum.passes, 1)
        steps = sum(self._steps_of_pass(number, n, batch_size, seed) for n in range(int(whole)))
        if part > 0:
            steps += max(1, round(part * self._steps_of_pass(number, int(whole), batch_size, seed)))
        return steps

    def _steps_of_pass(self, number: int, number_of_pass: int, batch_size: int, seed: int) -> int:
        key = (seed, number, number_of_pass)
        if key not in self._row_counts:
            self._row_counts[key] = len(self._pass(number, number_of_pass, seed).rows)
        return -(-self._row_counts[key] // batch_size)

    def _pass(self, number: int, number_of_pass: int, seed: int) -> _Pass:
        """The rows of a pass in the order in which they are learned from; holes have their room in them."""
        length = self.curriculum.lengths[number]
        pieces = self.pieces(length)
        key = (seed, number, number_of_pass)
        draw = np.random.default_rng(key)
        sizes = np.array([len(piece.ids) for piece in pieces])
        may_have_hole = np.array([piece.end - piece.start >= MIN_FIM_CHARACTERS for piece in pieces])
        holes = may_have_hole & (draw.random(len(pieces)) < self.curriculum.fim_rate)
        is_own = np.array([piece.document < self._own for piece in pieces])
        replayed = self._replayed(np.flatnonzero(~is_own), sizes, int(sizes[is_own].sum()), key)
        chosen = np.concatenate([np.flatnonzero(is_own), replayed])
        shuffled = chosen[draw.permutation(len(chosen))]
        rows = pack((sizes + FIM_ROOM * holes)[shuffled], length)
        order = draw.permutation(len(rows))
        return _Pass(number, key, [shuffled[rows[row]].tolist() for row in order], holes)

    def _replayed(self, others: IntArray, sizes: IntArray, own_tokens: int, key: tuple[int, int, int]) -> IntArray:
        """The pieces of replay that a pass takes: the next in a shuffled order, from the beginning again at its end."""
        if not self.replay_share or not len(others):
            return np.zeros(0, dtype=np.int64)
        seed, number, number_of_pass = key
        wanted = own_tokens * self.replay_share / (1 - self.replay_share)
        others = others[np.random.default_rng([seed, number]).permutation(len(others))]
        total = int(sizes[others].sum())
        first = wanted * number_of_pass % total
        several = np.tile(others, int((first + wanted) // total) + 1)
        starts = np.cumsum(sizes[several]) - sizes[several]
        chosen: IntArray = several[(starts >= first) & (starts < first + wanted)]
        return chosen

    def _batch(self, rows: Sequence[Sequence[int]], one: _Pass) -> CausalBatch:
        length = self.curriculum.lengths[one.number]
        pieces = self.pieces(length)
        made = [
            Row([pieces[n].document for n in row], [self._sequence(pieces[n], n, one) for n in row]) for row in rows
        ]
        return CausalBatch(made, length)

    def _sequence(self, piece: Piece, number: int, one: _Pass) -> TokenIds:
        """A piece's ids, with a hole where the pass has one: what is drawn hangs on the pass and the piece alone."""
        marks = self.tokenize.marks
        if marks is None or not one.holes[number]:
            return piece.ids
        draw = np.random.default_rng([*one.key, number])
        ids = with_hole(self.text(piece), marks, self.tokenize, draw, spm_rate=self.curriculum.spm_rate)
        whole = np.array([self.tokenize.end, *ids, self.tokenize.end], dtype=np.int32)
        return whole if len(whole) <= len(piece.ids) + FIM_ROOM else piece.ids


def _all_levels(documents: Sequence[Document]) -> list[Levels]:
    """Where each document may be cut. One that cannot be parsed in time still has its lines."""
    outcomes = map_records(_levels, documents, seconds_per_item=SECONDS_A_FILE)
    levels = []
    for outcome in track(outcomes, "cut", total=len(documents), unit="files"):
        found = outcome.value
        if found is None:
            found = _as_levels(documents[outcome.index].text, None)
        levels.append(found)
    return levels


def _levels(document: Document) -> Levels:
    return _as_levels(document.text, document.language)


def _as_levels(text: str, language: str | None) -> Levels:
    return np.array(cut_levels(text, language), dtype=np.int8)


def slices(rows: Sequence[R], size: int) -> Iterator[Sequence[R]]:
    """The rows in runs of `size`, the last of what is left."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
