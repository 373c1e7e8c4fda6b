"""The page of a plan, as it is written and as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import Browser, running
from codefit.run.plan_page import plan_page, write_plan_page
from run.report.test_page_in_browser import LEAST_CONTRAST, TEXTS, channels, contrast

HOLE = [
    ["shop/src/a.rs", "border"],
    ["<|endoftext|>", "context"],
    ["<|fim_prefix|>", "mark"],
    ["fn a() {\n", "prefix"],
    ["<|fim_suffix|>", "mark"],
    ["}\n", "suffix"],
    ["<|fim_middle|>", "mark"],
    ["    <b>&amp;</b>();\n", "middle"],
    ["<|endoftext|>", "end"],
    ["shop/src/" + "deep/" * 30 + "b.rs", "border"],
    ["\n", "context"],
    ["pub struct " + "VeryLongName" * 12, "predicted"],
    ["<|endoftext|>", "end"],
    ["shop/src/c.rs", "border"],
    ["<|endoftext|>", "context"],
    ["<|fim_prefix|>", "mark"],
    ["<|fim_suffix|>", "mark"],
    ["tail", "suffix"],
    ["<|fim_middle|>", "mark"],
    ["head and middle", "prefix+middle"],
    ["<|endoftext|>", "end"],
]
KINDS = {"context", "mark", "prefix", "suffix", "middle", "end", "predicted", "joined"}


def a_plan(**changes: Any) -> dict[str, Any]:
    """A plan with every kind of token, of a run that does not fit."""
    stage = {
        "length": 768,
        "steps": 120,
        "tokens": 737_280,
        "row_fill": 0.98,
        "padding_share": 0.21,
        "documents_cut": 40,
        "most_pieces": 31,
        "ends_a_pass": 77,
        "seconds": 300.0,
    }
    memory = {
        "parts": {"weights": 6_000_000_000, "libraries": 0},
        "total": 20_000_000_000,
        "device_total": 16_000_000_000,
        "device_free": 15_000_000_000,
        "fits": False,
        "fix": "set train.gradient_checkpointing to true",
        "checkpointing": {"chosen": False, "asked": False, "activations_kept": 9e9, "activations_computed_again": 1e9},
    }
    return {
        "recipe": "extended-pretraining",
        "system": "extended-pretraining",
        "data": {
            "read": {"repository": {"files": 1386, "bytes": 20_000_000}},
            "kept": {"train": {"files": 300, "bytes": 13_000_000, "counted": True}},
            "dropped": {"below the top 300": 807},
            "missing": ["$CODEFIT_DATA/" + "pairs/" * 20 + "*.jsonl.gz"],
        },
        "tokens": {
            "per_epoch": 4_000_000,
            "total": 12_000_000,
            "bytes_a_token": 3.3,
            "known": "counted",
            "tokenized_files": 300,
            "context": 32_768,
            "files_longer_than_context": 1,
        },
        "stages": [stage, stage | {"length": 1536}],
        "steps": 240,
        "rows_a_step": 8,
        "parameters": {"all": 3_115_872_256, "trained": 29_933_568},
        "precision": "fp16",
        "memory_bytes": memory,
        "speed": {"matmul_flops": 4e13, "utilisation": 0.4, "measured": False, "tokens_per_second": 1000},
        "seconds": {"data": 20.0, "train": 600.0, "total": 620.0},
        "machine": {"cpu": "a processor", "cores": 2, "device": "Tesla T4", "load": 9.0},
        "rows": [{"length": 768, "tokens": HOLE}, {"length": 1536, "tokens": HOLE}],
        **changes,
    }


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plan_page(a_plan(), tmp_path_factory.mktemp("plan") / "plan.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("profile")) as found:
        yield found


def test_what_the_page_says(page_file: Path) -> None:
    html = page_file.read_text(encoding="utf-8")
    assert "This does not fit" in html
    assert "set train.gradient_checkpointing to true" in html
    assert html.count("A row of") == 2
    assert "a load of 9 on 2 cores" in html
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;();" in html  # text of a file is text, whatever it says
    assert "<b>&amp;</b>" not in html


def test_a_plan_without_rows_says_why() -> None:
    html = plan_page(a_plan(rows=[]))
    assert "tokenizer of the base is not at hand" in html
    assert 'class="tokens"' not in html


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_never_scrolls_sideways(browser: Browser, page_file: Path, width: int) -> None:
    page = browser.open(page_file, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 390:
        page.screenshot(path=str(page_file.with_suffix(".png")), full_page=True)
        assert page_file.with_suffix(".png").stat().st_size > 10_000
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_token_can_be_read_and_told_apart(browser: Browser, page_file: Path, scheme: str) -> None:
    tab = browser.open(page_file, width=390, scheme=scheme)
    texts: list[dict[str, Any]] = tab.page.evaluate(TEXTS)
    faint = [t for t in texts if contrast(t["ink"], t["ground"]) < (3 if t["large"] else LEAST_CONTRAST)]
    assert faint == []
    looks: dict[str, list[str]] = tab.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.token-legend .token')].map((node) => {
          const style = getComputedStyle(node);
          return [node.className.replace('token ', ''), [style.color, style.backgroundColor]];
        }))"""
    )
    assert looks.keys() == KINDS
    assert len({tuple(look) for look in looks.values()}) == len(KINDS)
    in_rows = tab.page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.tokens .token')].map((node) => node.classList[1]))]"
    )
    assert set(in_rows) == KINDS
    assert (sum(channels(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))) < 384) == (
        scheme == "dark"
    )
    assert tab.problems == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []
    tab.page.close()
