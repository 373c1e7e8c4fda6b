"""The exact scores of one piece of code as JSON has them: what the worker processes of the service do.

It imports little, since each of these processes does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from codefit.errors import InputError
from codefit.source.metrics.figures import FunctionMetrics
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from codefit.source.metrics.text import source_bytes, text_of

MOST_CHARACTERS = 500_000  # of an item: hand-written files are far shorter
NO_FUNCTION = "no function in it: this is the score of the code as a whole"


@dataclass(frozen=True, slots=True)
class Piece:
    """Code to score; `with_texts` gives the functions' texts too, for a learned scorer."""

    code: str
    language: str
    explain: bool
    with_texts: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """The fields of an answer, and the texts behind its functions, or behind the module where there is none."""

    fields: dict[str, Any]
    texts: list[str]


def check_piece(code: str, language: str) -> None:
    """Raise `InputError` for what cannot be scored at all."""
    if language not in RULES:
        raise InputError(f"{language[:50]!r} is not a language that is scored here", fix=f"one of {', '.join(RULES)}")
    if len(code) > MOST_CHARACTERS:
        raise InputError(f"{len(code):,} characters of code are above the limit of {MOST_CHARACTERS:,}")
    if not code.strip():
        raise InputError("there is no code", fix="give the text of a function or a file")


def score_piece(piece: Piece, seconds: float) -> Scored:
    """Every function's score and figures. Raises as `check_piece` and `measure` do; takes `seconds` at most."""
    check_piece(piece.code, piece.language)
    found = measure(piece.code, piece.language, explain=piece.explain, seconds=seconds)
    fields: dict[str, Any] = {
        "functions": [function_to_dict(each, explain=piece.explain) for each in found.functions],
        "module": function_to_dict(found.module, explain=piece.explain),
        "scored_as": "functions" if found.functions else "module",
        "complete": found.module.complete,
    }
    if not found.functions:
        fields["note"] = NO_FUNCTION
    texts: list[str] = []
    if piece.with_texts:
        source = source_bytes(piece.code)
        texts = [text_of(source, each) for each in found.functions] or [source.decode()]
    return Scored(fields, texts)


def function_to_dict(own: FunctionMetrics, *, explain: bool) -> dict[str, Any]:
    """A function's entry; its increments in the order of their places."""
    entry: dict[str, Any] = {
        "name": own.name,
        "qualified": own.qualified,
        "line": own.line,
        "end_line": own.end_line,
        "score": own.score,
        "label": own.label,
        "complete": own.complete,
        "metrics": own.to_dict(),
    }
    if explain:
        entry["increments"] = [asdict(each) for each in sorted(own.increments, key=lambda e: (e.line, e.column))]
    return entry
