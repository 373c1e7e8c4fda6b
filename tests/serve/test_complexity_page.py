"""The page of the complexity service, in a real browser: what is typed is scored, by hand or by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from running import running_app

import browser
from browser import Browser, Tab
from codefit.serve.complexity import create_complexity_app
from codefit.serve.complexity_page import HERE, SCRIPTS, complexity_page
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from small_scorers import ByLength

CODE = """\
function sum(rows) {
  let all = 0;
  for (const row of rows) {
    if (row > 0 && row < 9) all += row;
  }
  return all;
}

class Shop {
  open(day) {
    return day === 1 ? "late" : "early";
  }
}
"""
SNIPPETS = {
    "python": "import os\n\ndef f(a, b=None):\n    if a is None:\n        return b\n    return os.path.join(a, b)\n",
    "javascript": "const f = (a) => {\n  if (a === undefined) return null;\n  return a.map((x) => x + 1);\n};\n",
    "typescript": "export function f(a: string, b?: number): void {\n  const all: string[] = [];\n  all.push(a);\n}\n",
    "rust": "pub fn f(a: &str) -> usize {\n    let mut n = 0;\n    for c in a.chars() { n += 1; }\n    n\n}\n",
    "go": "package main\n\nfunc f(a string) (int, error) {\n\tn, err := parse(a)\n\tif err != nil {\n"
    "\t\treturn 0, err\n\t}\n\treturn n, nil\n}\n",
    "java": "public class A {\n    public int f(String a) {\n        return a.length();\n    }\n}\n",
    "ruby": "def f(rows)\n  rows.each do |row|\n    puts row unless row.nil?\n  end\nend\n",
    "php": "<?php\nfunction f($a) {\n    foreach ($a as $b) { echo $b; }\n    return $a;\n}\n",
    "c": "#include <stdio.h>\n\nint f(const char *a) {\n    if (a == NULL) return 0;\n    return printf(a);\n}\n",
    "cpp": "#include <vector>\n\nint f(const std::vector<int>& a) {\n    int n = 0;\n    for (auto x : a) n += x;\n"
    "    return n;\n}\n",
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser.running(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with running_app(create_complexity_app(None, processes=1)) as client:
        client.get("/health")
        yield client


@contextmanager
def opened(chromium: Browser, server: httpx.Client, width: int = 1280, scheme: str = "light") -> Iterator[Tab]:
    """The page in a new tab that is closed afterwards."""
    page = chromium.context.new_page()
    page.set_default_timeout(15_000)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    tab = Tab(page)
    try:
        page.goto(str(server.base_url))
        yield tab
    finally:
        page.close()


@pytest.fixture
def tab(chromium: Browser, server: httpx.Client) -> Iterator[Tab]:
    with opened(chromium, server) as tab:
        yield tab


def expect(tab: Tab, text: str, where: str = "#told") -> None:
    """Wait until a part of the page says something."""
    tab.page.locator(where).filter(has_text=text).first.wait_for()


def put(tab: Tab, text: str) -> None:
    """Have the editor hold a long text, as if it were pasted: a browser's driver types it line by line."""
    tab.page.locator("#code").evaluate(
        "(each, text) => { each.value = text; each.dispatchEvent(new Event('input')) }", text
    )


