"""The tables of repair ranking: how often the true repair is where, beside other orders and the published figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.markdown import Result, markdown, ratio_text

METRICS = ("p@1", "p@10", "p@100", "p@all", "mrr")
ORDERS = {
    "model": "the ranker",
    "edits": "n-grams and the model of edits alone",
    "ngrams": "n-grams a token alone",
    "random": "chance",
}


def _figure(group: Result, metric: str, *, interval: bool = True) -> str:
    low, high = group["ci95"][metric]
    return f"{group[metric]:.3f} ({low:.3f}–{high:.3f})" if interval else f"{group[metric]:.3f}"


def _end_to_end(result: Result) -> str:
    found, published = result["end_to_end"], result["published"]
    header = ["", "snippets", "P@1", "P@10", "P@100", "P@all", "MRR"]
    rows = []
    for order, name in ORDERS.items():
        group = found["orders"][order]
        rows.append([name, f"{found['n']:,}", *(_figure(group, metric) for metric in METRICS)])
    rows.append(
        ["published, other snippets of the same source", f"{published['n']:,}"]
        + [f"{published[metric]:.3f}" if metric in published else "" for metric in METRICS]
    )
    retrieved = found["retrieved"]["model"]
    rows.append(
        ["the ranker, where the truth was found", f"{retrieved['count']:,}"]
        + [_figure(retrieved, metric) for metric in METRICS]
    )
    rows.append(
        [
            "published, the same",
            f"{published['retrieved']['n']:,}",
            "",
            "",
            "",
            "",
            f"{published['retrieved']['mrr']:.3f}",
        ]
    )
    return markdown(header, rows)


def _groups(result: Result) -> str:
    found, published = result["end_to_end"], result["published"]
    header = ["", "snippets", "P@1", "P@10", "P@100", "MRR", "published P@1"]
    rows = []
    for distance, group in found["by_distance"].items():
        beside = published["by_distance"].get(distance)
        cells = [_figure(group, metric) for metric in ("p@1", "p@10", "p@100", "mrr")]
        rows.append([f"{distance} edits", f"{group['count']:,}", *cells, f"{beside:.3f}" if beside else ""])
    for length, group in found["by_length"].items():
        cells = [_figure(group, metric) for metric in ("p@1", "p@10", "p@100", "mrr")]
        rows.append([f"{length} tokens", f"{group['count']:,}", *cells, ""])
    return markdown(header, rows)


def _variants(result: Result) -> str:
    header = ["on the lists that chose the model", "parameters", "MRR", "P@1", "MRR − this recipe's"]
    rows = []
    for row in result["variants"]:
        low, high = row["ci95"]
        difference = row["difference"]
        same = row["name"] == "this recipe"
        rows.append(
            [
                row["name"],
                f"{row['parameters']:,}" if "parameters" in row else "",
                f"{row['mrr']:.3f} ({low:.3f}–{high:.3f})",
                f"{row['p@1']:.3f}",
                ""
                if same
                else f"{difference['mean']:+.3f} ({difference['ci95'][0]:+.3f} to {difference['ci95'][1]:+.3f})",
            ]
        )
    return markdown(header, rows)


def _latency(result: Result) -> str:
    found, fix = result["end_to_end"], result["fix"]
    rows = [
        [name, f"{latency['p50']:.0f} ms", f"{latency['p95']:.0f} ms", published]
        for name, latency, published in (
            ("least edits and candidates", found["search_ms"], "2.5–4.5 s"),
            ("ordering them", found["rank_ms"], ""),
            ("both", found["latency_ms"], "3.1–5.1 s"),
            ("`repair fix` of a file", fix["latency_ms"], ""),
        )
    ]
    return markdown(["", "half within", "95 % within", "published, other machines"], rows)


def _said(result: Result) -> str:
    fix, lexing, candidates = result["fix"], result["lexing"], result["end_to_end"]["candidates"]
    lexed = ", ".join(f"{side['same'] / side['rows']:.1%} of the {name}" for name, side in lexing.items())
    return (
        f"The true repair is among the candidates for {candidates['recall_in_reach']:.1%} of the snippets whose "
        f"distance is at most the least number of edits and one. Of {fix['files']:,} broken sources `repair fix` "
        f"proposes something for {fix['mended']['mean']:.1%}, and first what the author wrote, token by token, for "
        f"{fix['first']['mean']:.1%} ({fix['sound']} more are read by Python as they stand). codefit lexes {lexed} "
        "sources to the tokens of the data."
    )


def _repair_ranking(result: Result) -> str:
    parts = [
        _end_to_end(result),
        "With 95 % intervals, by bootstrap over snippets.",
        _groups(result),
        _latency(result),
        _said(result),
    ]
    if result["variants"]:
        parts.append(_variants(result))
    return "\n\n".join(parts)


def _repair_ranking_lines(result: Result) -> list[list[str]]:
    found, aims = result["end_to_end"], result["aims"]
    search, fix = found["search_ms"], result["fix"]["latency_ms"]
    recall = found["candidates"]
    names = " / ".join(metric.upper() for metric in ("p@1", "p@10", "p@100", "mrr"))
    return [
        [
            f"syntax repair on {found['n']:,} unseen snippets, end to end: {names}",
            " / ".join(f"{found[metric]:.3f}" for metric in ("p@1", "p@10", "p@100", "mrr")),
            " / ".join(f"≥ {aims[metric]:.2f}" for metric in ("p@1", "p@10", "p@100", "mrr")),
        ],
        [
            "the true repair among the candidates, where it is in reach",
            f"{recall['recall_in_reach']:.3f} ({recall['recall_in_reach_ci95'][0]:.3f}–"
            f"{recall['recall_in_reach_ci95'][1]:.3f})",
            f"≥ {aims['recall in reach']:.2f}",
        ],
        [
            "candidates of a snippet on one core, half and 95 % within",
            f"{search['p50']:.0f} ms, {search['p95']:.0f} ms",
            f"≤ {aims['search p50 ms']} ms, ≤ {aims['search p95 ms']:,} ms",
        ],
        ["`codefit repair fix`, half within", f"{fix['p50']:.0f} ms", f"≤ {aims['fix p50 ms']:,} ms"],
    ]


def _repair_speed(result: Result) -> str:
    ours, theirs = result["codefit"], result["cross_encoder"]
    rows = [
        ["codefit, int8 ONNX", f"{1000 * ours['seconds']:.0f} ms", ""],
        ["CrossEncoder of the same size", f"{1000 * theirs['seconds']:,.0f} ms", ratio_text(result["ratio"])],
    ]
    return markdown(["", f"{result['candidates']:,} candidates", "times as long"], rows)


def _repair_speed_lines(result: Result) -> list[list[str]]:
    aims = result["aims"]
    return [
        [
            "ordering a thousand repairs, half within",
            f"{result['codefit']['p50_ms']:.0f} ms",
            f"≤ {aims['p50 ms']:.0f} ms",
        ],
        [
            "the same, time of a CrossEncoder of the same size ÷ codefit's",
            ratio_text(result["ratio"]),
            f"≥ {aims['times the CrossEncoder']:.0f}",
        ],
    ]


TABLES: Mapping[str, Callable[[Result], str]] = {"repair_ranking": _repair_ranking, "repair_speed": _repair_speed}
LINES: Mapping[str, Callable[[Result], list[list[str]]]] = {
    "repair_ranking": _repair_ranking_lines,
    "repair_speed": _repair_speed_lines,
}
