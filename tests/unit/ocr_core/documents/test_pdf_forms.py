"""Fields and annotations are drawn as a viewer draws them, and XFA forms and attached files are reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from inkstream import FailureKind, PageResult, PipelineOptions, open_document, read_document
from inkstream.ocr_core.options import RenderOptions, TextLayerOptions
from tests.holding_generators import add_field, annotate, file_specification, new_pdf, xfa_pdf

PIXELS = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))
LAYER = PipelineOptions(text_layer=TextLayerOptions(min_chars=1))
WAIT = "Please wait... If this message is not replaced, upgrade to the latest version of Adobe Reader."
HIDDEN, PRINT, NO_VIEW = 2, 4, 32


def only(path: Path, options: PipelineOptions = PIXELS) -> PageResult:
    (result,) = read_document(path, options, sandboxed=False)
    return result


def read(pdf: pikepdf.Pdf, path: Path) -> str:
    pdf.save(path)
    return only(path).text or ""


def is_blank(pdf: pikepdf.Pdf, path: Path) -> bool:
    pdf.save(path)
    with open_document(path) as document:
        return bool(np.all(document.page(0).render(RenderOptions(resolution=72)).pixels == 255))


@pytest.mark.parametrize("shown", ["Brznkowski", None])
@pytest.mark.parametrize("need", [True, False])
def test_the_value_of_a_field_is_drawn_with_and_without_appearance(
    tmp_path: Path, shown: str | None, need: bool
) -> None:
    pdf = new_pdf()
    add_field(pdf, "surname", "Brznkowski", 600, shown, F=PRINT)
    pdf.Root.AcroForm.NeedAppearances = need
    assert "Brznkowski" in read(pdf, tmp_path / "a.pdf")


@pytest.mark.filterwarnings("ignore:This document has 1 form widget")
def test_fields_that_the_catalog_does_not_list_are_drawn(tmp_path: Path) -> None:
    pdf = new_pdf()
    add_field(pdf, "surname", "Brznkowski", 600, "Brznkowski", F=PRINT)
    del pdf.Root.AcroForm
    assert "Brznkowski" in read(pdf, tmp_path / "a.pdf")


@pytest.mark.parametrize("subtype", ["Stamp", "FreeText", "Ink"])
def test_the_appearance_of_an_annotation_is_drawn(tmp_path: Path, subtype: str) -> None:
    pdf = new_pdf()
    annotate(pdf, subtype, 600, "PAID 14 MARCH 2026", F=PRINT)
    assert "PAID 14 MARCH 2026" in read(pdf, tmp_path / "a.pdf")


def test_a_signature_is_drawn(tmp_path: Path) -> None:
    pdf = new_pdf()
    add_field(pdf, "signed", "", 600, "Signed by Ann", F=PRINT)
    field = pdf.Root.AcroForm.Fields[0]
    field.FT = Name.Sig
    del field.V
    assert "Signed by Ann" in read(pdf, tmp_path / "a.pdf")


@pytest.mark.parametrize("flag", [HIDDEN, NO_VIEW])
@pytest.mark.parametrize("is_field", [True, False])
def test_hidden_annotations_and_fields_are_not_drawn(tmp_path: Path, flag: int, is_field: bool) -> None:
    pdf = new_pdf(b"")
    if is_field:
        add_field(pdf, "secret", "SECRET", 600, "SECRET", F=flag)
    else:
        annotate(pdf, "Stamp", 600, "SECRET", F=flag)
    assert is_blank(pdf, tmp_path / "a.pdf")


@pytest.mark.parametrize("is_field", [True, False])
def test_annotations_in_a_layer_that_is_off_are_not_drawn(tmp_path: Path, is_field: bool) -> None:
    pdf = new_pdf(b"")
    off = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("off")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([off]), D=Dictionary(OFF=Array([off])))
    if is_field:
        add_field(pdf, "secret", "SECRET", 600, "SECRET", F=PRINT, OC=off)
    else:
        annotate(pdf, "Stamp", 600, "SECRET", F=PRINT, OC=off)
    assert is_blank(pdf, tmp_path / "a.pdf")


def test_an_open_popup_is_not_drawn(tmp_path: Path) -> None:
    pdf = new_pdf(b"")
    note = annotate(pdf, "Highlight", 600, F=HIDDEN, Contents=String("SECRET"))
    note.Popup = annotate(pdf, "Popup", 400, F=PRINT, Open=True, Parent=note, Contents=String("SECRET"))
    assert is_blank(pdf, tmp_path / "a.pdf")


@pytest.mark.parametrize("dynamic", [True, False])
def test_the_placeholder_of_an_xfa_form_is_a_failure_that_says_what_to_do(tmp_path: Path, dynamic: bool) -> None:
    result = only(xfa_pdf(tmp_path / "a.pdf", WAIT, dynamic=dynamic), LAYER)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.UNSUPPORTED
    assert "print it to a new PDF" in result.failure.message
    assert "XFA" in result.notes[0]


@pytest.mark.parametrize("dynamic", [True, False])
def test_an_xfa_form_with_real_pages_is_read_with_a_note(tmp_path: Path, dynamic: bool) -> None:
    result = only(xfa_pdf(tmp_path / "a.pdf", "Claim for Adobe Reader", dynamic=dynamic, fields=True))
    assert result.failure is None
    assert result.text is not None
    assert "Claim" in result.text
    assert "Halvorsen" in result.text
    assert "XFA" in result.notes[0]


def test_an_xfa_form_makes_no_noise(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    only(xfa_pdf(tmp_path / "a.pdf", "Claim", dynamic=False), LAYER)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (1, "the page has 1 attached file that was not read"),
        (2, "the page has 2 attached files that were not read"),
    ],
)
def test_files_attached_to_a_page_are_counted_in_its_note(tmp_path: Path, count: int, note: str) -> None:
    pdf = new_pdf()
    for number in range(count):
        annotate(pdf, "FileAttachment", 600 - 50 * number, F=PRINT, FS=file_specification(pdf, f"{number}.xls"))
    pdf.save(tmp_path / "a.pdf")
    assert only(tmp_path / "a.pdf", LAYER).notes == (note,)
