"""Damaged PDFs are repaired once if PDFium finds no page, a note says so, and a lost page is never read as blank."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest

from inkstream import FailureKind, LimitOptions, PageResult, PageWorker, PipelineOptions, read_document
from inkstream.ocr_core.documents import pdf
from inkstream.ocr_core.options import TextLayerOptions
from tests.generators import born_digital_pdf
from tests.unit.ocr_core.documents.test_opening import with_second_page

TEXTS = ["The first of three pages", "The second of three pages", "The third of three pages"]
OPTIONS = PipelineOptions(text_layer=TextLayerOptions(min_chars=1))


def read(path: Path, *, sandboxed: bool = False) -> list[PageResult]:
    return list(read_document(path, OPTIONS, sandboxed=sandboxed))


def without_trailer(path: Path) -> Path:
    """Write a PDF without its last lines, like a broken upload: PDFium gives up, qpdf searches for objects."""
    data = born_digital_pdf(path, TEXTS).read_bytes()
    path.write_bytes(data[: data.rindex(b"trailer")])
    return path


@pytest.mark.parametrize("sandboxed", [True, False])
def test_a_pdf_in_which_pdfium_finds_no_page_is_repaired(tmp_path: Path, sandboxed: bool) -> None:
    path = without_trailer(tmp_path / "a\udcff.pdf")  # qpdf itself accepts only names that are valid Unicode
    before = path.read_bytes()
    pages = read(path, sandboxed=sandboxed)
    assert [page.text for page in pages] == TEXTS
    assert {page.notes for page in pages} == {("repaired with qpdf",)}
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_each_page_lost_from_a_damaged_file_is_a_failure(tmp_path: Path) -> None:
    """Cut within the second page's content: neither it nor the third page can be recovered."""
    path = without_trailer(tmp_path / "a.pdf")
    path.write_bytes(path.read_bytes().partition(b"The second")[0])
    pages = read(path)
    assert [page.text for page in pages] == [TEXTS[0], None, None]
    assert [page.failure.kind if page.failure else None for page in pages] == [None, *[FailureKind.CORRUPT] * 2]
    assert {(page.total_pages, page.notes) for page in pages} == {(3, ("repaired with qpdf",))}


def test_an_absurd_page_count_is_ignored(tmp_path: Path) -> None:
    path = without_trailer(tmp_path / "a.pdf")
    path.write_bytes(path.read_bytes().replace(b"/Count 3", b"/Count 99999999"))
    assert [page.text for page in read(path)] == TEXTS


@pytest.mark.parametrize("count", [1, 2, 31, 100_000])
def test_a_wrong_page_count_neither_loses_nor_adds_pages(count: int, tmp_path: Path) -> None:
    """PDFium believes the count: it does not see pages beyond it, and takes missing ones for damaged."""
    pages = read(born_digital_pdf(tmp_path / "a.pdf", TEXTS, count=count))
    assert [(page.text, page.total_pages) for page in pages] == [(text, 3) for text in TEXTS]
    note = f"the file says that it has {count} pages; 3 are in it"
    assert [page.notes for page in pages] == [
        (note,) if number < count else (note, "repaired with qpdf") for number in range(3)
    ]


def test_a_wrong_page_count_in_an_encrypted_file_loses_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pikepdf.open(born_digital_pdf(tmp_path / "a.pdf", TEXTS)) as document:
        document.save(tmp_path / "b.pdf", encryption=pikepdf.Encryption(owner="owner", user="user"))
    write_over(tmp_path / "b.pdf", {b"/Count 3": b"/Count 2"})
    monkeypatch.setenv("INKSTREAM_PDF_PASSWORDS", "user")
    assert [page.text for page in read(tmp_path / "b.pdf")] == TEXTS


def test_wrong_page_counts_in_the_branches_lose_no_page(tmp_path: Path) -> None:
    """PDFium adds up the branches' counts if the root has none."""
    with pikepdf.open(born_digital_pdf(tmp_path / "a.pdf", TEXTS)) as document:
        pages, root = [page.obj for page in document.pages], document.Root.Pages
        for kids in (pages[:2], pages[2:]):
            branch = pikepdf.Dictionary(Type=pikepdf.Name.Pages, Parent=root, Kids=kids, Count=len(kids))
            kids[0].Parent = kids[-1].Parent = document.make_indirect(branch)
        root.Kids = pikepdf.Array([pages[0].Parent, pages[2].Parent])
        document.save(tmp_path / "b.pdf")
    write_over(tmp_path / "b.pdf", {b"/Count 3": b"/Count 0", b"/Count 2": b"/Count 1"})
    assert [page.text for page in read(tmp_path / "b.pdf")] == TEXTS


