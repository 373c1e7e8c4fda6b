"""A review for people: a table of functions, what they come to, what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from codefit.corpus.manifest import Receipt
from codefit.review.limits import Breach
from codefit.review.rows import Function, Review, label_counts

WIDTH = 80  # characters of a line, where nobody says how wide his terminal is
SHOWN_REASONS = 6
SHOWN_PATHS = 2  # of a reason
NARROWEST_NAME = 12

Paint = Callable[[str, str], str]
"""Text and what it is (a label, "bold", "dim") to text with colours."""

COLOURS: Mapping[str, str] = MappingProxyType(
    {"Simple": "32", "Moderate": "36", "Complex": "33", "Critical": "31", "bold": "1", "dim": "2"}
)


def plain(text: str, _style: str) -> str:
    """Text as it is."""
    return text


def coloured(text: str, style: str) -> str:
    """Text in a terminal's colours."""
    return f"\033[{COLOURS[style]}m{text}\033[0m"


@dataclass(frozen=True, slots=True)
class Look:
    """How text comes out: how wide, in which colours."""

    width: int = WIDTH
    paint: Paint = plain


def functions_table(functions: Sequence[Function], look: Look) -> str:
    """A row a function: score, label, complexities, lines, name and place."""
    header = f"{'score':>5}  {'label':<8}  {'cogn':>5}  {'cycl':>4}  {'lines':>5}  "
    name_width, place_width = _widths(functions, look.width - len(header))
    rows = [look.paint(f"{header}{'function':<{name_width}}  place".rstrip(), "dim")]
    for each in functions:
        label = look.paint(f"{each.label:<8}", each.label)
        figures = f"{each.metrics['cognitive']:>5}  {each.metrics['cyclomatic']:>4}  {each.metrics['lines']:>5}"
        name = f"{ending(_name(each), name_width):<{name_width}}"
        rows.append(f"{each.score:>5.1f}  {label}  {figures}  {name}  {ending(place_of(each), place_width)}")
    return "\n".join(rows)


def summary_text(review: Review, look: Look) -> str:
    """What was measured, and what was left out and why."""
    counts = label_counts(review.functions)
    measured = (
        f"{counted(len(review.functions), 'function')} in {counted(review.files, 'file')}, "
        f"{counted(review.lines, 'line')}, {review.seconds:.1f} s"
    )
    labels = ", ".join(look.paint(f"{count:,} {label}", label) for label, count in counts.items())
    lines = [measured, *([labels] if review.functions else [])]
    if review.broken:
        lines.append(_some("syntax errors, figures of what can be read: ", review.broken, look))
    return "\n".join([*lines, *left_out_lines(review.receipt, look)])


def left_out_lines(receipt: Receipt, look: Look) -> list[str]:
    """Why files were left out, with some of their paths; none where nothing was."""
    reasons = receipt.by_reason()
    lines = []
    for reason in list(reasons)[:SHOWN_REASONS]:
        paths = [each.where for each in receipt.dropped if each.reason == reason]
        lines.append(look.paint(_some(f"left out, {reason}: ", paths, look), "dim"))
    if len(reasons) > SHOWN_REASONS:
        lines.append(look.paint(f"left out for {len(reasons) - SHOWN_REASONS} other reasons: --json has all", "dim"))
    return lines


def breaches_text(functions: Sequence[Function], found: Sequence[Breach], look: Look) -> str:
    """What of functions is above a limit, a line a function, or two where one is too short."""
    lines = []
    broken = broken_limits(found)
    for each in functions:
        place, said = place_of(each), broken[id(each)]
        room = look.width - len(place) - len(said) - 4
        if room >= min(len(_name(each)), NARROWEST_NAME):
            head, between = f"{place}: {look.paint(ending(_name(each), room), 'bold')}", ": "
        else:
            name = ending(_name(each), max(NARROWEST_NAME, look.width - len(place) - 2))
            head, between = f"{place}: {look.paint(name, 'bold')}", "\n    "
        lines.append(f"{head}{between}{look.paint(said, each.label)}")
    return "\n".join(lines)


def broken_limits(found: Sequence[Breach]) -> dict[int, str]:
    """The limits that each function breaks, in words; by the identity of its row."""
    said: dict[int, list[str]] = {}
    for breach in found:
        said.setdefault(id(breach.function), []).append(breach.text())
    return {function: ", ".join(texts) for function, texts in said.items()}


def place_of(function: Function) -> str:
    """Path and line, as editors and terminals open it."""
    return f"{function.path}:{function.line}"


def ending(text: str, most: int) -> str:
    """Text of at most so many characters; the beginning goes, since names and paths differ at their ends."""
    return text if len(text) <= most else f"…{text[len(text) - most + 1 :]}"


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _some(before: str, paths: Sequence[str], look: Look) -> str:
    """The first paths of many behind some words, in a line."""
    count = min(len(paths), SHOWN_PATHS)
    rest = f" and {len(paths) - count:,} more" if len(paths) > count else ""
    room = (look.width - len(before) - len(rest)) // count - 2
    return before + ", ".join(ending(path, max(room, NARROWEST_NAME)) for path in paths[:count]) + rest


def _name(function: Function) -> str:
    """Its name, with a mark where a syntax error lies in it."""
    return function.qualified if function.complete else f"?{function.qualified}"


def _widths(functions: Sequence[Function], room: int) -> tuple[int, int]:
    """The widths of the names' column and of the places': what they need, else names give way first."""
    room -= 2
    names = max([len("function"), *(len(_name(each)) for each in functions)])
    places = max([len("place"), *(len(place_of(each)) for each in functions)])
    names = max(min(names, room - places), min(names, max(NARROWEST_NAME, room * 2 // 5)))
    return names, max(NARROWEST_NAME, room - names)
