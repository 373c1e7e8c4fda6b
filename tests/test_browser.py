"""A machine without Chromium: its tests are skipped by name with the command that helps, and in CI they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import chromium


def test_without_chromium_a_test_is_skipped_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"sh scripts/system-packages\.sh"):
        chromium()


def test_in_ci_that_skip_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match=r"sh scripts/system-packages\.sh"):
        chromium()
