"""Searchable PDFs of documents that are damaged or encrypted, completely or in part."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from PIL import ImageChops

from inkstream import DocumentError, LimitOptions, read_document
from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.ocr_core.workers.pdf_writer import PdfWriter
from tests import generators
from tests.unit.ocr_core.pages import page_of
from tests.unit.ocr_core.searchable import (
    IGNORE,
    make_searchable,
    rendered,
    text_of,
)


def test_a_failed_page_of_a_pdf_is_unchanged(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "a.pdf", ["one", "two"])
    read = list(read_document(source, IGNORE, sandboxed=False))
    failed = PageResult(0, 2, failure=Failure(FailureKind.TIMEOUT, "too slow"))
    result = make_searchable(source, [failed, read[1]])
    assert [text_of(result, number) for number in (0, 1)] == ["", "two"]
    assert ImageChops.difference(rendered(source), rendered(result)).getbbox() is None


def without_second_page(path: Path, *, count: int = 4, damaged: bool = False) -> Path:
    """Write a PDF whose second page is invalid: PDFium believes `count`, qpdf leaves the page out."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[4 0 R 5 0 R 6 0 R 7 0 R]/Count %d>>" % count,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    words = (b"FIRST", b"", b"THIRD", b"FOURTH")
    for number, word in enumerate(words):
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
        objects.append(page % (number + 8) if word else b"(not a page at all)")
    for word in words:
        content = b"BT /F 72 Tf 72 600 Td (%s) Tj ET" % word
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(
        b"%010d 00000 n \n" % at for at in places
    )
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, len(data))
    path.write_bytes(data if damaged else data + table + trailer)
    return path


@pytest.mark.parametrize(
    ("count", "texts"),
    [(4, ["FIRST", None, "THIRD", "FOURTH"]), (3, ["FIRST", None, "THIRD", None])],
    ids=["counted", "not-counted"],
)
def test_a_pdf_is_not_written_if_qpdf_finds_fewer_pages(count: int, texts: list[str], tmp_path: Path) -> None:
    source = without_second_page(tmp_path / "a.pdf", count=count)
    read = list(read_document(source, IGNORE, sandboxed=False))
    assert [page.text for page in read] == texts
    with pytest.raises(DocumentError, match=r"\(3\) are not those that were counted \(4\)") as caught:
        make_searchable(source, read)
    assert caught.value.kind is FailureKind.CORRUPT


def test_a_pdf_read_from_a_repaired_copy_gets_text_on_the_right_pages(tmp_path: Path) -> None:
    source = without_second_page(tmp_path / "a.pdf", damaged=True)
    read = list(read_document(source, IGNORE, sandboxed=False))
    texts = [page.text for page in read if page.failure is None]
    assert texts == ["FIRST", "THIRD"]
    result = make_searchable(source, read)
    expected = ["FIRST FIRST", "THIRD THIRD"]  # the printed text, and the text layer
    assert [text_of(result, number) for number in (0, 1)] == expected


def test_a_pdf_with_a_user_password_is_an_error_without_it(tmp_path: Path) -> None:
    plain = generators.scanned_pdf(tmp_path / "a.pdf", ["secret"])
    with pikepdf.open(plain) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
        pdf.save(tmp_path / "owned.pdf", encryption=pikepdf.Encryption(user="", owner="o"))
    with pytest.raises(DocumentError, match="encrypted and needs a password") as caught:
        make_searchable(tmp_path / "locked.pdf", [page_of([])])
    assert caught.value.kind is FailureKind.ENCRYPTED
    pages = list(read_document(tmp_path / "owned.pdf", IGNORE, sandboxed=False))
    result = make_searchable(tmp_path / "owned.pdf", pages)
    assert text_of(result) == "secret"
    with pikepdf.open(result) as pdf:
        assert pdf.is_encrypted


def test_an_encrypted_pdf_with_a_known_password_stays_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = generators.scanned_pdf(tmp_path / "a.pdf", ["secret"])
    with pikepdf.open(plain) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="key", owner="o"))
    monkeypatch.setenv("INKSTREAM_PDF_PASSWORDS", "wrong\nkey")
    pages = list(read_document(tmp_path / "locked.pdf", IGNORE))
    with PdfWriter() as writer:
        writer.write(tmp_path / "locked.pdf", pages, tmp_path / "made.pdf")
        assert writer._sandbox.pid is None, "the process that knows the password is gone"
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(tmp_path / "made.pdf")
    with pikepdf.open(tmp_path / "made.pdf", password="key") as pdf:
        pdf.save(tmp_path / "open.pdf", encryption=False)
    assert text_of(tmp_path / "open.pdf") == "secret"


def test_the_writer_survives_damaged_documents(tmp_path: Path) -> None:
    """Between two sound documents, damaged ones fail and leave no file."""
    sound = generators.scanned_pdf(tmp_path / "a.pdf", ["one"])
    pages = list(read_document(sound, IGNORE, sandboxed=False))
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\n%%EOF\n")
    unread = PageResult(None, None, failure=Failure(FailureKind.CORRUPT, "no page can be found"))
    with PdfWriter(LimitOptions(memory_mb=300)) as writer:
        writer.write(sound, pages, tmp_path / "one.pdf")
        with pytest.raises(DocumentError, match=r"too damaged to be copied: [^<>]*$"):
            writer.write(damaged, pages, tmp_path / "none.pdf")
        with pytest.raises(DocumentError, match="no page can be found"):
            writer.write(damaged, [unread], tmp_path / "none.pdf")
        writer.write(sound, pages, tmp_path / "two.pdf")
    assert text_of(tmp_path / "two.pdf") == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "damaged.pdf", "one.pdf", "two.pdf"]
