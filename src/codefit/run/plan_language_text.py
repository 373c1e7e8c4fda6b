"""A language model's plan for people: facts, the curriculum, and a row of training text as the model sees it."""

from __future__ import annotations

from typing import Any

from codefit.run.plan_rows import (
    BORDER,
    CONTEXT,
    END,
    JOINED,
    MARK,
    MEANINGS,
    MIDDLE,
    PREDICTED,
    PREFIX,
    SUFFIX,
)
from codefit.run.plan_words import Fact, busy_facts, duration_words, facts_text, has_colour, heading, styled, time_facts

STYLES = {
    BORDER: "1;4",
    CONTEXT: "2;3",
    PREDICTED: "32",
    END: "1;7;32",
    MARK: "1;35",
    PREFIX: "36",
    SUFFIX: "33",
    MIDDLE: "1;32",
    JOINED: "1;36",
}
KINDS = {
    "train": "to train on",
    "validation": "to choose by",
    "evaluation": "to measure on",
    "general": "general code",
    "replay": "to replay",
}
# What stands around a token where there is no colour.
PLAIN = {CONTEXT: "‹{}›", END: "⟦{}⟧", MARK: "⟦{}⟧"}
PLAIN_LEGEND = (
    "‹ › is read only, all else is predicted; ⟦ ⟧ is the end token, which is predicted too, or a mark of a hole"
)
COLUMNS = ("length", "steps", "tokens", "rows filled", "padding else", "files cut", "pieces at most", "time")


def language_text(plan: dict[str, Any]) -> str:
    """What `codefit plan` prints."""
    lines = [heading(plan), "", *facts_text(language_facts(plan)), "", *_table(stage_cells(plan)), ""]
    lines += _row_text(plan)
    return "\n".join([*lines, "", "nothing was trained and nothing was written; " + basis(plan)])


def language_facts(plan: dict[str, Any]) -> list[Fact]:
    """The plan's facts, each with a name."""
    return [
        *_data_facts(plan),
        *_training_facts(plan),
        *_memory_facts(plan),
        *time_facts(plan["seconds"]),
        *_speed(plan),
    ]


def basis(plan: dict[str, Any]) -> str:
    """What of the plan is counted and what is not."""
    tokens = plan["tokens"]
    if tokens["known"] == "assumed":
        return f"no tokenizer is at hand, so tokens are bytes divided by {tokens['bytes_a_token']}: an assumption"
    if tokens["known"] == "counted":
        return "files, tokens and steps are counted, not estimated"
    return f"tokens and steps are scaled up from {tokens['tokenized_files']:,} files"


def stage_cells(plan: dict[str, Any]) -> list[list[str]]:
    """The curriculum as a table: a list of cells for each length, under `COLUMNS`."""

    def share(value: float | None) -> str:
        return "not known" if value is None else f"{value:.1%}"

    def count(value: int | None) -> str:
        return "not known" if value is None else f"{value:,}"

    return [
        [
            f"{stage['length']:,}",
            f"{stage['steps']:,}",
            f"{stage['tokens']:,}",
            share(stage["row_fill"]),
            share(stage["padding_share"]),
            count(stage["documents_cut"]),
            count(stage["most_pieces"]),
            duration_words(stage["seconds"]),
        ]
        for stage in plan["stages"]
    ]


def visible(text: str, kind: str) -> str:
    """A token's text. White space that is read only is written out: nothing else shows that it is there."""
    if kind != CONTEXT or text.strip():
        return text
    return text.replace("\n", "⏎\n").replace("\t", "⇥").replace(" ", "␣")


def _data_facts(plan: dict[str, Any]) -> list[Fact]:
    data = plan["data"]
    facts = [
        (f"read, {name}", f"{entry['files']:,} files, {_megabytes(entry['bytes'])}")
        for name, entry in data["read"].items()
    ]
    for name, told in KINDS.items():
        if name in data["kept"]:
            entry = data["kept"][name]
            about = "" if entry["counted"] else "about "
            facts.append((told, f"{about}{entry['files']:,} files, {_megabytes(entry['bytes'])}"))
    dropped = data["dropped"]
    if dropped:
        reasons = "; ".join(f"{reason} {count:,}" for reason, count in list(dropped.items())[:4])
        facts.append(("left out", f"{sum(dropped.values()):,} of what was looked at: {reasons}"))
    return facts + [("missing", pattern) for pattern in data["missing"]]


