"""The tokens that a model is asked with: a text to go on with, or the two sides of a hole."""

from __future__ import annotations

from dataclasses import dataclass

from codefit.errors import InputError
from codefit.models.language_model import LanguageModel, encode_texts, fim_tokens

# Of the room for a hole's two sides, the suffix has at most this share where both are too long: what stands before a
# place says more about it, as llama.cpp's infill and editors' plugins have it.
SUFFIX_SHARE = 0.25
# The answer may claim this share of the context where the prompt is too long for both.
ANSWER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ids of the prompt, and how many tokens of the text were left out since the context is shorter."""

    ids: tuple[int, ...]
    left_out: int


def encode_prompt(language_model: LanguageModel, prefix: str, suffix: str | None, max_new_tokens: int) -> Prompt:
    """The tokens that ask for what follows `prefix`, or with a suffix for what stands between the two.

    A hole is asked for in the order prefix, suffix, middle (PSM: Bavarian et al., 2022, arXiv:2207.14255, section 3).
    Where prompt and answer do not fit into the context, the start of the prefix and the end of the suffix are left
    out. Raises `InputError` for a suffix where the model has no tokens for a hole.
    """
    start = _start(language_model)
    answer = min(max_new_tokens, int(language_model.context * ANSWER_SHARE))
    room = language_model.context - answer - len(start)
    if not suffix:
        (ids,) = encode_texts(language_model.tokenizer, [prefix])
        kept = ids[max(0, len(ids) - room) :]
        return Prompt(tuple(start + kept) or (_separator(language_model),), len(ids) - len(kept))
    marks = fim_tokens(language_model.tokenizer)
    if marks is None:
        raise InputError(
            "the model was not made to fill a hole: its tokenizer has no tokens for one",
            where="suffix",
            fix="leave the suffix out, or use a model with fill-in-the-middle tokens",
        )
    before, after = encode_texts(language_model.tokenizer, [prefix, suffix])
    room -= 3  # the marks
    suffix_kept = min(len(after), max(room - len(before), int(room * SUFFIX_SHARE)))
    prefix_kept = min(len(before), room - suffix_kept)
    return Prompt(
        (
            *start,
            marks.prefix,
            *before[len(before) - prefix_kept :],
            marks.suffix,
            *after[:suffix_kept],
            marks.middle,
        ),
        len(before) + len(after) - prefix_kept - suffix_kept,
    )


def _start(language_model: LanguageModel) -> list[int]:
    """What the tokenizer itself puts before a text: its begin token, where it has one that it puts there."""
    begin = language_model.tokenizer.bos_token_id
    return (
        [begin] if begin is not None and begin in language_model.tokenizer.backend_tokenizer.encode("").ids[:1] else []
    )


def _separator(language_model: LanguageModel) -> int:
    """What stands before a document in training: the begin token, else the end of the document before."""
    begin = language_model.tokenizer.bos_token_id
    return language_model.end if begin is None else int(begin)