def rows(tab: Tab) -> list[list[str]]:
    """The cells of the table, without the parts that open."""
    found: list[list[str]] = tab.page.locator("#rows tr:not(.why)").evaluate_all(
        "all => all.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return found


def gutter(tab: Tab) -> dict[int, tuple[str, str]]:
    """What the gutter shows on the lines that add something, and what it says to a screen reader."""
    found = tab.page.locator("#gutter [role=listitem]").evaluate_all(
        "all => all.map(row => [row.querySelector('.number').textContent, row.innerText, row.ariaLabel, row.title])"
    )
    assert all(label == title for _, _, label, title in found)
    return {int(number): (re.sub(r"\s", "", shown)[len(number) :], label) for number, shown, label, _ in found}


def test_code_that_is_typed_is_scored_with_its_increments_on_their_lines(tab: Tab) -> None:
    tab.page.locator("#code").focus()
    tab.page.keyboard.insert_text(CODE)  # no button is pressed
    expect(tab, "2 functions of JavaScript; the highest score has sum: ")
    own = measure(CODE, "javascript", explain=True)
    first, second = own.functions
    assert rows(tab) == [
        [
            "sum\nlines 1–7",
            f"{first.score:.1f}\n{first.label}",
            *map(str, (first.cognitive, first.cyclomatic, first.lines)),
        ],
        ["Shop.open\nlines 10–12", f"{second.score:.1f}\n{second.label}", "1", "2", "3"],
    ]
    assert gutter(tab) == {
        3: ("+1", "Line 3: for +1"),
        4: ("·+3", "Line 4: if +2, 1 of it for nesting; && +1"),
        11: ("+1", "Line 11: ?: +1"),
    }
    shown = gutter(tab)
    for name in ("sum", "Shop.open"):
        tab.page.get_by_role("button", name=name, exact=True).click()
        assert gutter(tab) == shown  # none is inside of another
    tab.page.locator("#counted").select_option("cyclomatic")
    assert gutter(tab)[4] == ("+2", "Line 4: if +1; && +1")
    assert not tab.problems


def test_a_function_is_chosen_and_its_reasons_are_read_by_keyboard_alone(tab: Tab) -> None:
    press, focused = tab.page.keyboard.press, "document.activeElement"
    tab.page.wait_for_function("document.getElementById('language').options.length > 1")
    press("Tab")
    assert tab.page.evaluate(f"{focused}.textContent") == "Skip to the code"
    press("Enter")
    press("Tab") if tab.page.evaluate(f"{focused}.id") != "code" else None
    assert tab.page.evaluate(f"{focused}.id") == "code"
    tab.page.keyboard.insert_text(CODE)
    expect(tab, "2 functions")
    seen = []
    while tab.page.evaluate(f"{focused}.textContent") != "Shop.open":
        press("Tab")
        seen.append(tab.page.evaluate(f"{focused}.id || {focused}.textContent"))
        assert len(seen) < 12, seen
    press("Enter")
    assert tab.page.evaluate(f"{focused}.id") == "code"  # at its first line
    assert (
        tab.page.evaluate(f"{focused}.value.slice({focused}.selectionStart, {focused}.selectionStart + 11)")
        == "  open(day)"
    )
    assert tab.page.locator("#gutter .chosen").count() == 3
    press("ArrowDown")
    expect(tab, "Line 11: ?: +1", "#line-told")  # what the gutter says to those who point
    press("Escape")
    assert tab.page.evaluate(f"{focused}.textContent") == "Shop.open"
    assert tab.page.evaluate(f"{focused}.ariaExpanded") == "true"
    press("Tab")
    assert tab.page.evaluate(f"{focused}.textContent") == "Line 11"
    press("Enter")
    assert tab.page.evaluate(f"{focused}.id") == "code"
    for name in ("code", "language", "counted", "file", "order"):
        label = tab.page.locator(f"#{name}")
        assert label.evaluate("each => each.labels?.length || each.getAttribute('aria-labelledby')"), name
    assert not tab.problems


def test_why_a_score_is_what_it_is_adds_up(tab: Tab) -> None:
    tab.page.locator("#code").fill(CODE)
    expect(tab, "2 functions")
    for number, own in enumerate(measure(CODE, "javascript").functions):
        tab.page.locator(".name-button").nth(number).click()
        said = tab.page.locator(".why p").first.inner_text()
        score, _, parts = said.partition(" = ")
        assert float(score) == own.score
        assert sum(float(part) for part in re.findall(r"(\d+\.\d+) for", parts)) == pytest.approx(own.score, abs=0.07)
        figures = tab.page.locator(".why dl").inner_text()
        assert f"Cognitive complexity\n{own.cognitive}" in figures


def test_a_function_in_a_function_is_part_of_the_one_that_is_chosen(tab: Tab) -> None:
    code = "def outer(a):\n    for b in a:\n        def inner(c):\n            if c:\n                return 1\n"
    outer, inner = measure(code, "python", explain=True).functions
    assert [each.cognitive for each in outer.increments if each.line == 4] == [2]
    assert [each.cognitive for each in inner.increments] == [1]
    tab.page.locator("#code").fill(code)
    expect(tab, "2 functions of Python")
    for name, says in (("outer.inner", "Line 4: if +1"), ("outer", "Line 4: if +2, 1 of it for nesting")):
        tab.page.get_by_role("button", name=name, exact=True).click()
        assert gutter(tab)[4][1] == says
        reason = re.sub(r"\s+", " ", tab.page.locator(".why li").last.inner_text())
        assert reason == re.sub(r"(Line 4): if (\+\d)", r"\1 \2 if", says)


def test_broken_code_no_function_and_what_is_no_code_are_told_in_words(tab: Tab) -> None:
    tab.page.locator("#code").fill(CODE + "function bad(a { if (a) {\n")
    expect(tab, "There is a syntax error in it: what could be read is scored.", "#problem")
    assert rows(tab)[0][0] == "sum\nlines 1–7"
    tab.page.locator("#code").fill("if (a === 1 && b) { console.log(1) }\n")
    expect(tab, "There is no function in it: the code is scored as a whole.")
    assert tab.page.locator("#problem").is_hidden()
    assert rows(tab)[0][0].startswith("the code as a whole\n")
    tab.page.locator("#code").fill("just words")
    expect(tab, "Which language is this? Please choose it above.", "#problem")
    tab.page.locator("#language").select_option("typescript")
    expect(tab, "There is no function in it")
    tab.page.locator("#code").fill("")
    expect(tab, "There is nothing to score yet.", "#start")
    assert tab.page.locator("#functions").is_hidden()
    tab.page.locator("#example").click()
    expect(tab, "functions of JavaScript")


def test_what_is_too_long_is_told(tab: Tab) -> None:
    tab.page.locator("#language").select_option("javascript")
    put(tab, "x;" * 300_000)
    expect(tab, "It cannot be scored: 600,000 characters of code are above the limit of 500,000.", "#problem")
    put(tab, "x;" * 600_000)
    expect(tab, "the body is longer than 1,048,576 bytes", "#problem")


def test_code_is_shown_as_text_whatever_it_is(tab: Tab) -> None:
    attack = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>'
    code = f"const o = {{ '{attack}': function () {{ if (a) {{ return `{attack}` }} }} }};\n"
    tab.page.locator("#language").select_option("javascript")
    tab.page.locator("#code").fill(code)
    expect(tab, "1 function of JavaScript")
    tab.page.locator(".name-button").first.click()
    assert tab.page.evaluate("window.hit") is None
    assert tab.page.locator("img, script:not(:last-child)").count() == 0
    assert not tab.problems
    # Nor could the page's own script put it there, were it written so by mistake.
    refused = tab.page.evaluate(
        "(text) => { try { document.body.innerHTML = text } catch (error) { return error.name } }", attack
    )
    assert refused == "TypeError"
    assert tab.page.evaluate("window.hit") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_it_fits_and_asks_nobody_but_its_server(
    chromium: Browser, server: httpx.Client, width: int, scheme: str
) -> None:
    long = f"function {'aVeryLongName' * 8}() {{ return {' + '.join('abcdefgh' for _ in range(60))} }}\n"
    with opened(chromium, server, width, scheme) as tab:
        tab.page.locator("#code").fill(CODE + long)
        expect(tab, "3 functions")
        for number in range(3):
            tab.page.locator(".name-button").nth(number).click()
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        ground = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 384) == (scheme == "dark")
        assert contrasts(tab) >= 4.5
        assert {re.sub(r"(?<=\d)/.*", "", url) for url in tab.requests} == {str(server.base_url).rstrip("/")}
        assert not tab.problems


