"""The report as a person sees it: on a phone and a desk, in light and dark, by keyboard, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import Browser, running
from codefit.run.report import write_report
from codefit.run.report.review_page import write_hotspots_plot, write_trend_plot
from run.report.sample_complexity_run import make_complexity_run
from run.report.sample_language_run import make_language_run, samples
from run.report.sample_review import sample_hotspots, sample_trend
from run.report.sample_run import answers, change, make_run, read
from run.report.test_repair_page import copy_of

WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA; 3 for large text
LEAST_OF_LARGE = 3.0
LEAST_OF_GRAPHICS = 3.0  # 1.4.11
PAGES = (
    *("whole", "several", "stopped", "adapted", "adapted-several", "repairs", "repairs-several"),
    *("scores", "scores-several", "trend", "hotspots"),
)

# What is seen behind and in front of each text, as the browser has resolved it.
TEXTS = """() => {
  const solid = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest('title, desc, .skip')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    if (!range.getClientRects().length) continue;
    const style = getComputedStyle(parent);
    const size = parseFloat(style.fontSize);
    found.push({
      text: node.textContent.trim().slice(0, 40),
      ink: parent.namespaceURI.endsWith('svg') ? style.fill : style.color,
      ground: solid(parent),
      large: size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700),
    });
  }
  return found;
}"""

GRAPHICS = """() => [...document.querySelectorAll('.chart .mark, .chart .series, .chart .whisker, .chart .bar')]
  .filter((node) => node.getClientRects().length)
  .map((node) => ({ink: getComputedStyle(node).stroke, ground: getComputedStyle(document.body).backgroundColor}))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, repair_run: Path) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("pages")
    whole, wider = make_run(base / "quickstart"), make_run(base / "wider", better=0.03, name="wider")
    stopped = make_run(base / "stopped", upto="train", state="stopped")
    asked = answers()
    asked["queries"][0]["query"] = "a_name_without_any_place_to_break_it_" * 6
    asked["queries"][0]["results"][0]["path"] = "deep/" * 40 + "file.py"
    change(stopped, "run.json", description="A description " * 30)
    change(whole, "answers.json", **asked)
    adapted = make_language_run(base / "adapted")
    full = make_language_run(base / "full", better=0.5, name="full", overrides=("model.adapter=null",))
    written = samples()
    written["samples"][0] |= {"path": "deep/" * 40 + "file.rs", "after": "a_name_without_any_place_to_break_it_" * 6}
    change(adapted, "samples.json", **written)
    repairs = copy_of(repair_run, base / "repairs")
    variants = read(repairs, "variants.json")["variants"]
    variants[2] |= {
        "name": "a-name-without-any-place-to-break-it-" * 3,
        "changed": {"model": {"field_" * 20: "x" * 90}},
    }
    change(repairs, "variants.json", variants=variants)
    scores, others = make_complexity_run(base / "scores"), make_complexity_run(base / "others", better=0.3, chat=False)
    long = "a_name_without_any_place_to_break_it_" * 4
    change(scores, "data/manifest.json", sources={"train": [long, "env"]}, inputs={f"/data/{long}.gz": "00"})
    record = read(scores, "run.json")
    record["recipe"]["language_model"]["base"] = f"runs/{long}/model"
    change(scores, "run.json", **record)
    change(scores, "evaluation.json", missing={"language model": long})
    return {
        "whole": write_report([whole], base / "whole.html"),
        "several": write_report([whole, wider, stopped], base / "several.html"),
        "stopped": write_report([stopped], base / "stopped.html"),
        "adapted": write_report([adapted], base / "adapted.html"),
        "adapted-several": write_report([adapted, full], base / "adapted-several.html"),
        "repairs": write_report([repairs], base / "repairs.html"),
        "repairs-several": write_report([repairs, repair_run], base / "repairs-several.html"),
        "scores": write_report([scores], base / "scores.html"),
        "scores-several": write_report([scores, others], base / "scores-several.html"),
        "trend": write_trend_plot(sample_trend(), base / "trend.html"),
        "hotspots": write_hotspots_plot(sample_hotspots(), base / "hotspots.html"),
    }


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("profile")) as found:
        yield found


