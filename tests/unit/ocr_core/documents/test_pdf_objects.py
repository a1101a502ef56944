from __future__ import annotations

from pathlib import Path

import pikepdf
import pypdfium2
from pypdfium2 import raw

from inkstream.ocr_core.documents.pdf_objects import page_objects
from tests.layered import layered_pdf, lines


def test_objects_within_forms_come_in_drawing_order_with_boxes_on_the_page(tmp_path: Path) -> None:
    path = layered_pdf(tmp_path / "a.pdf", "0 0 10 10 re f " + lines("first"))
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        form = pdf.make_stream(b"0 0 1 1 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 1, 1])
        page.add_resource(form, pikepdf.Name.XObject, pikepdf.Name.Fm)
        page.contents_add(b" q 20 0 0 30 100 50 cm /Fm Do Q 5 5 5 5 re f")
        pdf.save(path)
    with pypdfium2.PdfDocument(path) as document:
        found = [(each.kind, each.corners()) for each in page_objects(document[0])]
    kinds = [kind for kind, _ in found]
    assert kinds == [raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_PATH]
    corners = found[2][1]
    assert corners is not None
    assert {(round(x), round(y)) for x, y in corners} == {(100, 50), (120, 50), (100, 80), (120, 80)}
