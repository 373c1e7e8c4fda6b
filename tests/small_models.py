"""Small models of every kind that codefit exports, with random weights: what they compute counts, not how well."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codefit.files import hash_file
from codefit.models.encoder import EncoderShape, new_encoder, save_encoder
from codefit.models.info import ModelInfo, write_info
from codefit.models.static import new_table
from codefit.models.tokenizer import train_tokenizer
from codefit.models.words import WordWeights
from codefit.source.functions import units_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHAPE = EncoderShape(hidden=32, layers=2, heads=2, ffn=64, max_tokens=48, projection=24)
STATIC_DIMENSIONS = 32


@cache
def standard_functions() -> tuple[str, ...]:
    """Functions and methods of some modules of the standard library."""
    found: list[str] = []
    for name in ("shlex", "heapq", "fractions", "textwrap", "mailbox"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        units = units_of(Path(spec.origin).read_text(encoding="utf-8"), "python")
        found += [unit.definition for unit in units if unit.kind != "type"]
    return tuple(found)


@cache
def small_tokenizer() -> Tokenizer:
    """A byte-level BPE of 1,000 tokens."""
    return train_tokenizer(standard_functions(), 1000)


def write_static(folder: Path, *, words: WordWeights | None, model_weight: float = 0.6) -> Path:
    """A codefit model of kind static."""
    folder.mkdir(parents=True)
    new_table(small_tokenizer(), STATIC_DIMENSIONS, seed=1).save(folder)
    write_info(
        folder,
        ModelInfo(
            kind="static",
            dimensions=STATIC_DIMENSIONS,
            max_tokens=4096,
            tokenizer_sha256=hash_file(folder / "tokenizer.json"),
            words=words,
            model_weight=model_weight,
        ),
    )
    return folder


def write_encoder(folder: Path) -> Path:
    """A codefit model of kind encoder."""
    folder.mkdir(parents=True)
    save_encoder(new_encoder(SHAPE, small_tokenizer(), seed=1), folder)
    write_info(
        folder,
        ModelInfo(
            kind="encoder",
            dimensions=SHAPE.projection,
            max_tokens=SHAPE.max_tokens,
            tokenizer_sha256=hash_file(folder / "tokenizer.json"),
        ),
    )
    return folder


def write_foreign(folder: Path, *, pooling: str = "cls", work: Path) -> Path:
    """A model as others publish them: WordPiece with [CLS] and [SEP], prompts, no codefit.json, no Normalize."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    wordpiece = BertWordPieceTokenizer(lowercase=True)
    wordpiece.train_from_iterator(standard_functions(), vocab_size=600, show_progress=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=wordpiece._tokenizer, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    tokenizer.model_max_length = 40
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    work.mkdir(parents=True)
    BertModel(config).save_pretrained(work)
    tokenizer.save_pretrained(work)
    modules = [Transformer(str(work), max_seq_length=40), Pooling(32, pooling)]
    model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "search: ", "document": "code: "})
    model.save(str(folder), create_model_card=False)
    return folder


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows set to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
