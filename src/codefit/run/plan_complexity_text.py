"""The plan of scorers of complexity for people: facts, and what the encoder and the language model are shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from codefit.run.plan_rows import CONTEXT, END, PREDICTED
from codefit.run.plan_words import Fact, busy_facts, facts_text, has_colour, heading, styled, time_facts

STYLES = {CONTEXT: "2;3", PREDICTED: "1;32", END: "1;7;32"}
PLAIN = {PREDICTED: "⟦{}⟧"}  # around what is learned, where there is no colour
BRANCH_STYLE, BRANCH_PLAIN = "1;35", "⟦{}⟧"
MOST_LINES = 24  # of an example


def complexity_text(plan: dict[str, Any]) -> str:
    """What `codefit plan` prints."""
    lines = [heading(plan), "", *facts_text(complexity_facts(plan)), "", *_targets(plan["examples"]["encoder"])]
    if plan["examples"]["chat"]:
        lines += ["", *_chat(plan["examples"]["chat"])]
    return "\n".join([*lines, "", f"nothing was trained and nothing was written; {basis(plan)}"])


def complexity_facts(plan: dict[str, Any]) -> list[Fact]:
    """The plan's facts, each with a name."""
    rows, data, parameters = plan["rows"], plan["data"], plan["parameters"]
    about = "" if data["known"] == "counted" else "about "
    facts = [
        ("functions to learn from", f"{about}{rows['train']:,}"),
        ("to choose by", f"{about}{rows['validation']:,}"),
        ("to measure on", f"{rows['measured']:,} of {rows['evaluation']:,}, and {rows['human']:,} beside people"),
    ]
    if data["documents"]:
        facts.append(("documents", f"{data['documents']:,} files, {data['sampled_documents']:,} of them mined here"))
    if data["dropped"]:
        reasons = "; ".join(f"{reason} {count:,}" for reason, count in list(data["dropped"].items())[:4])
        facts.append(("left out", f"{reasons}, of what was looked at" if about else reasons))
    facts += _encoder(plan)
    if plan["language_model"] is not None:
        facts += _language_model(plan, plan["language_model"])
    else:
        facts.append(("language model", "none is asked"))
    memory = plan["memory_bytes"]
    most = max(memory["parts"], key=lambda stage: memory["parts"][stage])
    facts += [
        ("parameters", ", ".join(f"{count:,} of the {name}" for name, count in parameters.items())),
        ("memory", f"about {memory['total'] / 2**30:.1f} GiB, in the stage {most}"),
        *time_facts(plan["seconds"]),
    ]
    model = plan["language_model"]
    if model is not None and model["missing"] is not None:
        facts.append(("time, language model", "not known, and not in the total: its base is not there"))
    return [*facts, *busy_facts(plan["machine"])]


def basis(plan: dict[str, Any]) -> str:
    """What of the plan is counted and what is not."""
    rows = "functions are counted" if plan["data"]["known"] == "counted" else "functions are scaled up from some files"
    told = f"{rows}; tokens are those of {plan['tokens']['tokenized_functions']:,} functions"
    model = plan["language_model"]
    if model is not None and model["missing"] is None:
        told += f" and {model['encoded_chats']:,} chats"
    return f"{told}; times are scaled up from a few functions and steps"


def _encoder(plan: dict[str, Any]) -> list[Fact]:
    tokens, steps, sizes = plan["tokens"], plan["steps"], plan["batch_size"]
    about = "" if tokens["known"] == "counted" else "about "
    return [
        (
            "tokens, encoder",
            f"{tokens['a_function']:,.0f} a function, {about}{tokens['an_epoch']:,} an epoch, {tokens['training']:,} "
            "in all",
        ),
        ("longer than a window", f"{tokens['longer_than_window']:.1%} of functions, which are read in several"),
        (
            "padding, encoder",
            f"{tokens['padding_share']:.1%} of positions (a batch as one: {tokens['padding_share_unsorted']:.1%})",
        ),
        ("steps, encoder", f"{steps['train']:,} of {sizes['train']:,} functions"),
    ]


