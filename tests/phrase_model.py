"""A tiny language model that was trained, for a few seconds, on one phrase: it says it and ends."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from codefit.models.language_model import (
    LanguageModel,
    encode_texts,
    fim_tokens,
    save_language_model,
)
from tiny_language_models import tiny_language_model

OPENING = "def greet(name):\n"
# With characters of two, three and four bytes, which the tokenizer has no pieces for.
ANSWER = '    return "grüß dich, €🙂 " + name\n'
BEFORE, HOLE, AFTER = "total = price ", "* (1 + tax)", "\nprint(total)\n"
STEPS = 200
GOOD_LOSS = 0.05  # nats a token: the phrase is known by heart


@cache
def phrase_model() -> LanguageModel:
    """Answers `OPENING` with `ANSWER`, and the hole between `BEFORE` and `AFTER` with `HOLE`; then its end token."""
    import torch

    made = tiny_language_model(seed=3, hidden=64, ffn=128)
    marks = fim_tokens(made.tokenizer)
    assert marks is not None
    opening, answer, before, hole, after = encode_texts(made.tokenizer, [OPENING, ANSWER, BEFORE, HOLE, AFTER])
    texts = [
        (opening, [*answer, made.end]),
        ([marks.prefix, *before, marks.suffix, *after, marks.middle], [*hole, made.end]),
    ]
    optimizer = torch.optim.AdamW(made.model.parameters(), lr=1e-2)
    made.model.train()
    for _ in range(STEPS):
        losses = [
            made.model(torch.tensor([asked + told]), labels=torch.tensor([[-100] * len(asked) + told])).loss
            for asked, told in texts
        ]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()
        if max(loss.item() for loss in losses) < GOOD_LOSS:
            break
    assert max(loss.item() for loss in losses) < GOOD_LOSS
    made.model.eval()
    return made


def write_phrase_model(folder: Path) -> Path:
    """`phrase_model` as a transformers folder."""
    folder.mkdir(parents=True)
    save_language_model(phrase_model(), folder)
    return folder
