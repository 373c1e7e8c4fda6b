"""What a source on the hub is: which dataset at which commit, which parts of it, and how a row becomes an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from codefit.errors import CodefitError
from codefit.records import Pair, TextRow
from codefit.source.functions import Unit, units_of

Role = Literal["train", "eval", "raw"]  # which output the rows of a part go to


class UnfitError(Exception):
    """Why a row does not become an example; the message is the reason that its receipt counts it by."""


@dataclass(frozen=True, slots=True)
class Part:
    """A split of one configuration of a dataset; `language` is set where the configuration is one language."""

    split: str
    role: Role
    config: str | None = None
    language: str | None = None

    def where(self) -> str:
        """`config/split`, as it is named in reasons."""
        return f"{self.config}/{self.split}" if self.config else self.split


def no_benchmark(row: Mapping[str, Any], part: Part) -> bool:
    """The answer of a source that holds nothing of a benchmark."""
    return False


@dataclass(frozen=True, slots=True)
class HubSource:
    """A dataset repository and how its rows are read.

    `revision` is the commit that is read unless another is asked for; `license` the SPDX expression of its card;
    `columns` what `example` needs of a row (`optional` may be absent); `stream` reads rows from the network one by
    one, for datasets too large to download. `example` raises `UnfitError` where a row gives none. `is_benchmark` says
    of a row whether published figures are measured on it: such a row is for evaluation and decontamination.
    """

    name: str
    dataset: str
    revision: str
    license: str
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    example: Callable[[Mapping[str, Any], Part], Pair | TextRow]
    optional: tuple[str, ...] = ()
    stream: bool = False
    is_benchmark: Callable[[Mapping[str, Any], Part], bool] = no_benchmark

    def is_raw(self) -> bool:
        """Whether it gives raw text, not pairs."""
        return self.parts[0].role == "raw"


def python_units(code: str) -> list[Unit]:
    """The units of a Python snippet; raises `UnfitError` where it cannot be parsed in time."""
    try:
        return units_of(code, "python")
    except CodefitError as error:
        raise UnfitError("not parsed") from error


def text_of(row: Mapping[str, Any], column: str) -> str:
    """The text in a column with `\\n` line ends; raises `UnfitError` where it is not text or blank."""
    value = row[column]
    if not isinstance(value, str):
        raise UnfitError(f"{column} is not text")
    if not value.strip():
        raise UnfitError(f"{column} is empty")
    return value.replace("\r\n", "\n")
