"""`codefit repair` as a user types it: what is printed, what is written, which exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.models.repair import RepairModel, save_repair_model
from codefit.records import RankingInstance, Repair, write_rows
from codefit.source.syntax.terminals import to_characters
from small_repairs import BROKEN, PAIRS, SOUND, plain_edits, small_language

BROKEN_FILE = "import os\n\ndef count(items, start=None)\n    return start + 1\n"
ENTRY = "import sys; from codefit.cli.main import main; code = main(); {after}; sys.exit(code)"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_repair_model(RepairModel(small_language(), plain_edits()), folder)
    return folder


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.py"
    file.write_text(BROKEN_FILE)
    return file


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_fix_shows_diffs_with_probabilities_and_exits_with_1(
    broken: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("repair", "fix", broken, "--model", model, "--seconds", "30") == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"{broken}:3: ")
    assert "\n1. " in shown
    assert " %  line 3: insert :" in shown
    assert "-def count(items, start=None)\n+def count(items, start=None):\n" in shown
    assert "\033" not in shown
    assert broken.read_text() == BROKEN_FILE


def test_apply_writes_the_first_after_a_copy(broken: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken.chmod(0o755)
    (broken.parent / "broken.py.bak").write_text("an older copy")
    assert run("repair", "fix", broken, "--model", model, "--apply", "--json", "--seconds", "30") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["applied"]
    assert Path(result["backup"]).name == "broken.py.bak2"
    assert Path(result["backup"]).read_text() == BROKEN_FILE
    assert (broken.parent / "broken.py.bak").read_text() == "an older copy"
    compile(broken.read_text(), "broken.py", "exec")
    assert broken.stat().st_mode & 0o777 == 0o755
    assert 0 < result["repairs"][0]["probability"] <= 1
    assert result["region"] == [3, 3]


def test_line_ends_and_what_is_not_mended_stay(tmp_path: Path, model: Path) -> None:
    file = tmp_path / "windows.py"
    file.write_bytes(b"\xef\xbb\xbfimport os\r\ndef f(a, b=None)\r\n    return 'x'  # note\r\n")
    assert run("repair", "fix", file, "--model", model, "--apply", "--seconds", "30") == 0
    assert file.read_bytes() == b"\xef\xbb\xbfimport os\r\ndef f(a, b=None):\r\n    return 'x'  # note\r\n"


def test_sound_files_need_no_model_and_several_are_one_answer(
    tmp_path: Path, broken: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = tmp_path / "sound.py"
    sound.write_text("value = 1\n")
    assert run("repair", "fix", sound, "--model", tmp_path / "none") == 0
    assert capsys.readouterr().out == f"{sound} is sound\n"
    assert run("repair", "fix", sound, broken, "--model", model, "--json", "--seconds", "30") == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert [each["sound"] for each in files] == [True, False]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a b c d e f g h i j k l m\n", "no repair: three edits of tokens do not mend it"),
        ("%matplotlib inline\nx = 1\n", "no repair: line 1 is a command of a notebook"),
    ],
)
def test_why_there_is_no_repair_is_said(
    source: str, said: str, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "far.py"
    file.write_text(source)
    assert run("repair", "fix", file, "--model", model, "--seconds", "30") == 1
    assert said in capsys.readouterr().out
    assert file.read_text() == source


def test_fix_refuses_what_is_no_text_or_no_model(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.py").write_bytes(b"name = '\xe9'\n")
    assert run("repair", "fix", tmp_path / "latin.py") == 2
    assert "not UTF-8" in capsys.readouterr().err
    assert run("repair", "fix", tmp_path / "none.py") == 2
    assert "none.py" in capsys.readouterr().err
    assert run("repair", "fix", broken, "--model", tmp_path) == 2
    assert "holds no repair model" in capsys.readouterr().err


def test_candidates_of_tokens_and_of_source(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("repair", "candidates", BROKEN[0], "--model", model, "--json", "--seconds", "30") == 0
    of_tokens = json.loads(capsys.readouterr().out)
    assert of_tokens["least_edits"] == 1
    assert len(of_tokens["candidates"]) == 10
    assert SOUND[0] in [row["tokens"] for row in of_tokens["candidates"]]
    monkeypatch.setattr("sys.stdin", io.StringIO("total = count('a', 3\n"))
    assert run("repair", "candidates", "--source", "--model", model, "--json", "--seconds", "30") == 0
    assert json.loads(capsys.readouterr().out)["candidates"] == of_tokens["candidates"]
    assert run("repair", "candidates", SOUND[0], "--model", model) == 0
    assert capsys.readouterr().out.startswith("it is a sentence as it stands\n")
    assert run("repair", "candidates", "NAME " * 12, "--model", model, "--seconds", "30") == 0
    assert capsys.readouterr().out == "three edits do not make a sentence of it\n"
    assert run("repair", "candidates", "NAME walrus", "--model", model) == 2
    assert "there is no terminal 'walrus'" in capsys.readouterr().err
    assert run("repair", "candidates", " ", "--model", model) == 2
    assert "there is no token" in capsys.readouterr().err


def test_rank_orders_the_lines_it_is_given(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query, best = (to_characters(string) for string in PAIRS[0])
    far, odd = to_characters([1] * 30), "~~~"
    (tmp_path / "asked").write_text("\n".join([query, odd, far, best, best]) + "\n")
    assert run("repair", "rank", tmp_path / "asked", "--model", model) == 0
    assert capsys.readouterr().out.splitlines() == [best, best, far, odd]
    (tmp_path / "asked").write_text(query)
    assert run("repair", "rank", tmp_path / "asked", "--model", model) == 2
    assert "there is no repair to order" in capsys.readouterr().err


def test_eval_of_both_kinds_of_rows(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(tmp_path / "rows.jsonl", [Repair(b, f) for b, f in zip(BROKEN, SOUND, strict=True)])
    assert (
        run("repair", "eval", "--instances", tmp_path / "rows.jsonl", "--model", model, "--seconds", "30", "--json")
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 5
    assert {"mrr", "p@1", "p@10", "p@100", "p@all", "by_distance"} <= found.keys()
    assert set(found["latency_ms"]) == {"p50", "p95"}
    given = []
    for broken, sound in PAIRS:
        others = [to_characters(other) for _, other in PAIRS if other != sound]
        given.append(RankingInstance(to_characters(broken), to_characters(sound), others))
    write_rows(tmp_path / "given.jsonl", given)
    assert run("repair", "eval", "--instances", tmp_path / "given.jsonl", "--model", model, "--json") == 0
    ranked = json.loads(capsys.readouterr().out)
    assert ranked["n"] == 5
    assert ranked["p@1"] == 1  # every other one is farther than three edits
    assert run("repair", "eval", "--instances", tmp_path / "given.jsonl", "--model", model) == 0
    shown = capsys.readouterr().out
    assert "n-grams and edits" in shown
    assert "95 % interval" in shown


def test_no_torch_is_loaded(broken: Path, model: Path) -> None:
    code = ENTRY.format(after="assert 'torch' not in sys.modules and 'transformers' not in sys.modules")
    done = subprocess.run(
        [sys.executable, "-c", code, "repair", "fix", str(broken), "--model", str(model), "--seconds", "30"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "insert :" in done.stdout
    assert not done.stderr


TINY = ["model.hidden=16", "model.layers=1", "model.heads=2", "model.ffn=32", "model.edit=16"]
SMALL = ["propose.synthetic=10", "propose.steps=100000", "propose.epochs=2", "propose.rounds=1", "propose.order=3"]


def test_pretrain_and_train_make_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for number in range(4):
        (code / f"{number}.py").write_text(
            f"def f{number}(a):\n    return a + {'-' * number}1\n\n\nprint(f{number}(2))\n"
        )
    sizes = [flag for field in TINY for flag in ("--set", field)]
    out = tmp_path / "encoder"
    command = ["repair", "pretrain", "--documents", code, "--output-dir", out, "--max-steps", "3", "--batch-size", "2"]
    assert run(*command, *sizes, "--device", "cpu", "--json") == 0
    encoder = json.loads(capsys.readouterr().out)
    assert encoder["steps"] == 3
    write_rows(tmp_path / "rows.jsonl", [Repair(b, f) for b, f in zip(BROKEN, SOUND, strict=True)])
    write_rows(tmp_path / "chosen.jsonl", [Repair(BROKEN[0], SOUND[0])])
    fields = [flag for field in (*SMALL, "lists.limit=30") for flag in ("--set", field)]
    command = ["repair", "train", "--train-file", tmp_path / "rows.jsonl", "--eval-file", tmp_path / "chosen.jsonl"]
    command += ["--output-dir", tmp_path / "run", "--encoder", encoder["encoder"], "--max-steps", "2"]
    command += ["--synthetic", "6", "--device", "cpu", *sizes, *fields, "--json"]
    assert run(*command) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["stages"]) == {"data", "propose", "names", "lists", "train", "export"}
    assert "4 repairs to learn from, 1 to choose by, 1 left out" in result["stages"]["data"]
    assert run(*command) == 0  # done already
    assert json.loads(capsys.readouterr().out) == result
    (tmp_path / "broken.py").write_text(BROKEN_FILE)
    assert run("repair", "fix", tmp_path / "broken.py", "--model", result["model"], "--apply", "--seconds", "30") == 0
    compile((tmp_path / "broken.py").read_text(), "broken.py", "exec")


def test_data_repairs_says_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Repair(b, f, broken_source="x", fixed_source=f"value_{n} = {n}")
        for n, (b, f) in enumerate(zip(BROKEN, SOUND, strict=True))
    ]
    write_rows(tmp_path / "rows.jsonl", [*rows, Repair("NAME", "NAME NAME"), rows[0]])
    write_rows(tmp_path / "measured.jsonl", rows[:1])
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("def f(a):\n    return a\n")
    command = ["data", "repairs", tmp_path / "rows.jsonl", "--evaluation", tmp_path / "measured.jsonl"]
    command += ["--output-dir", tmp_path / "out", "--documents", tmp_path / "code", "--validation-share", "0.5"]
    assert run(*command) == 0
    shown = capsys.readouterr().out
    assert "1 left out: the repair is no sentence\n" in shown
    assert "2 left out: near duplicate of a snippet to measure on\n" in shown
    assert "the tokens of 0.0% of 4 broken sources are as codefit lexes them" in shown
    assert run(*command, "--json") == 0
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert outputs["train.jsonl.gz"]["rows"] + outputs["validation.jsonl.gz"]["rows"] == 4
    assert outputs["snippets.txt.gz"]["rows"] == 1
    assert run(*command[:-1], "2") == 2
