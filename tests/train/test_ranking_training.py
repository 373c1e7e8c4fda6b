"""The ranker and its pre-training: what they see, that they learn, and that a resumed training is the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from codefit.evaluate.ranking import rank_of
from codefit.models.ranker import RankerShape, RepairRanker, TokenEncoder
from codefit.tasks.repairs.candidates import find_candidates
from codefit.tasks.repairs.ranking import PAD, RankingList, ranking_list
from codefit.train.ranking import RankingLearner, RankingSettings, to_batch
from codefit.train.ranking_data import RankingData
from codefit.train.token_model import TokenData, TokenLearner, TokenSettings, padded
from small_repairs import PAIRS, plain_edits, small_language

SHAPE = RankerShape(hidden=32, layers=2, heads=2, ffn=64, edit=32, dropout=0.1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def lists() -> list[RankingList]:
    found = []
    for broken, fixed in PAIRS:
        candidates = find_candidates(broken, small_language(), plain_edits(), limit=200, seconds=60)
        found.append(ranking_list(broken, candidates, plain_edits().weight, fixed))
    return [one for one in found if one.truth >= 0]


def ranker(seed: int = 0) -> RepairRanker:
    torch.manual_seed(seed)
    return RepairRanker(SHAPE)


def learner(lists: list[RankingList], **settings: float) -> RankingLearner:
    return RankingLearner(ranker(), RankingData(lists, most=60), RankingSettings(device="cpu", **settings), seed=3)


def taught(one: RankingLearner, first: int, last: int) -> list[float]:
    batches = one.data.batches(2, seed=5, first_step=first)
    return [one.learn(next(batches), 1.0) for _ in range(first, last)]


def test_it_begins_with_the_order_of_edits_and_ngrams(lists: list[RankingList]) -> None:
    for scores, one in zip(learner(lists).score(lists), lists, strict=True):
        assert scores - scores.max() == pytest.approx(one.scalars.sum(1) - one.scalars.sum(1).max(), abs=1e-4)


def test_it_learns(lists: list[RankingList]) -> None:
    one = learner(lists, learning_rate=3e-3)
    losses = taught(one, 0, 60)
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:5])
    ranks = [rank_of(scores, each.truth) for scores, each in zip(one.score(lists), lists, strict=True)]
    assert max(ranks) <= 2


def test_a_list_alone_scores_as_in_a_batch_and_its_order_says_nothing(lists: list[RankingList]) -> None:
    network = ranker(1).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    with torch.no_grad():
        together = network(to_batch(lists, CPU))
        alone = torch.cat([network(to_batch([one], CPU)) for one in lists])
        torch.testing.assert_close(together, alone, atol=2e-3, rtol=1e-3)
        order = np.random.default_rng(0).permutation(len(lists[0].edits))
        mixed = dataclasses.replace(lists[0], edits=lists[0].edits[order], scalars=lists[0].scalars[order])
        scores = network(to_batch([lists[0]], CPU))
        torch.testing.assert_close(
            network(to_batch([mixed], CPU)), scores[torch.from_numpy(order)], atol=2e-3, rtol=1e-3
        )


def test_resumed_it_is_the_same_to_the_bit(lists: list[RankingList]) -> None:
    whole = learner(lists)
    taught(whole, 0, 9)
    first = learner(lists)
    taught(first, 0, 4)
    second = learner(lists)
    second.restore({name: array.copy() for name, array in first.state().items()}, 4)
    taught(second, 4, 9)
    for name, array in whole.state().items():
        assert np.array_equal(array, second.state()[name]), name


def test_a_frozen_encoder_stays(lists: list[RankingList]) -> None:
    one = learner(lists, frozen_encoder=True)
    before = {name: p.clone() for name, p in one.network.named_parameters()}
    taught(one, 0, 4)
    changed = {name for name, p in one.network.named_parameters() if not torch.equal(p, before[name])}
    assert changed
    assert not any(name.startswith("encoder.") for name in changed)


def test_a_long_list_is_cut_but_not_its_truth(lists: list[RankingList]) -> None:
    data = RankingData(lists, most=7)
    batch = next(data.batches(len(data.lists), seed=0, first_step=0))
    assert all(len(one.edits) == 7 and one.truth == 0 for one in batch)
    truths = {one.edits[one.truth].tobytes() for one in lists}
    assert {one.edits[0].tobytes() for one in batch} == truths


STRINGS = [bytes(fixed) for _, fixed in PAIRS]


def token_learner() -> TokenLearner:
    torch.manual_seed(0)
    return TokenLearner(TokenEncoder(SHAPE), TokenData(STRINGS * 8), TokenSettings(1e-2, device="cpu"), seed=1)


def test_a_token_does_not_see_what_comes_after_it_nor_padding() -> None:
    encoder = token_learner().encoder.eval()
    one, other = padded([STRINGS[1], STRINGS[0]]), padded([STRINGS[1], STRINGS[0]])
    other[0, 6:] = 3
    with torch.no_grad():
        first, second = (encoder(torch.from_numpy(t), causal=True) for t in (one, other))
        torch.testing.assert_close(first[0, :6], second[0, :6])
        assert not torch.allclose(first[0, 6:], second[0, 6:])
        alone = encoder(torch.from_numpy(padded([STRINGS[0]])), causal=True)
        torch.testing.assert_close(first[1, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-4)
    assert (one[1] == PAD).any()


def test_pre_training_learns_and_perplexity_is_that_of_its_loss() -> None:
    one = token_learner()
    before = one.perplexity(STRINGS)
    batches = one.data.batches(8, seed=0, first_step=0)
    losses = [one.learn(next(batches), 1.0) for _ in range(120)]
    assert 60 < before < 130  # of 93 symbols, before it has learned anything
    assert one.perplexity(STRINGS) < 3
    assert losses[-1] < 0.5 * losses[0]
    with torch.no_grad():
        batch = torch.from_numpy(padded([STRINGS[2]]))
        logits = one.encoder.eval()(batch[:, :-1], causal=True) @ one.encoder.tokens.weight.T
        nats = torch.nn.functional.cross_entropy(logits[0], batch[0, 1:])
    assert one.perplexity([STRINGS[2]]) == pytest.approx(float(nats.exp()), rel=1e-4)
