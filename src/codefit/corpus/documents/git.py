"""Git as a reader of checkouts runs it: nothing that a configuration would run or change, errors in one line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from codefit.errors import CodefitError, InputError

# What the user's or the repository's configuration would run or change: neither is wanted here.
_PLAIN = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "diff.renameLimit=0"),
    *("-c", "diff.noprefix=false"),
    *("-c", "diff.mnemonicPrefix=false"),
)


def git_command(top: Path, *arguments: str) -> list[str]:
    """The command line that runs git in the checkout `top`."""
    return ["git", *_PLAIN, "-C", str(top), *arguments]


def git_environment() -> dict[str, str]:
    """This process's environment, with git's messages in English, which are read, and no lock taken to look."""
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def run_git(top: Path, *arguments: str, instead: str = "") -> str:
    """What git prints; names that are no UTF-8 come as surrogates.

    `instead` is another way out, told after the fix. Raises `InputError` where the checkout has no commit, and
    `CodefitError` where git is missing or fails.
    """
    try:
        done = subprocess.run(git_command(top, *arguments), capture_output=True, check=False, env=git_environment())
    except FileNotFoundError as error:
        raise git_missing(instead) from error
    if done.returncode:
        raise git_failed(top, arguments[0], done.stderr, done.returncode, instead)
    return done.stdout.decode("utf-8", "surrogateescape")


def git_missing(instead: str = "") -> CodefitError:
    """The error where there is no git."""
    return CodefitError("git is not installed", fix=f"install git{instead}")


def git_failed(top: Path, command: str, said: bytes, code: int, instead: str = "") -> CodefitError:
    """The error of a git command that ended with `code`, from what it said on stderr."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    if any("does not have any commits" in line for line in lines):
        return InputError("the checkout has no commit yet", where=str(top), fix=f"commit{instead}")
    return CodefitError(f"git {command} failed ({lines[-1] if lines else code})", where=str(top))
