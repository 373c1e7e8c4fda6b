import pytest

from codefit.source.grammar import load
from codefit.source.languages import LANGUAGES, language_of

NAMES = ["python", "javascript", "typescript", "rust", "go", "java", "ruby", "php", "c", "cpp"]


def test_the_languages():
    assert list(LANGUAGES) == NAMES
    assert all(language.name == name for name, language in LANGUAGES.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_grammar_loads_and_its_query_fits(name):
    for grammar in LANGUAGES[name].grammars:
        _, query = load(grammar)
        assert query.pattern_count > 0


def test_no_two_languages_claim_a_file_name():
    claims = [claim for language in LANGUAGES.values() for claim in (*language.extensions, *language.file_names)]
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("a/b.PY", "python"),
        ("view.tsx", "typescript"),
        ("types.d.ts", "typescript"),
        ("lib/tasks/db.rake", "ruby"),
        ("some/Rakefile", "ruby"),
        ("include/list.h", "c"),
        ("list.hpp", "cpp"),
        ("main.go", "go"),
        ("Main.java", "java"),
        ("lib.rs", "rust"),
        ("index.php", "php"),
        ("index.mjs", "javascript"),
        ("README.md", None),
        ("Makefile", None),
        (".py", None),
        ("py", None),
        ("", None),
    ],
)
def test_language_of(path, language):
    assert language_of(path) == language
