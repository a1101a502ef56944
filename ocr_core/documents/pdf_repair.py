"""Repaired copies of damaged PDFs, made by qpdf."""

from __future__ import annotations

import logging
import mmap
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from inkstream.ocr_core.documents.pdf_survey import Survey, left_out, survey_of
from inkstream.ocr_core.errors import DocumentError, FailureKind

if TYPE_CHECKING:
    import pikepdf

NOTE = "repaired with qpdf"
_COUNT = re.compile(rb"/Count\s+(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired PDF.

    Attributes:
        copy: An unnamed temporary file; the caller closes it.
        claimed: Number of pages that the damaged file states; 0 if it states none.
        renumbered: Whether qpdf left out an object that is not a page, so that the pages after it have new numbers.
        survey: What the copy holds.
    """

    copy: BinaryIO
    claimed: int
    renumbered: bool
    survey: Survey


def repair(path: Path, passwords: Sequence[str] = ()) -> Repaired:
    """Make a repaired, unencrypted copy of a PDF; the PDF itself does not change.

    qpdf rebuilds a lost cross-reference table from the objects it finds, and fixes the page tree. It leaves out some
    pages, and replaces those whose content is lost by blank ones, so the caller has to check.

    Args:
        path: The PDF.
        passwords: Tried in order after the empty one.

    Raises:
        DocumentError: `corrupt` if qpdf finds no page either, `empty` if the PDF is sound and has none,
            `encrypted` if no password fits.
    """
    import pikepdf

    try:
        with open_copyable(path, passwords) as pdf:
            _require_pages(pdf)
            claimed, renumbered, holds = _claimed(path, pdf), left_out(pdf) > 0, survey_of(pdf)
            copy = tempfile.TemporaryFile(prefix="inkstream-repair-")  # noqa: SIM115 - the caller closes it
            pdf.save(copy, stream_decode_level=pikepdf.StreamDecodeLevel.none, fix_metadata_version=False)
    except pikepdf.PasswordError as error:
        raise encrypted(passwords) from error
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise _beyond_repair() from error
    return Repaired(cast("BinaryIO", copy), claimed, renumbered, holds)


def encrypted(passwords: Sequence[str]) -> DocumentError:
    """Return the error for a PDF that none of the passwords opens. It never contains the passwords."""
    tried = f"none of the {len(passwords)} passwords set there opens it" if passwords else "none is set there"
    return DocumentError(
        FailureKind.ENCRYPTED,
        "the PDF is encrypted and needs a password: set INKSTREAM_PDF_PASSWORDS (one per line) where pages are "
        f"read; {tried}",
    )


@contextmanager
def open_copyable(path: Path, passwords: Sequence[str] = ()) -> Iterator[pikepdf.Pdf]:
    """Open a PDF with qpdf and the first password that fits; the empty one is tried first.

    Raises:
        pikepdf.PasswordError: If none fits.
        pikepdf.PdfError: If qpdf cannot read it.
    """
    logging.getLogger("pikepdf").setLevel(logging.CRITICAL)  # the file's row says what is wrong with it
    with path.open("rb") as file, _opened(file, passwords) as pdf:  # qpdf cannot open names that are not Unicode
        yield pdf


def _opened(file: BinaryIO, passwords: Sequence[str]) -> pikepdf.Pdf:
    import pikepdf

    for number, password in enumerate(("", *passwords)):
        try:
            return pikepdf.open(file, password=password, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream)
        except pikepdf.PasswordError:
            if number == len(passwords):
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def survey(path: Path, passwords: Sequence[str] = ()) -> Survey | None:
    """Return what a PDF holds, as qpdf finds it; None if qpdf cannot read it.

    qpdf asks for a password where PDFium needs none, if only the embedded files are encrypted.

    Args:
        path: The PDF.
        passwords: Tried in order after the empty one.
    """
    import pikepdf

    try:
        with open_copyable(path, passwords) as pdf:
            return survey_of(pdf)
    except (pikepdf.PasswordError, pikepdf.PdfError, RuntimeError, ValueError):
        return None


def _claimed(path: Path, pdf: pikepdf.Pdf) -> int:
    """Return the page count that the damaged file itself states: in memory, qpdf has set it to the pages left."""
    number, generation = pdf.Root.Pages.objgen
    root = re.compile(rb"(?<!\d)%d %d obj\b(.{0,1000000}?)endobj" % (number, generation), re.DOTALL)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        counts = [_COUNT.search(found[1]) for found in root.finditer(data)]
        return max((int(count[1]) for count in counts if count), default=0)


def _require_pages(pdf: pikepdf.Pdf) -> None:
    if len(pdf.pages) == 0:
        if pdf.get_warnings():
            raise _beyond_repair()
        raise DocumentError(FailureKind.EMPTY, "the PDF has no pages")


def _beyond_repair() -> DocumentError:
    return DocumentError(FailureKind.CORRUPT, "the PDF is damaged: no page can be found in it, not even by qpdf")
