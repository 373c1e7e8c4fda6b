"""A machine without a JDK: its tests are skipped by name with the command that helps, and in CI they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from java import java


@pytest.fixture
def runtime_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where Java programs run, but with no compiler."""
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("runtime_only")
def test_without_a_jdk_a_test_is_skipped_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"sh scripts/system-packages\.sh"):
        java()


@pytest.mark.usefixtures("runtime_only")
def test_in_ci_that_skip_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match=r"sh scripts/system-packages\.sh"):
        java()


def test_java_stands_beside_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "javac").write_text("#!/bin/sh\n")
    (tmp_path / "javac").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java() == str(tmp_path / "java")
