"""The compiled parts one after the other, over one file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codefit.source.metrics.javascript import memory as a
from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.counts import count
from codefit.source.metrics.javascript.lexer import BASE, lex
from codefit.source.metrics.javascript.machine import parse
from codefit.source.metrics.rules.javascript import JAVASCRIPT

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

MAX_DEPTH = 100_000  # slots of the parser's stack; what lies deeper is left to the walk
END = b"\0\0\0\0"  # a zero ends the file, and no look ahead goes further than three bytes beyond it
AHEAD = 3  # tokens that the parser may look at beyond the end
SLACK = 8  # slots that one step may add


def rows_of(source: bytes) -> list[list[int]] | None:
    """The rows of the answer (see `memory`), the module's first, then functions and classes in their order."""
    data = np.frombuffer(k.PRELUDE + source + END, np.uint8)
    tokens = np.empty((len(data) + 2) * a.ROW, np.int64)
    slots = np.zeros(1 << max(10, (len(data) // 2).bit_length()), np.int64)  # more than there can be texts
    texts = np.empty(len(slots) * a.TEXT_ROW, np.int64)
    registers = np.array((0, -1, 0, -1, 0, 0), np.int64)  # the prelude is the line before the first
    if not lex(data, tokens, registers, texts, slots):
        return None
    end = int(registers[a.ROWS]) - a.ROW
    if end == BASE:
        return None  # no token at all: the tree says odd things of it
    tokens[end + a.ROW : end + (1 + AHEAD) * a.ROW] = np.tile(tokens[end : end + a.ROW], AHEAD)
    memory = _memory(tokens, end)
    if not parse(tokens, memory):
        return None
    texts = texts[: int(registers[a.TEXTS]) * a.TEXT_ROW]
    _weigh(data, texts)
    frames = (int(memory[a.FRAMES]) - a.REGISTERS) // a.FRAME_ROW
    answer = np.zeros((frames, a.OUT_FIELDS), np.int64)
    count(data, tokens, memory, texts, np.zeros(k.KINDS + len(texts) // a.TEXT_ROW, np.int64), answer)
    rows: list[list[int]] = answer.tolist()
    return rows


def _memory(tokens: Numbers, end: int) -> Numbers:
    """The parser's memory for the tokens up to the row `end`: it stands before the first, in the module."""
    number = (end - BASE) // a.ROW
    frames = number // 2 + 4  # `x =>` begins a function with two tokens
    stack = a.REGISTERS + frames * a.FRAME_ROW
    depth = min(MAX_DEPTH, 2 * number + SLACK)  # a token adds two slots at most
    memory = np.empty(stack + (depth + SLACK) * a.SLOT, np.int64)
    module = a.REGISTERS
    memory[: module + a.FRAME_ROW] = 0
    memory[module + a.OPENING], memory[module + a.CLOSING] = BASE, end - a.ROW
    memory[module + a.CYCLOMATIC] = 1
    memory[stack] = o.PROGRAM
    memory[a.AT] = BASE + (a.ROW if tokens[BASE] == k.HASHBANG else 0)
    memory[a.TOP] = stack + a.SLOT
    memory[a.LIMIT] = stack + depth * a.SLOT
    memory[a.FRAME] = memory[a.HOLDER] = memory[a.ENDED] = module
    memory[a.FRAMES] = module + a.FRAME_ROW
    return memory


def _weigh(data: Bytes, texts: Numbers) -> None:
    """Fill in how many tokens lizard makes of the texts that the lexer was not sure of."""
    rows = texts.reshape(-1, a.TEXT_ROW)
    for number in np.flatnonzero(rows[:, a.TEXT_WEIGHT] == 0).tolist():
        text = data[rows[number, a.TEXT_START] : rows[number, a.TEXT_STOP]].tobytes()
        rows[number, a.TEXT_WEIGHT] = JAVASCRIPT.weight_of(text.decode("utf-8", "replace"))
