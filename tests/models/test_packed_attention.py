"""Rows of documents: each gives what it gives alone, and knows nothing of its neighbours."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from codefit.errors import InputError
from codefit.models.packed_attention import (
    check_rows,
    packed_arguments,
    packed_attention,
    use_packed_attention,
    use_plain_attention,
)
from tiny_language_models import tiny_language_model

LENGTHS = [7, 1, 20, 12]
CPU = torch.device("cpu")


def documents(seed: int = 0) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 500, (1, length), generator=draw) for length in LENGTHS]


def packed_logits(model: Any, rows: list[torch.Tensor]) -> list[torch.Tensor]:
    use_packed_attention(model)
    try:
        lengths = [row.shape[1] for row in rows]
        logits = model(input_ids=torch.cat(rows, dim=1), **packed_arguments(lengths, CPU)).logits
    finally:
        use_plain_attention(model)
    return list(logits.split(lengths, dim=1))


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (4, 2), (4, 1), (2, 1)])
def test_a_document_in_a_row_gives_what_it_gives_alone(heads: int, kv_heads: int) -> None:
    model = tiny_language_model(heads=heads, kv_heads=kv_heads).model
    rows = documents()
    for row, logits in zip(rows, packed_logits(model, rows), strict=True):
        torch.testing.assert_close(logits, model(row).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kv_heads", [4, 2])
def test_the_gradients_are_the_sum_of_those_alone(kv_heads: int) -> None:
    together, alone = (tiny_language_model(kv_heads=kv_heads).model for _ in range(2))
    rows = documents()
    weights = [torch.randn(1, length, 600, generator=torch.Generator().manual_seed(length)) for length in LENGTHS]
    sum((out * w).sum() for out, w in zip(packed_logits(together, rows), weights, strict=True)).backward()
    for row, weight in zip(rows, weights, strict=True):
        (alone(row).logits * weight).sum().backward()
    for (name, ours), theirs in zip(together.named_parameters(), alone.parameters(), strict=True):
        assert theirs.grad.abs().max() > 0, name
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("changed", range(len(LENGTHS)))
def test_a_change_in_a_document_changes_no_other(changed: int) -> None:
    model = tiny_language_model().model
    before = packed_logits(model, documents())
    rows = documents()
    rows[changed] = (rows[changed] + 1) % 500
    after = packed_logits(model, rows)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert torch.equal(old, new) == (number != changed)


def test_no_token_sees_a_later_one() -> None:
    model = tiny_language_model().model
    rows = documents()
    before = packed_logits(model, rows)
    rows[2] = rows[2].clone()
    rows[2][0, 10] += 1
    after = packed_logits(model, rows)
    assert torch.equal(before[2][:, :10], after[2][:, :10])
    assert (before[2][:, 10:] != after[2][:, 10:]).any(dim=2).all()


def test_no_gradient_flows_from_one_document_to_another() -> None:
    model = tiny_language_model().model
    rows = documents()
    vectors = model.get_input_embeddings()(torch.cat(rows, dim=1)).detach().requires_grad_()
    use_packed_attention(model)
    logits = model(inputs_embeds=vectors, **packed_arguments(LENGTHS, CPU)).logits
    logits[:, 8:28].pow(2).sum().backward()
    touched = vectors.grad.abs().sum(dim=2)[0] > 0
    assert touched.tolist() == [8 <= place < 28 for place in range(sum(LENGTHS))]


def test_positions_start_again_with_each_document() -> None:
    arguments = packed_arguments([3, 1, 2], CPU)
    assert arguments["position_ids"].tolist() == [[0, 1, 2, 0, 0, 1]]
    assert arguments["ends"] == [0, 3, 4, 6]


def test_without_ends_it_is_an_error_rather_than_one_document() -> None:
    model = tiny_language_model().model
    use_packed_attention(model)
    with pytest.raises(ValueError, match="packed attention needs the ends of the documents"):
        model(documents()[0])
    use_plain_attention(model)
    assert model(documents()[0]).logits.shape == (1, 7, 600)


def test_plain_attention_leaves_what_was_never_packed_alone() -> None:
    model = tiny_language_model().model
    model.set_attn_implementation("eager")
    use_plain_attention(model)
    assert model.config._attn_implementation == "eager"


def test_attention_of_another_kind_is_refused() -> None:
    query = torch.randn(1, 2, 6, 4)
    ends = [0, 4, 6]
    module = torch.nn.Module()
    packed_attention(module, query, query, query, None, ends=ends, sliding_window=4, softcap=None)
    with pytest.raises(InputError, match="the model's attention has a window of 3 tokens, which packed rows do not"):
        packed_attention(module, query, query, query, None, ends=ends, sliding_window=3)
    with pytest.raises(InputError, match="softcap, s_aux"):
        packed_attention(module, query, query, query, None, ends=ends, softcap=30.0, s_aux=torch.zeros(2))


SMALL = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
}


@pytest.mark.parametrize(
    ("name", "more"),
    [("Qwen2", {}), ("Llama", {}), ("Qwen3", {}), ("Mistral", {"sliding_window": 4096}), ("Starcoder2", {})],
)
def test_plain_decoders_are_taken(name: str, more: dict[str, Any]) -> None:
    import transformers

    torch.manual_seed(0)
    made = getattr(transformers, f"{name}ForCausalLM")(getattr(transformers, f"{name}Config")(**SMALL, **more))
    check_rows(made, "there")
    check_rows(made.to(torch.bfloat16), "there")
    assert made.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("Granite", {"logits_scaling": 4.0}),  # divides what the head gives
        ("Cohere", {"logit_scale": 0.25}),  # multiplies it
        ("Gemma2", {"attn_logit_softcapping": 5.0}),
        ("Mamba", {"state_size": 4}),  # carries a state over the borders
    ],
)
def test_models_that_rows_would_change_are_refused(name: str, more: dict[str, Any]) -> None:
    import transformers

    torch.manual_seed(0)
    made = getattr(transformers, f"{name}ForCausalLM")(getattr(transformers, f"{name}Config")(**SMALL, **more))
    with pytest.raises(InputError, match=r"packed rows do not keep|are not to a .* model what they are alone"):
        check_rows(made, "there")


def test_a_head_with_a_bias_is_refused() -> None:
    model = tiny_language_model().model
    model.lm_head.bias = torch.nn.Parameter(torch.ones(600))
    with pytest.raises(InputError, match=r"there: documents in a row are not to a qwen2 model"):
        check_rows(model, "there")
