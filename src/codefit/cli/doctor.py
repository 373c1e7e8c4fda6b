"""`codefit doctor`: what this machine has, what is missing for what, and the command that mends it."""

from __future__ import annotations

from typing import Any

import typer

from codefit.cli.output import emit

MARKS = {"ok": "ok", "warning": "look", "missing": "--"}
GIB = 2**30


def doctor() -> None:
    """Say what this machine has, what is missing for what, and the command that mends it.

    Only a missing package of the core is a failure (exit 1): everything else is an addition.
    """
    from codefit.run.doctor import diagnose

    found = diagnose()
    emit(found, lambda: _text(found))
    if not found["ready"]:
        raise typer.Exit(1)


def _text(found: dict[str, Any]) -> str:
    checks = found["checks"]
    name = max(len(check["name"]) for check in checks)
    serves = max(len(check["serves"]) for check in checks)
    lines = [*_machine(found["machine"]), ""]
    lines += [
        f"{MARKS[c['state']]:<4}  {c['name']:<{name}}  {c['serves']:<{serves}}  {c['found']}".rstrip() for c in checks
    ]
    fixes = [check for check in checks if check["fix"]]
    if fixes:
        lines += ["", "to mend:", *(f"  {check['name']:<{name}}  {check['fix']}" for check in fixes)]
    else:
        lines += ["", "nothing is missing"]
    return "\n".join(lines)


def _machine(machine: dict[str, Any]) -> list[str]:
    instructions = machine["instructions"]
    rows = {
        "cpu": f"{machine['cpu']}, {machine['cores']} cores to use",
        "instructions": "not known" if instructions is None else ", ".join(instructions) or "none that matter here",
        "memory": f"{machine['memory_bytes'] / GIB:.1f} GiB, {machine['memory_free_bytes'] / GIB:.1f} free",
        "disk": f"{machine['disk_free_bytes'] / GIB:.1f} GiB free here",
        "gpu": machine["gpu"] or "none",
        "system": machine["platform"],
        "python": machine["python"],
        "torch": machine["torch"] or "not installed",
    }
    return [f"{key:<12}  {value}" for key, value in rows.items()]
