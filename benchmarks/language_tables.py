"""The tables of language models: what a repository's files do to a small base, and what of general code it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.markdown import Result, markdown, ratio_text


def _change(change: Result) -> str:
    low, high = change["ci95"]
    return f"{100 * change['perplexity']:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f})"


def _extended_pretraining(result: Result) -> str:
    first = next(iter(result["adapted"].values()))
    general = [entry["name"] for entry in first["sets"]["general"]]
    base = first["sets"]
    header = ["", "held-out files of the repository", *general, "files trained on"]
    before = [base["domain"], *base["general"], base["training"]]
    rows = [["the base", *(f"{entry['before']['perplexity']:.2f}" for entry in before)]]
    for name, found in result["adapted"].items():
        sets = found["sets"]
        cells = [
            f"{entry['after']['perplexity']:.2f}, {_change(entry['change'])}"
            for entry in (sets["domain"], *sets["general"], sets["training"])
        ]
        rows.append([name, *cells])
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
    general = ", ".join(
        f"{entry['name']} {100 * entry['change']['perplexity']:+.1f} %" for entry in first["sets"]["general"]
    )
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
        [
            "the same on general code in three other languages",
            f"{100 * result['aims']['general_rise']['value']:+.1f} % ({general})",
            f"≤ +{100 * result['aims']['general_rise']['aim']:.0f} %",
        ],
    ]


def _both(result: Result) -> str:
    return f"{_extended_pretraining(result)}\n\n{_forms(result)}"


TRAINED = {"lora": "LoRA", "full": "every weight"}
TRL = {
    "trl_packed": "TRL packed",
    "trl_padded": "TRL, 8 padded",
    "trl_single": "TRL, one by one",
}


def _causal_training_speed(result: Result) -> str:
    header = ["", "codefit", *TRL.values()]
    rows = []
    for name, trained in TRAINED.items():
        case = result[name]
        sides = [case["codefit"], *(case[side] for side in TRL)]
        rows += [
            [f"{trained}: tokens/s", *(f"{side['tokens_per_second']:,}" for side in sides)],
            ["codefit's speed ÷ it", "", *(ratio_text(case["ratio"][side]) for side in TRL)],
            ["share of the machine's product rate", *(f"{100 * side['utilisation']:.0f} %" for side in sides)],
            ["padding", *(f"{100 * side['padding_share']:.0f} %" for side in sides)],
            ["steps", *(str(side["steps"]) for side in sides)],
            ["held-out loss, nats a token", *(f"{side['loss']:.3f}" for side in sides)],
        ]
    pieces = result["lora"]["pieces"]
    leaks = "do" if result["lora"]["trl_packed"]["documents_leak"]["leaks"] else "do not"
    return (
        markdown(header, rows) + f"\n\n{result['data']['source']}: {pieces['count']} pieces of "
        f"{pieces['mean_tokens']:.0f} tokens on average, at most {result['length']}. Documents that TRL packs {leaks} "
        "see each other."
    )


def _causal_training_speed_lines(result: Result) -> list[list[str]]:
    lines = []
    for name, trained in TRAINED.items():
        for key, side in {"trl_packed": "packed", "trl_padded": "padded"}.items():
            difference = result[name]["loss_difference"][key]["mean"]
            lines.append(
                [
                    f"training a language model, {trained}: tokens/s ÷ TRL {side}; held-out loss − its",
                    f"{ratio_text(result[name]['ratio'][key])}; {difference:+.3f}",
                    f"≥ {result[name]['figure'][key]['ratio']:.1f}",
                ]
            )
    return lines


TABLES: Mapping[str, Callable[[Result], str]] = {
    "extended_pretraining": _both,
    "causal_training_speed": _causal_training_speed,
}


def _lm_eval_memory_lines(result: Result) -> list[list[str]]:
    small, large = result["once"], result["eight times"]
    return [
        [
            f"peak memory of `codefit lm eval`, {large['bytes'] / 1e6:.1f} MB of code ÷ {small['bytes'] / 1e6:.1f} MB",
            ratio_text(result["ratio_of_peaks"]),
            f"≤ {result['figure']['ratio_allowed']:g}",
        ]
    ]


LINES: Mapping[str, Callable[[Result], list[list[str]]]] = {
    "extended_pretraining": _extended_pretraining_lines,
    "causal_training_speed": _causal_training_speed_lines,
    "lm_eval_memory": _lm_eval_memory_lines,
}
