"""Pictures of a PDF page that PDFium leaves out, or draws only in part, without an error.

A decoder tells for certain, but running it again for each picture would cost up to half as much as rendering. So the
rendered page is looked at first: a picture whose own area has ink, and whose four edges do, was decoded to its end.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pypdfium2 import raw

from inkstream.ocr_core.documents.codestreams import is_whole_fax, is_whole_jbig2, is_whole_jpeg
from inkstream.ocr_core.documents.pdf_forms import annotations_of
from inkstream.ocr_core.documents.pdf_objects import page_objects
from inkstream.ocr_core.errors import DocumentError, FailureKind

if TYPE_CHECKING:
    import pypdfium2

    from inkstream.ocr_core.documents.document import Canvas
    from inkstream.ocr_core.pixels import Pixels

_STEP = 4
"""Every fourth pixel each way is looked at: a missed speck only means that the picture is decoded once more."""
_EDGE = 0.03
"""Share of a picture's side that is an edge. A picture that breaks off has at least that much of one colour."""
_ONE_COLOUR = 0.9
"""Share of the pixels of an edge that have its colour, because lines and words may be drawn over a broken picture."""
_NOTHING = 0.01
"""A picture with a smaller share of its samples shows nothing."""
_ANNOTATION = -1
"""The kind of an annotation among page objects."""
_INVISIBLE = raw.FPDF_TEXTRENDERMODE_INVISIBLE
_MOST_OF_PAGE = 0.5
"""Share of a page from which on a lost picture is its content, and lines around it are not."""
_NAMED = 3
"""Pictures that notes name; the others are counted."""
_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Bits per pixel that a PDF's samples can have; PDFium reports those of its own copy."""
_SLACK = 16
"""Bytes after the last sample that some writers leave."""
_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "DCTDecode": is_whole_jpeg,
    "DCT": is_whole_jpeg,
    "CCITTFaxDecode": is_whole_fax,
    "CCF": is_whole_fax,
    "JBIG2Decode": is_whole_jbig2,
    "JPXDecode": lambda _: True,
}
"""How to tell that a picture's code does not break off; PDFium itself rejects JPEG 2000 that does."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A page object and the reduced pixels that it covers."""

    handle: Any
    kind: int
    rows: slice
    columns: slice


@dataclass(frozen=True, slots=True)
class _Broken:
    """A picture that is not drawn as it should be.

    Attributes:
        note: What is wrong with it.
        shows: Whether a part of it is drawn.
        share: Part of the page that it covers, 0 to 1.
    """

    note: str
    shows: bool
    share: float


def broken_picture_notes(page: pypdfium2.PdfPage, canvas: Canvas, pixels: Pixels) -> tuple[str, ...]:
    """Return a note for each picture of a rendered page that cannot be decoded, or breaks off.

    A page without pictures costs a microsecond per object. One with pictures costs about 2 ms.

    Args:
        page: The page.
        canvas: Its size.
        pixels: The rendered page, uint8, `H x W` or `H x W x 3`.

    Raises:
        DocumentError: `corrupt` if the page shows nothing else than a picture that cannot be decoded.
    """
    small = pixels[::_STEP, ::_STEP]
    small = small if small.ndim == 2 else small.min(axis=2)
    objects = list(_placed(page, canvas, small.shape))
    pictures = [each for each in objects if each.kind == raw.FPDF_PAGEOBJ_IMAGE]
    broken = _broken(page, small, objects, pictures) if pictures else []
    lost = sum(each.share for each in broken if not each.shows)
    others = any(each.kind in (raw.FPDF_PAGEOBJ_TEXT, _ANNOTATION) for each in objects)
    is_alone = not others and len(pictures) == sum(not each.shows for each in broken)
    if lost and (pixels.min() == 255 or (is_alone and lost >= _MOST_OF_PAGE)):
        raise DocumentError(FailureKind.CORRUPT, f"the page shows nothing: {broken[0].note}")
    notes = list(dict.fromkeys(each.note for each in broken))
    more = (f"{len(notes) - _NAMED} more pictures on the page are broken",) if len(notes) > _NAMED else ()
    return (*notes[:_NAMED], *more)


def _broken(
    page: pypdfium2.PdfPage, small: Pixels, objects: Sequence[_Placed], pictures: Sequence[_Placed]
) -> list[_Broken]:
    drawn_by = np.zeros(small.shape, np.uint16)
    for each in objects:
        drawn_by[each.rows, each.columns] += 1
    broken = []
    for each in pictures:
        area, alone = small[each.rows, each.columns], drawn_by[each.rows, each.columns] == 1
        fault = _fault(page, each.handle, area, is_drawn=bool((area[alone] < 255).any()))
        if fault is not None:
            width, height = _size(each.handle)
            note = f"a picture of {width} x {height} pixels {fault[0]}"
            broken.append(_Broken(note, fault[1], area.size / small.size))
    return broken


