"""Documents on their way to rows: every token once a pass, no row too long, the same rows from any step on."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

from codefit.errors import InputError
from codefit.models.language_model import encode_texts
from codefit.records import Document
from codefit.train import causal_data
from codefit.train.causal_data import CausalBatch, CausalData, Curriculum, Tokenize
from small_models import standard_functions
from tiny_language_models import tiny_language_model

TOKENIZER = tiny_language_model().tokenizer
TOKENIZE = Tokenize(TOKENIZER)
BATCH = 4


def make_documents(count: int, seed: int = 0) -> list[Document]:
    """Files of functions, of very different lengths, with the hard cases among them."""
    draw = random.Random(seed)
    texts = ["\n\n".join(draw.sample(standard_functions(), draw.randint(1, 5))) + "\n" for _ in range(count)]
    hard = ["", "\n", "x", "no line feed = 1", "a = '" + "é漢🙂z" * 60 + "'\nb = 2\n", "def f():\r\n    pass\r\n\r\n"]
    return [Document(f"f{n}.py", text, "python", "here") for n, text in enumerate([*hard, *texts])]


DOCUMENTS = make_documents(12)
OTHERS = make_documents(30, seed=1)


@pytest.fixture(autouse=True)
def parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are parsed by processes, whose start is most of what a small corpus costs: once for each corpus."""
    monkeypatch.setattr(causal_data, "_all_levels", lambda documents: _parsed(tuple(documents)))


_all_levels = causal_data._all_levels


@cache
def _parsed(documents: tuple[Document, ...]) -> Any:
    return _all_levels(documents)


def make_data(documents: Sequence[Document] = DOCUMENTS, **more: Any) -> CausalData:
    """Made once for the same arguments: what it gives hangs on the seed and the step alone."""
    replay = tuple(more.pop("replay", ()))
    share = more.pop("replay_share", 0.0)
    return _made(tuple(documents), Curriculum(**{"lengths": (64,), **more}), replay, share)


@cache
def _made(
    documents: tuple[Document, ...], curriculum: Curriculum, replay: tuple[Document, ...], share: float
) -> CausalData:
    return CausalData(documents, TOKENIZE, curriculum, replay=replay, replay_share=share)


def make_anew(documents: Sequence[Document] = DOCUMENTS, **more: Any) -> CausalData:
    _made.cache_clear()
    return make_data(documents, **more)


def take(data: CausalData, count: int | None = None, first: int = 0, seed: int = 0) -> list[CausalBatch]:
    count = data.steps(BATCH, seed=seed) if count is None else count
    return list(islice(data.batches(BATCH, seed=seed, first_step=first), count))


def sequences(batches: Sequence[CausalBatch]) -> list[tuple[int, tuple[int, ...]]]:
    """Document and ids of each sequence, in order."""
    return [
        (number, tuple(ids.tolist()))
        for batch in batches
        for row in batch.rows
        for number, ids in zip(row.documents, row.sequences, strict=True)
    ]


def as_lists(batches: Sequence[CausalBatch]) -> list[Any]:
    return [
        (batch.length, [(row.documents, [ids.tolist() for ids in row.sequences]) for row in batch.rows])
        for batch in batches
    ]


def decode(ids: Sequence[int]) -> str:
    return TOKENIZER.backend_tokenizer.decode(list(ids), skip_special_tokens=False)


def has_hole(ids: Sequence[int]) -> bool:
    assert TOKENIZE.marks is not None
    return TOKENIZE.marks.middle in ids


