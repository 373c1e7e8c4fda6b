"""What a change did to functions, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.review.changes import Changes, review_changes
from codefit.review.files import Choice
from codefit.review.scope import Scope
from codefit.review.score import Reading
from git_checkout import Checkout, branchy


def changes_in(checkout: Checkout, revisions: str, *paths: str, choice: Choice | None = None) -> Changes:
    scope = Scope([str(checkout.top / path) for path in paths or ("",)], choice or Choice())
    return review_changes(scope, revisions, Reading())


def told(changes: Changes) -> list[tuple[str, str, str]]:
    return [(each.change, Path(each.path).name, each.qualified) for each in changes.functions]


def test_against_the_folder_with_what_is_not_committed_and_not_added(checkout: Checkout) -> None:
    checkout.commit({"a.py": branchy("kept", 1) + branchy("grown", 2) + branchy("gone", 1), "b.py": branchy("b", 1)})
    checkout.write({"a.py": "\n" * 5 + branchy("grown", 6) + branchy("kept", 1), "new.py": branchy("fresh", 3)})
    checkout.write({".gitignore": "out.py\n", "out.py": branchy("ignored", 9)})
    changes = changes_in(checkout, "HEAD")
    assert told(changes) == [("changed", "a.py", "grown"), ("new", "new.py", "fresh")]
    grown, fresh = changes.functions
    assert grown.before is not None
    assert (grown.before.cyclomatic, grown.metrics["cyclomatic"]) == (3, 7)
    assert grown.increase == {"score": round(grown.score - grown.before.score, 2), "cognitive": 4, "cyclomatic": 4}
    assert (fresh.before, fresh.increase) == (None, None)
    assert [each.name for each in changes.removed] == ["gone"]
    assert changes.counts() == {"new": 1, "changed": 1, "moved": 0, "removed": 1}
    checkout.git("add", "a.py")  # what is added to the index is no other than what is not
    assert told(changes_in(checkout, "HEAD")) == told(changes)


def test_between_two_commits_and_since_a_branch_left(checkout: Checkout) -> None:
    first = checkout.commit({"a.py": branchy("f", 1)})
    checkout.git("checkout", "-b", "side")
    checkout.commit({"side.py": branchy("of_side", 2)})
    checkout.git("checkout", "main")
    checkout.commit({"main.py": branchy("of_main", 4)})
    checkout.write({"loose.py": branchy("loose", 1)})
    assert told(changes_in(checkout, f"{first}..side")) == [("new", "side.py", "of_side")]
    assert told(changes_in(checkout, "main...side")) == [("new", "side.py", "of_side")]
    two_dots = changes_in(checkout, "main..side")
    assert told(two_dots) == [("new", "side.py", "of_side")]
    assert [each.name for each in two_dots.removed] == ["of_main"]
    assert told(changes_in(checkout, f"{first}..")) == [("new", "main.py", "of_main")]
    assert told(changes_in(checkout, first)) == [("new", "loose.py", "loose"), ("new", "main.py", "of_main")]


def test_renamed_files_and_moved_functions_are_not_new(checkout: Checkout) -> None:
    checkout.commit({
        "old.py": "".join(branchy(f"f{number}", number) for number in range(6)),
        "from.py": branchy("moving", 7) + branchy("staying", 5),
        "to.py": branchy("there", 4),
    })  # fmt: skip
    checkout.git("config", "diff.renames", "false")  # what a user has configured changes nothing
    checkout.git("config", "diff.noprefix", "true")
    checkout.git("mv", "old.py", "new name.py")
    checkout.write({
        "new name.py": "".join(branchy(f"f{number}", number + (number == 3)) for number in range(6)),
        "from.py": branchy("staying", 5),
        "to.py": branchy("there", 4) + branchy("renamed", 7),
    })  # fmt: skip
    checkout.git("add", "-A")
    changes = changes_in(checkout, "HEAD")
    assert told(changes) == [("changed", "new name.py", "f3")]
    (only,) = changes.functions
    assert only.before is not None
    assert Path(only.before.path).name == "old.py"
    assert changes.counts() == {"new": 0, "changed": 1, "moved": 6, "removed": 0}


def test_only_the_paths_that_are_asked_for(checkout: Checkout) -> None:
    checkout.commit({"src/a.py": branchy("a", 1), "lib/b.py": branchy("b", 1)})
    checkout.write({"src/a.py": branchy("a", 2), "lib/b.py": branchy("b", 2), "src/vendor/c.py": branchy("c", 1)})
    assert told(changes_in(checkout, "HEAD", "src")) == [("changed", "a.py", "a")]
    assert told(changes_in(checkout, "HEAD", "lib/b.py")) == [("changed", "b.py", "b")]
    everything = changes_in(checkout, "HEAD", choice=Choice(everything=True))
    assert told(everything) == [("changed", "b.py", "b"), ("changed", "a.py", "a"), ("new", "c.py", "c")]
    assert told(changes_in(checkout, "HEAD", choice=Choice(exclude=("lib/",)))) == [("changed", "a.py", "a")]


def test_ignored_files_are_left_out_though_they_are_committed(checkout: Checkout) -> None:
    checkout.commit({".codefitignore": "gen/\n", "gen/a.py": branchy("a", 1), "b.py": branchy("b", 1)})
    checkout.write({"gen/a.py": branchy("a", 2), "b.py": branchy("b", 2)})
    assert told(changes_in(checkout, "HEAD")) == [("changed", "b.py", "b")]
    assert told(changes_in(checkout, "HEAD", "gen")) == [("changed", "a.py", "a")]  # who names it wants it


def test_a_file_moved_in_from_outside_brings_its_past(checkout: Checkout) -> None:
    checkout.commit({"lib/a.py": branchy("a", 8) + branchy("b", 3)})
    checkout.git("mv", "lib/a.py", "a.py")
    (checkout.top / "src").mkdir()
    checkout.git("mv", "a.py", "src/a.py")
    changes = changes_in(checkout, "HEAD", "src")
    assert changes.counts() == {"new": 0, "changed": 0, "moved": 2, "removed": 0}


def test_what_cannot_be_read_is_named_and_its_functions_are_not_said_to_be_gone(checkout: Checkout) -> None:
    checkout.commit({"a.py": branchy("a", 1), "b.py": branchy("b", 1)})
    (checkout.top / "a.py").write_bytes(b"x = '\xe9'\n")
    (checkout.top / "b.py").unlink()
    (checkout.top / "b.py").symlink_to("a.py")
    changes = changes_in(checkout, "HEAD")
    assert [(Path(each.where).name, each.reason) for each in changes.review.receipt.dropped] == [("a.py", "not UTF-8")]
    assert [each.name for each in changes.removed] == ["b"]


def test_wrong_revisions_are_errors_that_say_what_to_do(checkout: Checkout, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the checkout has no commit yet; commit first"):
        changes_in(checkout, "HEAD")
    first = checkout.commit({"a.py": branchy("a", 1)})
    checkout.commit({"a.py": branchy("a", 2)})
    for revision in ("nowhere", "HEAD~9", "--output=x", ""):
        with pytest.raises(InputError, match="is not a revision; name a commit, branch or tag"):
            changes_in(checkout, revision)
    with pytest.raises(InputError, match="not in a git repository"):
        Scope([str(tmp_path)], Choice())
    other = Checkout(tmp_path / "other")
    with pytest.raises(InputError, match="these lie in different git repositories"):
        Scope([str(checkout.top), str(other.top)], Choice())
    other.commit({"b.py": branchy("b", 9)})
    checkout.git("fetch", str(other.top), "main:unrelated")
    with pytest.raises(InputError, match="have no commit in common; name two others"):
        changes_in(checkout, "main...unrelated")
    checkout.git("clone", "--depth", "1", f"file://{checkout.top}", str(tmp_path / "shallow"))
    with pytest.raises(InputError, match="is not a revision that this shallow clone holds; run git fetch --unshallow"):
        review_changes(Scope([str(tmp_path / "shallow")], Choice()), first, Reading())


def test_names_with_odd_signs(checkout: Checkout) -> None:
    names = ["a b.py", "ü.py", 'quo"te.py', "tab\there.py", "new\nline.py"]
    checkout.commit({name: branchy("f", 1) for name in names})
    checkout.write({name: branchy("f", 2) for name in names})
    assert sorted(Path(each.path).name for each in changes_in(checkout, "HEAD").functions) == sorted(names)
