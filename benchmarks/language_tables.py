"""The tables of language models: what a repository's files do to a small base, and what of general code it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.markdown import Result, markdown


def _change(change: Result) -> str:
    low, high = change["ci95"]
    return f"{100 * change['perplexity']:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f})"


def _extended_pretraining(result: Result) -> str:
    first = next(iter(result["adapted"].values()))
    general = [entry["name"] for entry in first["sets"]["general"]]
    base = first["sets"]
    header = ["", "held-out files of the repository", *general, "files trained on", "tokens/s"]
    before = [base["domain"], *base["general"], base["training"]]
    rows = [["the base", *(f"{entry['before']['perplexity']:.2f}" for entry in before), ""]]
    for name, found in result["adapted"].items():
        sets = found["sets"]
        cells = [
            f"{entry['after']['perplexity']:.2f}, {_change(entry['change'])}"
            for entry in (sets["domain"], *sets["general"], sets["training"])
        ]
        rows.append([name, *cells, f"{found['tokens_per_second']:,}"])
    return markdown(header, rows) + "\n\nPerplexity a token, and its change with the 95 % interval over files."


def _forms(result: Result) -> str:
    forms = next(iter(result["adapted"].values()))["shipped"]
    rows = [
        [
            form["form"],
            f"{form['bytes'] / 1e6:.1f} MB",
            f"{form['perplexity']:.3f}",
            f"{100 * form['change']:+.2f} %",
            f"{100 * form['bound']:.1f} %" if form["bound"] is not None else "",
            "yes" if form["published"] else "no",
        ]
        for form in forms
    ]
    return markdown(["", "size", "perplexity", "change", "bound", "published"], rows)


def _extended_pretraining_lines(result: Result) -> list[list[str]]:
    first = next(iter(result["adapted"].values()))
    general = "; ".join(f"{entry['name']} {_change(entry['change'])}" for entry in first["sets"]["general"])
    base = result["base"]
    return [
        [
            "a base language model from nothing (base-lm-cpu)",
            f"{base['seconds'] / 60:.0f} min, {base['peak_memory_bytes'] / 2**30:.1f} GiB",
            f"≤ {result['aims']['base_seconds']['aim'] / 60:.0f} min",
        ],
        [
            "its perplexity on held-out files of a repository, after LoRA on 300 others",
            _change(first["sets"]["domain"]["change"]),
            f"≤ −{100 * result['aims']['domain_fall']['aim']:.1f} %",
        ],
        ["the same on general code", general, f"≤ +{100 * result['aims']['general_rise']['aim']:.0f} %"],
    ]


def _both(result: Result) -> str:
    return f"{_extended_pretraining(result)}\n\n{_forms(result)}"


TABLES: Mapping[str, Callable[[Result], str]] = {"extended_pretraining": _both}
LINES: Mapping[str, Callable[[Result], list[list[str]]]] = {"extended_pretraining": _extended_pretraining_lines}
