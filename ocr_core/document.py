"""Documents and their pages: what every format offers to the stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ocr_core.errors import DocumentError, FailureKind
from ocr_core.formats import sniff
from ocr_core.limits import LimitOptions
from ocr_core.page import DocumentInfo

if TYPE_CHECKING:
    from ocr_core.layout import Word
    from ocr_core.options import RenderOptions

Pixels = NDArray[np.uint8]
"""`H x W` (gray) or `H x W x 3` (RGB), 0 is black."""

MAX_SIDE = 32_767
"""Pixels; Tesseract and JPEG take no longer side."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A page as pixels.

    Attributes:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        resolution: dpi of those pixels.
    """

    pixels: Pixels
    resolution: int


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size a page has, or would have, as pixels.

    Attributes:
        width: Pixels.
        height: Pixels.
        resolution: dpi.
    """

    width: int
    height: int
    resolution: int


class DocumentPage(ABC):
    """One page of an open document.

    Attributes:
        notes: What a reader of the page's row should know, such as a lowered resolution; whole once it has a canvas.
    """

    notes: tuple[str, ...] = ()

    @abstractmethod
    def canvas(self, options: RenderOptions) -> Canvas:
        """Returns the size `render` would give, without rendering.

        Raises:
            DocumentError: `limit` when the page cannot be made to fit `max_pixels`.
        """

    @abstractmethod
    def render(self, options: RenderOptions) -> Raster:
        """Returns the page upright, on white.

        Raises:
            DocumentError: `limit` or `corrupt`.
        """

    def words(self, canvas: Canvas) -> list[Word] | None:  # noqa: ARG002 - images carry no text
        """Returns the words of the page's own text in reading order, boxes in `canvas` pixels, if any."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Frees what the page holds."""


class Document(ABC):
    """An open file. Not thread-safe: PDFium allows one thread a process."""

    info: DocumentInfo

    @abstractmethod
    def page(self, pagenum: int) -> DocumentPage:
        """Opens one page, 0-based.

        Raises:
            DocumentError: `corrupt` when this page cannot be loaded.
        """

    @abstractmethod
    def close(self) -> None:
        """Frees the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_document(path: str | Path, limits: LimitOptions | None = None, passwords: Sequence[str] = ()) -> Document:
    """Opens a PDF or an image in this process.

    Args:
        path: The file; it must stay as it is while the document is open.
        limits: `max_file_mb` and `max_pages` are looked at.
        passwords: Tried in order on a PDF that needs one.

    Raises:
        DocumentError: `empty`, `unsupported`, `limit`, `corrupt`, `encrypted` or `unreadable`.
    """
    limits = limits or LimitOptions()
    kind = sniff(path, limits)
    if kind == "pdf":
        from ocr_core.pdf import open_pdf

        document: Document = open_pdf(Path(path), passwords)
    else:
        from ocr_core.images import open_image

        document = open_image(Path(path), kind, limits.max_pages)
    if document.info.pages > limits.max_pages:
        document.close()
        raise too_many_pages(document.info.pages, limits.max_pages)
    return document


def too_many_pages(found: int, allowed: int) -> DocumentError:
    """Returns the error for a file with more pages than `LimitOptions.max_pages`."""
    return DocumentError(
        FailureKind.LIMIT, f"the file has {found} pages or more; at most {allowed} are allowed (max_pages)"
    )
