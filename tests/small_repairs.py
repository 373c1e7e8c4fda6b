"""A small repair model and broken strings for tests."""

from __future__ import annotations

from functools import lru_cache

from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.edits import LogLinearEdits, starting_edits
from codefit.tasks.repairs.ngrams import NgramModel, count_ngrams, smooth

SOUND = [
    "NAME = NAME ( STRING , NUMBER ) NEWLINE",
    "for NAME in NAME : NEWLINE INDENT NAME . NAME ( NAME ) NEWLINE DEDENT",
    "def NAME ( NAME , NAME = None ) : NEWLINE INDENT return NAME + NUMBER NEWLINE DEDENT",
    "if NAME == STRING : NEWLINE INDENT NAME [ NUMBER ] = { STRING : NAME } NEWLINE DEDENT",
    "import NAME NEWLINE from NAME import NAME NEWLINE NAME ( NAME ) NEWLINE",
]
BROKEN = [
    "NAME = NAME ( STRING , NUMBER NEWLINE",
    "for NAME in NAME NEWLINE INDENT NAME . NAME ( NAME ) NEWLINE DEDENT",
    "def NAME ( NAME , NAME = None : NEWLINE INDENT return NAME + NUMBER NEWLINE DEDENT",
    "if NAME = STRING : NEWLINE INDENT NAME [ NUMBER ] = { STRING NAME } NEWLINE DEDENT",
    "import NAME NEWLINE from NAME NAME NEWLINE NAME ( NAME ) NEWLINE",
]
PAIRS = [(from_names(broken), from_names(sound)) for broken, sound in zip(BROKEN, SOUND, strict=True)]


@lru_cache(maxsize=1)
def small_language() -> NgramModel:
    """A 4-gram model of the sound strings."""
    return smooth(count_ngrams([sound for _, sound in PAIRS], 4))


@lru_cache(maxsize=1)
def plain_edits() -> LogLinearEdits:
    """A model that knows nothing of edits."""
    return starting_edits(0.7)