def _fault(page: pypdfium2.PdfPage, picture: Any, area: Pixels, *, is_drawn: bool) -> tuple[str, bool] | None:
    """Return what is wrong with a picture, and whether a part of it shows; None if nothing is."""
    if not is_drawn:
        bitmap = raw.FPDFImageObj_GetBitmap(picture)
        if not bitmap:
            return "cannot be decoded", False
        raw.FPDFBitmap_Destroy(bitmap)
    share = 1.0 if _reaches_its_edges(area) else _share_decoded(page, picture)
    if share >= 1:
        return None
    if share < _NOTHING:
        return "cannot be decoded", False
    return "breaks off: its end cannot be decoded", True


def _reaches_its_edges(area: Pixels) -> bool:
    """Return whether no edge of an area is of one colour."""
    down, across = (max(1, math.ceil(side * _EDGE)) for side in area.shape)
    edges = (area[:down], area[-down:], area[:, :across], area[:, -across:])
    return all(np.bincount(edge.ravel()).max() < _ONE_COLOUR * edge.size for edge in edges)


def _share_decoded(page: pypdfium2.PdfPage, picture: Any) -> float:
    """Return the share of a picture's samples that its data has: 1 if it is whole, a half for code that breaks off."""
    is_whole = _CHECKS.get(_last_filter(picture))
    if is_whole is not None:
        return 1.0 if is_whole(_data(picture)) else 0.5
    width, height = _size(picture)
    facts = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(picture, page.raw, facts) or not facts.bits_per_pixel:
        return 1.0
    size = _data_size(picture)
    if any(0 <= size - height * math.ceil(width * depth / 8) <= _SLACK for depth in _DEPTHS):
        return 1.0
    return size / (height * math.ceil(width * facts.bits_per_pixel / 8) or 1)


def _last_filter(picture: Any) -> str:
    count = raw.FPDFImageObj_GetImageFilterCount(picture)
    if count < 1:
        return ""
    name = ctypes.create_string_buffer(64)
    raw.FPDFImageObj_GetImageFilter(picture, count - 1, name, len(name))
    return name.value.decode("ascii", "replace")


def _data_size(picture: Any) -> int:
    return int(raw.FPDFImageObj_GetImageDataDecoded(picture, None, 0))


def _data(picture: Any) -> bytes:
    """Return the data of a picture, decoded up to its last filter if that one is a picture codec."""
    data = ctypes.create_string_buffer(_data_size(picture))
    raw.FPDFImageObj_GetImageDataDecoded(picture, data, len(data))
    return data.raw


def _size(picture: Any) -> tuple[int, int]:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(picture, width, height)
    return width.value, height.value


def _placed(page: pypdfium2.PdfPage, canvas: Canvas, shape: Sequence[int]) -> Iterator[_Placed]:
    """Yield the visible objects of a page, within forms too, and its annotations, if one of them is a picture."""
    objects = list(page_objects(page))
    if not any(each.kind == raw.FPDF_PAGEOBJ_IMAGE for each in objects):
        return
    for each in objects:
        if each.kind == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(each.handle) == _INVISIBLE:
            continue
        corners = each.corners()
        if corners is None:
            continue
        rows, columns = _reduced(page, canvas, corners, shape)
        if rows.start < rows.stop and columns.start < columns.stop:
            yield _Placed(each.handle, each.kind, rows, columns)
    rectangle = raw.FS_RECTF()
    for annotation in annotations_of(page):
        if raw.FPDFAnnot_GetRect(annotation, rectangle):
            corners = [(rectangle.left, rectangle.top), (rectangle.right, rectangle.bottom)]
            yield _Placed(None, _ANNOTATION, *_reduced(page, canvas, corners, shape))


def _reduced(
    page: pypdfium2.PdfPage, canvas: Canvas, corners: Sequence[tuple[float, float]], shape: Sequence[int]
) -> tuple[slice, slice]:
    """Return the reduced pixels that these corners enclose, within the page."""
    x, y = ctypes.c_int(), ctypes.c_int()
    places = []
    for corner in corners:
        raw.FPDF_PageToDevice(page.raw, 0, 0, canvas.width, canvas.height, 0, *corner, x, y)
        places.append((y.value, x.value))
    spans: NDArray[np.int64] = np.array(places)
    starts = np.clip(spans.min(axis=0) // _STEP, 0, shape)
    stops = np.clip(-(-spans.max(axis=0) // _STEP) + 1, 0, shape)
    return slice(int(starts[0]), int(stops[0])), slice(int(starts[1]), int(stops[1]))
