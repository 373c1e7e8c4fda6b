"""Functions above a limit as SARIF 2.1.0 (OASIS, 2020), in the part of it that GitHub code scanning reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from msgspec import UnsetType

import codefit
from codefit.corpus.documents.repository import checkout_of
from codefit.corpus.manifest import Receipt
from codefit.review.explain import step_text
from codefit.review.limits import INCREASE, Breach
from codefit.review.rows import Function, Step

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
ROOT = "%SRCROOT%"
FINGERPRINT = "codefitFunction/v1"
MAX_RESULTS = 25_000  # GitHub takes as many of a run, and shows the first 5,000
MAX_STEPS = 100  # of a function, those that add most: GitHub shows no more of all places of a result than 1,000
MAX_NOTIFICATIONS = 1_000
LEVELS: Mapping[str, str] = MappingProxyType({"Complex": "warning", "Critical": "error"})
NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as code scanning lists it: the first sentence, what the figure is, and what to do."""

    ident: str
    name: str
    short: str
    about: str


ADVICE = (
    "Take out parts that can be named, return early instead of nesting, and replace chains of conditions by data. "
    "`codefit complexity score FILE --explain NAME` shows what adds to it, line by line."
)
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "score": Rule(
            "complexity-score",
            "ComplexityScore",
            "The function is hard to understand",
            "A score from 1 to 10 of branches, tokens and lines together: up to 3 is simple, up to 6 moderate, up to "
            "8.5 complex, above critical.",
        ),
        "cognitive": Rule(
            "cognitive-complexity",
            "CognitiveComplexity",
            "The function's control flow is hard to follow",
            "Cognitive complexity counts what breaks the flow of reading, and counts it more the deeper it is nested "
            "(Campbell, Cognitive Complexity, SonarSource, 2018).",
        ),
        "cyclomatic": Rule(
            "cyclomatic-complexity",
            "CyclomaticComplexity",
            "The function has many paths",
            "Cyclomatic complexity is the number of independent paths through a function, and so the least number of "
            "tests that go through all of them (McCabe, 1976).",
        ),
        INCREASE: Rule(
            "complexity-increase",
            "ComplexityIncrease",
            "A change made the function harder to understand",
            "By how much a change raised the complexity score of a function.",
        ),
    }
)


def sarif_log(breaches: Sequence[Breach], receipt: Receipt) -> dict[str, Any]:
    """The log of one run: a result for each broken limit, the worst first; what was not measured as notifications."""
    figures = [figure for figure in RULES if any(each.figure == figure for each in breaches)] or ["score"]
    worst = sorted(breaches, key=lambda each: (-each.function.score, each.function.path, each.function.line))
    seen: Counter[str] = Counter()
    results = [_result(each, figures.index(each.figure), seen) for each in worst[:MAX_RESULTS]]
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": _driver(figures)},
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": _notes(receipt, len(worst))}
                ],
                "originalUriBaseIds": {ROOT: {"description": {"text": "The top of the repository."}}},
                "columnKind": "utf16CodeUnits",
                "results": results,
            }
        ],
    }


def _driver(figures: Sequence[str]) -> dict[str, Any]:
    return {
        "name": "codefit",
        "semanticVersion": codefit.__version__,
        "rules": [_rule(RULES[figure]) for figure in figures],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.ident,
        "name": rule.name,
        "shortDescription": {"text": f"{rule.short}."},
        "fullDescription": {"text": rule.about},
        "help": {
            "text": f"{rule.about} {ADVICE}".replace("`", ""),
            "markdown": f"{rule.about}\n\n{ADVICE}",
        },
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["maintainability", "complexity"], "problem.severity": "warning"},
    }


def _result(breach: Breach, rule_index: int, seen: Counter[str]) -> dict[str, Any]:
    function, rule = breach.function, RULES[breach.figure]
    file = artifact_location(function.path)
    result: dict[str, Any] = {
        "ruleId": rule.ident,
        "ruleIndex": rule_index,
        "level": LEVELS.get(function.label, NOTE),
        "message": {"text": _message(breach)},
        "locations": [_location(file, {"startLine": function.line, "endLine": function.end_line})],
        "partialFingerprints": {FINGERPRINT: _fingerprint(rule, function, seen)},
        "properties": {"score": function.score, "label": function.label, **function.metrics},
    }
    if not isinstance(function.increments, UnsetType) and function.increments:
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(file, function.increments)}]}]
    return result


def _message(breach: Breach) -> str:
    function = breach.function
    others = [name for name in ("score", "cognitive", "cyclomatic", "lines") if name != breach.figure]
    figures = ", ".join(f"{name} {function.figure(name):g}" for name in others)
    return f"{function.qualified} is {function.label}: {breach.text()}; {figures}."


def _fingerprint(rule: Rule, function: Function, seen: Counter[str]) -> str:
    """The same wherever the function stands and whatever is in it; those of one name are numbered."""
    name = "\0".join((rule.ident, function.language, function.qualified))
    seen[name] += 1
    return f"{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}:{seen[name]}"


def _flow(file: dict[str, str], steps: Sequence[Step]) -> list[dict[str, Any]]:
    most = sorted(steps, key=lambda each: -each.cognitive)[:MAX_STEPS]
    places = sorted(most, key=lambda each: (each.line, each.column))
    return [
        {"location": {**_location(file, {"startLine": each.line}), "message": {"text": step_text(each)}}}
        for each in places
    ]


def _location(file: dict[str, str], region: dict[str, int]) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": file, "region": region}}


def artifact_location(path: str) -> dict[str, str]:
    """A file's place from the top of its repository, else from the current folder; one outside has its whole URI."""
    place = Path(path).absolute()
    root = checkout_of(place.parent) or Path.cwd()
    if not place.is_relative_to(root):
        return {"uri": place.as_uri()}
    return {"uri": quote(place.relative_to(root).as_posix()), "uriBaseId": ROOT}


def _notes(receipt: Receipt, results: int) -> list[dict[str, Any]]:
    """What the log does not hold: results beyond those that GitHub takes, and files that were not measured."""
    more = results - MAX_RESULTS
    texts = [f"{more:,} results more are above a limit, the less complex ones"] if more > 0 else []
    texts += [f"{each.where} was not measured: {each.reason}" for each in receipt.dropped]
    return [{"level": NOTE, "message": {"text": text}} for text in texts[:MAX_NOTIFICATIONS]]
