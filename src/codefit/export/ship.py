"""Every form in which a trained model is given away, measured again on the same documents before it is published.

An adapter, the model it was merged into, that model in fewer bits: each has a perplexity, and one that rose over the
trained model's by more than its bound is not left where it could be published from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codefit.errors import CodefitError, InputError
from codefit.evaluate.perplexity import DEFAULT_WINDOW, PerplexityReport, check_window, evaluate_perplexity
from codefit.export.gguf import GgufType, check_gguf, check_gguf_tokens, load_gguf, write_gguf
from codefit.export.merge import base_folder, write_merged
from codefit.export.quantize import quantize_model
from codefit.files import atomic_folder, atomic_path, check_writable, write_json
from codefit.models.language_model import LanguageModel, check_adapter, load_language_model
from codefit.models.quantized import require_bitsandbytes
from codefit.progress import say
from codefit.records import Document

SHIPPED_FILE = "shipped.json"
MODEL = "model"
FORM_PLACES = {"int8": "ship/int8", "nf4": "ship/nf4", "gguf": "ship/model.gguf"}

Form = Literal["int8", "nf4", "gguf"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest rise of perplexity over the trained model's, as a share of it, at which a form is published.

    Merging rounds each weight once: to bfloat16 by at most 0.4 %, at random. 8 bits a weight cost a few thousandths of
    perplexity (Dettmers et al., 2022, arXiv:2208.07339, table 1); 4 bits some hundredths, more in small models
    (Dettmers and Zettlemoyer, 2023, arXiv:2212.09720). A GGUF file has 16 bits a weight, or 8 in blocks of 32.
    """

    merged: float = 0.001
    int8: float = 0.01
    nf4: float = 0.05
    gguf: float = 0.005


@dataclass(frozen=True, slots=True)
class Measure:
    """How every form is measured: the same documents in the same windows."""

    documents: Sequence[Document]
    window: int
    stride: int
    max_documents: int | None

    def of(self, model: LanguageModel) -> PerplexityReport:
        """The perplexity of a model."""
        return evaluate_perplexity(
            model, self.documents, window=self.window, stride=self.stride, max_documents=self.max_documents
        )


class _TooFarError(Exception):
    """A form's perplexity is out of its bound: what was written is thrown away."""


def ship(
    base: str | Path,
    adapter: Path | None,
    documents: Sequence[Document],
    out: Path,
    *,
    forms: Sequence[Form] = (),
    bounds: Bounds | None = None,
    revision: str | None = None,
    window: int | None = None,
    stride: int | None = None,
    max_documents: int | None = None,
    gguf_type: GgufType = "f16",
    model_place: str = MODEL,
    device: str = "auto",
) -> dict[str, Any]:
    """Write `out`/model (`base` with `adapter` merged) and the `forms` made of it under `out`/ship; shipped.json.

    Without an adapter `base` is a model that was trained in full, and the forms are made of it. `window` and `stride`
    are by default those of `lm eval`. `model_place` is where the merged model goes, below `out`. What stood at a form's
    place is replaced, or removed where the new form is not published.

    Raises `InputError` before any work where a form cannot be made here, and `CodefitError` at the end where the merged
    model is out of its bound; then no other form is made of it, and shipped.json says so too.
    """
    check_writable(out)
    folder = base_folder(str(base), revision)
    _check_forms(forms, folder, adapter)
    allowed = bounds or Bounds()
    trained = load_language_model(folder, adapter=adapter, device=device)
    measure = _measure(trained, documents, window, stride, max_documents)
    domain = measure.of(trained)
    del trained  # two models at once would take the memory of two
    shop = _Shop(out, measure, domain, device)
    say(f"trained model: perplexity {domain.perplexity:.4f}")
    if adapter is None:
        shop.given("merged", folder, "trained in full: there was nothing to merge")
        model = folder
    else:
        shop.given("adapter", adapter, None)
        model = out / model_place
        if folder.resolve() == model.resolve():
            raise InputError("the merged model would replace its base", where=str(model), fix="choose another output")
        with shop.form("merged", model, allowed.merged) as place:
            write_merged(folder, adapter, place)
            shop.check(load_language_model(place, device=device))
    if shop.published("merged"):
        _make_forms(shop, forms, allowed, model, gguf_type)
    else:
        for form in forms:
            shop.unmade(form, out / FORM_PLACES[form], getattr(allowed, form))
    shipped = {"domain": domain.summary(), "forms": shop.rows}
    write_json(out / SHIPPED_FILE, shipped)
    if not shop.published("merged"):
        raise CodefitError(
            f"the merged model is not published: {shop.row('merged')['note']}",
            where=str(model),
            fix="keep the adapter, merge into a base in float32, or state a wider bound",
        )
    return shipped


