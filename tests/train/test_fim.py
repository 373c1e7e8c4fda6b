"""A text with a hole is the text, its parts in another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.models.language_model import FimTokens, encode_texts, fim_tokens
from codefit.train.fim import MARKS, with_hole
from tiny_language_models import tiny_language_model

TOKENIZER = tiny_language_model().tokenizer
_FOUND = fim_tokens(TOKENIZER)
assert _FOUND is not None
FIM: FimTokens = _FOUND

CODE = "def total(prices, größe=1):\n    # 合計 🙂\n    return sum(prices) * größe\n"


def encode(texts: Sequence[str]) -> list[list[int]]:
    return encode_texts(TOKENIZER, texts)


def hole(text: str, seed: int, spm_rate: float) -> list[int]:
    return with_hole(text, FIM, encode, np.random.default_rng(seed), spm_rate=spm_rate)


def decode(ids: Sequence[int]) -> str:
    return TOKENIZER.backend_tokenizer.decode(list(ids), skip_special_tokens=False)


def parts(ids: list[int]) -> tuple[str, str, str]:
    """Prefix, middle and suffix as the marks have them; the order of the marks says which form it is."""
    prefix, suffix, middle = (ids.index(mark) for mark in (FIM.prefix, FIM.suffix, FIM.middle))
    assert sum(ids.count(mark) for mark in (FIM.prefix, FIM.suffix, FIM.middle)) == MARKS
    assert prefix == 0 < suffix < middle
    return decode(ids[prefix + 1 : suffix]), decode(ids[middle + 1 :]), decode(ids[suffix + 1 : middle])


texts = st.one_of(
    st.text(alphabet="ab(): \n\té漢🙂", min_size=1, max_size=60), st.text(st.characters(codec="utf-8"), max_size=40)
)


@settings(deadline=None)
@given(texts, st.integers(0, 1000))
def test_prefix_suffix_middle_put_together_again_is_the_text(text: str, seed: int) -> None:
    text = TOKENIZER.backend_tokenizer.normalizer.normalize_str(text)
    prefix, middle, suffix = parts(hole(text, seed, 0.0))
    assert _joined(prefix + middle + suffix) == _joined(text)


@settings(deadline=None)
@given(texts, st.integers(0, 1000))
def test_suffix_first_has_the_prefix_before_the_middle(text: str, seed: int) -> None:
    text = TOKENIZER.backend_tokenizer.normalizer.normalize_str(text)
    ids = hole(text, seed, 1.0)
    assert ids[:2] == [FIM.prefix, FIM.suffix]
    nothing, prefix_and_middle, suffix = parts(ids)
    assert nothing == ""
    assert _joined(prefix_and_middle + suffix) == _joined(text)


def _joined(text: str) -> str:
    """As the tokenizer's normalizer, which saw the parts one by one, would have the whole."""
    return TOKENIZER.backend_tokenizer.normalizer.normalize_str(text)


def test_both_forms_have_the_same_hole() -> None:
    for seed in range(20):
        prefix, middle, suffix = parts(hole(CODE, seed, 0.0))
        _, prefix_and_middle, other_suffix = parts(hole(CODE, seed, 1.0))
        assert (prefix_and_middle, other_suffix) == (prefix + middle, suffix)


def test_holes_are_cut_at_characters_anywhere() -> None:
    found = [parts(hole(CODE, seed, 0.0)) for seed in range(1500)]
    firsts = np.array([len(prefix) for prefix, _, _ in found])
    lengths = np.array([len(middle) for _, middle, _ in found])
    assert set(firsts) >= set(range(len(CODE) // 2))
    assert firsts.min() == 0
    assert {len(suffix) for _, _, suffix in found} >= {0, 1}
    # The nearer end of two even draws over n places is at n / 3 on average, the hole n / 3 long.
    assert firsts.mean() / len(CODE) == pytest.approx(1 / 3, abs=0.03)
    assert lengths.mean() / len(CODE) == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 1.0])
def test_so_many_are_suffix_first(rate: float) -> None:
    first = np.mean([hole(CODE, seed, rate)[1] == FIM.suffix for seed in range(1000)])
    # One of about seventy prefixes is empty, which looks alike.
    assert first == pytest.approx(rate + (1 - rate) * 2 / len(CODE), abs=0.05)


def test_the_same_draw_gives_the_same_hole() -> None:
    assert hole(CODE, 3, 0.5) == hole(CODE, 3, 0.5)
    assert len({tuple(hole(CODE, seed, 0.5)) for seed in range(50)}) > 45


def test_an_empty_text_has_an_empty_hole() -> None:
    assert hole("", 0, 0.0) == [FIM.prefix, FIM.suffix, FIM.middle]
