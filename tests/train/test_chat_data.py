"""Chats that are learned: the loss is transformers' own, each is seen once a time through, and none goes in silence."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chat_learning import CHATS, SEED, chat_data, chat_learner, learn_chats

from chat_examples import CHATML, chat_format, chat_model, scored_chats, short_chat
from codefit.errors import InputError
from codefit.records import Rejects
from codefit.tasks.complexity.chat import answer
from codefit.train.causal_data import CausalBatch
from codefit.train.chat_data import ChatData, encode_chats


def batches(count: int, size: int = 8, first_step: int = 0) -> list[CausalBatch]:
    return list(islice(chat_data().batches(size, seed=SEED, first_step=first_step), count))


def padded(batch: CausalBatch) -> dict[str, torch.Tensor]:
    """The batch as transformers' trainers have it: rows of one length, and labels that say what is not learned."""
    longest = max(len(row.sequences[0]) for row in batch.rows)
    ids, mask = torch.zeros(len(batch.rows), longest, dtype=torch.long), torch.zeros(len(batch.rows), longest)
    labels = torch.full_like(ids, -100)
    for place, row in enumerate(batch.rows):
        assert row.learned is not None
        own = torch.from_numpy(row.sequences[0].astype(np.int64))
        ids[place, : len(own)], mask[place, : len(own)] = own, 1
        labels[place, : len(own)] = torch.where(torch.from_numpy(row.learned[0]), own, -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def test_the_loss_is_that_of_transformers() -> None:
    (batch,) = batches(1)
    with torch.no_grad():
        wanted = chat_model(CHATML).model(**padded(batch)).loss.item()
    assert chat_learner().learn(batch, 1.0) == pytest.approx(wanted, abs=1e-5)
    assert chat_learner().mean_loss(batch.rows) == pytest.approx(wanted, abs=1e-5)
    assert chat_learner(rows_at_once=3).learn(batch, 1.0) == pytest.approx(wanted, abs=1e-5)


def test_the_gradient_is_that_of_transformers() -> None:
    (batch,) = batches(1)
    plain = chat_model(CHATML).model.train()
    plain(**padded(batch)).loss.backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    learner = chat_learner(adapter=None, rows_at_once=5)
    learner.learn(batch, 0.0)
    wanted = dict(plain.named_parameters())
    for name, parameter in learner.network.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name].grad, atol=1e-6, rtol=1e-4, msg=name)


def test_evaluating_in_half_precision_is_about_the_same() -> None:
    (batch,) = batches(1)
    single = chat_learner().mean_loss(batch.rows)
    assert chat_learner(precision="bf16").mean_loss(batch.rows) == pytest.approx(single, rel=0.02)


def test_only_answers_are_learned() -> None:
    (batch,) = batches(1)
    model = chat_model(CHATML)
    for row in batch.rows:
        assert row.learned is not None
        told = model.tokenizer.decode(row.sequences[0][row.learned[0]])
        assert told.startswith("Parameters: 1\n")
        assert told.endswith("<|im_end|>")
        assert row.tokens == row.learned[0].sum() < len(row.sequences[0]) - 20
    assert chat_data().notes(batch) == {"answer_tokens": sum(row.tokens for row in batch.rows)}
    assert chat_data().tokens(batch) == sum(len(row.sequences[0]) for row in batch.rows)


def test_each_time_through_has_every_chat_once_in_another_order() -> None:
    steps = -(-CHATS // 8)
    seen = [[row.documents[0] for row in batch.rows] for batch in batches(2 * steps)]
    first, second = (list(chain.from_iterable(part)) for part in (seen[:steps], seen[steps:]))
    assert sorted(first) == sorted(second) == list(range(CHATS))
    assert first != second
    assert [len(batch) for batch in seen[:steps]] == [8, 8, 4]
    assert chat_data().steps(8, 2) == 2 * steps
    assert chat_data().steps(8, 0.01) == 1


@pytest.mark.parametrize("first_step", [1, 3, 5])
def test_from_any_step_on_it_is_the_same(first_step: int) -> None:
    wanted = batches(7)[first_step:]
    found = batches(7 - first_step, first_step=first_step)
    for one, other in zip(found, wanted, strict=True):
        assert [row.documents for row in one.rows] == [row.documents for row in other.rows]


def test_a_restored_learner_goes_on_to_the_bit() -> None:
    unbroken = chat_learner()
    learn_chats(unbroken, 3)
    state = {name: array.copy() for name, array in unbroken.state().items()}
    losses = learn_chats(unbroken, 3, first_step=3)
    resumed = chat_learner()
    resumed.restore(state, 3)
    assert learn_chats(resumed, 3, first_step=3) == losses
    for name, array in resumed.state().items():
        np.testing.assert_array_equal(array, unbroken.state()[name], err_msg=name, strict=True)


def test_what_cannot_be_learned_is_kept_with_its_reason(tmp_path: Path) -> None:
    chats = scored_chats(8)
    chats[2] = short_chat("def f(): pass", None)
    chats[5] = short_chat("def f(): pass", "word " * 300)
    with Rejects(tmp_path / "rejected.jsonl", 0.5) as rejects:
        encoded = encode_chats(chats, chat_format(chat_model()), rejects)
    assert rejects.by_reason() == {"no answer to learn": 1, "the answers are longer than their room": 1}
    assert [row["where"] for row in rejects.rows] == ["chat 3 of here", "chat 6 of here"]
    assert rejects.accepted == len(encoded.tokens) == 6
    assert encoded.names[2:4] == ["chat 4 of here", "chat 5 of here"]
    assert (tmp_path / "rejected.jsonl").exists()


def test_chats_that_were_cut_are_counted() -> None:
    chats = [*scored_chats(3), short_chat("x = 1\n" * 500, answer(1, 2, 3, 4.5))]
    assert encode_chats(chats, chat_format(chat_model()), Rejects()).cut == 1


def test_no_chat_at_all_is_one_line() -> None:
    with pytest.raises(InputError, match="no chat to learn from; give chats that end with an answer"):
        encode_chats([short_chat("x", None)], chat_format(chat_model()), Rejects())


def test_an_error_names_the_chats() -> None:
    data: Any = ChatData(encode_chats(scored_chats(9), chat_format(chat_model()), Rejects()))
    batch = next(data.batches(9, seed=0, first_step=0))
    assert data.name(batch).count("of here") == 5
    assert data.name(batch).endswith(" and 4 more")
