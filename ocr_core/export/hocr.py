"""Results as hOCR 1.2, an XHTML microformat: http://kba.github.io/hocr-spec/1.2/."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from inkstream.ocr_core.export.strips import baseline_of
from inkstream.ocr_core.export.tree import Element, page_tree, upright
from inkstream.ocr_core.export.xml_text import attributes, software, xml_comment, xml_text
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level, PageResult

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
 <head>
  <title>{title}</title>
  <meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
  <meta name="ocr-system" content="{system}"/>
  <meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"/>
 </head>
 <body>
"""

_TAGS = {
    Level.BLOCK: ("div", "ocr_carea", "block"),
    Level.PARAGRAPH: ("p", "ocr_par", "par"),
    Level.LINE: ("span", "ocr_line", "line"),
    Level.WORD: ("span", "ocrx_word", "word"),
}
"""Element, class and the beginning of its id, as Tesseract writes them."""


def hocr(pages: Iterable[PageResult], name: str) -> str:
    """Return a document's pages as one hOCR file.

    Elements without a box of their own (see `page_tree`) have no `bbox`. A page that failed is an empty `ocr_page` with
    a comment that says why.

    Args:
        pages: In order.
        name: The document's name, for `title` and the pages' `image` property.
    """
    system = " ".join(software())
    parts = [_HEAD.format(title=xml_text(name), system=xml_text(system))]
    for position, page in enumerate(pages):
        parts += _page(page, position, name)
    parts.append(" </body>\n</html>\n")
    return "".join(parts)


def _page(page: PageResult, position: int, name: str) -> Iterator[str]:
    number = position if page.pagenum is None else page.pagenum
    properties = [f'image "{_quotable(name)}"', f"bbox 0 0 {page.width or 0} {page.height or 0}", f"ppageno {number}"]
    if page.resolution:
        properties.append(f"scan_res {page.resolution} {page.resolution}")
    opening = attributes(id=f"page_{number + 1}", title="; ".join(properties))
    yield f'  <div class="ocr_page"{opening}>\n'
    if page.failure is not None:
        yield f"   {xml_comment(f'page {number + 1} could not be read: {page.failure.kind}: {page.failure.message}')}\n"
    for index, block in enumerate(page_tree(page), 1):
        yield _element(block, f"{number + 1}_{index}", 3)
    yield "  </div>\n"


def _element(element: Element, path: str, indent: int) -> str:
    tag, kind, short = _TAGS[element.level]
    title = "; ".join(_properties(element)) or None
    opening = f'<{tag} class="{kind}"{attributes(id=f"{short}_{path}", title=title)}>'
    if element.level is Level.WORD:
        return f"{opening}{xml_text(element.text)}</{tag}>"
    children = [_element(child, f"{path}_{index}", indent + 1) for index, child in enumerate(element.children, 1)]
    margin = " " * indent
    if element.level is Level.LINE:
        return f"{margin}{opening}{' '.join(children)}</{tag}>\n"
    return f"{margin}{opening}\n{''.join(children)}{margin}</{tag}>\n"


def _properties(element: Element) -> Iterator[str]:
    box = element.box
    if box is not None:
        left, top, right, bottom = _bounds(box)
        yield f"bbox {left} {top} {right} {bottom}"
        if box.angle:  # our angles are clockwise, hOCR's are counter-clockwise
            yield f"textangle {-box.angle:g}"
            yield "poly " + " ".join(f"{round(x)} {round(y)}" for x, y in box.corners())
        baseline = baseline_of(element) if element.level is Level.LINE and not box.angle else None
        if baseline is not None:
            slope, height = baseline
            yield f"baseline {slope:.4f} {height + slope * left - bottom:.1f}"
    if element.confidence is not None and element.level in (Level.LINE, Level.WORD):
        yield f"x_wconf {round(element.confidence)}"


def _bounds(box: Box) -> tuple[int, int, int, int]:
    """Return whole pixels around a box, at least one each way."""
    around = upright(box)
    left, top = math.floor(around.left), math.floor(around.top)
    return left, top, max(left + 1, math.ceil(around.right)), max(top + 1, math.ceil(around.bottom))


def _quotable(name: str) -> str:
    """Escape a name so that it does not end its quotes or, for readers that split at semicolons, its property."""
    return name.replace("%", "%25").replace('"', "%22").replace(";", "%3B").replace("\\", "%5C")
