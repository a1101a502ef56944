"""What qpdf finds in a PDF: embedded files, units, and annotations in layers that are off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from inkstream import PageResult, PipelineOptions, read_document
from inkstream.ocr_core.documents.pdf_repair import survey
from inkstream.ocr_core.documents.pdf_survey import Survey, survey_of
from inkstream.ocr_core.options import TextLayerOptions
from tests.generators import born_digital_pdf
from tests.holding_generators import annotate, embed, file_specification, new_pdf, only_attachment_encrypted
from tests.places import shared

OPTIONS = PipelineOptions(text_layer=TextLayerOptions(min_chars=1))


def only(path: Path) -> PageResult:
    (result,) = read_document(path, OPTIONS, sandboxed=False)
    return result


def saved(pdf: pikepdf.Pdf, path: Path) -> Path:
    pdf.save(path)
    return path


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (1, "the PDF has 1 embedded document that was not read"),
        (3, "the PDF has 3 embedded documents that were not read"),
    ],
)
def test_embedded_files_are_counted_in_a_note(tmp_path: Path, count: int, note: str) -> None:
    pdf = new_pdf()
    embed(pdf, [file_specification(pdf, f"{number}.xml") for number in range(count)])
    pdf.Root.Collection = Dictionary(Type=Name.Collection, View=Name.T)
    result = only(saved(pdf, tmp_path / "a.pdf"))
    assert (result.text, result.notes) == ("Account statement 12 of March", (note,))


def test_a_file_named_in_several_places_counts_once_and_files_elsewhere_count_too() -> None:
    pdf = new_pdf()
    both, associated, of_page = (file_specification(pdf, name) for name in ("a.xml", "b.xml", "c.xml"))
    embed(pdf, [both])
    pdf.Root.AF, pdf.pages[0].obj.AF = Array([both, associated]), Array([of_page, both])
    assert survey_of(pdf).embedded == 3


def test_a_file_outside_the_pdf_is_not_embedded() -> None:
    pdf = new_pdf()
    outside = pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String("a.xml")))
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("a.xml"), outside])))
    assert survey_of(pdf) == Survey(1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Names", 7),
        ("Names", {"/EmbeddedFiles": 7}),
        ("Names", {"/EmbeddedFiles": {"/Names": 7}}),
        ("AF", 7),
        ("OCProperties", 7),
        ("OCProperties", {"/D": 7}),
        ("OCProperties", {"/OCGs": 7, "/D": {"/OFF": 7, "/BaseState": "/OFF"}}),
    ],
)
def test_odd_entries_do_not_hide_the_pages(key: str, value: Any) -> None:
    pdf = new_pdf()
    pdf.Root[f"/{key}"] = pikepdf.Dictionary(value) if isinstance(value, dict) else value
    assert survey_of(pdf) == Survey(1)


@pytest.mark.parametrize(("value", "unit"), [(10, 10.0), (0, None), (-2, None), (Name.Ten, None), ("many", None)])
def test_only_positive_numbers_are_units(value: Any, unit: float | None) -> None:
    pdf = new_pdf()
    pdf.pages[0].obj.UserUnit = value
    assert survey_of(pdf).units == ({} if unit is None else {0: unit})


def test_annotations_in_a_layer_that_is_off_are_found() -> None:
    pdf = new_pdf()
    on, off = (pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(name))) for name in ("on", "off"))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([on, off]), D=Dictionary(OFF=Array([off])))
    members = Dictionary(Type=Name.OCMD, OCGs=Array([on, off]), P=Name.AllOn)
    for number, layer in enumerate((None, on, off, members)):
        annotate(pdf, "Stamp", 100 * number, "shown", **({"OC": layer} if layer is not None else {}))
    assert survey_of(pdf).hidden == {0: (2, 3)}
    pdf.Root.OCProperties.D = Dictionary(BaseState=Name.OFF, ON=Array([off]))
    assert survey_of(pdf).hidden == {0: (1, 3)}


@pytest.mark.parametrize("version", [4, 5])
def test_a_pdf_of_which_only_the_attachment_is_encrypted_is_read(tmp_path: Path, version: int) -> None:
    path = only_attachment_encrypted(tmp_path / "a.pdf", version=version)
    assert survey(path) is None, "qpdf asks for the password"
    result = only(path)
    assert result.failure is None
    assert result.text == "Account statement 12 of March"
    assert result.notes == ("the PDF has 1 encrypted embedded document that was not read",)


def test_a_repaired_pdf_keeps_its_note_on_embedded_files(tmp_path: Path) -> None:
    pdf = new_pdf()
    embed(pdf, [file_specification(pdf, "a.xml")])
    pdf.save(tmp_path / "a.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable)
    data = (tmp_path / "a.pdf").read_bytes()
    (tmp_path / "a.pdf").write_bytes(data[: data.rindex(b"trailer")])
    assert only(tmp_path / "a.pdf").notes == (
        "repaired with qpdf",
        "the PDF has 1 embedded document that was not read",
    )


def test_a_plain_pdf_holds_only_its_pages(tmp_path: Path) -> None:
    assert survey(born_digital_pdf(tmp_path / "a.pdf", ["one", "two"])) == Survey(2)


@pytest.mark.parametrize("path", shared("reports", "23_*.pdf"), ids=lambda path: path.name)
def test_the_reported_statement_is_read(path: Path) -> None:
    result = only(path)
    assert " ".join((result.text or "").split()) == "Account statement 12 of March Balance brought forward 1,284.50"
