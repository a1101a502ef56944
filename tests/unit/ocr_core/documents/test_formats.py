from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import DocumentError, FailureKind, LimitOptions, probe
from inkstream.ocr_core.documents.formats import identify
from tests import generators


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.7", "pdf"),
        (b"junk before\r\n%PDF-1.4", "pdf"),
        (b"\x89PNG\r\n\x1a\nrest", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"II*\x00", "tiff"),
        (b"MM\x00*", "tiff"),
        (b"II+\x00\x08\x00\x00\x00", "tiff"),
        (b"MM\x00+\x00\x08\x00\x00", "tiff"),
        (b"GIF87a....%PDF-", "gif"),
        (b"GIF89a", "gif"),
        (b"RIFF\n\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
        (b"\xff\x4f\xff\x51", "jpeg2000"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "bmp"),
        (b"P6\n# by hand\n12 9\n255\n", "pnm"),
        (b"\x00\x00\x00\x18ftypheic\0\0\0\0mif1heic", "heif"),
        (b"\x00\x00\x00\x18ftypmif1\0\0\0\0mif1heic", "heif"),
        (b"\x00\x00\x00\x18ftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\x00\x00\x00\x18ftypavis\0\0\0\0avismsf1", "avif"),
    ],
)
def test_a_format_is_identified_by_its_first_bytes(head: bytes, name: str) -> None:
    assert identify(head) == name


@pytest.mark.parametrize(
    ("head", "seems"),
    [
        (b"PK\x03\x04....%PDF-1.4", "zip"),
        (b"BM is how this begins, and it is prose", "plain text"),
        (b"P1 and P2 are read, P3 is not", "plain text"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "52 49 46 46"),
        (b"\x00\x00\x00\x18ftypisom\0\0\2\0isommp41", "MP4"),
        (b"AT&TFORM\0\0\1\0DJVU", "ddjvu -format=pdf"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"<html><body>", "HTML"),
        (b"just words\n", "plain text"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "01 02 03 04"),
        (b" " * 2000 + b"%PDF-", "plain text"),
    ],
)
def test_other_formats_are_unsupported_and_named(head: bytes, seems: str) -> None:
    with pytest.raises(DocumentError, match=seems) as caught:
        identify(head[:1024])
    assert caught.value.kind is FailureKind.UNSUPPORTED


def kind_of(path: Path, **limits: int) -> FailureKind:
    with pytest.raises(DocumentError) as caught:
        probe(path, LimitOptions(**limits))
    return caught.value.kind


def test_an_empty_file_is_reported_as_empty(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    assert kind_of(tmp_path / "a.pdf") is FailureKind.EMPTY


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "none") is FailureKind.UNREADABLE
    assert kind_of(tmp_path) is FailureKind.UNREADABLE


def test_files_too_large_or_with_too_many_pages_hit_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\n" + bytes(2 << 20))
    assert kind_of(path, max_file_mb=1) is FailureKind.LIMIT
    scans = generators.tiff(tmp_path / "a.tif", ["one", "two", "three"])
    assert kind_of(scans, max_pages=2) is FailureKind.LIMIT
    digital = generators.born_digital_pdf(tmp_path / "b.pdf", ["one", "two", "three"])
    assert kind_of(digital, max_pages=2) is FailureKind.LIMIT


def test_damaged_pdfs_are_corrupt(tmp_path: Path) -> None:
    whole = generators.born_digital_pdf(tmp_path / "a.pdf", ["text"]).read_bytes()
    for name, data in {"half": whole[: len(whole) // 3], "header": b"%PDF-1.7\n%%EOF\n"}.items():
        (tmp_path / name).write_bytes(data)
        assert kind_of(tmp_path / name) is FailureKind.CORRUPT


def test_a_sound_pdf_without_pages_is_empty_and_an_unsound_one_corrupt(tmp_path: Path) -> None:
    empty = generators.pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"])
    (tmp_path / "pageless").write_bytes(empty)
    assert kind_of(tmp_path / "pageless") is FailureKind.EMPTY
    (tmp_path / "torn").write_bytes(empty.replace(b"xref", b"xxxx"))
    assert kind_of(tmp_path / "torn") is FailureKind.CORRUPT


def test_the_file_name_does_not_decide_the_format(tmp_path: Path) -> None:
    path = tmp_path / "really a picture.pdf"
    generators.text_image().save(path, "PNG")
    assert probe(path).format == "png"


@pytest.mark.parametrize("name", ["a b", "a#b%20c", "new\nline 'quote\"", "bytes \udcff\udcfe", "~home"])
def test_files_with_odd_names_can_be_opened(tmp_path: Path, name: str) -> None:
    pdf = generators.born_digital_pdf(tmp_path / "plain", ["one", "two"])
    assert probe(pdf.rename(tmp_path / name)).pages == 2
