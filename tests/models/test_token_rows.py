"""Rows side by side say what each says alone, and a tree of answers what each answer says by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.errors import CodefitError
from codefit.models.answer_tree import answer_probabilities, answer_tree
from codefit.models.language_model import LanguageModel
from codefit.models.token_rows import TokenRows
from tiny_language_models import VOCAB_SIZE, tiny_language_model

ROWS = [[5, 6, 7, 8, 9, 10, 11], [12], [300, 301, 302]]
IDS = st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=9)
# Few tokens, so that answers share what they begin with.
ANSWERS = st.sets(st.lists(st.integers(20, 23), min_size=1, max_size=5).map(tuple), min_size=2, max_size=12)


def loud_model() -> LanguageModel:
    """A tiny model whose random weights are large enough that it prefers some tokens by far."""
    model = tiny_language_model()
    with torch.no_grad():
        for parameter in model.model.parameters():
            if parameter.ndim > 1:
                parameter *= 8
    return model


LOUD = loud_model()


def alone(ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = LOUD.model(torch.tensor([ids])).logits[0]
    return logits


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.one_of(st.just([]), IDS), min_size=3, max_size=3), min_size=1, max_size=3), st.data())
def test_rows_fed_in_parts_say_what_each_says_alone(later: list[list[list[int]]], data: st.DataObject) -> None:
    rows = TokenRows(LOUD, 3)
    behind: list[list[int]] = [[], [], []]
    for part in [ROWS, *later]:
        if not any(part):
            continue
        logits = rows.feed(part)
        for row, new in enumerate(part):
            behind[row] = behind[row] + new
            if new:
                torch.testing.assert_close(logits[row], alone(behind[row])[-1], atol=2e-3, rtol=1e-4)
        assert rows.lengths == [len(ids) for ids in behind]


def test_rewound_rows_have_forgotten() -> None:
    rows = TokenRows(LOUD, 3)
    rows.feed(ROWS)
    rows.feed([[1], [2, 3], []])
    rows.rewind([len(ids) for ids in ROWS])
    assert rows.lengths == [len(ids) for ids in ROWS]
    logits = rows.feed([[40], [41], [42]])
    for row, ids in enumerate(ROWS):
        torch.testing.assert_close(logits[row], alone([*ids, 40 + row])[-1], atol=2e-3, rtol=1e-4)


def prefix_free(answers: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return sorted(a for a in answers if not any(b != a and a[: len(b)] == b for b in answers))


@settings(max_examples=40, deadline=None)
@given(st.lists(ANSWERS.map(prefix_free).filter(lambda found: len(found) > 1), min_size=3, max_size=3), st.booleans())
def test_a_tree_gives_the_probabilities_of_each_answer_by_itself(
    answers: list[list[tuple[int, ...]]], has_stem: bool
) -> None:
    answers = (
        [[(7, 8, *ids) for ids in own] for own in answers] if has_stem else [[(7, *i) for i in o] for o in answers]
    )
    rows = TokenRows(LOUD, 3)
    rows.feed(ROWS)
    trees = [answer_tree(own) for own in answers]
    for own, tree in zip(answers, trees, strict=True):
        assert len(tree.tokens) == len({ids[:end] for ids in own for end in range(len(tree.stem) + 1, len(ids))})
    for _ in range(2):  # a look leaves no trace
        found = answer_probabilities(rows, trees)
    for row, (before, own) in enumerate(zip(ROWS, answers, strict=True)):
        logs = [
            alone([*before, *ids])[len(before) - 1 : -1].log_softmax(-1).gather(1, torch.tensor(ids)[:, None]).sum()
            for ids in own
        ]
        np.testing.assert_allclose(found[row], torch.stack(logs).double().softmax(0), atol=1e-4)
        assert found[row].sum() == pytest.approx(1)


def test_scores_that_are_no_numbers_are_one_line() -> None:
    model = tiny_language_model()
    with torch.no_grad():
        model.model.get_input_embeddings().weight[3] = torch.nan
    with pytest.raises(CodefitError, match="the model's scores are not numbers"):
        TokenRows(model, 1).feed([[3, 4]])