def _language_model(plan: dict[str, Any], model: dict[str, Any]) -> list[Fact]:
    if model["missing"] is not None:
        return [("language model", f"{model['base']} is not there"), ("to have it", model["missing"])]
    about = "" if model["known"] == "counted" else "about "
    memory = model["memory"]
    fits = "it fits" if memory["fits"] else f"it does not fit: {memory['fix']}"
    free, total = (memory[name] / 2**30 for name in ("device_free", "device_total"))
    facts = [
        ("language model", f"{model['base']}, on {model['device']}"),
        (
            "tokens, chats",
            f"{model['tokens_a_chat']:,.0f} a chat, {model['answer_tokens_a_chat']:,.0f} of them learned; "
            f"about {model['tokens']:,} in all",
        ),
        (
            "chats that are cut",
            f"{about}{model['cut']:,} of {model['chats']:,}, to {model['max_tokens']:,} tokens: code loses its middle",
        ),
        ("padding, chats", "none: a chat goes through the network by itself"),
        ("steps, chats", f"{plan['steps']['chat']:,} of {plan['batch_size']['chat']:,} chats"),
        ("questions", f"about {model['questions']:,} for each way to read the answers"),
        ("memory, chats", f"about {memory['total'] / 2**30:.1f} GiB; {free:.1f} of {total:.1f} GiB are free: {fits}"),
    ]
    if model["left_out"]:
        facts.append(("chats left out", f"{about}{model['left_out']:,}, whose answers have no room"))
    if model["speed"] == "assumed":
        facts.append(("speed, chats", "assumed by a matrix product's: no step was measured"))
    return facts


def _targets(example: dict[str, Any]) -> list[str]:
    """A function line by line with the branches, tokens and lines that the encoder learns to count in each."""
    place = ":".join(str(part) for part in (example["source"], example["path"]) if part is not None)
    lines = [
        f"a function to learn from{f', of {place}' if place else ''}, and what the encoder learns beside its score",
        "",
    ]
    if any(branches is None for _, branches, _, _ in example["tokens"]):
        lines.append("  where its branches, tokens and lines lie is not known, so their sums alone are learned:")
    else:
        lines.append(f"  {'branches':>8}  {'tokens':>6}  {'lines':>5}")
    rows = list(_lines(example["tokens"]))
    lines += [f"  {counts}  {text}" for counts, text in rows[:MOST_LINES]]
    if len(rows) > MOST_LINES:
        lines.append(f"  {'':<23}  …")
    tokens, own = example["counted"]
    told = f"{example['branches']:>8}  {tokens:>6}  {own:>5}  in all: the score is {example['score']:.1f}"
    mark = "" if has_colour() else f"; {BRANCH_PLAIN.format('a token')} is a branch"
    return [*lines, f"  {told}{mark}"]


def _lines(tokens: list[list[Any]]) -> Iterator[tuple[str, str]]:
    """The counts of each line of code, and its text with branches marked."""
    counts, text = [0.0, 0.0, 0.0], ""
    for piece, *own in tokens:
        *before, last = piece.split("\n")
        for part in before:
            yield _counts(counts), text + part
            counts, text = [0.0, 0.0, 0.0], ""
        if own[0] is not None:
            counts = [one + other for one, other in zip(counts, own, strict=True)]
        text += _marked(last) if own[0] else last
    yield _counts(counts), text


def _counts(counts: list[float]) -> str:
    return "  ".join(f"{round(count) or '':>{width}}" for count, width in zip(counts, (8, 6, 5), strict=True))


def _marked(text: str) -> str:
    stripped = text.strip()
    shown = styled(stripped, BRANCH_STYLE) if has_colour() else BRANCH_PLAIN.format(stripped)
    return text.replace(stripped, shown) if stripped else text


def _chat(tokens: list[list[str]]) -> list[str]:
    """A chat with what of it is learned: a colour, or brackets, around each run of tokens."""
    colour = has_colour()
    legend = (
        [
            f"  {styled('read only', STYLES[CONTEXT])}",
            f"  {styled('learned: the answer and its end', STYLES[PREDICTED])}",
        ]
        if colour
        else ["  ⟦ ⟧ is what is learned: the answer and its end token; all else is read only"]
    )
    shown = tokens if colour else [[text, CONTEXT if kind == CONTEXT else PREDICTED] for text, kind in tokens]
    runs = [("".join(text for text, _ in run), kind) for kind, run in groupby(shown, key=lambda token: token[1])]
    text = "".join(styled(part, STYLES[kind]) if colour else PLAIN.get(kind, "{}").format(part) for part, kind in runs)
    return ["a chat as the language model sees it", "", *legend, "", text]
