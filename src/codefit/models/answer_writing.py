"""Answers written greedily, several side by side: freely up to an end token, or in a given form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codefit.errors import CodefitError
from codefit.models.answer_form import AnswerForm
from codefit.models.token_rows import TokenRows


def write_freely(
    rows: TokenRows, prompts: Sequence[Sequence[int]], *, ends: frozenset[int], most: Sequence[int]
) -> list[list[int]]:
    """The likeliest tokens one after another, at most `most` of a row and without the one of `ends` that ends it."""
    written: list[list[int]] = [[] for _ in prompts]
    is_open = [limit > 0 for limit in most]
    new: list[Sequence[int]] = list(prompts)
    while any(is_open):
        chosen = rows.feed(new).argmax(-1).tolist()
        new = [[] for _ in prompts]
        for row, token in enumerate(chosen):
            if not is_open[row]:
                continue
            is_open[row] = token not in ends
            if is_open[row]:
                written[row].append(token)
                new[row] = [token]
                is_open[row] = len(written[row]) < most[row]
    return written


def write_formed(rows: TokenRows, prompts: Sequence[Sequence[int]], form: AnswerForm, *, most: int) -> list[list[int]]:
    """The likeliest tokens one after another among those that the form allows, to its end.

    Raises `CodefitError` where an answer takes more than `most` tokens.
    """
    import torch

    rows.feed(prompts)
    answers = [form.begin() for _ in prompts]
    new = [answer.tokens for answer in answers]
    while not all(answer.is_done for answer in answers):
        if any(len(answer.tokens) > most for answer in answers):
            raise CodefitError(f"an answer takes more than {most} tokens", fix="raise answer_tokens")
        logits = rows.feed(new)
        allowed = torch.from_numpy(np.stack([answer.allowed() for answer in answers])).to(logits.device)
        chosen = logits.masked_fill(~allowed, float("-inf")).argmax(-1).tolist()
        new = [[] if answer.is_done else answer.take(token) for answer, token in zip(answers, chosen, strict=True)]
    return [answer.tokens for answer in answers]
