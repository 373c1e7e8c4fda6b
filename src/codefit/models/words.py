"""Weighted words: a function as the words it is about, for models that add up word vectors.

A sum of word vectors counts a word that stands ten times ten times, and the last line of a function as much as its
name. BM25 has known better for long: the count saturates, and a title weighs more than a body (Robertson and Zaragoza,
2009, sections 3.4 and 3.6). A static model gets the same from its text alone: each word is written as often as it
should count. On unseen repositories that is worth more than any change to the table (`docs/code-encoder.md`).

The parameters are saved with the model and applied to every text on their own, as query prefixes are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from math import sqrt

import msgspec

from codefit.models.lexical import code_words

# What a definition looks like, in any of the languages: a keyword before the name (and Go's receiver between them), a
# name that a function is assigned to, or the identifier before the first parameter list. In
# `std::pair<int, int> make(int a)` an earlier identifier stands before a parenthesis too: a list that another name
# follows is none. In C's `struct node *new_node(void)` the keyword belongs to the type of what is returned.
_NAME = re.compile(
    r"\b(?:(?:def|fn|sub|interface|trait|type)\s+|function\b\s*[*&]?\s*|func\s+(?:\([^()]*\)\s*)?"
    r"|(?:class|struct|enum)\s+(?!\w++(?:[ \t]++|[ \t]*+\*[\s*]*+)\w++[ \t]*+\())"
    r"(?:self\.)?"
    r"(?P<keyword>[A-Za-z_$][\w$]*)"
    r"|\b(?:const|let|var)\s+(?P<declared>[A-Za-z_$][\w$]*)\s*[:=]"
    r"|(?P<assigned>[A-Za-z_$][\w$]*)\s*[:=]\s*(?:async\s*)?(?:function\b|\(?[^=(){};]*\)?\s*=>)"
    r"|(?<![@\w$])(?!(?:if|for|while|switch|catch|return|async|function|func|fn|pub|void|__attribute__)\b)"
    r"(?P<called>[A-Za-z_$][\w$]*)"
    r"[?!]?\s*(?:<[^<>()]*>\s*)?\((?![^()]*\)\s*[\w$]+[?!]?\s*\()"
)
# What may stand before a definition and holds names of its own: decorators, annotations, attributes, template lists.
_PRELUDE = re.compile(r"\s*(?:@(?!interface\b)[\w.]+|(?=#!?\[)#!?|template\s*(?=<)|__attribute__\s*(?=\())\s*")
_CLOSING = {"(": ")", "[": "]", "<": ">"}
_PRELUDE_WITHIN = 2000  # characters of a prelude that are skipped: a longer one is a table, not a decorator
_CHARACTERS_A_WORD = 16  # of code, blanks and marks counted: most functions have fewer, so that one look is enough
_NAME_WITHIN = 400  # characters in which a name is looked for: a signature with its annotations is shorter


class WordWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each word is written: `repeat * sqrt(count)`, rounded, at least once.

    The count of a word is how often it stands in the first `max_words` words, plus `head_bonus` for each time it is
    among the first `head_words` (the signature), plus `name_bonus` where it is part of the function's name.
    """

    repeat: float = 2.0
    max_words: int = 150
    head_words: int = 8
    head_bonus: float = 8.0
    name_bonus: float = 24.0

    def query_text(self, query: str) -> str:
        """The text to embed for a question: its words, repetition damped."""
        return _written(self.query_times(query))

    def code_text(self, code: str) -> str:
        """The text to embed for a function."""
        return _written(self.code_times(code))

    def query_times(self, query: str) -> dict[str, int]:
        """How often each word of a question is written, in the order of the words."""
        return self._times(Counter(self._first_words(query)))

    def code_times(self, code: str) -> dict[str, int]:
        """How often each word of a function is written, in the order of the words."""
        return self._times(self.code_counts(code))

    def code_counts(self, code: str) -> dict[str, float]:
        """The weighted count of each word of a function, before damping."""
        words = self._first_words(code)
        counts: dict[str, float] = dict(Counter(words))
        for word in words[: self.head_words]:
            counts[word] += self.head_bonus
        for word in code_words(function_name(code)):
            if word in counts:
                counts[word] += self.name_bonus
        return counts

    def _first_words(self, text: str) -> list[str]:
        # A long function is not read to its end for its first words; the last word of the part may be cut in two.
        part = code_words(text[: self.max_words * _CHARACTERS_A_WORD])
        words = part if len(part) > self.max_words else code_words(text)
        return words[: self.max_words]

    def _times(self, counts: Mapping[str, float]) -> dict[str, int]:
        repeat = self.repeat
        return {word: max(1, round(repeat * sqrt(count))) for word, count in counts.items()}


def _written(times: Mapping[str, int]) -> str:
    # Every word follows a blank, the first one too: so each is always the same token.
    return "".join((" " + word) * count for word, count in times.items())


def function_name(code: str) -> str:
    """The name of the function that `code` defines, by its shape in any of the languages; "" where none is seen."""
    start = _prelude_end(code)
    match = _NAME.search(code[start : start + _NAME_WITHIN])
    return match[match.lastgroup] if match and match.lastgroup else ""


def _prelude_end(code: str) -> int:
    """Where decorators and the like end: each is a mark and a name with, perhaps, arguments in brackets."""
    end = 0
    while match := _PRELUDE.match(code, end):
        end = _bracket_end(code, match.end())
        if end > _PRELUDE_WITHIN:
            return 0
    return end


def _bracket_end(code: str, start: int) -> int:
    """The end of the brackets that open at `start`; `start` where none do or they stay open."""
    opening = code[start : start + 1]
    closing = _CLOSING.get(opening)
    depth = 0
    if closing:
        for position in range(start, min(len(code), start + _PRELUDE_WITHIN)):
            depth += (code[position] == opening) - (code[position] == closing)
            if depth == 0:
                return position + 1
    return start
