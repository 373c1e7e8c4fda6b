"""`codefit embed`: train, export, time and measure embedding models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.embed_train import train
from codefit.cli.output import emit, table
from codefit.errors import InputError

app = typer.Typer(help="Embedding models: train, measure, export, time.", no_args_is_help=True)
app.command("train")(train)

BatchSize = Annotated[int, typer.Option(min=1, help="Texts of a batch that is timed.")]
SeqLen = Annotated[int, typer.Option(min=1, help="Tokens of each text that is timed.")]


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Option(help="Folder of a sentence-transformers model.")],
    output: Annotated[Path, typer.Option(help="Folder for the exported model; an export that is there is replaced.")],
    benchmark: Annotated[
        bool, typer.Option("--benchmark", help="Time torch, fp32 and int8 and name the winner.")
    ] = False,
    batch_size: BatchSize = 16,
    seq_len: SeqLen = 128,
) -> None:
    """Write a model as ONNX, fp32 and int8: one graph from token ids to the unit vector.

    Its vectors are compared with torch's on real functions and odd texts first; where they differ nothing is written.
    Without --benchmark the fp32 file is the one that is loaded by default.
    """
    from codefit.export.embedder import export_embedder

    result = export_embedder(checkpoint, output, benchmark=benchmark, batch_size=batch_size, seq_len=seq_len)
    emit(result, lambda: _export_text(result, output))


def _export_text(result: dict[str, Any], output: Path) -> str:
    parity = result["parity"]
    lines = [f"{output / name}  {result['bytes'][backend] / 1e6:.1f} MB" for backend, name in result["files"].items()]
    lines += [
        f"fp32: on {parity['fp32']['texts']} texts at most {parity['fp32']['max_abs']:.1e} from torch",
        f"int8: mean cosine {parity['int8']['mean_cosine']:.4f} to torch, lowest {parity['int8']['min_cosine']:.4f}",
    ]
    if result["benchmark"]:
        lines += ["", _benchmark_table(result["benchmark"])]
        return "\n".join([*lines, "", f"fastest exported file on this machine: {result['winner']}"])
    return "\n".join([*lines, f"not timed: {result['winner']} is loaded by default (--benchmark names the fastest)"])


def _benchmark_table(benchmark: dict[str, Any]) -> str:
    rows = [
        [row["backend"], f"{row['p50_ms']:.2f}", f"{row['p95_ms']:.2f}", f"{row['texts_per_second']:,.0f}"]
        for row in benchmark["rows"]
    ]
    title = f"batches of {benchmark['batch_size']} texts of {benchmark['seq_len']} tokens, {benchmark['rounds']} times"
    return f"{title}\n{table(rows, ['backend', 'p50 ms', 'p95 ms', 'texts/s'])}"


@app.command()
def bench(
    model: Annotated[Path, typer.Option(help="Folder of an exported model.")],
    batch_size: BatchSize = 16,
    seq_len: SeqLen = 128,
) -> None:
    """Time an exported model's files on this machine; needs no torch."""
    from codefit.export.embedder import bench_embedder

    result = bench_embedder(model, batch_size=batch_size, seq_len=seq_len)
    emit(result, lambda: f"{_benchmark_table(result)}\n\nfastest on this machine: {result['winner']}")


@app.command("eval")
def evaluate(
    model: Annotated[Path, typer.Option(help="Folder of a model: an export, sentence-transformers, or a run.")],
    pairs: Annotated[Path | None, typer.Option(help="Pairs: each row's code is the answer to its description.")] = None,
    queries: Annotated[Path | None, typer.Option(help="Questions with positive_id, together with --pool.")] = None,
    pool: Annotated[Path | None, typer.Option(help="The rows that --queries are asked of, with id and code.")] = None,
    by_source: Annotated[
        bool, typer.Option("--by-source", help="A pool for each repository, not one of all rows.")
    ] = False,
    pool_size: Annotated[int, typer.Option(min=2, help="Functions of a pool at most, with --by-source.")] = 500,
    model_weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The model's share of the hybrid's score.", show_default="the model's"),
    ] = None,
    backend: Annotated[str, typer.Option(help="auto, onnx-fp32, onnx-int8 or torch.")] = "auto",
) -> None:
    """MRR@10, nDCG@10 and recall of a model, of BM25, and of both fused, each with its 95 % interval."""
    from codefit.evaluate.pools import pooled_report
    from codefit.models.embedder import load_embedder

    if (pairs is None) == (queries is None) or (queries is None) != (pool is None):
        raise InputError("what to measure on is not clear", fix="give --pairs FILE, or --queries FILE and --pool FILE")
    if by_source and pairs is None:
        raise InputError("--by-source needs --pairs: other rows name no source", fix="leave it out")
    pools = _pools(pairs, queries, pool, by_source=by_source, pool_size=pool_size)
    embedder = load_embedder(model, backend=backend)
    weight = embedder.model_weight if model_weight is None else model_weight
    result = pooled_report(embedder, pools, weight) | {"model_weight": weight, "backend": embedder.backend}
    emit(result, lambda: _evaluation_text(result, len(pools)))


def _pools(
    pairs: Path | None, queries: Path | None, pool: Path | None, *, by_source: bool, pool_size: int
) -> dict[str, Any]:
    from codefit.evaluate.pools import DEFAULT_MIN_POOL, pools_by_source, read_retrieval_set, retrieval_set
    from codefit.records import Pair, load_rows

    if pairs is None:
        assert queries is not None
        assert pool is not None
        return {"all": read_retrieval_set(queries, pool)}
    rows = load_rows(pairs, Pair)
    if not by_source:
        return {"all": retrieval_set(rows)}
    found = pools_by_source(rows, size=pool_size, minimum=min(pool_size, DEFAULT_MIN_POOL))
    if not found:
        raise InputError(
            f"no source has {min(pool_size, DEFAULT_MIN_POOL)} pairs for a pool",
            where=str(pairs),
            fix="leave --by-source out",
        )
    return found


def _evaluation_text(result: dict[str, Any], pools: int) -> str:
    names = ["mrr@10", "ndcg@10", "recall@1", "recall@5", "recall@10"]
    rows = [
        [system, *(_with_interval(result[system], name) for name in names)] for system in ("bm25", "model", "hybrid")
    ]
    of = f"{pools} pools of at most {result['pool']:,}" if pools > 1 else f"a pool of {result['pool']:,}"
    lines = [f"{result['n']:,} questions, {of} functions, 95 % intervals", table(rows, ["", *names]), ""]
    for system in ("model", "hybrid"):
        difference = result["difference_to_bm25"][system]
        low, high = difference["ci95"]
        lines.append(f"{system} - bm25: {difference['mrr@10']:+.3f} MRR@10 ({low:+.3f} to {high:+.3f})")
    sources = result.get("by", {}).get("source", {})
    if len(sources) > 1:
        per = [
            [name, f"{of['n']:,}", *(f"{of[system]['mrr@10']:.3f}" for system in ("bm25", "model", "hybrid"))]
            for name, of in sources.items()
        ]
        lines += ["", table(per, ["source", "n", "bm25", "model", "hybrid"])]
    return "\n".join(lines)


def _with_interval(figures: dict[str, Any], name: str) -> str:
    low, high = figures["ci95"][name]
    return f"{figures[name]:.3f} ({low:.3f}-{high:.3f})"
