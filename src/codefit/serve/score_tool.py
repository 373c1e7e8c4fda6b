"""The complexity of functions as a coding agent reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel

from codefit.engine.standing import StandingWorkers
from codefit.errors import CodefitError, InputError
from codefit.serve.complexity_api import FunctionAnswer
from codefit.serve.complexity_measure import Piece, Scored, check_piece, score_piece
from codefit.serve.measuring import GRACE, SECONDS
from codefit.source.languages import language_of

SHOWN = ("cyclomatic", "cognitive", "nesting", "parameters", "lines")


class ScoreResult(BaseModel):
    """What `score_complexity` gives, highest score first; `left_out` functions have lower scores than those given.

    Where there is no function, `scored_as` is module and `module` is the score of the code as a whole.
    """

    path: str
    language: str
    functions: list[FunctionAnswer]
    module: FunctionAnswer
    scored_as: Literal["functions", "module"]
    complete: bool
    left_out: int


@dataclass(slots=True)
class ScoreTool:
    """One process that measures, started at the first call: an input that hangs a parser costs its call alone."""

    _workers: StandingWorkers[Piece, Scored] | None = field(default=None, init=False)

    def result(self, text: str, name: str, language: str, *, explain: bool, results: int) -> dict[str, Any]:
        """The fields of a `ScoreResult`. Raises `InputError` for what cannot be scored, `CodefitError` for too slow."""
        known = language or language_of(name)
        if known is None:
            raise InputError("which language this is its name does not tell", where=name, fix="give language")
        check_piece(text, known)
        if self._workers is None:
            self._workers = StandingWorkers(partial(score_piece, seconds=SECONDS), seconds=SECONDS + GRACE, count=1)
        scored, error = self._workers.call(Piece(text, known, explain, with_texts=False))
        if scored is None:
            raise CodefitError(error or "not scored", where=name)
        fields = scored.fields
        functions = sorted(fields["functions"], key=lambda each: (-each["score"], each["line"]))
        return {
            "path": name,
            "language": known,
            "functions": functions[:results],
            "module": fields["module"],
            "scored_as": fields["scored_as"],
            "complete": fields["complete"],
            "left_out": len(functions[results:]),
        }


def score_text(result: dict[str, Any]) -> str:
    """The same in words: a line a function, and under it what adds to it."""
    functions, name = result["functions"], result["path"]
    if result["scored_as"] == "module":
        lines = [f"{name}: no function in it; as a whole:", *_lines_of(result["module"])]
    else:
        count = len(functions) + result["left_out"]
        lines = [f"{name}: {count} function{'s' if count != 1 else ''}, highest score first"]
        lines += [line for each in functions for line in _lines_of(each)]
    if result["left_out"]:
        lines.append(f"and {result['left_out']} with lower scores")
    if not result["complete"]:
        lines.append("there is a syntax error in it: what could be read is scored")
    return "\n".join(lines)


def _lines_of(own: dict[str, Any]) -> list[str]:
    figures = ", ".join(f"{key} {own['metrics'][key]}" for key in SHOWN)
    head = f"{own['score']:4.1f} {own['label']:<8} {own['qualified']} lines {own['line']}-{own['end_line']}: {figures}"
    return [head, *(_increment(each) for each in own.get("increments", ()))]


def _increment(each: dict[str, Any]) -> str:
    nesting = f", {each['nesting']} of it for nesting" if each["nesting"] else ""
    return (
        f"     line {each['line']}: {each['what']}, cyclomatic +{each['cyclomatic']}, "
        f"cognitive +{each['cognitive']}{nesting}"
    )