@pytest.mark.parametrize("length", [22, 40, 64, 200])
def test_pieces_are_the_document(length: int) -> None:
    data = make_data(lengths=(length,))
    by_document = defaultdict(list)
    for piece in data.pieces(length):
        assert 2 <= len(piece.ids) <= length
        by_document[piece.document].append(piece)
    assert sorted(by_document) == list(range(len(DOCUMENTS)))
    for number, pieces in by_document.items():
        text = DOCUMENTS[number].text
        assert [piece.ends for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert pieces[0].ids[0] == TOKENIZE.end
        for piece, following in pairwise(pieces):
            assert following.ids[0] == piece.ids[-1]
        predicted = [token for piece in pieces for token in piece.ids[1:].tolist()]
        assert predicted.count(TOKENIZE.end) == 1
        assert predicted[-1] == TOKENIZE.end
        assert decode(predicted[:-1]) == text
        # What has a text of its own is that text, in order.
        own = [(piece.start, piece.end) for piece in pieces if piece.end]
        assert own == sorted(own)
        for piece in pieces:
            if piece.end:
                ids = piece.ids[1:-1] if piece.ends else piece.ids[1:]
                assert ids.tolist() == encode_texts(TOKENIZER, [data.text(piece)])[0]
                assert text[piece.start : piece.end] == data.text(piece)


def test_a_line_longer_than_a_piece_is_cut_at_tokens() -> None:
    text = "start = 1\n" + "x = '" + "ab" * 200 + "'\nend = 2\n"
    data = make_data([Document("long.py", text, "python")], lengths=(24,))
    pieces = data.pieces(24)
    inside = [piece for piece in pieces if not piece.end]
    assert len(inside) > 3
    assert all(len(piece.ids) == 24 for piece in inside[:-1])
    assert all(data.text(piece) == "" for piece in inside)
    assert decode([token for piece in pieces for token in piece.ids[1:].tolist()][:-1]) == text


def test_pieces_begin_where_the_code_allows() -> None:
    body = "def {name}(a):\n    b = a + 1\n\n    return b\n\n\n"
    text = "".join(body.format(name=name) for name in "abcdefgh")
    size = len(encode_texts(TOKENIZER, [body.format(name="a")])[0])
    data = make_data([Document("a.py", text, "python")], lengths=(int(2.9 * size),))
    starts = [data.text(piece)[:4] for piece in data.pieces(int(2.9 * size))]
    assert starts == ["def "] * 4
    other = make_data([Document("a.txt", text, None)], lengths=(int(2.9 * size),))
    assert [other.text(piece)[:4] for piece in other.pieces(int(2.9 * size))] != starts


def test_every_token_is_predicted_once_a_pass() -> None:
    data = make_data(passes=2.0)
    steps = data.steps(BATCH, seed=0) // 2
    expected = Counter({n: len(encode_texts(TOKENIZER, [document.text])[0]) for n, document in enumerate(DOCUMENTS)})
    pieces = Counter((piece.document, tuple(piece.ids.tolist())) for piece in data.pieces(64))
    first, second = take(data, steps), take(data, steps, first=steps)
    for batches in (first, second):
        assert Counter(sequences(batches)) == pieces
    tokens = Counter()
    for number, ids in sequences(first):
        tokens[number] += len(ids) - 1
    assert tokens.keys() == expected.keys()
    # Cutting at lines may join a token less than the whole text has, never lose one.
    assert all(count >= expected[number] + 1 for number, count in tokens.items())
    assert sum(tokens.values()) <= 1.01 * (sum(expected.values()) + len(expected))
    assert [ids for _, ids in sequences(first)] != [ids for _, ids in sequences(second)]
    assert sum(data.tokens(batch) for batch in first) == sum(tokens.values())


@pytest.mark.parametrize("fim_rate", [0.0, 0.5, 1.0])
def test_no_row_is_longer_than_its_stage(fim_rate: float) -> None:
    data = make_data(lengths=(40, 64, 128), fim_rate=fim_rate)
    lengths = []
    for batch in take(data):
        lengths.append(batch.length)
        assert 1 <= len(batch.rows) <= BATCH
        assert data.notes(batch) == {"length": batch.length}
        for row in batch.rows:
            assert sum(len(ids) for ids in row.sequences) <= batch.length
            assert row.tokens == sum(len(ids) - 1 for ids in row.sequences)
    assert lengths == sorted(lengths)
    assert set(lengths) == {40, 64, 128}


def test_rows_are_nearly_full() -> None:
    data = make_data(OTHERS, lengths=(128,))
    fills = [sum(len(ids) for ids in row.sequences) / 128 for batch in take(data) for row in batch.rows]
    assert np.mean(fills) > 0.9


@pytest.mark.parametrize(
    ("passes", "steps"), [(1.0, None), (3.0, None), (0.3, None), (2.4, None), (0.001, None), (1.0, 11), (1.0, 2)]
)
@pytest.mark.parametrize("lengths", [(64,), (40, 64, 128), (64, 64)])
def test_steps_are_those_of_the_batches(passes: float, steps: int | None, lengths: tuple[int, ...]) -> None:
    data = make_data(lengths=lengths, passes=passes, steps=steps, fim_rate=0.3)
    count = data.steps(BATCH, seed=0)
    seen = Counter(batch.length for batch in take(data, count + 3))
    if steps is not None:
        assert count == steps
        share, rest = divmod(steps, len(lengths))
        wanted = Counter()
        for number, length in enumerate(lengths):
            wanted[length] += share + (number < rest)
    else:
        wanted = Counter()
        for length in lengths:
            # A stage by itself, but for its draws, which change a row here and there.
            one = make_data(lengths=(length,), fim_rate=0.3).steps(BATCH, seed=0)
            wanted[length] += max(1, round(passes * one))
    wanted[lengths[-1]] += 3  # it goes on without end
    for length in set(lengths):
        assert abs(seen[length] - wanted[length]) <= (0 if steps is not None else 1 + passes), (seen, wanted)
    assert sum(seen.values()) == count + 3


def test_whole_passes_end_where_the_stage_does() -> None:
    data = make_data(lengths=(40, 64), passes=2.0)
    for length in (40, 64):
        of_stage = [batch for batch in take(data) if batch.length == length]
        pieces = Counter((piece.document, tuple(piece.ids.tolist())) for piece in data.pieces(length))
        assert Counter(sequences(of_stage)) == pieces + pieces


@pytest.mark.parametrize("more", [{"passes": 1.6}, {"steps": 23}])
def test_from_any_step_on_the_batches_are_the_same(more: dict[str, Any]) -> None:
    made = {"lengths": (40, 64), "fim_rate": 0.5, "replay": OTHERS[:8], "replay_share": 0.2, **more}
    data = make_data(**made)
    whole = as_lists(take(data, 40))
    resumed = make_anew(**made)
    for first in (0, 1, 7, 12, 20, 33, 39):
        assert as_lists(take(resumed, 40 - first, first=first)) == whole[first:]


def test_the_seed_decides() -> None:
    data = make_data(fim_rate=0.5)
    assert as_lists(take(data, 9, seed=0)) == as_lists(take(make_anew(fim_rate=0.5), 9, seed=0))
    assert as_lists(take(data, 9, seed=0)) != as_lists(take(data, 9, seed=1))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_replay_makes_its_share_of_the_tokens(share: float) -> None:
    own = OTHERS[:10]
    data = make_data(own, replay=OTHERS[10:], replay_share=share)
    seen = sequences(take(data))
    tokens = [len(ids) for number, ids in seen if number < len(own)]
    replayed = [len(ids) for number, ids in seen if number >= len(own)]
    assert sum(replayed) / (sum(replayed) + sum(tokens)) == pytest.approx(share, abs=0.03)
    assert Counter(number for number, _ in seen if number < len(own)) == Counter(
        piece.document for piece in data.pieces(64) if piece.document < len(own)
    )
    assert {data.documents[number].path for number, _ in seen} <= {document.path for document in OTHERS}


def test_later_passes_take_other_replay_until_all_is_used() -> None:
    own, replay = OTHERS[6:10], OTHERS[10:]
    data = make_data(own, replay=replay, replay_share=0.1, passes=3.0)
    steps = data.steps(BATCH, seed=0) // 3
    taken = []
    for number in range(3):
        seen = sequences(take(data, steps, first=number * steps))
        taken.append({ids for document, ids in seen if document >= len(own)})
    assert all(taken)
    assert not taken[0] & taken[1]
    assert not taken[1] & taken[2]
    assert not taken[0] & taken[2]


def test_scarce_replay_begins_again() -> None:
    own, replay = OTHERS[6:14], OTHERS[20:21]
    data = make_data(own, replay=replay, replay_share=0.5)
    seen = sequences(take(data))
    counts = Counter(ids for number, ids in seen if number >= len(own))
    pieces = [piece for piece in data.pieces(64) if piece.document >= len(own)]
    assert len(counts) == len(pieces)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert min(counts.values()) > 1


def test_without_a_share_replay_is_not_read() -> None:
    data = make_data(OTHERS[:4], replay=OTHERS[4:], replay_share=0.0)
    assert {number for number, _ in sequences(take(data))} == {0, 1, 2, 3}


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_so_many_pieces_have_a_hole(rate: float) -> None:
    data = make_data(OTHERS, fim_rate=rate)
    seen = sequences(take(data))
    long_enough = sum(piece.end - piece.start >= 32 for piece in data.pieces(64))
    assert long_enough > 100
    assert sum(has_hole(ids) for _, ids in seen) / long_enough == pytest.approx(rate, abs=0.08 if rate < 1 else 0.02)
    for _, ids in seen:
        if has_hole(ids):
            assert ids[0] == ids[-1] == TOKENIZE.end
            assert ids.count(TOKENIZE.end) == 2


def test_each_pass_draws_its_holes_anew() -> None:
    data = make_data(OTHERS[:10], fim_rate=0.5, passes=2.0)
    steps = data.steps(BATCH, seed=0)
    holes = [ids for _, ids in sequences(take(data, steps)) if has_hole(ids)]
    assert len(set(holes)) > 0.95 * len(holes)


def test_a_piece_with_a_hole_has_the_text_of_the_piece() -> None:
    data = make_data(OTHERS, fim_rate=1.0, spm_rate=0.0)
    marks = TOKENIZE.marks
    assert marks is not None
    texts = Counter((piece.document, data.text(piece)) for piece in data.pieces(64) if piece.end - piece.start >= 32)
    for number, ids in sequences(take(data)):
        if has_hole(ids):
            assert ids[1] == marks.prefix
            suffix, middle = ids.index(marks.suffix), ids.index(marks.middle)
            text = decode(ids[2:suffix]) + decode(ids[middle + 1 : -1]) + decode(ids[suffix + 1 : middle])
            assert texts[number, text] > 0
            texts[number, text] -= 1
    assert sum(texts.values()) <= 0.02 * len(texts)  # whose hole found no room


def test_a_batch_is_named_by_its_documents() -> None:
    data = make_data(OTHERS, lengths=(200,))
    batch = take(data, 1)[0]
    paths = {OTHERS[number].path for row in batch.rows for number in row.documents}
    assert len(paths) > 5
    name = data.name(batch)
    assert name.endswith(f" and {len(paths) - 5} more")
    assert set(name.rsplit(" and ", 1)[0].split(", ")) < paths
    small = make_data([Document("only.py", "x = 1\n")])
    assert small.name(take(small, 1)[0]) == "only.py"


def test_padding_is_what_batches_of_pieces_would_waste() -> None:
    data = make_data(OTHERS, lengths=(64, 128))
    found = data.padding(8)
    assert list(found) == ["64", "128"]
    sizes = [len(piece.ids) for piece in data.pieces(64)]
    places = sum(len(sizes[n : n + 8]) * max(sizes[n : n + 8]) for n in range(0, len(sizes), 8))
    assert found["64"] == pytest.approx(1 - sum(sizes) / places)
    assert 0.05 < found["64"] < 0.8


def test_what_cannot_be_learned_from_is_refused() -> None:
    with pytest.raises(InputError, match="there is no document to learn from"):
        make_data([])
    with pytest.raises(InputError, match=r"no document to replay; set data.replay_share to 0"):
        make_data(replay=[], replay_share=0.2)
    with pytest.raises(InputError, match="lengths of fewer than 22 tokens"):
        make_data(lengths=(21, 64))


def test_a_tokenizer_without_marks_gives_no_holes() -> None:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    plain = TOKENIZER.backend_tokenizer.to_str().replace("fim_", "other_")
    tokenize = Tokenize(PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(plain), eos_token="<|endoftext|>"))
    assert tokenize.marks is None
    with pytest.raises(InputError, match=r"no tokens for a hole, which fim_rate asks for; set train.fim_rate to 0"):
        CausalData(DOCUMENTS, tokenize, Curriculum((64,), fim_rate=0.1))
    assert CausalData(DOCUMENTS, tokenize, Curriculum((64,))).steps(BATCH, seed=0) > 0
