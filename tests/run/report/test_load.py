"""Reading a run's folder: partial runs are read, damaged files are one-line errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.run.report.load import load_run
from run.report.sample_run import change, make_run, read

FILES = (
    "run.json",
    "data/manifest.json",
    "tokenizer/report.json",
    "evaluation.json",
    "export/codefit-export.json",
    "answers.json",
)


def test_a_whole_run_has_every_part(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run"))
    assert all(run.has(part) for part in ("data", "tokenizer", "training", "evaluation", "export", "answers"))
    assert run.unfinished() is None
    assert run.seconds() == pytest.approx(192.2)
    assert (len(run.steps), len(run.looks)) == (106, 6)


def test_a_run_that_has_only_begun_has_none(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", upto="data", state="running"))
    assert not any(run.has(part) for part in ("data", "tokenizer", "training", "evaluation", "export", "answers"))
    assert run.missing("data") == ("Not there: the stage “data” was running when this page was written, or was killed.")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "damage", [b"", b'{"name": "quick', b"[]", b"\xff\xfe{}", b'{"sets": 3, "stages": 3, "n": []}']
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, file: str, damage: bytes) -> None:
    run = make_run(tmp_path / "run")
    (run / file).write_bytes(damage)
    with pytest.raises(InputError) as caught:
        load_run(run)
    assert str(run / file) in caught.value.line()
    assert "\n" not in caught.value.line()


def test_a_number_that_is_none_is_named_with_its_place(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    entry = read(run, "evaluation.json")["sets"][0]
    entry["hybrid"]["mrr@10"] = "high"
    change(run, "evaluation.json", sets=[entry])
    with pytest.raises(InputError, match=r"hybrid.*mrr@10"):
        load_run(run)


def test_a_last_line_that_a_kill_cut_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with (run / "metrics.jsonl").open("a") as stream:
        stream.write('{"kind": "train", "step": 107, "lo')
    assert len(load_run(run).steps) == 106


def test_a_line_damaged_in_the_middle_is_an_error_with_its_number(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join([*lines[:4], '{"kind": "train"}\n', *lines[5:]]))
    with pytest.raises(InputError, match=r"metrics\.jsonl:5: damaged"):
        load_run(run)


def test_a_file_that_is_gone_is_missed_and_not_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    shutil.rmtree(run / "export")
    assert load_run(run).missing("export") == "Not there: the stage “export” is done, but its file is no longer there."


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_run(tmp_path / "nothing")
    with pytest.raises(InputError, match="it is no run"):
        load_run(tmp_path)
