"""The tables of complexity: exact metrics beside other tools, and scorers beside the formula of the labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.markdown import Result, markdown, ratio_text

REPOSITORIES = {"google_closure-library": "closure-library", "openlayers_openlayers": "openlayers"}


def _figure(value: list[float] | None, *, interval: bool = True) -> str:
    if value is None:
        return ""
    middle, low, high = value
    return f"{middle:.3f} ({low:.3f}–{high:.3f})" if interval else f"{middle:.3f}"


def _metrics(result: Result) -> str:
    header = ["", *REPOSITORIES.values()]
    labels, linters = result["labels"], result["linters"]

    def share(part: Result, name: str, of: str) -> list[str]:
        return [f"{part[key][name] / part[key][of]:.2%} of {part[key][of]:,}" for key in REPOSITORIES]

    rows = [
        ["label equal to the data's", *share(labels, "exact", "rows")],
        ["its three figures equal to lizard's", *share(labels, "figures", "rows")],
        ["label's mean absolute error", *(f"{labels[key]['mae']:.3f}" for key in REPOSITORIES)],
        ["cyclomatic equal to ESLint's, nested functions too", *share(linters, "cyclomatic", "functions")],
        ["cognitive equal to sonarjs'", *share(linters, "cognitive", "functions")],
        ["nesting equal to ESLint's", *share(linters, "nesting", "functions")],
        ["`complexity score` − label, mean absolute", *(f"{labels[key]['score']['mae']:.3f}" for key in REPOSITORIES)],
    ]
    speed, million = result["speed"], result["million"]
    rates = speed["functions_per_second"]
    languages = ", ".join(f"{name} {lines:,}" for name, lines in million["lines_by_language"].items())
    return (
        markdown(header, rows)
        + f"\n\nOn one core, {speed['functions']:,} JavaScript functions in {speed['files']:,} files: codefit "
        + f"{rates['codefit']:,.0f} functions/s ({speed['scanned']:,} files by the scanner, the others by the walk), "
        + f"the walk alone {rates['walk']:,.0f}, lizard {rates['lizard']:,.0f}: {ratio_text(speed['ratio'])} and "
        + f"{ratio_text(speed['ratio_walk'])} times. `codefit complexity score` reads {million['lines']:,} lines "
        + f"({languages}) in {million['seconds']:.0f} s with {million['peak_mib']:,.0f} MiB: "
        + f"{million['functions']:,} functions."
    )


def _metrics_lines(result: Result) -> list[list[str]]:
    labels, linters, aims = result["labels"], result["linters"], result["aims"]
    rows = sum(labels[key]["rows"] for key in REPOSITORIES)
    exact = sum(labels[key]["exact"] for key in REPOSITORIES)
    openlayers = linters["openlayers_openlayers"]
    million = result["million"]
    return [
        ["complexity label equal to the reference's, of 16,200 functions", f"{exact / rows:.2%}", "≥ 99 %"],
        [
            "cyclomatic / cognitive equal to ESLint's / sonarjs', functions of openlayers",
            f"{openlayers['cyclomatic'] / openlayers['functions']:.2%} / "
            f"{openlayers['cognitive'] / openlayers['functions']:.2%}",
            "≥ 99 %",
        ],
        [
            "metrics of JavaScript functions, functions/s on one core ÷ lizard's",
            ratio_text(result["speed"]["ratio"]),
            f"≥ {aims['speed']:g}",
        ],
        [
            "`codefit complexity score` of a million lines",
            f"{million['seconds']:.0f} s, {million['peak_mib']:,.0f} MiB",
            f"≤ {aims['seconds']:g} s, ≤ {aims['MiB']:g} MiB",
        ],
    ]


def _scoring(result: Result) -> str:
    found = result["evaluation"]
    asked = found["scorers"][0]["asked"]["n"]
    same = f"MAE of the same {asked:,}"
    header = ["", "reads", "functions", "MAE", "r²", "Spearman", same, "invalid", "interval", "ms"]
    rows = [
        [
            row["name"],
            row["reads"],
            f"{row['n']:,}",
            _figure(row["mae"]),
            _figure(row["r2"]),
            _figure(row["spearman"], interval=False),
            _figure(row["asked"]["mae"]),
            f"{row['invalid'] / row['n']:.1%}",
            "" if row["coverage"] is None else f"{row['coverage'][0]:.1%} of ±{row['width'] / 2:.2f}",
            f"{row['ms']:.2f}",
        ]
        for row in found["scorers"]
    ]
    rows += [
        [f"published: {row['name']}", "", "500", f"{row['mae']:.2f}", f"{row['r2']:.3f}", "", "", "", "", ""]
        for row in found["published"]
    ]
    stages = result["stages"]
    return (
        markdown(header, rows)
        + "\n\nWith 95 % intervals, by bootstrap over functions. Published: the reference run, on other functions.\n\n"
        + _robustness(found)
        + "\n\n"
        + _people(found)
        + f"\n\nThe whole recipe took {result['seconds'] / 60:.0f} minutes and "
        + f"{result['peak_memory_bytes'] / 2**30:.1f} GiB, the encoder {stages['train']['seconds'] / 60:.0f} minutes "
        + f"and the language model {stages['chat']['seconds'] / 60:.0f}, on two cores."
    )


def _robustness(found: Result) -> str:
    kinds = list(dict.fromkeys(row["kind"] for row in found["robustness"]))
    by_name: dict[str, dict[str, Result]] = {}
    for row in found["robustness"]:
        by_name.setdefault(row["name"], {})[row["kind"]] = row
    header = ["", *(cell for kind in kinds for cell in (f"{kind}: moved by", f"{kind}: error"))]
    rows = [
        [name, *(cell for kind in kinds for cell in _moved(own.get(kind)))]
        for name, own in by_name.items()
        if name != "constant"
    ]
    return markdown(header, rows) + "\n\nError: mean absolute, to the label of the code before it was changed."


def _moved(row: Result | None) -> list[str]:
    return ["", ""] if row is None else [_figure(row["moved"], interval=False), _figure(row["mae"])]


def _people(found: Result) -> str:
    header = ["Spearman's correlation", "with the share of wrong answers", "with the time to a right one"]
    rows = [
        [row["name"], _figure(row["error_rate"]), _figure(row["time"])]
        for row in found["people"]["scorers"]
        if row["error_rate"] is not None
    ]
    return markdown(header, rows)


def _scoring_lines(result: Result) -> list[list[str]]:
    rows = {row["name"]: row for row in result["evaluation"]["scorers"]}
    encoder, constrained = rows["encoder"], rows["language model, constrained"]
    aims = result["aims"]
    return [
        [
            "an encoder's complexity scores on openlayers, from code alone: MAE / r²",
            f"{_figure(encoder['mae'])} / {_figure(encoder['r2'])}",
            f"≤ {aims['encoder mae']:.2f} / ≥ {aims['encoder r2']:.2f}",
        ],
        [
            "invalid answers of the language model, constrained",
            f"{constrained['invalid'] / constrained['n']:.1%}",
            "0 %",
        ],
    ]


def _cold_start(result: Result) -> str:
    header = ["from nothing to the first score", "median", "slowest"]
    names = [
        "codefit complexity score",
        "codefit serve --complexity",
        "codefit serve --complexity MODEL",
        "python -c pass",
    ]
    rows = [
        [f"`{name}`", f"{result[name]['median']:.2f} s", f"{result[name]['max']:.2f} s"]
        for name in names
        if name in result
    ]
    return (
        markdown(header, rows)
        + f"\n\nThe service listens after {result['ready']['median']:.2f} s, holds {result['memory_mib']:.0f} MiB and, "
        + f"once warm, answers in {1000 * result['warm']['median']:.0f} ms; {result['ready']['rounds']} rounds. "
        + "With a model the first score is a learned one."
    )


TABLES: Mapping[str, Callable[[Result], str]] = {
    "complexity_metrics": _metrics,
    "complexity_scoring": _scoring,
    "complexity_cold_start": _cold_start,
}
LINES: Mapping[str, Callable[[Result], list[list[str]]]] = {
    "complexity_metrics": _metrics_lines,
    "complexity_scoring": _scoring_lines,
}
