"""Small source files that share few shingles with one another, for tests of curation."""

from __future__ import annotations

import random
import string

from codefit.records import Document


def source(index: int, functions: int = 3, types: int = 1) -> str:
    """A Python file of `functions` functions of eight lines and `types` classes of three, made of its own words."""
    rng = random.Random(index)

    def word() -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=8))

    parts = []
    for number in range(functions):
        names = [word() for _ in range(6)]
        body = "".join(f"    {name} = {rng.choice(names)}.{word()}({number})\n" for name in names)
        parts.append(f"def f{index}_{number}({names[0]}):\n{body}    return {names[1]}\n")
    parts += [f"class C{index}_{number}:\n    {word()} = {word()}\n    {word()} = None\n" for number in range(types)]
    return "\n\n".join(parts)


def document(
    path: str, index: int, *, functions: int = 3, types: int = 1, repo: str = "owner/name", license: str | None = "MIT"
) -> Document:
    """A document whose text is `source(index, functions, types)`."""
    return Document(path=path, text=source(index, functions, types), language="python", repo=repo, license=license)


def repository(directories: int = 12, files: int = 3, repo: str = "owner/name") -> list[Document]:
    """Some files in each of some directories, of 3 to 6 functions."""
    return [
        document(f"pkg/d{place}/f{number}.py", place * 100 + number, functions=3 + (place + number) % 4, repo=repo)
        for place in range(directories)
        for number in range(files)
    ]
