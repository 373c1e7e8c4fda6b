"""Chats as a causal language model learns them: a chat a row, of which the answers are learned.

Rows of a step go through the network one after another as one, without padding and without attention to each other,
so nothing is won by packing several into a row; and a step is so many chats, as one expects of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codefit.errors import InputError
from codefit.models.chat import ChatFormat, ChatTokens
from codefit.progress import track
from codefit.records import Conversation, Rejects
from codefit.train.causal_data import NAMED_DOCUMENTS, CausalBatch, Row, slices


@dataclass(frozen=True, slots=True)
class EncodedChats:
    """The tokens of chats and where each comes from, as an error names it."""

    tokens: list[ChatTokens]
    names: list[str]

    @property
    def cut(self) -> int:
        """How many of them were cut."""
        return sum(chat.left_out > 0 for chat in self.tokens)

    def row(self, number: int) -> Row:
        """A chat as a row of its own."""
        chat = self.tokens[number]
        return Row([number], [chat.ids], [chat.learned])


def encode_chats(conversations: Sequence[Conversation], chat_format: ChatFormat, rejects: Rejects) -> EncodedChats:
    """The chats with something to learn that fit; the others go to `rejects`.

    Raises `InputError` where none is left.
    """
    encoded = EncodedChats([], [])
    for number, conversation in enumerate(track(conversations, "encode", len(conversations), "chats"), 1):
        name = f"chat {number} of {conversation.source}"
        chat = chat_format.encode(conversation)
        if not chat.learned.any():
            rejects.add(name, "no answer to learn")
        elif len(chat.ids) > chat_format.max_tokens:
            rejects.add(name, "the answers are longer than their room", conversation.messages[-1].content)
        else:
            rejects.accepted += 1
            encoded.tokens.append(chat)
            encoded.names.append(name)
    if not encoded.tokens:
        raise InputError("there is no chat to learn from", fix="give chats that end with an answer")
    return encoded


class ChatData:
    """The chats of a training, shuffled anew each time through; the same seed gives the same rows from any step on."""

    def __init__(self, chats: EncodedChats) -> None:
        self.chats = chats

    @property
    def longest(self) -> int:
        """Tokens of the longest chat."""
        return max(len(chat.ids) for chat in self.chats.tokens)

    def steps(self, batch_size: int, epochs: float) -> int:
        """Steps of so many times through the chats."""
        return max(1, round(epochs * self._steps_of_epoch(batch_size)))

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[CausalBatch]:
        """Batches of `batch_size` chats without end; the last of each time through has those that are left."""
        epoch, at = divmod(first_step, self._steps_of_epoch(batch_size))
        while True:
            order = np.random.default_rng([seed, epoch]).permutation(len(self.chats.tokens)).tolist()
            for chosen in list(slices(order, batch_size))[at:]:
                rows = [self.chats.row(number) for number in chosen]
                yield CausalBatch(rows, max(len(row.sequences[0]) for row in rows))
            epoch, at = epoch + 1, 0

    def tokens(self, batch: CausalBatch) -> int:
        """Tokens that go through the network; those of answers are fewer."""
        return sum(len(row.sequences[0]) for row in batch.rows)

    def notes(self, batch: CausalBatch) -> Mapping[str, float]:
        """How many tokens were learned."""
        return {"answer_tokens": sum(row.tokens for row in batch.rows)}

    def name(self, batch: CausalBatch) -> str:
        """The chats of a batch."""
        names = [self.chats.names[row.documents[0]] for row in batch.rows]
        more = len(names) - NAMED_DOCUMENTS
        return f"{', '.join(names[:NAMED_DOCUMENTS])}{f' and {more} more' if more > 0 else ''}"

    def _steps_of_epoch(self, batch_size: int) -> int:
        return -(-len(self.chats.tokens) // batch_size)
