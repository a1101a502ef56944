"""The objects of a PDF page in the order in which they are drawn, within forms too."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

if TYPE_CHECKING:
    import pypdfium2

_DEEPEST = 12
"""Forms within forms that are looked into."""


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object that is not a form.

    Attributes:
        handle: PDFium's handle, valid while the page is open.
        kind: One of PDFium's `FPDF_PAGEOBJ_...`.
        matrices: Those of the forms around it, innermost first.
    """

    handle: Any
    kind: int
    matrices: tuple[Any, ...]

    def corners(self) -> list[tuple[float, float]] | None:
        """Return the corners (x, y) of its box in page units; None if it has none."""
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if not raw.FPDFPageObj_GetBounds(self.handle, left, bottom, right, top):
            return None
        corners = [(x.value, y.value) for x in (left, right) for y in (bottom, top)]
        for m in self.matrices:
            corners = [(m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f) for x, y in corners]
        return corners


def page_objects(page: pypdfium2.PdfPage) -> Iterator[PageObject]:
    """Yield the objects of a page. This takes about a microsecond for each."""
    count = raw.FPDFPage_CountObjects(page.raw)
    yield from _inside(page.raw, count, raw.FPDFPage_GetObject, ())


def _inside(
    container: Any, count: int, get: Callable[[Any, int], Any], matrices: tuple[Any, ...]
) -> Iterator[PageObject]:
    for number in range(count):
        handle = get(container, number)
        kind = raw.FPDFPageObj_GetType(handle)
        if kind != raw.FPDF_PAGEOBJ_FORM:
            yield PageObject(handle, kind, matrices)
        elif len(matrices) < _DEEPEST:
            matrix = raw.FS_MATRIX()
            raw.FPDFPageObj_GetMatrix(handle, matrix)
            inside = raw.FPDFFormObj_CountObjects(handle)
            yield from _inside(handle, inside, raw.FPDFFormObj_GetObject, (matrix, *matrices))
