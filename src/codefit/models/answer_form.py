"""Answers in a given form: at each token only what can still become one is allowed. The work is llguidance's."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.models.language_model import LanguageModel

if TYPE_CHECKING:
    from llguidance import LLMatcher


class AnswerForm:
    """A form of answers, given by a regular expression, over a model's tokens. Made once: it looks at every token."""

    def __init__(self, language_model: LanguageModel, pattern: str) -> None:
        if find_spec("llguidance") is None:
            raise InputError("answers in a given form need llguidance", fix="pip install 'codefit[complexity]'")
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        tokens = int(language_model.model.get_output_embeddings().weight.shape[0])
        tokenizer = from_tokenizer(language_model.tokenizer, n_vocab=tokens, eos_token=language_model.end, slices=[])
        self._tokens = tokens
        self._matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_regex(pattern), log_level=0)
        if self._matcher.is_error():
            raise CodefitError(f"no form of answers: {self._matcher.get_error()}", where=pattern)

    def begin(self) -> FormedAnswer:
        """An answer that has nothing yet."""
        return FormedAnswer(self._matcher.deep_copy(), self._tokens)


class FormedAnswer:
    """An answer under way: `tokens` so far, and what may follow. Where only one text can follow it is taken at once."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self.tokens: list[int] = []
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._forced()

    @property
    def is_done(self) -> bool:
        """Whether nothing may follow any more."""
        return self._matcher.is_stopped()

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which tokens may follow, (vocabulary,)."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, bitorder="little")[: self._vocabulary].astype(np.bool_)

    def take(self, token: int) -> list[int]:
        """Go on by a token that is allowed, and by what must follow; the tokens that the answer then has more."""
        before = len(self.tokens)
        if not self._matcher.consume_token(token):
            raise CodefitError(f"the form of answers does not take token {token}: {self._matcher.get_error()}")
        self.tokens.append(token)
        self._forced()
        return self.tokens[before:]

    def _forced(self) -> None:
        if self.is_done:
            return
        tokens = self._matcher.compute_ff_tokens()
        self._matcher.consume_tokens(tokens)
        self.tokens += tokens
