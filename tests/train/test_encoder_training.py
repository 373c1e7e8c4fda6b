"""A step of the encoder's training against sentence-transformers' own network, loss and torch's own optimiser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_examples import SHAPE, encoder_learner, make_pairs, tokenizer

STILL = replace(SHAPE, dropout=0.0)  # no dropout, so that any other computation gives the same numbers
WHOLE = 1_000_000  # memory for any batch
BATCH = np.arange(40)


def gradients(learner):
    return {name: p.grad.clone() for name, p in learner.network.named_parameters()}


def worst_difference(ours, theirs):
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def peer_step(pairs, rate, *, clip=1.0):
    """Loss, gradients and weights after a step of sentence-transformers' modules and symmetric loss, all padded."""
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from codefit.models.encoder import new_encoder

    network = new_encoder(STILL, tokenizer(), seed=0)
    network.train()
    loss_of = MultipleNegativesRankingLoss(
        network, scale=20.0, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    columns = [[p.anchor for p in pairs], [p.positive for p in pairs]]
    loss = loss_of([network.preprocess(texts) for texts in columns], torch.zeros(0))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    decayed = [p for n, p in network.named_parameters() if not n.endswith("bias") and "LayerNorm" not in n]
    others = [p for n, p in network.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    torch.optim.AdamW(groups, lr=rate, foreach=False, fused=False).step()
    return loss.item(), {n: p.grad for n, p in network.named_parameters()}, dict(network.named_parameters())


@pytest.mark.parametrize("memory_tokens", [64, 500, 2_500, WHOLE])
def test_a_step_is_that_of_sentence_transformers_however_little_memory_there_is(memory_tokens):
    pairs = make_pairs(40)
    learner = encoder_learner(pairs, STILL, memory_tokens=memory_tokens, learning_rate=1e-3)
    loss = learner.learn(BATCH, 0.5)
    peer_loss, peer_gradients, peer_weights = peer_step(pairs, 5e-4)
    assert loss == pytest.approx(peer_loss, abs=1e-5)
    ours = gradients(learner)
    assert worst_difference(ours, peer_gradients) < 1e-5
    for name, weight in learner.network.named_parameters():
        # Adam's first step is the gradient's sign: where that is rounding alone, it says nothing.
        sure = peer_gradients[name].abs() > 1e-5
        difference = (weight - peer_weights[name]).abs()[sure]
        assert difference.numel() == 0 or difference.max() < 2e-5, name


def test_the_padding_token_of_a_code_that_spells_it_learns_nothing_as_in_bert():
    pairs = make_pairs(40)
    pairs[3] = replace_positive(pairs[3], "a <|pad|> b <|pad|>")
    learner = encoder_learner(pairs, STILL, memory_tokens=WHOLE)
    learner.learn(BATCH, 1.0)
    assert worst_difference(gradients(learner), peer_step(pairs, 1e-3)[1]) < 1e-5
    assert not learner.network[0].model.get_input_embeddings().weight.grad[tokenizer().token_to_id("<|pad|>")].any()


def replace_positive(pair, positive):
    import msgspec

    return msgspec.structs.replace(pair, positive=positive)


def test_dropout_is_the_same_in_both_passes():
    pairs = make_pairs(120)
    batch = np.arange(120)
    kept, again = (encoder_learner(pairs, memory_tokens=tokens) for tokens in (WHOLE, 2_100))
    assert kept.learn(batch, 1.0) == again.learn(batch, 1.0)
    # Equal but for the order in which the chunks are summed; other dropout would differ in the second digit.
    assert worst_difference(gradients(kept), gradients(again)) < 1e-6
    undropped = encoder_learner(pairs, STILL, memory_tokens=WHOLE)
    undropped.learn(batch, 1.0)
    assert worst_difference(gradients(kept), gradients(undropped)) > 1e-3


def test_what_fits_runs_once_and_the_rest_twice(monkeypatch):
    from codefit.train.encoder import EncoderLearner

    runs = []
    run = EncoderLearner._run

    def counted(self, chunk, number, *, graph):
        runs.append((number, graph, chunk.ids.numel()))
        return run(self, chunk, number, graph=graph)

    monkeypatch.setattr(EncoderLearner, "_run", counted)
    encoder_learner(make_pairs(40), memory_tokens=WHOLE).learn(BATCH, 1.0)
    assert all(graph for _, graph, _ in runs)
    assert len({number for number, _, _ in runs}) == len(runs)
    runs.clear()
    encoder_learner(make_pairs(40), memory_tokens=600).learn(BATCH, 1.0)
    with_graph = [number for number, graph, _ in runs if graph]
    without = [number for number, graph, _ in runs if not graph]
    assert sorted(with_graph) == sorted({number for number, _, _ in runs})
    assert without
    kept = set(with_graph) - set(without)
    held = sum(size for number, graph, size in runs if graph and number in kept)
    assert held + max(size for _, _, size in runs) <= 600


def test_a_step_depends_on_nothing_but_weights_batch_seed_and_number():
    import torch

    first = encoder_learner(memory_tokens=256)
    torch.manual_seed(1)
    losses = [first.learn(np.arange(8) + 8 * i, 1.0) for i in range(4)]
    state = torch.random.get_rng_state()
    second = encoder_learner(memory_tokens=256)
    torch.manual_seed(2)
    again = [second.learn(np.arange(8) + 8 * i, 1.0) for i in range(2)]
    third = encoder_learner(memory_tokens=256)
    third.restore({name: array.copy() for name, array in second.state().items()}, 2)
    again += [third.learn(np.arange(8) + 8 * i, 1.0) for i in range(2, 4)]
    assert losses == again
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, third.state()[name], err_msg=name)
    assert array.dtype == np.float32
    torch.manual_seed(1)
    assert torch.equal(torch.random.get_rng_state(), state), "the caller's random numbers were used"


def test_hard_negatives_and_sizes_reach_the_loss():
    from codefit.train.contrastive import info_nce

    pairs = make_pairs(12, negatives=2)
    settings = {"memory_tokens": WHOLE, "sizes": (4, 8), "hard_negative_weight": 3.0, "temperature": 0.1}
    learner = encoder_learner(pairs, STILL, **settings)
    import torch

    embedded = [
        torch.from_numpy(learner.encode_codes(texts))
        for texts in ([p.anchor for p in pairs], [p.positive for p in pairs], [n for p in pairs for n in p.negatives()])
    ]
    expected = info_nce(*embedded[:2], temperature=0.1, sizes=(4, 8), negatives=embedded[2], hard_negative_weight=3.0)
    assert learner.learn(np.arange(12), 1.0) == pytest.approx(float(expected), abs=1e-5)


def test_it_learns():
    learner = encoder_learner(make_pairs(60), memory_tokens=WHOLE, learning_rate=3e-3)
    losses = [learner.learn(np.random.default_rng(i).permutation(60)[:16], 1.0) for i in range(60)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_a_loss_that_is_not_finite_changes_no_weight():
    learner = encoder_learner(make_pairs(12))
    learner.network[2].linear.weight.data[0, 0] = float("nan")
    before = {name: array.copy() for name, array in learner.state().items()}
    assert np.isnan(learner.learn(np.arange(12), 1.0))
    for name, array in before.items():
        np.testing.assert_array_equal(array, learner.state()[name])


def test_the_saved_folder_has_the_vectors_of_the_learner(tmp_path):
    from sentence_transformers import SentenceTransformer

    pairs = make_pairs(30)
    learner = encoder_learner(pairs, learning_rate=1e-2)
    untrained = learner.encode_codes([pairs[0].positive])
    for _ in range(3):
        learner.learn(np.arange(30), 1.0)
    learner.save_model(tmp_path)
    texts = [text for pair in pairs for text in (pair.anchor, pair.positive)] + ["", "word " * 300]
    vectors = learner.encode_queries(texts)
    np.testing.assert_allclose(SentenceTransformer(str(tmp_path), device="cpu").encode(texts), vectors, atol=1e-5)
    assert np.abs(untrained - learner.encode_codes([pairs[0].positive])).max() > 1e-2
    # Alone, without any padding, and an empty text alone, which has no tokens to run.
    np.testing.assert_allclose(learner.encode_codes(texts[1:2])[0], vectors[1], atol=1e-5)
    np.testing.assert_array_equal(learner.encode_codes([""]), np.zeros((1, SHAPE.projection)))
