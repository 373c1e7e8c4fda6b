"""README and docs say what is so: their tables come from results, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.recipe import bundled_recipes

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))


def test_tables_are_those_of_the_results() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "benchmarks.tables", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        if not target.startswith(("https://", "mailto:")):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = document.read_text()
    shown = re.findall(r"^ {4}(?:\S*/)?codefit ((?:[a-z-]+ ?)+)", text, re.MULTILINE)
    for line in (*shown, *re.findall(r"`codefit ((?:[a-z-]+ ?)+)", text)):
        words = line.split()
        groups = {"data", "embed", "tokenizer", "recipes", "lm"}
        command = words[:2] if words[0] in groups else words[:1]
        assert main([*command, "--help"]) == 0, line
        capsys.readouterr()


def test_flags_in_the_docs_exist(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "code-encoder.md").read_text().replace("\\\n", " ")
    found = re.findall(r"^ {4}codefit ((?:data|tokenizer|embed) [a-z]+|search)(.*)$", text, re.MULTILINE)
    assert len(found) >= 5
    for command, rest in found:
        assert main([*command.split(), "--help"]) == 0
        known = capsys.readouterr().out
        for flag in re.findall(r"--[a-z-]+", rest):
            assert flag in known, f"{command} {flag}"


def test_recipes_in_the_docs_exist() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "code-encoder.md").read_text()
    for name in re.findall(r"codefit (?:run|plan) ([a-z][a-z-]+)\b(?!\.yaml)", text):
        assert name in bundled_recipes(), name


def test_the_tree_names_every_room() -> None:
    tree = re.search(r"```\nsrc/codefit/\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree is not None
    rooms = {path.name for path in (ROOT / "src" / "codefit").iterdir() if path.is_dir() and path.name[0] != "_"}
    named = set(re.findall(r"(\w+)/", tree[1]))
    assert rooms - named == set()
    for name in re.findall(r"^  (\w+/)", tree[1], re.MULTILINE):
        assert (ROOT / "src" / "codefit" / name).is_dir(), name
