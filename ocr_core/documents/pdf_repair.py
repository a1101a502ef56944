"""A sound copy of a damaged PDF, made by qpdf."""

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

from inkstream.ocr_core.errors import DocumentError, FailureKind

if TYPE_CHECKING:
    import pikepdf

NOTE = "repaired with qpdf"
_LEFT_OUT = "Pages tree includes"
"""In what qpdf says when it leaves something out."""
_COUNT = re.compile(rb"/Count\s+(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired PDF.

    Attributes:
        copy: The file, which has no name; the caller closes it.
        claimed: How many pages the damaged file said it has; 0 where it did not.
        renumbered: Whether something among its pages was none, so that the pages after it have other numbers now.
    """

    copy: BinaryIO
    claimed: int
    renumbered: bool


def repair(path: Path, passwords: Sequence[str] = ()) -> Repaired:
    """Makes a repaired, unencrypted copy of a PDF, which itself stays as it is.

    qpdf builds a lost cross-reference table anew from the objects it finds, and mends the page tree. It leaves pages
    out, and makes blank ones of those whose content is lost: the caller has to look.

    Args:
        path: The PDF.
        passwords: Tried in order after the empty one.

    Raises:
        DocumentError: `corrupt` when qpdf finds no page either, `empty` when the PDF is sound and has none,
            `encrypted` when no password fits.
    """
    import pikepdf

    try:
        with open_copyable(path, passwords) as pdf:
            _require_pages(pdf)
            claimed, renumbered = _claimed(path, pdf), left_out(pdf) > 0
            copy = tempfile.TemporaryFile(prefix="inkstream-repair-")  # noqa: SIM115 - the caller's
            pdf.save(copy, stream_decode_level=pikepdf.StreamDecodeLevel.none, fix_metadata_version=False)
    except pikepdf.PasswordError as error:
        raise encrypted(passwords) from error
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise _beyond_repair() from error
    return Repaired(cast("BinaryIO", copy), claimed, renumbered)


def encrypted(passwords: Sequence[str]) -> DocumentError:
    """Returns the error for a PDF that none of the passwords opens. It never says what they are."""
    tried = f"none of the {len(passwords)} passwords there opens it" if passwords else "none is there"
    return DocumentError(
        FailureKind.ENCRYPTED,
        "the PDF is encrypted and needs a password: set INKSTREAM_PDF_PASSWORDS (one a line) where pages are "
        f"read; {tried}",
    )


@contextmanager
def open_copyable(path: Path, passwords: Sequence[str] = ()) -> Iterator[pikepdf.Pdf]:
    """Opens a PDF with qpdf, with the first password that fits, the empty one before all.

    Raises:
        pikepdf.PasswordError: If none does.
        pikepdf.PdfError: If qpdf cannot read it.
    """
    logging.getLogger("pikepdf").setLevel(logging.CRITICAL)  # what is wrong with the file is in its row
    with path.open("rb") as file, _opened(file, passwords) as pdf:  # qpdf itself takes no name that is not Unicode
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


def pages_in_tree(path: Path, passwords: Sequence[str] = ()) -> int:
    """Counts the pages in a PDF's page tree, damaged ones too, whatever the file says; 0 where qpdf cannot tell.

    It costs a tenth of a millisecond, and 10 microseconds a page.

    Args:
        path: The PDF.
        passwords: Tried in order after the empty one.
    """
    import pikepdf

    try:
        with open_copyable(path, passwords) as pdf:
            return len(pdf.pages) + left_out(pdf)
    except (pikepdf.PdfError, RuntimeError, ValueError):
        return 0


def left_out(pdf: pikepdf.Pdf) -> int:
    """Counts what stands among the pages, is none, and was left out by qpdf. It says so once for each opened PDF."""
    return sum(_LEFT_OUT in warning for warning in pdf.get_warnings())


def _claimed(path: Path, pdf: pikepdf.Pdf) -> int:
    """Reads the page count in the damaged file itself: in memory, qpdf has set it to what is left."""
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
    return DocumentError(FailureKind.CORRUPT, "the PDF is damaged: no page can be found in it, not by qpdf either")
