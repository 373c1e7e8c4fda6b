"""The plan of a ranker of repairs for people: facts, and broken strings with their candidates."""

from __future__ import annotations

from typing import Any

from codefit.run.plan_repair_examples import ADDED, GAP, REMOVED, SAME
from codefit.run.plan_words import Fact, busy_facts, facts_text, has_colour, heading, styled, time_facts

STYLES = {SAME: "0", ADDED: "1;32", REMOVED: "9;31", GAP: "2"}
PLAIN = {ADDED: "{{+{}+}}", REMOVED: "[-{}-]"}  # as wdiff has it, where there is no colour
TRUE, OTHER = "→", " "
MOST_LINES = 8  # of a source


def repair_text(plan: dict[str, Any]) -> str:
    """What `codefit plan` prints."""
    lines = [heading(plan), "", *facts_text(repair_facts(plan))]
    for example in plan["examples"]:
        lines += ["", *_example(example)]
    return "\n".join([*lines, "", f"nothing was trained and nothing was written; {basis(plan)}"])


def repair_facts(plan: dict[str, Any]) -> list[Fact]:
    """The plan's facts, each with a name."""
    rows, data, tokens, steps = plan["rows"], plan["data"], plan["tokens"], plan["steps"]
    about = "" if tokens["known"] == "counted" else "about "
    facts = [
        ("repairs to learn from", f"{rows['train']:,}, {tokens['a_repair']:.0f} tokens on average"),
        ("to choose by", f"{rows['validation']:,}"),
        ("to measure on", f"{rows['evaluation']:,}"),
    ]
    if data["dropped"]:
        reasons = "; ".join(f"{reason} {count:,}" for reason, count in list(data["dropped"].items())[:4])
        facts.append(("left out", reasons))
    facts += [
        (
            "broken strings made",
            f"{rows['made_for_edits']:,} for the model of edits, {rows['made_for_lists']:,} to rank",
        ),
        ("names that tell something", f"of about {rows['telling']:,} repairs"),
        ("lists to rank", f"about {rows['lists']:,}"),
        ("sound code", f"{data['files']:,} files of Python, {data['bytes'] / 1e6:,.0f} MB"),
        (
            "snippets",
            f"{about}{tokens['snippets']:,} tokens, {tokens['snippets_held_out']:,} more held out, of {about}"
            f"{data['lexed_files']:,} files",
        ),
    ]
    if steps["pretrain"]:
        facts += [
            ("tokens of pre-training", f"about {tokens['pretraining']:,}"),
            (
                "padding",
                f"{tokens['padding_share']:.1%} of positions (batches in no order: "
                f"{tokens['padding_share_unsorted']:.1%})",
            ),
        ]
    parameters = plan["parameters"]
    facts += [
        ("parameters", f"{parameters['ranker']:,}, {parameters['encoder']:,} of them the encoder's"),
        ("steps", _steps(plan)),
        *_memory(plan),
        *time_facts(plan["seconds"]),
        *_search(plan["search"]),
        *busy_facts(plan["machine"]),
    ]
    return facts + [("missing", pattern) for pattern in data["missing"]]


def basis(plan: dict[str, Any]) -> str:
    """What of the plan is counted and what is not."""
    tokens = plan["tokens"]
    if tokens["known"] == "counted":
        return "rows and tokens are counted; times are scaled up from a few searches and steps"
    return (
        f"repairs are counted; snippets are scaled up from {tokens['sampled_files']:,} files, times from a few "
        "searches and steps"
    )


def _steps(plan: dict[str, Any]) -> str:
    steps, sizes = plan["steps"], plan["batch_size"]
    train = f"{steps['train']:,} of {sizes['train']:,} lists"
    return f"{steps['pretrain']:,} of {sizes['pretrain']:,} snippets, then {train}" if steps["pretrain"] else train


def _memory(plan: dict[str, Any]) -> list[Fact]:
    memory = plan["memory_bytes"]
    most = max(memory["parts"], key=lambda stage: memory["parts"][stage])
    return [("memory", f"about {memory['total'] / 2**30:.1f} GiB, in the stage {most}")]


def _search(search: dict[str, Any]) -> list[Fact]:
    return [
        (
            "a search",
            f"{search['milliseconds']:.0f} ms and {search['candidates']:,.0f} candidates on average, "
            f"{search['found']} of {search['strings']} with the true repair; no edits are learned yet",
        )
    ]


def _example(example: dict[str, Any]) -> list[str]:
    lines = ["a broken string, of those to choose by, and its candidates, best first"]
    if example["source"]:
        source = example["source"].splitlines()
        lines += [
            "",
            *(f"    {line}" for line in source[:MOST_LINES]),
            *(["    …"] if len(source) > MOST_LINES else []),
        ]
    lines += ["", f"    {example['broken']}", ""]
    for candidate in example["candidates"]:
        mark = TRUE if candidate["true"] else OTHER
        text = " ".join(_shown(token, kind) for token, kind in candidate["marked"])
        line = f"  {mark} {candidate['rank']:>5}  {candidate['score']:>7.2f}  {text}"
        lines.append(line)
    found = f"{example['found']:,} candidates"
    told = f"{TRUE} is what its author meant, number" if example["rank"] is not None else "what its author meant is not"
    rank = f" {example['rank']:,} of {found}" if example["rank"] is not None else f" among {found}"
    return [*lines, "", f"    {told}{rank}; {_legend()}"]


def _legend() -> str:
    return f"{_shown('added', ADDED)} and {_shown('removed', REMOVED)} tokens are marked"


def _shown(text: str, kind: str) -> str:
    return styled(text, STYLES[kind]) if has_colour() else PLAIN.get(kind, "{}").format(text)