def _check_forms(forms: Sequence[Form], base: Path, adapter: Path | None) -> None:
    unknown = [form for form in forms if form not in FORM_PLACES]
    if unknown:
        raise InputError(f"unknown form {unknown[0]!r}", fix=f"choose from {', '.join(FORM_PLACES)}")
    for form in forms:
        if form == "gguf":
            check_gguf(base)
        else:
            require_bitsandbytes(f"a model in {form}")
    if adapter is not None:
        check_adapter(adapter, str(base))


def _measure(
    trained: LanguageModel,
    documents: Sequence[Document],
    window: int | None,
    stride: int | None,
    max_documents: int | None,
) -> Measure:
    size = window or min(DEFAULT_WINDOW, trained.context)
    step = stride or max(1, size // 2)
    check_window(size, step, trained.context)
    return Measure(documents, size, step, max_documents)


def _make_forms(shop: _Shop, forms: Sequence[Form], bounds: Bounds, model: Path, gguf_type: GgufType) -> None:
    for stale in FORM_PLACES.keys() - set(forms):
        _remove(shop.out / FORM_PLACES[stale])  # of a model that was here before
    for form in forms:
        place = shop.out / FORM_PLACES[form]
        with shop.form(form, place, getattr(bounds, form)) as temporary:
            if form == "gguf":
                write_gguf(model, temporary, gguf_type)
                loaded = load_gguf(temporary, device=shop.device)
                texts = [document.text for document in shop.measure.documents[: shop.measure.max_documents]]
                check_gguf_tokens(model, loaded, texts)
                shop.check(loaded)
            else:
                quantize_model(model, temporary, form, device=shop.device)
                shop.check(load_language_model(temporary, device=shop.device))


class _Shop:
    """The rows of shipped.json as they come, and where each form goes."""

    def __init__(self, out: Path, measure: Measure, domain: PerplexityReport, device: str) -> None:
        self.out = out
        self.measure = measure
        self.domain = domain
        self.device = device
        self.rows: list[dict[str, Any]] = []

    def row(self, form: str) -> dict[str, Any]:
        """The row of a form."""
        return next(row for row in self.rows if row["form"] == form)

    def published(self, form: str) -> bool:
        """Whether a form was within its bound."""
        return bool(self.row(form)["published"])

    def given(self, form: str, place: Path, note: str | None) -> None:
        """What was trained, as it is."""
        row = self._row(form, place, None)
        row |= {"bytes": size_of(place), "perplexity": self.domain.perplexity, "change": 0.0, "published": True}
        self.rows.append(row | {"note": note})

    def unmade(self, form: str, place: Path, bound: float) -> None:
        """A form of a model that is not published: none is made, and none is left from before."""
        _remove(place)
        self.rows.append(self._row(form, place, bound) | {"note": "not made: the merged model is not published"})

    @contextmanager
    def form(self, form: str, place: Path, bound: float) -> Iterator[Path]:
        """A temporary place to write a form to and check it; it becomes `place` where it is within its bound."""
        row = self._row(form, place, bound)
        self.rows.append(row)
        staged: Callable[[Path], Any] = atomic_path if form == "gguf" else atomic_folder
        try:
            with staged(place) as temporary:
                yield temporary
                row["bytes"] = size_of(temporary)
                if row["note"] is not None:
                    raise _TooFarError
                row["published"] = True
        except _TooFarError:
            _remove(place)
        say(f"{form}: {_told(row)}")

    def check(self, model: LanguageModel) -> None:
        """Measure the form that is being made, and note it where it is out of its bound."""
        row = self.rows[-1]
        try:
            perplexity = self.measure.of(model).perplexity
        except CodefitError as error:  # figures that are not finite
            row["note"] = error.line()
            return
        change = perplexity / self.domain.perplexity - 1
        row |= {"perplexity": perplexity, "change": change}
        # A merged model is the same function: better by more than rounding is as wrong as worse.
        if (abs(change) if row["form"] == "merged" else change) > row["bound"]:
            row["note"] = (
                f"perplexity {perplexity:.4f} is {change:+.2%} from the trained model's {self.domain.perplexity:.4f}, "
                f"the bound is {row['bound']:.2%}"
            )

    def _row(self, form: str, place: Path, bound: float | None) -> dict[str, Any]:
        return {
            "form": form,
            # Of an adapter that lies elsewhere its name alone: the file may be published.
            "place": os.path.relpath(place, self.out) if place.is_relative_to(self.out) else place.name,
            "bytes": 0,
            "perplexity": None,
            "change": None,
            "bound": bound,
            "published": False,
            "note": None,
        }


def _told(row: dict[str, Any]) -> str:
    if row["published"]:
        return f"perplexity {row['perplexity']:.4f} ({row['change']:+.2%}), {row['bytes'] / 1e6:,.1f} MB"
    return f"not published: {row['note']}"


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
