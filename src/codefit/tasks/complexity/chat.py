"""A scored function as a chat, in the form of the reference run: what is asked, what is answered, how it is read.

The answer lists what a reader would count, then the score: `Complexity Score: 7.4`. There are 91 scores.
"""

from __future__ import annotations

import re

from codefit.records import Conversation, Message

SYSTEM = (
    "You are a static analysis expert. Read the function, then answer with its number of parameters, its nesting "
    "depth, its number of variables, and its complexity from 1.0 (simple) to 10.0 (critical)."
)
KIND = "complexity"
SCORE_LABEL = "Complexity Score: "
SCORES = tuple(f"{tenths / 10:.1f}" for tenths in range(10, 101))  # all answers there are, from 1.0 to 10.0
# What a whole answer looks like, and how the reference run reads it, which finds no number in many a bad one.
ANSWER = r"Parameters: (0|[1-9][0-9]?)\nNesting depth: (0|[1-9][0-9]?)\nVariables: (0|[1-9][0-9]{0,2})\n\n"
ANSWER_PATTERN = ANSWER + SCORE_LABEL + r"([1-9]\.[0-9]|10\.0)"
_REFERENCE_READING = re.compile(r"Complexity Score:\s*([0-9]+(?:\.[0-9]+)?)")
MOST_COUNTED = 99, 99, 999  # parameters, depth, variables: larger ones are written so


def question(code: str, language: str) -> str:
    """What is asked of a function."""
    return f"Language: {language}\n\n```{language}\n{code}\n```"


def answer(parameters: int, nesting: int, variables: int, score: float) -> str:
    """What is answered."""
    counted = (min(value, most) for value, most in zip((parameters, nesting, variables), MOST_COUNTED, strict=True))
    names = ("Parameters", "Nesting depth", "Variables")
    head = "\n".join(f"{name}: {value}" for name, value in zip(names, counted, strict=True))
    return f"{head}\n\n{SCORE_LABEL}{score:.1f}"


def conversation(code: str, language: str, answered: str | None, *, source: str, split: str = "train") -> Conversation:
    """The chat of a function; without an answer, what a model is asked."""
    messages = [Message("system", SYSTEM), Message("user", question(code, language))]
    if answered is not None:
        messages.append(Message("assistant", answered))
    return Conversation(messages=messages, kind=KIND, source=source, split=split)


def read_score(text: str) -> float | None:
    """The score in an answer as the reference run reads it; None where there is none from 1 to 10, never 0."""
    found = _REFERENCE_READING.search(text)
    score = float(found[1]) if found is not None else None
    return score if score is not None and 1.0 <= score <= 10.0 else None
