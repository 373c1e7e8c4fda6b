"""The tables of Python's grammar as they come with codefit, made from `python.grammar`.

    python -m codefit.source.syntax.python

makes them again; a test holds them to the grammar.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codefit.files import atomic_path
from codefit.source.syntax.lalr import Grammar, Tables, make_tables, read_grammar
from codefit.source.syntax.substrings import follow_states
from codefit.source.syntax.terminals import NUMBERS

GRAMMAR_FILE = Path(__file__).with_name("python.grammar")
TABLES_FILE = Path(__file__).with_name("python.npz")


def python_grammar() -> Grammar:
    """The grammar, read from its file."""
    return read_grammar(GRAMMAR_FILE.read_text(encoding="utf-8"), NUMBERS, where=GRAMMAR_FILE.name)


@lru_cache(maxsize=1)
def python_tables() -> tuple[Tables, npt.NDArray[np.uint64]]:
    """The parser's tables and `follow_states` of them."""
    with np.load(TABLES_FILE) as stored:
        tables = Tables(stored["action"], stored["goto"], stored["length"], stored["left"], int(stored["accept"]))
        return tables, stored["follow_states"]


def write_python_tables() -> None:
    """Make the tables from the grammar."""
    tables = make_tables(python_grammar())
    with atomic_path(TABLES_FILE) as temporary:
        np.savez_compressed(
            temporary,
            action=tables.action,
            goto=tables.goto,
            length=tables.length,
            left=tables.left,
            accept=np.int64(tables.accept),
            follow_states=follow_states(tables),
        )


if __name__ == "__main__":
    write_python_tables()
