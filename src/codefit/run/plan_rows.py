"""Training text as the model sees it: each token of a row with what happens to it.

A row is shown from the very ids that the learner is given, and told apart as it does: of each sequence it reads all ids
but the last and predicts all but the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from codefit.corpus.examine import place_of
from codefit.models.language_model import FimTokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from codefit.train.causal_data import CausalData, Row, TokenIds

# What happens to a token. All but a context are predicted; a border is no token, its text is the document's name.
BORDER, CONTEXT, PREDICTED, END = "border", "context", "predicted", "end"
MARK, PREFIX, SUFFIX, MIDDLE, JOINED = "mark", "prefix", "suffix", "middle", "prefix+middle"

MEANINGS = {
    CONTEXT: "read only: the one kind of token that is not predicted",
    PREDICTED: "predicted from what stands before it",
    END: "the end token, predicted: so the model learns to stop",
    MARK: "mark of a hole, predicted",
    PREFIX: "before a hole, predicted",
    SUFFIX: "after a hole, predicted",
    MIDDLE: "what fills the hole, predicted",
    JOINED: "before the hole and at once what fills it, predicted: no mark stands between where the suffix comes first",
}

Shown = tuple[str, str]


def show_row(data: CausalData, rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast) -> list[Shown]:
    """Of the rows of a step the one with the most kinds of tokens, as (text, kind) of each token, documents named."""
    return max((list(_shown(data, row, tokenizer)) for row in rows), key=lambda shown: len({kind for _, kind in shown}))


def _shown(data: CausalData, row: Row, tokenizer: PreTrainedTokenizerFast) -> Iterator[Shown]:
    for number, ids in zip(row.documents, row.sequences, strict=True):
        yield place_of(data.documents[number]), BORDER
        kinds = token_kinds(ids, data.tokenize.end, data.tokenize.marks)
        for token, kind in zip(ids.tolist(), kinds, strict=True):
            yield tokenizer.decode([token], clean_up_tokenization_spaces=False), kind


def token_kinds(ids: TokenIds, end: int, marks: FimTokens | None) -> list[str]:
    """What happens to each token of a sequence (n,), in order.

    Where a hole's suffix comes first, the prefix and the middle stand next to each other without a mark between: they
    are told as one.
    """
    kinds = [CONTEXT]
    tokens = ids.tolist()
    parts = {}
    if marks is not None:
        suffix_first = tokens[1:3] == [marks.prefix, marks.suffix]
        parts = {marks.prefix: PREFIX, marks.suffix: SUFFIX, marks.middle: JOINED if suffix_first else MIDDLE}
    part = PREDICTED
    for token in tokens[1:]:
        if token in parts:
            part = parts[token]
            kinds.append(MARK)
        else:
            kinds.append(END if token == end else part)
    return kinds
