"""The two errors a user sees: what went wrong, where, and what to do about it.

The command line prints them as one line and turns them into the exit code: 2 where the input was
wrong, 1 where the work failed. Anything else that escapes is a defect of codefit itself.
"""

from __future__ import annotations

import errno


class CodefitError(Exception):
    """The work failed although the input was right (full disk, failed parity check, too many rejected rows)."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(self.line())

    def line(self) -> str:
        """The error as one line: ``where: what; fix``."""
        parts = f"{self.where}: {self.what}" if self.where else self.what
        whole = f"{parts}; {self.fix}" if self.fix else parts
        return " ".join(whole.split())


class InputError(CodefitError, ValueError):
    """What the user gave is wrong: a file, a row, a field, a flag."""

    exit_code = 2


_OS_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space and run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run the same command again"),
    errno.EFBIG: ("the file is larger than this file system or process may write", "choose another output folder"),
    errno.EROFS: ("the file system is read-only", "choose another output folder"),
    errno.EACCES: ("permission denied", "choose a path you may read and write"),
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("not a folder", "check the path"),
    errno.EISDIR: ("a folder stands where a file is needed", "check the path"),
    errno.ENAMETOOLONG: ("the name is too long", "check the path"),
    errno.ELOOP: ("a link that leads back to itself", "check the path"),
}
_WRONG_PATH = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


def from_os_error(error: OSError) -> CodefitError:
    """The operating system's error in the same one-line form; a wrong path is the input's fault."""
    code = error.errno or 0
    what, fix = _OS_REASONS.get(code, (error.strerror or str(error), None))
    where = str(error.filename) if error.filename is not None else None
    kind = InputError if code in _WRONG_PATH else CodefitError
    return kind(what, where=where, fix=fix)
