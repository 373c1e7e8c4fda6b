"""A change for people: each function with its figures before and after."""

from __future__ import annotations

from codefit.review.changes import COMPARED, Changed, Changes
from codefit.review.text import Look, counted, ending, left_out_lines, place_of

SIGNS = {"new": "+", "changed": "~"}
COMMIT = 8


def changed_text(changed: Changed, broken: str, look: Look) -> str:
    """What it is and where, then before, after and by how much; where it was, and which limits it breaks."""
    place, sign = place_of(changed), SIGNS[changed.change]
    name = ending(changed.qualified, max(12, look.width - len(place) - 4))
    lines = [f"{sign} {place}  {look.paint(name, 'bold')}", f"    {_figures(changed, look)}"]
    old = changed.before
    if old is not None and (old.path, old.qualified) != (changed.path, changed.qualified):
        lines.append(look.paint(f"    was {old.qualified} at {old.path}:{old.line}", "dim"))
    if broken:
        lines.append(f"    above a limit: {broken}")
    return "\n".join(lines)


def changes_text(changes: Changes, look: Look) -> str:
    """What the change comes to, and what was left out."""
    counts = ", ".join(f"{count:,} {change}" for change, count in changes.counts().items())
    sides = changes.range.old[:COMMIT], "the folder" if changes.range.new is None else changes.range.new[:COMMIT]
    whole = f"{counts} in {counted(changes.files, 'changed file')}, {sides[0]} to {sides[1]}"
    return "\n".join([whole, *_sums(changes), *left_out_lines(changes.review.receipt, look)])


def _figures(changed: Changed, look: Look) -> str:
    parts = []
    for name in COMPARED:
        now = changed.figure(name)
        digits = 1 if name == "score" else 0
        text = f"{now:.{digits}f}"
        old = getattr(changed.before, name, None)
        if old is not None and old != now:
            text = f"{old:.{digits}f} → {text} ({now - old:+.{digits}f})"
        label = f" {changed.label}" if name == "score" else ""
        parts.append(f"{name} {text}{label}")
    return look.paint(", ".join(parts), changed.label)


def _sums(changes: Changes) -> list[str]:
    """By how much the changed functions became harder, and what is new and gone."""
    changed = [each.increase for each in changes.functions if each.increase is not None]
    if not changed:
        return []
    cognitive = sum(each["cognitive"] for each in changed)
    worse = sum(each["score"] > 0 for each in changed)
    better = sum(each["score"] < 0 for each in changed)
    return [f"of the changed ones {worse:,} score higher and {better:,} lower; cognitive {cognitive:+g} in all"]
