"""The text of a source file as it is measured, or the reason why it is not."""

from __future__ import annotations

import re
from pathlib import Path

from codefit.corpus.documents.text import NotSourceError, decode_source, read_source_bytes, too_large
from codefit.corpus.filters import DEFAULT_LIMITS, GENERATED, HEAD_CHARACTERS

MAX_BYTES = 8_000_000  # bundles have some megabytes; what is larger is data, and its tree would fill memory
MINIFIED_LINE = DEFAULT_LIMITS.max_line_characters
MINIFIED_SHARE = 0.5  # of a file's characters in lines that long: then they are what it is made of
GENERATED_REASON = "generated"
MINIFIED_REASON = "minified"
LEFT_OUT_ON_PURPOSE = (GENERATED_REASON, MINIFIED_REASON)
# A generator signs in a comment. The words alone may stand in the code of a generator, or in its doc.
_COMMENT = re.compile(r"[ \t]*(?:#|//|/\*|\*|--|<!--|;|<\?php\s*(?:#|//|/\*))")


def read_text(place: Path, *, everything: bool) -> str:
    """The text of a file, line ends as line feeds; raises `NotSourceError` with the reason where there is none.

    `everything` takes generated and minified files too.
    """
    return text_of(read_source_bytes(place, MAX_BYTES), everything=everything)


def text_of(data: bytes, *, everything: bool) -> str:
    """The text of a file's bytes, as `read_text` gives it; that of an empty file is empty."""
    if len(data) > MAX_BYTES:
        raise NotSourceError(too_large(MAX_BYTES))
    if not data.strip():
        return ""
    text = decode_source(data).replace("\r", "\n")
    if not everything:
        if is_generated(text):
            raise NotSourceError(GENERATED_REASON)
        if is_minified(text):
            raise NotSourceError(MINIFIED_REASON)
    return text


def is_generated(text: str) -> bool:
    """Whether a comment in the first lines says that a program wrote the file."""
    for found in GENERATED.finditer(text, 0, HEAD_CHARACTERS):
        if _COMMENT.match(text, text.rfind("\n", 0, found.start()) + 1):
            return True
    return False


def is_minified(text: str) -> bool:
    """Whether half of the text or more is in lines that no person reads."""
    if len(text) <= MINIFIED_LINE:
        return False
    return sum(len(line) for line in text.split("\n") if len(line) > MINIFIED_LINE) >= MINIFIED_SHARE * len(text)
