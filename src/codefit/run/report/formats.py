"""How a page writes a number: one way for each kind, so that the same figure reads the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping

MINUS = "−"
THIN = "\u202f"  # a narrow space that does not break, between a number and its unit

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
LANGUAGES: Mapping[str, str] = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "rust": "Rust",
    "go": "Go",
    "java": "Java",
    "ruby": "Ruby",
    "php": "PHP",
    "c": "C",
    "cpp": "C++",
}


def figure(value: float) -> str:
    """A metric between 0 and 1, in three decimals."""
    return f"{value:.3f}".replace("-", MINUS)


def signed(value: float) -> str:
    """A difference, always with its sign."""
    return f"{value:+.3f}".replace("-", MINUS)


def span(interval: tuple[float, float]) -> str:
    """An interval of figures."""
    return f"{figure(interval[0])} to {figure(interval[1])}"


def signed_span(interval: tuple[float, float]) -> str:
    """An interval of differences."""
    return f"{signed(interval[0])} to {signed(interval[1])}"


def count(value: float) -> str:
    """A whole number with separators of thousands."""
    return f"{value:,.0f}"


def share(value: float) -> str:
    """A share of one as per cent; what is there but small is not written as 0 %."""
    if 0 < value < 0.001:
        return f"<{THIN}0.1{THIN}%"
    return f"{100 * value:.1f}{THIN}%"


def signed_share(value: float) -> str:
    """A change as per cent, always with its sign; two decimals where it is small."""
    digits = 2 if abs(value) < 0.01 else 1
    return f"{100 * value:+.{digits}f}{THIN}%".replace("-", MINUS)


def signed_share_span(interval: tuple[float, float]) -> str:
    """An interval of changes."""
    return f"{signed_share(interval[0])} to {signed_share(interval[1])}"


def surprise(value: float) -> str:
    """A perplexity, in four digits that count."""
    digits = 3 if round(value, 3) < 10 else 2 if round(value, 2) < 100 else 1 if round(value, 1) < 1000 else 0
    return f"{value:,.{digits}f}"


def surprise_span(interval: tuple[float, float]) -> str:
    """An interval of perplexities."""
    return f"{surprise(interval[0])} to {surprise(interval[1])}"


def size(value: float) -> str:
    """Bytes in the largest unit that gives at least one, with one decimal."""
    power = 0
    while round(value, 1) >= 1024 and power < len(_BYTE_UNITS) - 1:
        value, power = value / 1024, power + 1
    return f"{value:.{1 if power else 0}f}{THIN}{_BYTE_UNITS[power]}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.8 s, 42 s, 4 min 03 s, 2 h 05 min."""
    if seconds < 10:
        return f"{seconds:.1f}{THIN}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{THIN}s"
    if whole < 3600:
        return f"{whole // 60}{THIN}min{THIN}{whole % 60:02d}{THIN}s"
    minutes = round(seconds / 60)
    return f"{minutes // 60}{THIN}h{THIN}{minutes % 60:02d}{THIN}min"


def milliseconds(value: float) -> str:
    """Milliseconds with three digits that count."""
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}{THIN}ms"


def small(value: float) -> str:
    """A deviation: 2.1e-07 rather than 0.000."""
    return "0" if value == 0 else f"{value:.1e}" if abs(value) < 0.001 else f"{value:.4f}"


def moment(iso: str) -> str:
    """2026-01-31T12:34:56+00:00 as 2026-01-31 12:34 UTC."""
    return f"{iso[:10]} {iso[11:16]} UTC" if iso.endswith(("+00:00", "Z")) else iso


def language(name: str) -> str:
    """A language as its users write it."""
    return LANGUAGES.get(name, name)


_WRITERS = (
    *(figure, signed, span, signed_span, count, share, signed_share, signed_share_span, surprise, surprise_span),
    *(size, duration, milliseconds, small, moment, language),
)
FILTERS = {write.__name__: write for write in _WRITERS}
