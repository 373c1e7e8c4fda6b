"""`codefit repair`: train what mends broken Python, look at candidates, order them, measure, and mend files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit, table
from codefit.cli.repair_fix import Model, Seconds, fix, loaded_model
from codefit.cli.repair_train import pretrain, train
from codefit.errors import InputError

app = typer.Typer(
    help="Syntax repair: mend Python that does not parse; train and measure what does it.", no_args_is_help=True
)
app.command("fix")(fix)
app.command("pretrain")(pretrain)
app.command("train")(train)

MOST_SHOWN_EDITS = 3


@app.command()
def candidates(
    text: Annotated[
        str | None, typer.Argument(help="The broken string: tokens with spaces between.", show_default="standard input")
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="The text is Python source, not tokens.")] = False,
    model: Model = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Candidates to print.")] = 10,
    limit: Annotated[int, typer.Option(min=1, help="Candidates to find.")] = 1000,
    seconds: Seconds = 1.0,
) -> None:
    """Print the sentences of Python within a few token edits of a broken one, best first.

    These are all strings within min(least edits + 1, 3) edits that Python's grammar accepts, as many as are found in
    the time. A sound string has itself first.
    """
    from codefit.source.lexemes import lex
    from codefit.source.syntax.terminals import from_names, to_names
    from codefit.tasks.repairs.names import names_of

    given = sys.stdin.read() if text is None else text
    lexed = lex(given) if source else None
    tokens = from_names(given, where="the given text") if lexed is None else lexed.terminals
    if not tokens:
        raise InputError("there is no token", where="the given text", fix="give the tokens of a snippet, or --source")
    found = loaded_model(model).repairs(
        tokens, names=names_of(lexed) if lexed is not None else (), limit=max(k, limit), seconds=seconds
    )
    rows = [
        {"tokens": to_names(string), "score": float(score), "edits": len(edits)}
        for string, score, edits in zip(found.strings[:k], found.scores, found.edits, strict=False)
    ]
    result = {
        "candidates": rows,
        "found": len(found.strings),
        "least_edits": found.least_edits,
        "complete": found.complete,
        "took_ms": round(found.seconds * 1000, 1),
    }
    emit(result, lambda: _candidates_text(result))


def _candidates_text(result: dict[str, Any]) -> str:
    least = result["least_edits"]
    if least is not None and least > MOST_SHOWN_EDITS:
        return "three edits do not make a sentence of it"
    if least is None:
        return "time ran out before a sentence was found: --seconds gives more"
    cells = [[row["tokens"], f"{row['score']:.2f}", str(row["edits"])] for row in result["candidates"]]
    rest = "" if result["complete"] else ", not all there are: --seconds gives more time"
    head = "it is a sentence as it stands\n\n" if least == 0 else ""
    return (
        f"{head}{table(cells, ['candidate', 'score', 'edits'])}\n"
        f"{result['found']:,} found in {result['took_ms']:,.0f} ms{rest}"
    )


@app.command()
def rank(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Line 1 the broken string, then repairs, a character a token.", show_default="standard input"
        ),
    ] = None,
    model: Model = None,
) -> None:
    """Order given repairs of a broken string, best first: what `POST /rerank` answers.

    Lines are strings of the tidyparse data, a character a token. Repairs that are more than three edits away come last.
    """
    from codefit.serve.rerank import asked_text, score_documents

    query, documents = asked_text(_read(file))
    if not documents:
        raise InputError("there is no repair to order", where=str(file or "standard input"), fix="give one a line")
    scores = score_documents(loaded_model(model), query, documents)
    order = (-scores).argsort(kind="stable").tolist()
    ranked = [{"document": documents[k], "place": k, "score": float(scores[k])} for k in order]
    emit({"query": query, "ranking": ranked}, lambda: "\n".join(row["document"] for row in ranked))


def _read(file: Path | None) -> bytes:
    return sys.stdin.buffer.read() if file is None else file.read_bytes()


@app.command("eval")
def evaluate(
    instances: Annotated[
        Path,
        typer.Option(
            help="Rows with broken and fixed tokens: candidates are found. Ranking instances: they are given."
        ),
    ],
    model: Model = None,
    limit: Annotated[int, typer.Option(min=2, help="Candidates to find of a string.")] = 1000,
    seconds: Seconds = 1.0,
    most: Annotated[
        int | None, typer.Option("--max-instances", min=1, help="Strings to measure.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="The order of candidates, and that of chance.")] = 0,
) -> None:
    """Measure how often the true repair is first, among the first ten, and so on.

    A repair that was not found counts as a miss. Candidates are shuffled, and what shares a score shares its rank.
    """
    from codefit.evaluate.repairs import evaluate_given, evaluate_repairs
    from codefit.progress import track
    from codefit.tasks.repairs.instances import load_instances

    rows = load_instances(instances)
    pairs, given = rows.pairs[:most], rows.given[:most]
    loaded = loaded_model(model)
    if given:
        figures = evaluate_given(loaded, track(given, "measuring", len(given), "lists"), seed=seed)
    else:
        found = track(pairs, "measuring", len(pairs), "strings")
        figures = evaluate_repairs(loaded, found, limit=limit, seconds=seconds, seed=seed)
    emit(figures, lambda: figures_text(figures))


METRICS = ("mrr", "p@1", "p@10", "p@100", "p@all")


def figures_text(figures: dict[str, Any]) -> str:
    """A table of the orders and of the groups, with the interval and the times below."""

    def cells(name: str, row: dict[str, Any]) -> list[str]:
        return [name, *(f"{row[metric]:.3f}" for metric in METRICS), f"{row.get('count', figures['n']):,}"]

    names = {"model": "model", "edits": "n-grams and edits", "ngrams": "n-grams alone", "random": "chance"}
    rows = [cells(names[order], row) for order, row in figures["orders"].items()]
    rows += [cells(f"  {distance} edits", row) for distance, row in figures["by_distance"].items()]
    rows += [cells(f"  {length} tokens", row) for length, row in figures["by_length"].items()]
    latency = figures["latency_ms"]
    low, high = figures["ci95"]["mrr"]
    return "\n".join(
        [
            table(rows, ["order", "MRR", "P@1", "P@10", "P@100", "P@all", "strings"]),
            f"MRR {figures['mrr']:.3f}, 95 % interval {low:.3f} to {high:.3f}",
            f"time a string: {latency['p50']:.0f} ms, 95 % within {latency['p95']:.0f} ms",
        ]
    )