def channels(colour: str) -> tuple[float, float, float]:
    assert colour.startswith("rgb("), f"{colour} is not an opaque colour"
    red, green, blue = (float(part) for part in colour[4:-1].split(","))
    return red, green, blue


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2.2: relative luminance of the lighter over that of the darker."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in channels(colour)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_of_contrast_is_that_of_the_standard() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [*WIDTHS, 320, 700])
def test_the_page_never_scrolls_sideways(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    page = browser.open(pages[name], width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sticking_out = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *, nav *')]
          .filter((node) => !node.closest('.box, pre, svg') && node.getClientRects().length
            && node.getBoundingClientRect().right > window.innerWidth + 0.5)
          .map((node) => node.tagName + '.' + node.className)"""
    )
    assert sticking_out == []
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_quiet_and_every_text_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    tab = browser.open(pages[name], width=width, scheme=scheme)
    page = tab.page
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    texts: list[dict[str, Any]] = page.evaluate(TEXTS)
    assert len(texts) > 100
    grounds = {text["ground"] for text in texts}
    assert all((sum(channels(ground)) < 384) == (scheme == "dark") for ground in grounds), grounds
    faint = [
        (text["text"], text["ink"], text["ground"])
        for text in texts
        if contrast(text["ink"], text["ground"]) < (LEAST_OF_LARGE if text["large"] else LEAST_CONTRAST)
    ]
    assert faint == []
    graphics: list[dict[str, str]] = page.evaluate(GRAPHICS)
    assert len(graphics) > 10
    assert min(contrast(one["ink"], one["ground"]) for one in graphics) >= LEAST_OF_GRAPHICS
    assert tab.problems == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in tab.requests if url.startswith("file:")]) == 1
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_one_drawing_of_each_chart_is_shown_and_named(browser: Browser, pages: dict[str, Path], width: int) -> None:
    page = browser.open(pages["whole"], width=width).page
    shown = page.locator(f".chart.{'narrow' if width < 640 else 'wide'}")
    hidden = page.locator(f".chart.{'wide' if width < 640 else 'narrow'}")
    assert shown.count() == hidden.count() >= 7
    assert all(shown.nth(i).is_visible() and not hidden.nth(i).is_visible() for i in range(shown.count()))
    named = page.get_by_role("img")
    assert named.count() == shown.count()
    names = page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img]')].filter((node) => node.getClientRects().length)
          .map((node) => document.getElementById(node.getAttribute('aria-labelledby').split(' ')[0]).textContent)"""
    )
    for name in names:
        assert page.get_by_role("img", name=name).count() == 1, name
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('svg[role=img] text')]
          .filter((node) => node.getClientRects().length)
          .map((node) => parseFloat(getComputedStyle(node).fontSize) * node.getCTM().a))"""
    )
    assert smallest >= 11  # pixels as they are on the screen: the drawing is not scaled down to be unreadable
    page.close()


@pytest.mark.parametrize("name", [name for name in PAGES if name != "stopped"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_of_a_chart_is_cut_off(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    page = browser.open(pages[name], width=width).page
    cut = page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img] text')].filter((node) => {
          if (!node.getClientRects().length) return false;
          const box = node.getBoundingClientRect(), whole = node.ownerSVGElement.getBoundingClientRect();
          return box.left < whole.left - 1 || box.right > whole.right + 1
            || box.top < whole.top - 2 || box.bottom > whole.bottom + 2;
        }).map((node) => node.textContent)"""
    )
    assert cut == []
    page.close()


def test_the_keyboard_reaches_and_opens_what_folds(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.open(pages["whole"]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    total = page.locator("summary").count()
    assert total >= 8
    reached = 0
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        outline = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]; })()"
        )
        assert outline == ["solid", "3px"]
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            reached += 1
            before = page.evaluate("document.activeElement.parentElement.open")
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open") is not before
            if before:
                page.keyboard.press("Enter")
    assert reached == total
    page.close()


def test_a_link_of_the_contents_leads_to_its_section(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.open(pages["whole"], width=360).page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("link", name="Data receipt").click()
    top = page.evaluate("document.getElementById('data').getBoundingClientRect().top")
    assert abs(top) < 20
    page.close()


def test_on_paper_everything_is_dark_on_light_and_unfolded(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.open(pages["whole"], scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(channels(ground)) == 3 * 255
    assert not page.locator("nav").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    faint = [text for text in page.evaluate(TEXTS) if contrast(text["ink"], "rgb(255, 255, 255)") < LEAST_CONTRAST]
    assert faint == []
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_written_before_and_after_is_side_by_side_on_a_desk(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    page = browser.open(pages["adapted"], width=width).page
    columns = page.locator(".sample").first.locator(".written > div")
    boxes = [columns.nth(i).bounding_box() for i in range(columns.count())]
    assert len(boxes) == 3
    tops, lefts = {round(box["y"]) for box in boxes if box}, {round(box["x"]) for box in boxes if box}
    assert (len(tops), len(lefts)) == ((1, 3) if width > 640 else (3, 1))
    page.close()
