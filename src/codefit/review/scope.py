"""Which paths of a checkout a review of its history takes in: those that `find_files` would, at any commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codefit.errors import InputError
from codefit.review.files import MEASURED, Choice, Ignored, is_vendored, named_file, shown_path
from codefit.review.git import checkout_at, lies_in, path_in
from codefit.source.languages import language_of


class Scope:
    """Paths of one checkout. `top` is its folder, `places` what the user named, from the top."""

    def __init__(self, paths: Sequence[str], choice: Choice) -> None:
        """Raises `InputError` where a path is missing, or they do not lie in one git checkout."""
        self._choice = choice
        self._named: dict[str, str] = {}
        self._ignored: dict[str, Ignored] = {}
        for given in paths:
            if not Path(given).exists():
                raise InputError("no such file or folder", where=given, fix="check the path")
        tops = {checkout_at(Path(given)): given for given in paths}
        if len(tops) != 1:
            raise InputError("these lie in different git repositories", where=" ".join(paths), fix="name one at a time")
        (self.top,) = tops
        for given in paths:
            place = path_in(self.top, Path(given))
            if Path(given).is_dir():
                self._ignored[place] = Ignored(self.top, place)
            else:
                self._named[place] = named_file(Path(given), choice, is_alone=len(paths) == 1).language
        self.places = (*self._named, *self._ignored)

    def language(self, path: str) -> str | None:
        """The language that a file is measured in, None where it is not one of those wanted."""
        language = self._named.get(path)
        if language is None:
            language = language_of(path)
            if language not in MEASURED or not self._is_below(path):
                return None
        return language if self._choice.keeps(self.shown(path), language) else None

    def shown(self, path: str) -> str:
        """A path as people read it."""
        return shown_path(self.top / path)

    def _is_below(self, path: str) -> bool:
        """Whether a folder that the user named holds the path, and neither ignores it nor has it as vendored code."""
        for place, ignored in self._ignored.items():
            if lies_in(path, [place]) and path not in ignored:
                return self._choice.everything or not is_vendored(path[len(place) :])
        return False
