"""Documents as a causal language model sees them: cut where the code allows, packed into rows, in a curriculum.

A document is the end token, its text, and the end token again: the first predicts its first token, as a document in a
row of others would be read. Its pieces overlap by one token, so that every token is predicted once a pass. Pieces share
rows but never attention. Each length of the curriculum gets the same number of passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.models.language_model import encode_texts, fim_tokens
from codefit.progress import track
from codefit.records import Document
from codefit.source.cuts import Cut, cut_levels, cut_text
from codefit.train.fim import MARKS, with_hole
from codefit.train.packing import pack

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IntArray = npt.NDArray[np.integer]
TokenIds = npt.NDArray[np.int32]

NAMED_DOCUMENTS = 5  # of a batch, in an error
# A hole cuts words in two places, which then take a few tokens more, and brings its marks.
FIM_ROOM = MARKS + 8
SECONDS_A_FILE = 20.0  # the parser has a limit of its own, which a few inputs break
MIN_FIM_CHARACTERS = 32  # a hole in less leaves nothing to tell its content by


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a document: `text` as it stands there, its ids with one of context before, whether it ends the file."""

    document: int
    text: str
    ids: TokenIds
    context: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Pieces that stand in one row: each with the ids that are read and, one further, predicted."""

    documents: list[int]
    sequences: list[TokenIds]

    @property
    def tokens(self) -> int:
        """Tokens that are predicted."""
        return sum(len(ids) - 1 for ids in self.sequences)


@dataclass(frozen=True, slots=True)
class CausalBatch:
    """The rows of a step, and the length that the curriculum has come to."""

    rows: list[Row]
    length: int


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
        self.documents = [*documents, *replay]
        self.tokenize = tokenize
        self.curriculum = curriculum
        self.replay_share = replay_share if replay else 0.0
        self._own = len(documents)
        self._levels = _all_levels(self.documents)
        self._sizes = [self._line_sizes(d.text) for d in self.documents]
        self._pieces: dict[int, list[Piece]] = {}

    def steps(self, batch_size: int, *, seed: int) -> int:
        """Steps of the whole curriculum; a broken number of passes takes part of the last one."""
        return sum(self._steps_at(number, batch_size, seed) for number in range(len(self.curriculum.lengths)))

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[CausalBatch]:
        """Batches of `batch_size` rows, length by length; after the last pass at the longest it goes on with that."""
        step = 0
        lengths = self.curriculum.lengths
        for number, length in enumerate(lengths):
            left = self._steps_at(number, batch_size, seed)
            number_of_pass = 0
            while left > 0 or number == len(lengths) - 1:
                rows = self._pass_rows(number, number_of_pass, seed)
                for chosen in _slices(rows, batch_size):
                    if left <= 0 and number < len(lengths) - 1:
                        break
                    if step >= first_step:
                        yield self._batch(chosen, length, number, number_of_pass, seed)
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
        """The share of positions that padding would take, by length: of pieces batched as they come, and packed."""
        found = {}
        for length in dict.fromkeys(self.curriculum.lengths):
            sizes = np.array([len(piece.ids) for piece in self.pieces(length)])
            batches = [sizes[start : start + batch_size] for start in range(0, len(sizes), batch_size)]
            padded = sum(len(batch) * int(batch.max()) for batch in batches)
            found[str(length)] = 1 - int(sizes.sum()) / padded
        return found

    def pieces(self, length: int) -> list[Piece]:
        """The documents cut into pieces of at most `length` tokens, in order."""
        if length not in self._pieces:
            room = length - (FIM_ROOM if self.curriculum.fim_rate > 0 else 0)
            self._pieces[length] = [piece for n in range(len(self.documents)) for piece in self._cut(n, room)]
        return self._pieces[length]

    def _line_sizes(self, text: str) -> list[int]:
        """Tokens of each line, counted with its line feed."""
        ids = self.tokenize([line + "\n" for line in text.split("\n")])
        return [len(own) for own in ids]

    def _cut(self, number: int, length: int) -> Iterator[Piece]:
        text = self.documents[number].text
        lines = text.split("\n")
        cuts = cut_text(self._sizes[number], self._levels[number], length - 1)  # one token is the context's
        texts = ["\n".join(lines[start:end]) + ("\n" if end < len(lines) else "") for start, end in cuts]
        context = self.tokenize.end
        for place, (own, ids) in enumerate(zip(texts, self.tokenize(texts), strict=True)):
            last = place == len(texts) - 1
            whole = [*ids, self.tokenize.end] if last else ids
            if not whole:
                continue
            # A line may be longer than a piece can be; what is cut inside it is cut at a token.
            for start in range(0, len(whole), length - 1):
                part = whole[start : start + length - 1]
                is_whole = len(part) == len(whole)
                yield Piece(
                    number,
                    own if is_whole else "",
                    np.array([context, *part], dtype=np.int32),
                    context,
                    last and start + length - 1 >= len(whole),
                )
                context = part[-1]

    def _steps_at(self, number: int, batch_size: int, seed: int) -> int:
        if self.curriculum.steps is not None:
            share, rest = divmod(self.curriculum.steps, len(self.curriculum.lengths))
            return share + (number < rest)
        whole, part = divmod(self.curriculum.passes, 1)
        steps = sum(-(-len(self._pass_rows(number, n, seed)) // batch_size) for n in range(int(whole)))
        if part > 0:
            steps += max(1, round(part * -(-len(self._pass_rows(number, int(whole), seed)) // batch_size)))
        return steps

    def _pass_rows(self, number: int, number_of_pass: int, seed: int) -> list[list[int]]:
        """Piece numbers of each row of a pass, in the order in which they are learned from."""
        length = self.curriculum.lengths[number]
        pieces = self.pieces(length)
        own = np.array([n for n, piece in enumerate(pieces) if piece.document < self._own])
        sizes = np.array([len(piece.ids) for piece in pieces])
        chosen = np.concatenate([own, self._replayed(pieces, sizes, int(sizes[own].sum()), number_of_pass, seed)])
        draw = np.random.default_rng([seed, number, number_of_pass])
        shuffled = chosen[draw.permutation(len(chosen))]
        rows = pack(sizes[shuffled], length)
        order = draw.permutation(len(rows))
        return [[int(shuffled[piece]) for piece in rows[row]] for row in order]

    def _replayed(
        self, pieces: Sequence[Piece], sizes: IntArray, own_tokens: int, number_of_pass: int, seed: int
    ) -> IntArray:
        """The pieces of replay that a pass takes: the next in a shuffled order, from the beginning again at its end."""
        others = np.array([n for n, piece in enumerate(pieces) if piece.document >= self._own], dtype=np.int64)
        if not self.replay_share or not len(others):
            return np.zeros(0, dtype=np.int64)
        wanted = own_tokens * self.replay_share / (1 - self.replay_share)
        others = others[np.random.default_rng([seed]).permutation(len(others))]
        ends = np.cumsum(sizes[others])
        first = wanted * number_of_pass
        rounds = int((first + wanted) // ends[-1]) + 1
        long = np.tile(others, rounds)
        starts = np.concatenate([[0], np.cumsum(sizes[long])[:-1]])
        chosen: IntArray = long[(starts >= first) & (starts < first + wanted)]
        return chosen

    def _batch(
        self, rows: Sequence[Sequence[int]], length: int, number: int, number_of_pass: int, seed: int
    ) -> CausalBatch:
        pieces = self.pieces(length)
        return CausalBatch(
            [
                Row(
                    [pieces[n].document for n in row],
                    [self._sequence(pieces[n], n, length, (seed, number, number_of_pass)) for n in row],
                )
                for row in rows
            ],
            length,
        )

    def _sequence(self, piece: Piece, number: int, length: int, key: tuple[int, int, int]) -> TokenIds:
        """A piece's ids, with a hole where the draw says so: what is drawn hangs on the pass and the piece alone."""
        marks, rate = self.tokenize.marks, self.curriculum.fim_rate
        if rate == 0 or marks is None or len(piece.text) < MIN_FIM_CHARACTERS:
            return piece.ids
        draw = np.random.default_rng([*key, number])
        if draw.random() >= rate:
            return piece.ids
        ids = with_hole(piece.text, marks, self.tokenize, draw, spm_rate=self.curriculum.spm_rate)
        whole = np.array([self.tokenize.end, *ids, self.tokenize.end], dtype=np.int32)
        return whole if len(whole) <= length + 1 else piece.ids


def _all_levels(documents: Sequence[Document]) -> list[list[Cut]]:
    """Where each document may be cut. One that cannot be parsed in time still has its lines."""
    outcomes = map_records(_levels, documents, seconds_per_item=SECONDS_A_FILE)
    levels = []
    for outcome in track(outcomes, "cut", total=len(documents), unit="files"):
        found = outcome.value
        levels.append(found if found is not None else cut_levels(documents[outcome.index].text, None))
    return levels


def _levels(document: Document) -> list[Cut]:
    return cut_levels(document.text, document.language)


def _slices(rows: Sequence[Sequence[int]], size: int) -> Iterator[Sequence[Sequence[int]]]:
    for start, end in pairwise([*range(0, len(rows), size), len(rows)]):
        yield rows[start:end]
