"""Hotspots: complexity times churn."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.review.files import Choice
from codefit.review.hotspots import Hotspots, read_hotspots
from codefit.review.scope import Scope
from codefit.review.score import Reading
from git_checkout import Checkout, branchy


def hotspots_of(
    checkout: Checkout, *, by: str = "commits", functions: bool = False, since: str = "30 years"
) -> Hotspots:
    scope = Scope([str(checkout.top)], Choice())
    return read_hotspots("", scope, Reading(), since=since, by=by, functions=functions)


def busy(checkout: Checkout) -> None:
    """A simple file that changes often, a complex one that changes twice, and a complex one that is left alone."""
    checkout.commit({"still.py": branchy("still", 20)})
    checkout.commit({"simple.py": branchy("simple", 1), "complex.py": branchy("a", 9) + branchy("b", 12)})
    for number in range(4):
        checkout.commit({"simple.py": branchy("simple", 1) + f"# {number}\n"})
    checkout.commit({"complex.py": branchy("a", 9) + branchy("b", 13), "gone.py": "x = 1\n"})
    checkout.commit({"gone.py": None})


def test_files_by_complexity_times_commits(checkout: Checkout) -> None:
    busy(checkout)
    found = hotspots_of(checkout)
    told = [(Path(each.path).name, each.cognitive, each.commits, each.hotspot) for each in found.found]
    assert told == [("complex.py", 22, 2, 44), ("still.py", 20, 1, 20), ("simple.py", 1, 5, 5)]
    assert sum(each.share for each in found.found) == pytest.approx(1)
    assert found.found[0].functions == 2
    assert found.commits == 8


def test_functions_by_the_lines_that_changed_in_them(checkout: Checkout) -> None:
    busy(checkout)
    found = hotspots_of(checkout, functions=True, by="lines")
    told = {each.function.name: (each.commits, each.lines) for each in found.found if each.function is not None}
    assert told == {"still": (1, 42), "simple": (1, 4), "a": (1, 20), "b": (2, 26 + 2)}
    first = found.to_dict()["hotspots"][0]
    assert (first["name"], first["line"], first["end_line"]) == ("still", 1, 42)
    assert first["hotspot"] == 20 * 42


def test_nothing_committed_is_an_error(checkout: Checkout) -> None:
    checkout.commit({"notes.txt": "x"})
    with pytest.raises(InputError, match="no source file is committed there; name a path that is committed"):
        hotspots_of(checkout)


def test_a_window_without_commits_has_no_share(checkout: Checkout) -> None:
    checkout.commit({"a.py": branchy("a", 3)})
    (only,) = hotspots_of(checkout, since="1 day").found
    assert (only.hotspot, only.share, only.commits) == (0, 0.0, 0)