def contrasts(tab: Tab) -> float:
    """The least contrast (WCAG 2.2, 1.4.3) of any text in sight with what is behind it."""
    found: float = tab.page.evaluate(
        """() => {
          const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
          const light = (color) => {
            const parts = numbers(color).slice(0, 3).map((part) => part / 255)
              .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
          };
          const behind = (each) => {
            for (let at = each; at; at = at.parentElement) {
              const color = getComputedStyle(at).backgroundColor;
              if ((numbers(color)[3] ?? 1) > 0) return color;
            }
          };
          const isText = (node) => node.nodeType === 3 && node.data.trim();
          const least = [...document.querySelectorAll("body *")]
            .filter((each) => each.value || [...each.childNodes].some(isText))
            .filter((each) => each.checkVisibility() && !["SCRIPT", "STYLE", "OPTION"].includes(each.tagName))
            .map((each) => [light(getComputedStyle(each).color), light(behind(each))].sort((a, b) => a - b))
            .map(([dark, bright]) => (bright + 0.05) / (dark + 0.05));
          return Math.min(...least);
        }"""
    )
    return found


def test_it_asks_for_the_token_and_keeps_it_in_memory_alone(chromium: Browser) -> None:
    with (
        running_app(create_complexity_app(None, processes=1, token="s3cret-ü")) as server,
        opened(chromium, server) as tab,
    ):
        tab.page.locator("#token").wait_for()
        assert tab.page.evaluate("document.activeElement.id") == "token"
        tab.page.keyboard.insert_text("wrong")
        tab.page.keyboard.press("Enter")
        expect(tab, "The server does not take this token.", "#token-told")
        tab.page.keyboard.insert_text("s3cret-ü")
        tab.page.keyboard.press("Enter")
        tab.page.locator("#token-form").wait_for(state="hidden")
        tab.page.locator("#code").fill(CODE)
        expect(tab, "2 functions of JavaScript")
        kept = tab.page.evaluate("[document.cookie, localStorage.length, sessionStorage.length, location.href]")
        assert kept == ["", 0, 0, f"{server.base_url}/".replace("//", "/").replace(":/", "://")]
        tab.page.reload()
        tab.page.locator("#token").wait_for()
        assert all("401" in problem for problem in tab.problems)  # the browser's own note


