"""The environment reader, over the interpreter that runs the tests and over distributions made for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import distribution, distributions
from itertools import islice
from pathlib import Path

import pytest

from codefit.corpus.documents import environment
from codefit.corpus.documents.environment import installed_distributions, normalised, read_environment
from codefit.corpus.manifest import Receipt
from codefit.records import Document


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Callable[..., Path]) -> Callable[..., Path]:
    """Lays out distributions, in the only folders that they are then looked for in."""
    folders = [str(tmp_path / "site"), str(tmp_path / "second")]
    monkeypatch.setattr(environment, "distributions", partial(distributions, path=folders))
    return installed


def read(exclude: list[str], receipt: Receipt | None = None, **options: object) -> list[Document]:
    return list(read_environment(exclude=exclude, receipt=receipt or Receipt(), **options))  # type: ignore[arg-type]


def test_the_standard_library_comes_first_and_is_the_interpreters_own() -> None:
    first = list(islice(read_environment(exclude=[], receipt=Receipt()), 200))
    assert {d.repo for d in first} == {"python"}
    assert {d.license for d in first} == {"Python-2.0"}
    files = environment.standard_library().files
    assert {"argparse.py", "json/decoder.py"} <= set(files)
    assert [d.path for d in first if d.path not in files] == []
    assert not [file for file in files if "site-packages/" in file or "__pycache__/" in file]


def test_installed_packages_are_read_with_name_and_licence() -> None:
    documents = [d for d in read(["python"], languages=["python"]) if d.repo in ("pytest", "hypothesis", "msgspec")]
    by_path = {d.path: d for d in documents}
    assert by_path["msgspec/json.py"].repo == "msgspec"
    assert by_path["_pytest/fixtures.py"].repo == "pytest"
    assert by_path["_pytest/fixtures.py"].license == "MIT"
    assert by_path["hypothesis/core.py"].license == "MPL-2.0"
    origin = Path(str(distribution("pytest").locate_file("_pytest/fixtures.py")))
    assert by_path["_pytest/fixtures.py"].text == origin.read_text()


def test_codefit_itself_is_never_read(install: Callable[..., Path]) -> None:
    install("codefit", {"codefit/errors.py": "x = 1\n"})
    receipt = Receipt()
    assert read(["python"], receipt) == []
    assert receipt.to_dict() == {"kept": 0, "dropped": {}}


def test_distributions_come_by_name_and_files_in_order(install: Callable[..., Path]) -> None:
    install("Zeta", {"zeta.py": "x = 1\n"})
    install("alpha.one", {"alpha/b.py": "x = 1\n", "alpha/a.py": "x = 2\n", "alpha/data.json": "{}"})
    receipt = Receipt()
    documents = read(["python"], receipt)
    assert [(d.repo, d.path) for d in documents] == [
        ("alpha-one", "alpha/a.py"),
        ("alpha-one", "alpha/b.py"),
        ("zeta", "zeta.py"),
    ]
    assert receipt.to_dict() == {"kept": 3, "dropped": {}}


@pytest.mark.parametrize("name", ["Py_YAML", "py-yaml", "yaml", "_yaml"])
def test_a_package_is_left_out_by_distribution_or_import_name(install: Callable[..., Path], name: str) -> None:
    install("Py.YAML", {"yaml/a.py": "x = 1\n", "_yaml.py": "x = 2\n"})
    install("other", {"other.py": "x = 1\n"})
    assert [d.repo for d in read(["python", name])] == ["other"]


def test_what_cannot_be_read_says_why(install: Callable[..., Path]) -> None:
    install("listless", {"listless.py": "x = 1\n"}, record=False)
    site = install("editable", {"_editable_finder.py": "x = 1\n"})
    (site / "editable-1.0.dist-info" / "direct_url.json").write_text('{"url":"file:///x","dir_info":{"editable":true}}')
    install("gone", {"gone/a.py": "x = 1\n", "gone/missing.py": "x = 2\n"})
    (site / "gone" / "missing.py").unlink()
    receipt = Receipt()
    assert [d.repo for d in read(["python"], receipt)] == ["gone"]
    assert receipt.by_reason() == {
        "editable install: its files lie in a checkout, give that folder": 1,
        "the distribution has no list of its files": 1,
        "unreadable (No such file or directory)": 1,
    }


def test_the_distribution_that_is_imported_wins_and_shared_files_come_once(install: Callable[..., Path]) -> None:
    install("twice", {"twice.py": "first = 1\n"})
    install("twice", {"twice.py": "second = 2\n"}, site="second")
    install("space-a", {"space/common.py": "x = 1\n"})
    install("space-b", {"space/common.py": "x = 1\n", "space/b.py": "x = 2\n"})
    assert [(d.repo, d.path, d.text) for d in read(["python"])] == [
        ("space-a", "space/common.py", "x = 1\n"),
        ("space-b", "space/b.py", "x = 2\n"),
        ("twice", "twice.py", "first = 1\n"),
    ]


@pytest.mark.parametrize(
    ("metadata", "license_expression"),
    [
        ("License-Expression: Apache-2.0 OR MIT\nLicense: something else\n", "Apache-2.0 OR MIT"),
        ("License: BSD-3-Clause\n", "BSD-3-Clause"),
        ("License: see the file\nClassifier: License :: OSI Approved :: MIT License\n", "MIT"),
        ("Classifier: Programming Language :: Python\n", None),
    ],
)
def test_the_licence_comes_from_the_metadata(
    install: Callable[..., Path], metadata: str, license_expression: str | None
) -> None:
    install("one", {"one.py": "x = 1\n"}, metadata=metadata)
    assert [d.license for d in read(["python"])] == [license_expression]


def test_names_are_compared_as_the_packaging_standard_says() -> None:
    assert normalised("Foo._-Bar") == "foo-bar"


def test_looking_up_every_distribution_takes_no_time() -> None:
    before = time.process_time()
    assert len(installed_distributions(Receipt())) > 20
    assert time.process_time() - before < 2.0
