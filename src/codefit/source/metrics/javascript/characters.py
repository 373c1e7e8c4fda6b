"""What the lexer asks of each byte, and the punctuators as a tree of their characters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codefit.source.metrics.javascript import tokens as k

# What a token is that begins with a byte.
OTHER, WORD, DIGIT, QUOTE, SIGN = range(5)
# A byte of a name: 0 is none; the second bit says that lizard may make several tokens of it, the third that it is no
# ASCII.
IN_NAME, IS_ODD, IS_WIDE = 1, 2, 4
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"


def _bytes(*groups: tuple[int, bytes | range]) -> npt.NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for value, chosen in groups:
        table[list(chosen)] = value
    return table


IN_NAMES = _bytes((IN_NAME, _LETTERS + _DIGITS + b"_"), (IN_NAME | IS_ODD, b"$"), (IN_NAME | IS_WIDE, range(128, 256)))
HEXADECIMAL = _bytes((1, _DIGITS + b"abcdefABCDEF"))
_SIGNS = "{}()[];,:?.=>!~+-*%<&|^/"  # the other characters have functions of their own
BEGINS = _bytes(
    (WORD, _LETTERS + b"_$"), (WORD, range(128, 256)), (DIGIT, _DIGITS), (QUOTE, b"'\""), (SIGN, _SIGNS.encode())
)
# 0 is the root; a state's row has the next state by the number of a character.
SIGN_NUMBERS = _bytes(*((number + 1, sign.encode()) for number, sign in enumerate(_SIGNS)))


def _tree() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    states = {""}
    signs = [text for text in k.TEXTS[k.WORDS :] if all(character in _SIGNS for character in text)]
    for text in signs:
        states |= {text[: length + 1] for length in range(len(text))}
    number = {state: place for place, state in enumerate(sorted(states, key=lambda state: (len(state), state)))}
    steps = np.zeros((len(states), len(_SIGNS) + 1), np.uint8)
    ends = np.zeros(len(states), np.uint8)
    for state in states - {""}:
        steps[number[state[:-1]], SIGN_NUMBERS[ord(state[-1])]] = number[state]
        if state in signs:
            ends[number[state]] = k.TEXTS.index(state)
    return steps, ends


STEPS, KIND_OF_STATE = _tree()
