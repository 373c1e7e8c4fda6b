"""Doc-code pairs from documents: what a doc comment says of a function, and the function without it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from codefit.corpus.filters import document_problem
from codefit.corpus.manifest import UNKNOWN, Receipt
from codefit.engine.processes import map_records
from codefit.records import Document, Pair
from codefit.source.functions import first_paragraph, units_of
from codefit.source.languages import language_of
from codefit.source.parsing import SECONDS

CALLABLE_KINDS = frozenset({"function", "method"})
ALL_KINDS = CALLABLE_KINDS | {"type"}
# The parser stops itself at its own limit, but for a few inputs that only the end of the process stops.
SECONDS_PER_DOCUMENT = 3 * SECONDS
NO_DOC = "no doc comment"


@dataclass(frozen=True, slots=True)
class Mined:
    """What one document gave: its pairs, how many of its functions have no doc, why the whole of it was left out."""

    pairs: list[Pair]
    undocumented: int = 0
    problem: str | None = None


def mine_pairs(
    documents: Iterable[Document], *, workers: int | None = None, receipt: Receipt, types: bool = False
) -> Iterator[Pair]:
    """Pairs in the order of the documents and of their lines, mined by `workers` processes (None: one a core).

    `anchor` is the first paragraph of the doc, `positive` the code without the doc, decorators and attributes, as
    CodeSearchNet has it, `name` the qualified name, `line` where that code begins, `source` the document's repository.
    `types` adds classes and the like to functions and methods. A document that hangs or breaks its worker is dropped
    with that reason and costs no other.
    """
    places: deque[str] = deque()
    mine = partial(mine_document, kinds=ALL_KINDS if types else CALLABLE_KINDS)
    outcomes = map_records(mine, _remember(documents, places), workers=workers, seconds_per_item=SECONDS_PER_DOCUMENT)
    for outcome in outcomes:
        place = places.popleft()
        if outcome.value is None:
            receipt.drop(f"not mined: {outcome.error}", place)
            continue
        mined = outcome.value
        if mined.problem is not None:
            receipt.drop(mined.problem, place)
        if mined.undocumented:
            receipt.drop(NO_DOC, place, mined.undocumented)
        receipt.keep(len(mined.pairs))
        yield from mined.pairs


def mine_document(document: Document, *, kinds: frozenset[str]) -> Mined:
    """The pairs of one document."""
    language = document.language or language_of(document.path)
    if language is None:
        return Mined([], problem="language not known")
    problem = document_problem(document)
    if problem is not None:
        return Mined([], problem=problem)
    pairs = []
    undocumented = 0
    for unit in units_of(document.text, language):
        if unit.kind not in kinds:
            continue
        anchor = first_paragraph(unit.doc)
        if not anchor:
            undocumented += 1
            continue
        pairs.append(
            Pair(
                anchor=anchor,
                positive=unit.definition,
                source=document.repo or UNKNOWN,
                language=language,
                path=document.path,
                name=unit.qualified,
                license=document.license,
                line=unit.start_line + unit.code.count("\n", 0, unit.prelude),
            )
        )
    return Mined(pairs, undocumented)


def _remember(documents: Iterable[Document], places: deque[str]) -> Iterator[Document]:
    """The documents as they are, with a note of where each is: outcomes come back in order but without it."""
    for document in documents:
        places.append(f"{document.repo or UNKNOWN}/{document.path}")
        yield document
