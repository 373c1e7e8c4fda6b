"""A real git repository for tests, whatever the machine's own configuration says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


class Checkout:
    """A repository in a folder of its own."""

    def __init__(self, top: Path) -> None:
        top.mkdir(parents=True)
        self.top = top
        self.git("init")

    def git(self, *arguments: str, date: str = "2024-01-01T00:00:00+00:00") -> str:
        """What a git command prints."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }
        done = subprocess.run(
            ["git", *IDENTITY, *arguments], cwd=self.top, env=environment, check=True, capture_output=True
        )
        return done.stdout.decode()

    def write(self, files: dict[str, str | None]) -> None:
        """Write files by path; None removes one."""
        for name, text in files.items():
            path = self.top / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def commit(self, files: dict[str, str | None], *, date: str = "2024-01-01T00:00:00+00:00") -> str:
        """Write files and commit everything; the commit's name."""
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "--allow-empty", "-m", f"to {' '.join(files) or 'nothing'}", date=date)
        return self.git("rev-parse", "HEAD").strip()


def branchy(name: str, branches: int, *, method: bool = False) -> str:
    """Python of a function with so many branches; each adds one to every complexity."""
    self = "self, " if method else ""
    body = "".join(f"    if a == {number}:\n        b += {number}\n" for number in range(branches))
    return f"def {name}({self}a, b=0):\n{body}    return b\n"
