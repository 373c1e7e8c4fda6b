"""A step of the static table against torch's own EmbeddingBag and SparseAdam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training_examples import make_pairs, static_learner, tokenizer, tokens

from codefit.models.static import new_table
from codefit.train.contrastive import info_nce
from codefit.train.static import StaticLearner, StaticSettings


def peer_steps(pairs, batches, settings, factors):
    """Losses, vectors and weights after steps of torch's sparse embeddings, for the same table."""
    table = new_table(tokenizer(), 8, seed=0)
    vectors = torch.nn.Embedding.from_pretrained(torch.from_numpy(table.vectors), freeze=False, sparse=True)
    weights = torch.nn.Embedding.from_pretrained(torch.from_numpy(table.weights), freeze=False, sparse=True)
    optimizer = torch.optim.SparseAdam([vectors.weight, weights.weight], lr=settings.learning_rate)
    data = tokens(pairs)
    losses = []

    def embed(texts):
        rows = [torch.from_numpy(table.row_of[ids]).long() for ids in texts]
        return torch.stack([(vectors(own) * weights(own)).sum(dim=0) for own in rows])

    for batch, factor in zip(batches, factors, strict=True):
        optimizer.zero_grad()
        negatives = [ids for i in batch for ids in data.negatives[i]]
        loss = info_nce(
            embed([data.anchors[i] for i in batch]),
            embed([data.positives[i] for i in batch]),
            temperature=settings.temperature,
            sizes=settings.sizes,
            negatives=embed(negatives) if negatives else None,
            hard_negative_weight=settings.hard_negative_weight,
        )
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * factor
        optimizer.step()
        losses.append(loss.item())
    return losses, vectors.weight.detach().numpy(), weights.weight.detach().numpy()


@pytest.mark.parametrize(
    ("negatives", "settings"),
    [
        (0, StaticSettings()),
        (2, StaticSettings(learning_rate=3e-3, temperature=0.1, sizes=(4,), hard_negative_weight=2.0)),
    ],
)
def test_steps_are_those_of_torch(negatives, settings):
    pairs = make_pairs(40, negatives=negatives)
    batches = [np.random.default_rng(i).permutation(40)[:12] for i in range(6)]
    factors = [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    learner = static_learner(pairs, settings)
    losses = [learner.learn(batch, factor) for batch, factor in zip(batches, factors, strict=True)]
    peer_losses, peer_vectors, peer_weights = peer_steps(pairs, batches, settings, factors)
    np.testing.assert_allclose(losses, peer_losses, atol=1e-4)
    # A row whose gradient is rounding alone may go either way in Adam; there are few.
    for ours, theirs in ((learner.table.vectors, peer_vectors), (learner.table.weights, peer_weights)):
        assert (np.abs(ours - theirs) > 1e-4).mean() < 0.002
        assert np.abs(ours - theirs).max() < 2 * settings.learning_rate


def test_rows_that_no_text_names_stay_as_they_were():
    learner = static_learner(make_pairs(40))
    before = learner.table.vectors.copy()
    learner.learn(np.arange(12), 1.0)
    named = np.unique(
        np.concatenate(
            [learner.table.row_of[learner.data.anchors[i]] for i in range(12)]
            + [learner.table.row_of[learner.data.positives[i]] for i in range(12)]
        )
    )
    changed = np.flatnonzero((before != learner.table.vectors).any(axis=1))
    assert set(changed) <= set(named.tolist())
    assert len(changed) > len(named) / 2


def test_views_take_turns():
    pairs = make_pairs(20)
    other = make_pairs(20, seed=1)
    learner = StaticLearner(new_table(tokenizer(), 8, seed=0), [tokens(pairs), tokens(other)], StaticSettings(0.0))
    losses = [learner.learn(np.arange(12), 1.0) for _ in range(4)]
    assert losses[0] == losses[2] == static_learner(pairs, StaticSettings(0.0)).learn(np.arange(12), 1.0)
    assert losses[1] == losses[3] == static_learner(other, StaticSettings(0.0)).learn(np.arange(12), 1.0)
    assert losses[0] != losses[1]


def test_it_learns_and_goes_on_from_its_state():
    first, second = static_learner(make_pairs(60)), static_learner(make_pairs(60))
    batches = [np.random.default_rng(i).permutation(60)[:16] for i in range(30)]
    losses = [first.learn(batch, 1.0) for batch in batches]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    for batch in batches[:11]:
        second.learn(batch, 1.0)
    third = static_learner(make_pairs(60))
    third.restore(second.state(), 11)
    assert [third.learn(batch, 1.0) for batch in batches[11:]] == losses[11:]
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, third.state()[name], err_msg=name)


def test_the_saved_folder_has_the_vectors_of_the_table(tmp_path):
    from sentence_transformers import SentenceTransformer

    pairs = make_pairs(30)
    learner = static_learner(pairs)
    learner.learn(np.arange(30), 1.0)
    learner.save_model(tmp_path)
    texts = [pair.positive for pair in pairs]
    vectors = SentenceTransformer(str(tmp_path), device="cpu").encode(texts)
    np.testing.assert_allclose(vectors, learner.table.embed(tokens(pairs, 4096).positives), atol=1e-5)
