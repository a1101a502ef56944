"""Documents and their pages: the interface of every format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.page import DocumentInfo
from inkstream.ocr_core.pixels import Pixels

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RenderOptions
    from inkstream.ocr_core.text.words import LayerWord


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
        notes: Remarks for the page's row, such as a lowered resolution; complete after `canvas` was called.
    """

    notes: tuple[str, ...] = ()

    @abstractmethod
    def canvas(self, options: RenderOptions) -> Canvas:
        """Return the size that `render` would return, without rendering.

        Raises:
            DocumentError: `limit` when the page cannot be made to fit `max_pixels`.
        """

    @abstractmethod
    def render(self, options: RenderOptions) -> Raster:
        """Return the page upright, on white.

        Raises:
            DocumentError: `limit` or `corrupt`.
        """

    def words(self, canvas: Canvas) -> list[LayerWord] | None:  # noqa: ARG002 - images carry no text
        """Return the words of the page's text layer in reading order, boxes in `canvas` pixels; None if it has none."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Close the page and free its memory."""


class Document(ABC):
    """An open file. Not thread-safe: PDFium allows one thread per process."""

    info: DocumentInfo

    @abstractmethod
    def page(self, pagenum: int) -> DocumentPage:
        """Open one page, 0-based.

        Raises:
            DocumentError: `corrupt` when this page cannot be loaded.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def too_many_pages(found: int, allowed: int) -> DocumentError:
    """Return the error for a file with more pages than `LimitOptions.max_pages`."""
    return DocumentError(
        FailureKind.LIMIT, f"the file has {found} pages or more; at most {allowed} are allowed (max_pages)"
    )
