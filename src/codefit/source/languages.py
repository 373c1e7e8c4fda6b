"""The languages that codefit reads, by name, and how a file's name tells which it is.

A further language is one file in `definitions/` and one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from codefit.source.definitions.c import CPP, C
from codefit.source.definitions.go import GO
from codefit.source.definitions.java import JAVA
from codefit.source.definitions.javascript import JAVASCRIPT, TYPESCRIPT
from codefit.source.definitions.php import PHP
from codefit.source.definitions.python import PYTHON
from codefit.source.definitions.ruby import RUBY
from codefit.source.definitions.rust import RUST
from codefit.source.grammar import Language

__all__ = ["LANGUAGES", "Language", "language_of"]

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {language.name: language for language in (PYTHON, JAVASCRIPT, TYPESCRIPT, RUST, GO, JAVA, RUBY, PHP, C, CPP)}
)
_BY_EXTENSION = {extension: language.name for language in LANGUAGES.values() for extension in language.extensions}
_BY_FILE_NAME = {name: language.name for language in LANGUAGES.values() for name in language.file_names}


def language_of(path: str) -> str | None:
    """The language of a file by its extension or well-known name (Rakefile); None where it is none of codefit's."""
    name = PurePosixPath(path).name
    return _BY_FILE_NAME.get(name) or _BY_EXTENSION.get(PurePosixPath(name).suffix.lower())
