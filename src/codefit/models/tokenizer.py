"""Byte-level BPE whose pieces never cross the words inside an identifier.

`readHTTPHeader`, `read_http_header` and `read HTTP header` fall into the same words before merges are learned, so that
a vocabulary is spent on words and not on the ways of joining them. Byte-level (Radford et al., 2019, section 2.2):
every text is encoded, and decoded to the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.files import write_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_VOCAB_SIZE = 32_000
PAD = "<|pad|>"
MIN_PIECE_COUNT = 2  # a piece seen once in the whole corpus would only spell out one name

# In order: an acronym (HTTP of HTTPServer), a word with its capital, a number in groups of at most three digits, a line
# break with the indent around it, punctuation, other white space. A blank before a piece belongs to the piece.
IDENTIFIER_PATTERN = (
    r"[ _]?\p{Lu}+(?!\p{Ll})"
    r"|[ _]?\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+"
    r"|[ _]?\p{N}{1,3}"
    r"|\s*[\r\n]\s*"
    r"| ?[^\s\p{L}\p{M}\p{N}]+?(?=_[\p{L}\p{N}]|[\s\p{L}\p{M}\p{N}]|$)"
    r"|\s+(?=\s)|\s"
)

# How Qwen2 cuts a text (Yang et al., 2024, arXiv:2407.10671, section 2.1; the pattern is as published).
# transformers gives every folder of a Qwen2 model this splitting, whatever its tokenizer.json says, and llama.cpp knows
# it by name: a model of that shape with another splitting would be read wrongly there, without a word.
QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"
    r"|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)

# The words inside identifiers; GPT-2's plain byte-level splitting, to compare with; Qwen2's, for language models.
Splitting = Literal["identifiers", "gpt2", "qwen2"]


def train_tokenizer(
    texts: Iterable[str],
    vocab_size: int = DEFAULT_VOCAB_SIZE,
    *,
    special_tokens: Sequence[str] = (PAD,),
    splitting: Splitting = "identifiers",
) -> Tokenizer:
    """Learn a byte-level BPE; special tokens get the first ids. `splitting` says what pieces never cross."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    check_vocab_size(vocab_size, special_tokens)
    tokenizer = Tokenizer(models.BPE())
    if splitting == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        if splitting == "gpt2"
        else _pre_tokenizer(IDENTIFIER_PATTERN if splitting == "identifiers" else QWEN2_PATTERN)
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=MIN_PIECE_COUNT,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_not_empty(texts), trainer=trainer)
    return tokenizer


def identifier_pre_tokenizer() -> Any:
    """What cuts a text into the pieces of `IDENTIFIER_PATTERN` and writes each in characters that stand for bytes."""
    return _pre_tokenizer(IDENTIFIER_PATTERN)


def _pre_tokenizer(pattern: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def check_vocab_size(vocab_size: int, special_tokens: Sequence[str] = (PAD,)) -> None:
    """Raise `InputError` where a vocabulary would not hold every byte and the special tokens."""
    if vocab_size < 256 + len(special_tokens):
        raise InputError(
            f"vocab size {vocab_size} is below the 256 bytes and {len(special_tokens)} special tokens",
            fix="choose at least 1000",
        )


def _not_empty(texts: Iterable[str]) -> Iterator[str]:
    seen = False
    for text in texts:
        seen = seen or bool(text)
        yield text
    if not seen:
        raise InputError("there is no text to learn a tokenizer from", fix="check that the corpus is not empty")


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write `tokenizer.json`, whole or not at all."""
    # Not the library's own `save`, whose error for a full disk is a bare Exception.
    write_text(path, tokenizer.to_str(pretty=True))


def load_tokenizer(path: Path) -> Tokenizer:
    """Read `tokenizer.json`, from the file or from the folder that holds it."""
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.exists():
        raise InputError("no tokenizer there", where=str(file), fix="train one with: codefit tokenizer train")
    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises a bare Exception
        raise InputError(f"not a tokenizer.json ({error})", where=str(file)) from error
    return tokenizer


def encode_batch(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[npt.NDArray[np.int32]]:
    """Token ids of each text, at most `max_tokens` of each."""
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.asarray(encoding.ids[:max_tokens], dtype=np.int32) for encoding in encodings]


def encode_ids(tokenizer: Tokenizer, texts: Sequence[str], *, add_special_tokens: bool = False) -> list[list[int]]:
    """Token ids of each text as the tokenizer is set; half of a surrogate pair, which it does not take, becomes `?`."""
    encodings = _encoded(tokenizer.encode_batch_fast, texts, add_special_tokens=add_special_tokens)
    return [encoding.ids for encoding in encodings]


def encode_places(tokenizer: Tokenizer, texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Token ids of each text, and the character that each token begins at; as `encode_ids`, at twice the time."""
    encodings = _encoded(tokenizer.encode_batch, texts, add_special_tokens=False)
    return [(encoding.ids, [start for start, _ in encoding.offsets]) for encoding in encodings]


def _encoded(encode: Callable[..., list[Any]], texts: Sequence[str], *, add_special_tokens: bool) -> list[Any]:
    if not texts:
        return []
    try:
        return encode(list(texts), add_special_tokens=add_special_tokens)
    except (TypeError, UnicodeEncodeError):
        whole = [text.encode("utf-8", "replace").decode() for text in texts]
        return encode(whole, add_special_tokens=add_special_tokens)


def case_folding(tokenizer: Tokenizer) -> npt.NDArray[np.int32]:
    """For each token id the lowest id of its word, shape (vocabulary,).

    `Parse`, ` parse`, `_parse` and `PARSE` are one word written in four ways. A model that shares their vector learns
    each word four times as fast, while the tokenizer stays lossless.
    """
    size = tokenizer.get_vocab_size()
    folded = np.arange(size, dtype=np.int32)
    first: dict[str, int] = {}
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    for token_id in range(size):
        piece = tokenizer.id_to_token(token_id)
        if piece in special:
            continue
        word = tokenizer.decoder.decode([piece]).strip(" _").lower()
        # A piece that is no text by itself (half of a character, blanks alone) shares with nothing; an indent shares
        # the row of its line break.
        if word and "\ufffd" not in word:
            folded[token_id] = first.setdefault(word, token_id)
    return folded


def tokens_per_byte(tokenizer: Tokenizer, texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Tokens spent on a byte of UTF-8, by language: lower is denser."""
    return {
        language: sum(len(e.ids) for e in tokenizer.encode_batch_fast(list(rows), add_special_tokens=False))
        / max(1, sum(len(row.encode("utf-8")) for row in rows))
        for language, rows in texts.items()
    }


def compare_with_plain(
    tokenizer: Tokenizer, training_texts: Iterable[str], by_language: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """Tokens per byte by language, of this tokenizer and a plain byte-level BPE of the same size and training text."""
    plain = train_tokenizer(training_texts, tokenizer.get_vocab_size(), splitting="gpt2")
    ours, theirs = tokens_per_byte(tokenizer, by_language), tokens_per_byte(plain, by_language)
    return {
        language: {
            "bytes": sum(len(row.encode("utf-8")) for row in rows),
            "tokens_per_byte": ours[language],
            "plain_tokens_per_byte": theirs[language],
        }
        for language, rows in by_language.items()
    }