def _training_facts(plan: dict[str, Any]) -> list[Fact]:
    tokens, parameters = plan["tokens"], plan["parameters"]
    about = "" if tokens["known"] == "counted" else "about "
    longer = tokens["files_longer_than_context"]
    share = parameters["trained"] / parameters["all"]
    facts = [
        (
            "tokens",
            f"{about}{tokens['per_epoch']:,} an epoch, {tokens['total']:,} in all; "
            f"{tokens['bytes_a_token']:.2f} bytes a token",
        ),
        (
            "beyond the context",
            f"{longer:,} {'file has' if longer == 1 else 'files have'} more than the {tokens['context']:,} tokens "
            "that the model looks back on; "
            "each is cut into pieces, none is left out",
        ),
    ]
    ends = plan["stages"][-1]["ends_a_pass"]
    if ends is not None:
        facts.append(("end token", f"predicted {about}{ends:,} times an epoch, so that the model learns to stop"))
    trained = "all of them trained" if share == 1 else f"{parameters['trained']:,} of them trained ({share:.2%})"
    return [
        *facts,
        ("parameters", f"{parameters['all']:,}, {trained}"),
        ("steps", f"{about}{plan['steps']:,} of {plan['rows_a_step']:,} rows, in {plan['precision']}"),
    ]


def _memory_facts(plan: dict[str, Any]) -> list[Fact]:
    memory = plan["memory_bytes"]
    verdict = "it fits" if memory["fits"] else f"it does not fit: {memory['fix']}"
    facts = [
        (
            "memory",
            f"about {_gibibytes(memory['total'])} for training; {_gibibytes(memory['device_free'])} of "
            f"{_gibibytes(memory['device_total'])} are free: {verdict}",
        )
    ]
    facts += [(f"memory, {name}", _gibibytes(size)) for name, size in memory["parts"].items() if size]
    chosen = memory["checkpointing"]
    kept, again = _gibibytes(chosen["activations_kept"]), _gibibytes(chosen["activations_computed_again"])
    why = "as asked" if chosen["asked"] != "auto" else "chosen by what is free"
    told = (
        f"activations are computed again: {again} instead of {kept}"
        if chosen["chosen"]
        else (f"activations are kept: {kept}; computed again they would be {again}")
    )
    return [*facts, ("checkpointing", f"{told} ({why})")]


def _speed(plan: dict[str, Any]) -> list[Fact]:
    speed, machine = plan["speed"], plan["machine"]
    how = "measured over a few steps" if speed["measured"] else "assumed: no step was measured"
    return [
        (
            "speed",
            f"about {speed['tokens_per_second']:,.0f} tokens/s: {speed['utilisation']:.0%} ({how}) of the "
            f"{speed['matmul_flops'] / 1e9:,.0f} GFLOP/s of a matrix product here",
        ),
        *busy_facts(machine),
    ]


def _row_text(plan: dict[str, Any]) -> list[str]:
    if not plan["rows"]:
        return ["no row can be shown: the tokenizer of the base is not at hand"]
    row = plan["rows"][0]
    colour = has_colour()
    lines = [f"a row of {row['length']:,} tokens of the first step, as the model sees it", ""]
    kinds = {kind for _, kind in row["tokens"]}
    if colour:
        lines += ["  " + styled(meaning, STYLES[kind]) for kind, meaning in MEANINGS.items() if kind in kinds]
    else:
        lines.append(f"  {PLAIN_LEGEND}")
    text = "".join(_shown(text, kind, colour=colour) for text, kind in row["tokens"])
    return [*lines, text]


def _shown(text: str, kind: str, *, colour: bool) -> str:
    if kind == BORDER:
        title = f"── {text} ──"
        return f"\n\n{styled(title, STYLES[kind]) if colour else title}\n"
    text = visible(text, kind)
    return styled(text, STYLES[kind]) if colour else PLAIN.get(kind, "{}").format(text)


def _table(cells: list[list[str]]) -> list[str]:
    rows = [list(COLUMNS), *cells]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _gibibytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
