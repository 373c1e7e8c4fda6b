"""Numbers as a page writes them, at the places where rounding goes wrong."""

from __future__ import annotations

import pytest

from codefit.run.report import formats


def plain(text: str) -> str:
    """With an ordinary space for the narrow one that does not break, and an ordinary minus."""
    return text.replace(formats.THIN, " ").replace(formats.MINUS, "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.6, "1 h 00 min"),
        (7325, "2 h 02 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert plain(formats.duration(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (1024**3, "1.0 GiB"),
        (25_276_510_208, "23.5 GiB"),
        (5 * 1024**5, "5120.0 TiB"),
    ],
)
def test_sizes(value: float, text: str) -> None:
    assert plain(formats.size(value)) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0.0 %"), (0.0002, "< 0.1 %"), (0.5, "50.0 %"), (1, "100.0 %")])
def test_shares(value: float, text: str) -> None:
    assert plain(formats.share(value)) == text


def test_figures_keep_their_sign_and_digits() -> None:
    assert formats.figure(0.60349) == "0.603"
    assert plain(formats.signed_span((-0.0101, 0.25))) == "-0.010 to +0.250"
    assert plain(formats.milliseconds(0.745)) in ("0.74 ms", "0.75 ms")
    assert plain(formats.milliseconds(24.66)) == "24.7 ms"
    assert plain(formats.milliseconds(1234.5)) == "1,234 ms"
    assert (formats.small(0), formats.small(3.19e-06), formats.small(0.02)) == ("0", "3.2e-06", "0.0200")
    assert formats.moment("2026-01-31T12:34:56+00:00") == "2026-01-31 12:34 UTC"
    assert formats.moment("yesterday") == "yesterday"
    assert (formats.language("cpp"), formats.language("zig")) == ("C++", "zig")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.000"), (9.9994, "9.999"), (9.9996, "10.00"), (99.996, "100.0"), (999.96, "1,000"), (54321.4, "54,321")],
)
def test_a_perplexity_has_four_digits_that_count(value: float, text: str) -> None:
    assert formats.surprise(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.324, "-32.4 %"), (0.0, "+0.00 %"), (0.0031, "+0.31 %"), (0.05, "+5.0 %"), (-1.0, "-100.0 %")],
)
def test_a_change_has_its_sign(value: float, text: str) -> None:
    assert plain(formats.signed_share(value)) == text