def test_a_learned_score_stands_beside_the_exact_one_and_says_what_it_is(chromium: Browser) -> None:
    scorer = ByLength()
    with running_app(create_complexity_app(scorer, processes=1)) as server, opened(chromium, server) as tab:
        tab.page.locator("#code").fill(f"{CODE}function unreadable() {{}}\n")
        scorer.gate.clear()
        expect(tab, "3 functions")
        expect(tab, "…", "#rows")  # the exact scores do not wait
        scorer.gate.set()
        expect(tab, "no answer", "#rows")
        estimate = scorer.score([CODE[: CODE.index("\n\n")]], "javascript")[0]
        assert rows(tab)[0][2] == f"{estimate.score:.1f}\n{estimate.low:.1f}–{estimate.high:.1f}"
        told = tab.page.locator("#learned-told").inner_text()
        assert told.startswith("The exact score is the formula")
        assert "The learned score is an estimate of it by the model by length" in told
        tab.page.locator(".name-button").last.click()
        expect(tab, "the answer holds no score", ".why")


def test_a_file_is_opened_in_the_language_of_its_name_and_dropped_as_well(tab: Tab) -> None:
    payload = {"name": "shop.mjs", "mimeType": "text/javascript", "buffer": CODE.encode()}
    tab.page.locator("#file").set_input_files(payload)  # type: ignore[arg-type]
    expect(tab, "2 functions of JavaScript")
    assert tab.page.locator("#language").input_value() == "javascript"
    tab.page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "shop.ts"));
          const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
          document.getElementById("code").dispatchEvent(drop);
        }""",
        CODE,
    )
    expect(tab, "2 functions of TypeScript")


def test_languages_are_guessed_from_their_code(tab: Tab) -> None:
    guessed: dict[str, Any] = tab.page.evaluate(
        """(all) => {
          const names = Object.keys(all);
          return Object.fromEntries(names.map((name) => [name, guessFromText(all[name], names)]));
        }""",
        SNIPPETS,
    )
    assert guessed == {name: name for name in SNIPPETS}
    assert set(RULES) <= SNIPPETS.keys()


def test_guessing_is_quick_whatever_is_written(tab: Tab) -> None:
    tab.page.wait_for_function("document.getElementById('language').options.length > 1")
    for text in ("a " * 100_000, "\n" * 200_000, " " * 200_000, "(" * 200_000, "x\n" * 100_000, "a<b:" * 50_000):
        seconds = tab.page.evaluate(
            "([text, names]) => { const begun = performance.now(); guessFromText(text, names); "
            "return (performance.now() - begun) / 1000 }",
            [text, list(SNIPPETS)],
        )
        assert seconds < 0.5, text[:5]


def test_while_the_server_is_busy_or_gone_the_page_says_so(tab: Tab) -> None:
    answers = iter([503])

    def answer(route: Any) -> None:
        if next(answers, None):
            body = '{"error": {"message": "busy"}}'
            route.fulfill(status=503, headers={"Retry-After": "1", "content-type": "application/json"}, body=body)
        else:
            route.continue_()

    tab.page.route("**/v1/complexity", answer)
    tab.page.locator("#code").fill(CODE)
    expect(tab, "The server is busy; this is tried again in a moment.")
    expect(tab, "2 functions")
    tab.page.route("**/v1/complexity", lambda route: route.abort())
    tab.page.locator("#score").click()
    expect(tab, "The server does not answer. Is it still running?", "#problem")


def test_many_functions_are_listed_in_part(tab: Tab) -> None:
    code = "".join(f"function f{number}(a) {{ return a }}\n" for number in range(700)) + CODE
    put(tab, code)
    expect(tab, "702 functions of JavaScript; the highest score has sum")
    expect(tab, "The 500 with the highest scores are shown.")
    assert tab.page.locator(".name-button").count() == 500
    tab.page.locator("#order").select_option("score")
    tab.page.get_by_role("button", name="sum", exact=True).click()
    assert set(gutter(tab)) == {703, 704, 711}  # its lines were scrolled to
    assert tab.page.locator("#gutter div").count() < 60


def test_the_page_is_one_file_that_allows_nothing_but_itself() -> None:
    html, headers = complexity_page()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    text = html.decode()
    assert not re.search(r"""(?:src|href)=["'](?!data:,|#)""", text)
    assert not re.search(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b", text)
    assert "http://" not in text
    assert "https://" not in text
    assert " style=" not in text
    for name in SCRIPTS:
        assert "</script" not in (HERE / name).read_text("utf-8")
