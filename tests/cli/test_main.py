"""The entry point: what help costs, the global flags anywhere, exit codes, and errors of one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import codefit
from codefit.cli import main as cli
from codefit.cli.output import Settings
from codefit.errors import CodefitError, InputError

ENTRY = "from codefit.cli.main import entry_point; entry_point()"
# What a help text may not wait for.
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "onnx",
    "onnxruntime",
    "datasets",
    "scipy",
    "numpy",
    "tokenizers",
    "tree_sitter",
    "rich.markdown",
    "yaml",
    "bm25s",
    "msgspec",
}


def start(*arguments: str, code: str = ENTRY, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    Settings.json = Settings.debug = False


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A list whose one exception `codefit recipes list` raises."""
    errors: list[BaseException] = []

    def fail() -> dict[str, str]:
        raise errors[0]

    monkeypatch.setattr("codefit.recipe.bundled_recipes", fail)
    return errors


@pytest.mark.parametrize(
    "arguments", [["--help"], ["data", "pairs", "--help"], ["embed", "--help"], ["data", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = "import json, sys; from codefit.cli.main import main; code = main(sys.argv[1:]); "
    code += "print(json.dumps([code, sorted(sys.modules)]))"
    exit_code, modules = json.loads(start(*arguments, code=code).stdout.splitlines()[-1])
    assert exit_code == 0
    assert HEAVY & set(modules) == set()
    # The flags of a single command are typer's to check, which takes pydantic for it where that is installed.
    assert "pydantic" not in modules or len(arguments) > 1


def test_importing_codefit_loads_nothing_heavy_and_says_its_version() -> None:
    code = "import sys, codefit, codefit.records; print(codefit.__version__, *sorted(sys.modules))"
    version, *modules = start(code=code).stdout.split()
    assert version == codefit.__version__
    assert (HEAVY - {"msgspec"}) & set(modules) == set()
    assert start("--version").stdout == f"codefit {version}\n"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    import typer.main

    def walk(command: object, path: list[str]) -> Iterator[list[str]]:
        yield path
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, [*path, name])

    paths = list(walk(typer.main.get_command(cli.app), []))
    assert ["data", "pairs"] in paths
    assert ["tokenizer", "train"] in paths
    for path in paths:
        assert cli.main([*path, "--help"]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"Usage: {' '.join(['codefit', *path])} ")
        assert len(text.splitlines()[2]) > 20


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "recipes", "list"],
        ["recipes", "--json", "list"],
        ["recipes", "list", "--json"],
        ["recipes", "list", "--debug", "--json"],
    ],
)
def test_json_is_one_object_wherever_the_flag_stands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    assert "recipes" in json.loads(capsys.readouterr().out)
    assert cli.main([a for a in arguments if not a.startswith("--")]) == 0
    assert not capsys.readouterr().out.startswith("{")


def test_what_stands_after_two_dashes_is_no_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.global_flags_first(["a", "--json", "--", "--debug"]) == ["--json", "a", "--", "--debug"]
    assert cli.main(["recipes", "show", "--", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no recipe is called '--json'" in captured.err


@pytest.mark.parametrize("arguments", [["--debug", "recipes", "list"], ["recipes", "list", "--debug"]])
def test_debug_shows_the_traceback_and_only_debug_does(
    arguments: list[str], failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(CodefitError("it broke", fix="mend it"))
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback")
    assert error.endswith("error: it broke; mend it\n")
    assert cli.main(["recipes", "list"]) == 1
    assert capsys.readouterr().err == "error: it broke; mend it\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CodefitError("it broke", where="a.jsonl:3"), 1, "a.jsonl:3: it broke"),
        (InputError("it is wrong", fix="mend it"), 2, "it is wrong; mend it"),
        (FileNotFoundError(2, "x", "a.txt"), 2, "a.txt: no such file or folder; check the path"),
        (PermissionError(13, "x", "a.txt"), 1, "a.txt: permission denied; choose a path you may read and write"),
        (OSError(28, "x"), 1, "the disk is full; free some space and run the same command again"),
        (KeyError("k\nl"), 1, r"KeyError: 'k\nl'; run with --debug for the traceback"),
        (MemoryError(), 1, "MemoryError: ; run with --debug for the traceback"),
        (KeyboardInterrupt(), 130, "stopped"),
        (SystemExit(3), 3, None),
    ],
)
def test_exit_codes_and_one_line_for_everything_that_can_happen(
    error: BaseException,
    code: int,
    line: str | None,
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing.append(error)
    assert cli.main(["recipes", "list"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (f"error: {line}\n" if line else "")
    assert cli.main(["recipes", "list", "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err == (f"error: {line}\n" if line else "")
    if line:
        told = json.loads(captured.out)["error"]
        assert set(told) == {"what", "where", "fix"}
        assert all(part is None or " ".join(part.split()) in line for part in told.values())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?; see codefit --help"),
        (["data", "pars"], "No such command 'pars'. Did you mean 'pairs', 'repairs'?; see codefit data --help"),
        (["tokeniser"], "No such command 'tokeniser'. Did you mean 'tokenizer'?; see codefit --help"),
        (["run"], "Missing argument 'RECIPE'; see codefit run --help"),
        (["recipes", "list", "more"], "Got unexpected extra argument(s) (more); see codefit recipes list --help"),
        (["plan", "quickstart", "--from"], "No such option: --from; see codefit plan --help"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.replace("argument (", "argument(s) (")) == ("", f"error: {line}\n")
    assert cli.main([*arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["fix"] == line.rpartition("; ")[2]


def test_nothing_asked_is_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["data"]):
        assert cli.main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out.startswith("Usage: codefit")
        assert captured.err == ""
    assert cli.main(["--json"]) == 2
    assert "error" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", [["data", "pairs", "--help"], ["recipes", "list"], ["--json", "recipes", "list"]])
def test_a_reader_that_goes_away_is_no_traceback(command: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, *command], stdout=write, stderr=subprocess.PIPE, env=buffered, check=False
    )
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""


def test_ctrl_c_ends_a_command_with_130_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    waiting = (
        "import sys, time\nimport codefit.tasks.pair_files as files\n"
        "def wait(*a, **k):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "files.write_pair_files = wait\nfrom codefit.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", waiting, "data", "pairs", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored, and the tests may run so.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error == "error: stopped\n"
