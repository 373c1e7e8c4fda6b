"""From a file's text to the metrics of its functions."""

from __future__ import annotations

import time

from codefit.errors import CodefitError, InputError
from codefit.source.languages import LANGUAGES
from codefit.source.metrics.javascript import scan
from codefit.source.metrics.table import table_of
from codefit.source.metrics.walk import FileMetrics, Walk
from codefit.source.parsing import SECONDS, normalized, parse_tree

MAX_CHARACTERS = 8_000_000  # bundles are that large; a function of a megabyte is nothing unusual in them


def measure(
    text: str, language: str, *, explain: bool = False, seconds: float = SECONDS, compiled: bool = False
) -> FileMetrics:
    """The metrics of every function of a file, and of what stands outside of them.

    `explain` keeps each increment with its place. `compiled` reads plain JavaScript without a tree, to the same figures
    in a tenth of the time (`codefit.source.metrics.javascript`). Broken code gives what can be read.

    Raises `InputError` where the language is none of `LANGUAGES` or the text longer than `MAX_CHARACTERS`, and
    `CodefitError` where it takes longer than `seconds`, a limit that rare inputs break (see `codefit.source.parsing`).
    """
    known = LANGUAGES.get(language)
    if known is None:
        raise InputError(f"{language!r} is not a language that codefit reads", fix=f"one of {', '.join(LANGUAGES)}")
    if compiled and language == "javascript" and not explain and len(text) <= MAX_CHARACTERS:
        found = scan(normalized(text).encode("utf-8", "replace"))
        if found is not None:
            return found
    deadline = time.monotonic() + seconds
    tree = parse_tree(text, known, seconds, max_characters=MAX_CHARACTERS)
    walk = Walk(tree.source, known, table_of(tree.grammar, language), explain=explain, deadline=deadline)
    try:
        return walk.measure(tree.tree)
    except TimeoutError as error:
        raise CodefitError(f"not measured within {seconds:g} s") from error
