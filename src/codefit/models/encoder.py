"""A BERT-style encoder from random weights, made of nothing but sentence-transformers' own modules.

Transformer, masked mean, projection without bias, unit length: `SentenceTransformer(folder)` loads what is saved here.
A text is its tokens, without marks for begin and end, cut to `max_tokens`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codefit.errors import InputError
from codefit.models.quiet import quiet
from codefit.models.tokenizer import PAD

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

NO_POOLER = {"add_pooling_layer": False}  # BERT's own pooler is never used: its weights would be saved untrained


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """Sizes of the encoder: `projection` is the length of its vectors, `dropout` that of the hidden states.

    Attention weights have no dropout: with it no fused attention kernel runs on a CPU.
    """

    hidden: int = 512
    layers: int = 8
    heads: int = 8
    ffn: int = 2048
    max_tokens: int = 256
    projection: int = 384
    dropout: float = 0.1


PRESETS: Mapping[str, EncoderShape] = {
    "reference": EncoderShape(),
    # Trains on a CPU within hours.
    "small": EncoderShape(hidden=256, layers=4, heads=4, ffn=1024),
    # Trains on a CPU within minutes.
    "tiny": EncoderShape(hidden=128, layers=2, heads=2, ffn=512, max_tokens=128, projection=128),
}


def new_encoder(shape: EncoderShape, tokenizer: Tokenizer, *, seed: int) -> SentenceTransformer:
    """An untrained encoder on the CPU, the same for the same seed; the tokenizer must have the padding token."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    pad_id = tokenizer.token_to_id(PAD)
    if pad_id is None:
        raise InputError(f"the tokenizer has no {PAD} token", fix="train one with: codefit tokenizer train")
    if shape.hidden % shape.heads:
        raise InputError(f"hidden size {shape.hidden} does not divide into {shape.heads} heads")
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=shape.max_tokens,
        type_vocab_size=1,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=0.0,
        pad_token_id=pad_id,
    )
    with torch.random.fork_rng(devices=[]), quiet(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)
        # The module is made from a folder only.
        BertModel(config, **NO_POOLER).save_pretrained(folder)
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token=PAD, model_max_length=shape.max_tokens
        ).save_pretrained(folder)
        modules = [
            Transformer(folder, model_kwargs=dict(NO_POOLER)),
            Pooling(shape.hidden, "mean"),
            Dense(shape.hidden, shape.projection, bias=False, activation_function=torch.nn.Identity()),
            Normalize(),
        ]
    return SentenceTransformer(modules=modules, device="cpu")


def save_encoder(network: SentenceTransformer, folder: Path) -> None:
    """Write the files of a sentence-transformers model into an existing folder."""
    from tokenizers import Tokenizer

    with quiet():
        network.save(str(folder), create_model_card=False)
    settings = folder / "sentence_bert_config.json"
    # Else every load makes an untrained pooler and warns of it. Older releases know only this name of the field.
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "model_args": NO_POOLER}, indent=2) + "\n")
    # Encoding a batch leaves its padding and its cut in the tokenizer, and the wrapper a template that adds nothing:
    # what is written is what the encoder was made with.
    tokenizer = json.loads(network.tokenizer.backend_tokenizer.to_str())
    plain = Tokenizer.from_str(json.dumps({**tokenizer, "padding": None, "truncation": None, "post_processor": None}))
    plain.save(str(folder / "tokenizer.json"))


def count_parameters(network: torch.nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