def write_over(path: Path, changes: dict[bytes, bytes]) -> None:
    """Replace byte strings that occur exactly once in a file with others of the same length."""
    data = path.read_bytes()
    for old, new in changes.items():
        assert data.count(old) == 1
        data = data.replace(old, new)
    path.write_bytes(data)


def test_a_plausible_page_count_makes_missing_pages_failures(tmp_path: Path) -> None:
    pages = read(born_digital_pdf(tmp_path / "a.pdf", TEXTS, count=5))
    assert [page.text for page in pages] == [*TEXTS, None, None]
    assert [page.failure.message for page in pages if page.failure] == [
        f"page {number} of 5 is damaged: it cannot be loaded" for number in (4, 5)
    ]


def test_an_encrypted_file_without_its_key_fails_on_every_page(tmp_path: Path) -> None:
    with pikepdf.open(born_digital_pdf(tmp_path / "a.pdf", TEXTS)) as document:
        document.save(tmp_path / "b.pdf", encryption=pikepdf.Encryption(owner="owner", user="user"))
    data = (tmp_path / "b.pdf").read_bytes()
    (tmp_path / "b.pdf").write_bytes(data[: data.rindex(b"trailer")])
    pages = read(tmp_path / "b.pdf")
    assert [page.failure.kind if page.failure else None for page in pages] == [FailureKind.CORRUPT] * 3


def test_a_sound_pdf_is_not_repaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "repair", lambda *_: pytest.fail("repaired without need"))
    assert {page.notes for page in read(born_digital_pdf(tmp_path / "a.pdf", TEXTS))} == {()}


def test_a_mislabelled_page_is_taken_from_the_repaired_copy(tmp_path: Path) -> None:
    path = born_digital_pdf(tmp_path / "a.pdf", TEXTS)
    parts = path.read_bytes().split(b"/Type /Page /Parent")
    path.write_bytes(parts[0] + b"/Type /Page /Parent".join([parts[1] + b"/Type /Nope /Parent" + parts[2], parts[3]]))
    path.write_bytes(path.read_bytes().replace(parts[0], parts[0] + b"/Type /Page /Parent"))
    pages = read(path)
    assert [page.text for page in pages] == TEXTS
    assert [page.notes for page in pages] == [(), ("repaired with qpdf",), ()]


def test_a_page_that_the_repair_leaves_blank_stays_a_failure(tmp_path: Path) -> None:
    """qpdf turns a page object that lost its contents into a blank page."""
    path = born_digital_pdf(tmp_path / "a.pdf", TEXTS)
    path.write_bytes(with_second_page(path, b"<< /Type /Nope /MediaBox [0 0 612 792] >>"))
    pages = read(path)
    assert [page.text for page in pages] == [TEXTS[0], None, TEXTS[2]]
    assert pages[1].failure is not None
    assert (pages[1].failure.kind, pages[1].notes) == (FailureKind.CORRUPT, ())


def test_a_repair_runs_under_the_limits_of_a_page(tmp_path: Path) -> None:
    """The damaged file has an object stream that unpacks to 600 MiB, which qpdf would have to read."""
    with pikepdf.new() as document:
        for _ in range(40):
            document.add_blank_page()
            document.pages[-1].obj.Filler = pikepdf.String(b" " * (16 << 20))
        document.save(tmp_path / "a.pdf", object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
    data = (tmp_path / "a.pdf").read_bytes()
    (tmp_path / "a.pdf").write_bytes(data[: data.rindex(b"startxref")])
    sound = born_digital_pdf(tmp_path / "b.pdf", TEXTS)
    for limits, kind in (
        (LimitOptions(memory_mb=128), FailureKind.MEMORY),
        (LimitOptions(page_cpu_seconds=1), FailureKind.TIMEOUT),
    ):
        with PageWorker(limits=limits) as worker:
            page = worker.page(tmp_path / "a.pdf", 0, 1)
            assert page.failure is not None
            assert page.failure.kind is kind
            assert worker.page(sound, 0, 3).text == TEXTS[0]
