"""A real browser for tests: Debian's Chromium through Playwright, shut off from every network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HELP = "sh scripts/system-packages.sh"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The browser's path; where there is none the test is skipped, and in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    message = f"Chromium is not installed; install it with: {HELP}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class Tab:
    """A page of the browser, with what went wrong on it and what it asked of the network."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def show(self, file: Path) -> Tab:
        """Open a file."""
        self.page.goto(file.absolute().as_uri())
        return self


class Browser:
    """A browser whose windows differ in width and colour scheme."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context

    def open(self, file: Path, *, width: int = 1280, scheme: str = "light") -> Tab:
        """A new tab of that width, in that scheme, which shows the file."""
        page = self.context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        return Tab(page).show(file)


@contextmanager
def running(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, closed at the end."""
    path = chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[dev]'")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=path, headless=True, args=list(ARGUMENTS)
        )
        try:
            yield Browser(context)
        finally:
            context.close()
