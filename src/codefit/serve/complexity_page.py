"""The page of the complexity service: one answer with its styles and scripts, that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from string import Template

import codefit

HERE = Path(__file__).parent / "page"
# Of all pages. By its place, since importing the report's package takes a second.
COMMON_STYLE = Path(codefit.__file__).parent / "run" / "report" / "codefit.css"
SCRIPTS = ("guess.js", "editor.js", "results.js", "complexity.js")  # in this order: the last one starts


@cache
def complexity_page() -> tuple[bytes, dict[str, str]]:
    """The HTML and the headers that go with it: they allow its own styles and scripts, by their hashes, and no other.

    Nor may a script put text into the page as HTML (`require-trusted-types-for`), which code that somebody pastes is.
    """
    style = "\n".join(file.read_text("utf-8") for file in (COMMON_STYLE, HERE / "complexity.css"))
    script = "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)
    html = Template((HERE / "complexity.html").read_text("utf-8")).substitute(
        style=style, script=script, version=codefit.__version__
    )
    policy = {
        "default-src": "'none'",
        "style-src": _hash_of(style),
        "script-src": _hash_of(script),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return html.encode(), {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
