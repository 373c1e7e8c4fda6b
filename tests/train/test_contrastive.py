"""InfoNCE against sums written out, and against sentence-transformers' symmetric loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from codefit.train.contrastive import info_nce


def random_vectors(rows, dimensions=12, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, dimensions)))


def written_out(queries, codes, temperature, negatives=(), weight=1.0):
    """The loss by its definition, pair by pair, in numpy."""
    q, c = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (np.asarray(queries), np.asarray(codes)))
    n = np.asarray(negatives) / np.linalg.norm(negatives, axis=1, keepdims=True) if len(negatives) else np.zeros((0, 1))
    total = 0.0
    for i in range(len(q)):
        right = np.exp(q[i] @ c[i] / temperature)
        among_codes = sum(np.exp(q[i] @ other / temperature) for other in c)
        among_codes += weight * sum(np.exp(q[i] @ other / temperature) for other in n)
        among_queries = sum(np.exp(other @ c[i] / temperature) for other in q)
        total -= (np.log(right / among_codes) + np.log(right / among_queries)) / 2
    return total / len(q)


def test_it_is_the_loss_of_its_definition():
    q, c = random_vectors(7), random_vectors(7, seed=1)
    assert float(info_nce(q, c, temperature=0.3)) == pytest.approx(written_out(q, c, 0.3), abs=1e-12)


def test_it_is_the_symmetric_loss_of_sentence_transformers():
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    q, c = random_vectors(9), random_vectors(9, seed=1)
    peer = MultipleNegativesRankingLoss(
        torch.nn.Identity(), scale=20, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    expected = peer.compute_loss_from_embeddings([q, c], torch.zeros(0))
    assert float(info_nce(q, c, temperature=0.05)) == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.parametrize("weight", [0.5, 1.0, 4.0])
def test_a_hard_negative_counts_its_weight_in_the_denominator(weight):
    q, c, n = random_vectors(5), random_vectors(5, seed=1), random_vectors(8, seed=2)
    found = info_nce(q, c, temperature=0.3, negatives=n, hard_negative_weight=weight)
    assert float(found) == pytest.approx(written_out(q, c, 0.3, n, weight), abs=1e-12)


def test_hard_negatives_of_weight_zero_are_none():
    q, c, n = random_vectors(5), random_vectors(5, seed=1), random_vectors(8, seed=2)
    without = info_nce(q, c, temperature=0.3)
    assert info_nce(q, c, temperature=0.3, negatives=n, hard_negative_weight=0.0) == without


def test_sizes_are_the_mean_of_the_losses_of_leading_dimensions_and_the_whole():
    q, c, n = random_vectors(6), random_vectors(6, seed=1), random_vectors(3, seed=2)
    each = [written_out(q[:, :s], c[:, :s], 0.2, n[:, :s]) for s in (12, 8, 4)]
    for sizes in ((8, 4), (4, 8, 12), (8, 8, 4)):
        found = info_nce(q, c, temperature=0.2, sizes=sizes, negatives=n)
        assert float(found) == pytest.approx(np.mean(each), abs=1e-12)


def test_the_length_of_a_vector_does_not_matter():
    q, c = random_vectors(6), random_vectors(6, seed=1)
    scaled = info_nce(q * torch.arange(1, 7)[:, None], c / 3, temperature=0.2)
    assert float(scaled) == pytest.approx(float(info_nce(q, c, temperature=0.2)), abs=1e-12)
