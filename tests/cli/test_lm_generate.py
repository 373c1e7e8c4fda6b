"""`codefit lm generate`: where its text comes from, how it is printed, what it says of wrong input."""

from __future__ import annotations

import io
import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codefit.cli.main import main
from codefit.cli.output import Settings
from phrase_model import AFTER, ANSWER, BEFORE, HOLE, OPENING, write_phrase_model
from tiny_language_models import write_adapter, write_language_model


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    Settings.json = Settings.debug = False


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_phrase_model(tmp_path_factory.mktemp("models") / "phrase"))


def generated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = main(["--json", "lm", "generate", "--device", "cpu", *arguments])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return dict(json.loads(printed.out))


def wrong(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["lm", "generate", "--device", "cpu", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


def test_json_is_one_object(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = generated(capsys, "--model", model, "--prompt", OPENING, "--stream")
    assert (result["text"], result["finish_reason"], result["truncated"]) == (ANSWER, "stop", False)
    assert set(result) == {
        "text",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "tokens_per_second",
        "truncated",
    }
    assert result["tokens_per_second"] > 0


@pytest.mark.parametrize("flag", ["--stream", "--no-stream"])
def test_a_pipe_gets_the_exact_text(model: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lm", "generate", "--model", model, "--prompt", BEFORE, "--suffix", AFTER, flag]) == 0
    printed = capsys.readouterr()
    assert printed.out == HOLE
    assert "ended by stop" in printed.err


def test_the_prompt_comes_from_stdin(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(OPENING.encode())))
    assert generated(capsys, "--model", model)["text"] == ANSWER


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_place_in_a_file_is_a_hole(
    model: str, tmp_path: Path, line_end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from codefit.cli.lm_generate import _at

    text = f"one{line_end}two{line_end}"
    assert _at(text, 1, None, "x") == ("one", f"{line_end}two{line_end}")
    assert _at(text, 2, 1, "x") == (f"one{line_end}", f"two{line_end}")
    assert _at(text, 2, 3, "x") == (f"one{line_end}tw", f"o{line_end}")
    assert _at(text, 2, 4, "x") == _at(text, 2, None, "x")
    assert _at(text, 3, None, "x") == (text, "")
    file = tmp_path / "sum.py"
    file.write_text(BEFORE + AFTER)
    assert generated(capsys, "--model", model, "--file", str(file), "--line", "1")["text"] == HOLE
    column = str(len(BEFORE) + 1)
    assert generated(capsys, "--model", model, "--file", str(file), "--line", "1", "--column", column)["text"] == HOLE


def test_a_file_without_a_line_is_gone_on_with(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "greet.py").write_text(OPENING)
    assert generated(capsys, "--model", model, "--file", str(tmp_path / "greet.py"))["text"] == ANSWER


def test_stop_strings_seed_and_length(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--model", model, "--prompt", OPENING]
    assert generated(capsys, *asked, "--stop", "dich", "--stop", "x")["text"] == ANSWER[: ANSWER.index("dich")]
    assert generated(capsys, *asked, "--max-new-tokens", "3")["finish_reason"] == "length"
    sampled = [*asked, "--temperature", "2", "--top-p", "0.9", "--top-k", "100", "--repetition-penalty", "1.1"]
    first, again, other = (generated(capsys, *sampled, "--seed", seed)["text"] for seed in ("1", "1", "2"))
    assert first == again != other


def test_a_prompt_longer_than_the_context_is_said(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "lm", "generate", "--model", model, "--prompt", "x = 1\n" * 200]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["truncated"] is True
    assert "longer than the context of 96 tokens" in printed.err


def test_an_adapter_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write_language_model(tmp_path / "base")
    adapter = str(write_adapter(tmp_path / "adapter", base))
    asked = ["--prompt", "def f(", "--max-new-tokens", "12"]
    on_base = generated(capsys, "--model", str(base), "--adapter", adapter, *asked)["text"]
    assert on_base == generated(capsys, "--model", adapter, *asked)["text"]
    assert on_base != generated(capsys, "--model", str(base), *asked)["text"]


def test_wrong_input_is_one_line(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"a = 1\n\xff\n")
    good = tmp_path / "b.py"
    good.write_text("a = 1\n")
    assert "not UTF-8" in wrong(capsys, "--model", model, "--file", str(file))
    assert "no line 3: the file has 2" in wrong(capsys, "--model", model, "--file", str(good), "--line", "3")
    place = ["--file", str(good), "--line", "1", "--column", "7"]
    assert "no column 7 in line 1: it has 5" in wrong(capsys, "--model", model, *place)
    assert "where in a file" in wrong(capsys, "--model", model, "--prompt", "a", "--line", "1")
    assert "needs its line" in wrong(capsys, "--model", model, "--file", str(good), "--column", "1")
    assert "leave --prompt" in wrong(capsys, "--model", model, "--file", str(good), "--prompt", "a")
    assert "no such file" in wrong(capsys, "--model", model, "--file", str(tmp_path / "none.py"))
    assert "top_p" in wrong(capsys, "--model", model, "--prompt", "a", "--top-p", "1.5")
    assert "not empty" in wrong(capsys, "--model", model, "--prompt", "a", "--stop", "")
    assert "no model there" in wrong(capsys, "--model", str(tmp_path / "none"), "--prompt", "a")


class Terminal(io.StringIO):
    """A terminal that keeps what stood on it at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.seen.append(self.getvalue())


def test_on_a_terminal_the_text_comes_as_it_is_made_and_ends_with_a_line_break(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(["lm", "generate", "--model", model, "--prompt", BEFORE, "--suffix", AFTER]) == 0
    assert terminal.getvalue() == HOLE + "\n"
    shown = list(dict.fromkeys(terminal.seen))
    assert len(shown) > 5
    assert all((HOLE + "\n").startswith(each) for each in shown)


def test_without_a_prompt_a_terminal_is_not_waited_for(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert "no prompt is given" in wrong(capsys, "--model", model)
    os.close(ours)
