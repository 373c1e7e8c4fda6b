"""Source files put together from mined functions: each under its description, as a comment of its language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from codefit.records import Document, Pair
from codefit.source.languages import language_of

_SPACE_BETWEEN = "\n\n"  # one blank line between functions
_HEADS = {"php": "<?php\n\n"}  # without which a file of the language is no code
_BLOCK_END = re.compile(r"\*(?=/)")


def _lines(mark: str) -> Callable[[str], str]:
    return lambda text: "\n".join(f"{mark} {line}".rstrip() for line in text.splitlines())


def _block(text: str) -> str:
    inside = "\n".join(f" * {line}".rstrip() for line in _BLOCK_END.sub("* ", text).splitlines())
    return f"/**\n{inside}\n */"


# How each language writes the doc comment above a definition. Python's own place, the docstring, is inside the code:
# a comment above leaves the code as it was mined.
_COMMENTS: dict[str, Callable[[str], str]] = {
    "python": _lines("#"),
    "ruby": _lines("#"),
    "rust": _lines("///"),
    "go": _lines("//"),
    "c": _block,
    "cpp": _block,
    "java": _block,
    "javascript": _block,
    "typescript": _block,
    "php": _block,
}


def documents_from_pairs(pairs: Iterable[Pair]) -> Iterator[Document]:
    """One document for each file that pairs come from: its functions in the order of their lines, each under its doc.

    Files come in the order of their first pair. A function that lies inside another one of the file is not repeated,
    since the other's code holds it. Pairs without a path make one document a source, named like it, in their order;
    without a line they keep their order after those that have one. The licences of a file's pairs are joined by AND.
    """
    files: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        files.setdefault((pair.source, pair.path or pair.source), []).append(pair)
    for (source, path), rows in files.items():
        language = next((row.language for row in rows if row.language), None) or language_of(path)
        licenses = sorted({row.license for row in rows if row.license is not None})
        yield Document(
            path=path,
            text=_HEADS.get(language or "", "") + _SPACE_BETWEEN.join(map(_with_comment, _outermost(rows))) + "\n",
            language=language,
            repo=source,
            license=_joined(licenses),
        )


def comment(text: str, language: str | None) -> str:
    """`text` as a comment of the language; one that codefit does not know gets number signs."""
    return _COMMENTS.get(language or "", _COMMENTS["python"])(text)


def _with_comment(pair: Pair) -> str:
    code = pair.positive.strip("\n")
    anchor = pair.anchor.strip()
    language = pair.language or language_of(pair.path or "")
    return f"{comment(anchor, language)}\n{code}" if anchor else code


def _outermost(rows: Sequence[Pair]) -> Iterator[Pair]:
    """The pairs by line, without those that begin inside the one before."""
    end = 0
    numbered = [row for row in rows if row.line is not None]
    for row in sorted(numbered, key=lambda row: row.line or 0):
        assert row.line is not None
        if row.line >= end:
            yield row
            end = row.line + row.positive.strip("\n").count("\n") + 1
    yield from (row for row in rows if row.line is None)


def _joined(licenses: Sequence[str]) -> str | None:
    if len(licenses) < 2:
        return licenses[0] if licenses else None
    return " AND ".join(f"({each})" if " OR " in each else each for each in licenses)
