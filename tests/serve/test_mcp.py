"""`codefit mcp` as agents use it: the SDK's own client, over standard input and output of the real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from mcp import Client, StdioServerParameters

import codefit
from codefit.cli.main import main
from codefit.models.repair import RepairModel, save_repair_model
from codefit.source.metrics.measure import measure
from small_repairs import plain_edits, small_language

T = TypeVar("T")
ENTRY = "from codefit.cli.main import entry_point; entry_point()"
BROKEN = "import os\n\ndef count(items, start=None)\n    return start + 1\n"
SECONDS = 60.0


@pytest.fixture(scope="module")
def repair_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_repair_model(RepairModel(small_language(), plain_edits()), folder)
    return folder


def talk(
    repair_model: Path, folder: Path, work: Callable[[Client], Awaitable[T]], *options: str | Path, mode: str = "auto"
) -> T:
    """What `work` gives with a client of a server that runs in a folder; it ends with its input."""
    command = ["-c", ENTRY, "mcp", "--repair-model", str(repair_model), *map(str, options)]
    variables = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "PYTHONPATH") if name in os.environ}
    server = StdioServerParameters(command=sys.executable, args=command, cwd=folder, env=variables)

    async def connect() -> T:
        async with Client(server, mode=mode, read_timeout_seconds=SECONDS) as client:
            return await work(client)

    return anyio.run(connect)


async def call(client: Client, tool: str, **arguments: Any) -> tuple[str, Any]:
    """The text and the fields of an answer, which must be one."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer
    (content,) = answer.content
    return content.text, answer.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """The text of an answer that must be an error."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, answer
    return answer.content[0].text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_fix_syntax_gives_diffs_with_probabilities_and_writes_nothing(
    repair_model: Path, tmp_path: Path, mode: str
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)

    async def work(client: Client) -> None:
        assert (client.server_info.name, client.server_info.version) == ("codefit", codefit.__version__)
        assert client.instructions is not None
        tool, other = (await client.list_tools()).tools  # nothing to search with was given
        assert (tool.name, other.name) == ("fix_syntax", "score_complexity")
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        text, of_file = await call(client, "fix_syntax", path="broken.py", seconds=30)
        assert text.startswith("broken.py:3: ")
        assert "-def count(items, start=None)\n+def count(items, start=None):\n" in text
        assert (of_file["sound"], of_file["error"]["line"], of_file["region"]) == (False, 3, [3, 3])
        best = of_file["repairs"][0]
        assert best["edits"] == ["line 3: insert :"]
        assert best["diff"].startswith("--- broken.py\n+++ broken.py\n@@ ")
        shares = [each["probability"] for each in of_file["repairs"]]
        assert len(shares) == 3
        assert 1 >= sum(shares) > 0
        assert shares == sorted(shares, reverse=True)
        _, of_source = await call(client, "fix_syntax", source=BROKEN, seconds=30, repairs=1)
        assert [each["edits"] for each in of_source["repairs"]] == [best["edits"]]
        assert of_source["path"] == "source"

    talk(repair_model, tmp_path, work, mode=mode)
    assert (tmp_path / "broken.py").read_text() == BROKEN
    assert [path.name for path in tmp_path.iterdir()] == ["broken.py"]


def test_why_there_is_no_repair_is_said(repair_model: Path, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        # What is JSON too is Python, and must come as it was sent.
        for sound in ("value = 1\n", "[1, 2]", '{"a": 1}', "null", '"text"'):
            text, fields = await call(client, "fix_syntax", source=sound)
            assert text == "source is sound"
            assert (fields["sound"], fields["why_not"], fields["repairs"]) == (True, None, [])
        text, fields = await call(client, "fix_syntax", source="a b c d e f g h i j k l m\n", seconds=30)
        assert fields["why_not"] == "no repair: three edits of tokens do not mend it"
        assert text.splitlines()[1] == fields["why_not"]
        _, fields = await call(client, "fix_syntax", source="%matplotlib inline\n", seconds=30)
        assert "a command of a notebook" in fields["why_not"]

    talk(repair_model, tmp_path, work)


def test_wrong_input_is_an_answer_that_says_so(repair_model: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"name = '\xe9'\n")
    (tmp_path / "large.py").write_bytes(b"x = 1\n" * 200_000)
    os.mkfifo(tmp_path / "pipe.py")

    async def work(client: Client) -> None:
        for arguments, said in (
            ({}, "give source"),
            ({"source": "x", "path": "latin.py"}, "not both"),
            ({"path": "none.py"}, "none.py: no such file"),
            ({"path": "."}, "not a file"),
            ({"path": "pipe.py"}, "not a file"),
            ({"path": "latin.py"}, "not UTF-8"),
            ({"path": "large.py"}, "larger than 1,000,000 bytes"),
            ({"source": "x" * 1_000_001}, "larger than 1,000,000"),
            ({"source": "x", "repairs": 0}, "repairs"),
            ({"source": "x", "seconds": 3600}, "seconds"),
            ({"source": 5}, "source"),
        ):
            assert said in await refused(client, "fix_syntax", **arguments)
        assert (await call(client, "fix_syntax", source="x = 1"))[0] == "source is sound"

    talk(repair_model, tmp_path, work)


SHOP = """\
class Shop {
  open(day) {
    if (day > 5 && this.sunday) {
      return null;
    }
    return "early";
  }
}
const close = () => null;
"""


def test_score_complexity_gives_functions_with_the_lines_that_add_to_them(repair_model: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.mjs").write_text(SHOP)
    first, second = measure(SHOP, "javascript", explain=True).functions

    async def work(client: Client) -> None:
        text, fields = await call(client, "score_complexity", path="shop.mjs", explain=True)
        assert (fields["language"], fields["scored_as"], fields["left_out"]) == ("javascript", "functions", 0)
        assert [each["qualified"] for each in fields["functions"]] == ["Shop.open", "close"]
        assert [each["score"] for each in fields["functions"]] == [first.score, second.score]
        assert fields["functions"][0]["metrics"] == first.to_dict()
        lines = text.splitlines()
        assert lines[0] == "shop.mjs: 2 functions, highest score first"
        assert lines[1].startswith(f" {first.score} Simple   Shop.open lines 2-7: cyclomatic 3, cognitive 2, nesting 1")
        assert lines[2] == "     line 3: if, cyclomatic +1, cognitive +1"
        text, fields = await call(client, "score_complexity", source=SHOP, language="typescript", results=1)
        assert (fields["path"], fields["left_out"], len(fields["functions"])) == ("source", 1, 1)
        assert "increments" not in fields["functions"][0]
        assert text.splitlines()[-1] == "and 1 with lower scores"
        text, fields = await call(client, "score_complexity", source="if (a) { b(", language="javascript")
        assert (fields["scored_as"], fields["complete"]) == ("module", False)
        assert text.splitlines()[0] == "source: no function in it; as a whole:"
        assert text.splitlines()[-1] == "there is a syntax error in it: what could be read is scored"
        for arguments, said in (
            ({}, "give source"),
            ({"source": "x"}, "give language"),
            ({"source": "x", "language": "klingon"}, "'klingon' is not a language"),
            ({"source": "x" * 600_000, "language": "javascript"}, "above the limit of 500,000"),
            ({"path": "none.js"}, "none.js: no such file"),
        ):
            assert said in await refused(client, "score_complexity", **arguments)

    talk(repair_model, tmp_path, work)


def test_code_that_hangs_a_parser_ends_in_an_answer(repair_model: Path, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        said = await refused(client, "score_complexity", source="A<B," * 20_000, language="typescript")
        assert "source: took longer than 6 s" in said
        text, _ = await call(client, "score_complexity", source="f()", language="typescript")
        assert text.startswith("source: no function in it")

    talk(repair_model, tmp_path, work)


def test_search_code_answers_as_the_command_does(
    repair_model: Path, tmp_path: Path, static_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "code"
    root.mkdir()
    (root / "net.py").write_text("def open_socket(address):\n    return connect(address)\n")
    (root / "rows.py").write_text('def uniq(rows):\n    """Remove duplicates."""\n    return list(set(rows))\n')
    assert main(["search", "remove duplicates", str(root), "--model", str(static_export), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)

    async def work(client: Client) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "fix_syntax",
            "score_complexity",
            "search_code",
        ]
        text, fields = await call(client, "search_code", query="remove duplicates", folder="code")
        assert [each["name"] for each in fields["results"]] == [each["name"] for each in expected["results"]]
        assert fields.keys() == expected.keys() - {"model"}
        for mine, its in zip(fields["results"], expected["results"], strict=True):
            assert mine.pop("signals") == pytest.approx(its.pop("signals"), abs=1e-5)
            assert mine.pop("score") == pytest.approx(its.pop("score"), abs=1e-5)
            assert mine == its
        assert "uniq" in text
        assert "\033" not in text
        _, fields = await call(client, "search_code", query="open", folder="code", results=1, globs=["net.*"])
        assert [each["path"] for each in fields["results"]] == ["net.py"]
        for arguments, said in (
            ({"query": " "}, "the question is empty"),
            ({"query": "x", "folder": "none"}, "none"),
            ({"query": "x", "languages": ["klingon"]}, "klingon"),
            ({"query": "x", "globs": ["*.none"]}, "no function is left"),
        ):
            assert said in await refused(client, "search_code", **{"folder": "code", **arguments})

    talk(repair_model, tmp_path, work, "--model", static_export)


def test_standard_output_carries_the_protocol_alone(repair_model: Path, tmp_path: Path) -> None:
    """Also where a library prints."""
    code = (
        "import codefit.serve.fixes as fixes\n"
        "before = fixes.fix_text\n"
        "fixes.fix_text = lambda *given: (print('stray', flush=True), before(*given))[1]\n"
    )
    first = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked = {"name": "fix_syntax", "arguments": {"source": "x"}}
    messages: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": first},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked},
    ]
    with subprocess.Popen(
        [sys.executable, "-c", code + ENTRY, "mcp", "--repair-model", str(repair_model)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            answers = []
            for message in messages:
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
                if "id" in message:
                    answers.append(json.loads(process.stdout.readline()))
            process.stdin.close()
            assert process.wait(30) == 0
            assert process.stdout.read() == ""
            assert "stray" in process.stderr.read()
        finally:
            process.kill()
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["content"][0]["text"] == "source is sound"


def test_ctrl_c_ends_it_at_once(repair_model: Path) -> None:
    command = [sys.executable, "-c", ENTRY, "mcp", "--repair-model", str(repair_model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
            process.stdin.flush()
            process.stdout.readline()  # it serves, and waits for the next message
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == -signal.SIGINT
        finally:
            process.kill()


def test_what_is_missing_is_one_line_before_anything_is_served(
    repair_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEFIT_MODEL", raising=False)
    assert main(["mcp", "--repair-model", str(tmp_path)]) == 2
    assert "holds no repair model" in capsys.readouterr().err
    assert main(["mcp", "--repair-model", str(repair_model), "--model", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
    monkeypatch.setattr("codefit.run.doctor.find_spec", lambda name: None)
    assert main(["mcp", "--repair-model", str(repair_model)]) == 1
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert "mcp is not installed" in told.err
    assert "[mcp]" in told.err
