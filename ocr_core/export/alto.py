"""Results as ALTO 4.4, the libraries' XML format: https://www.loc.gov/standards/alto/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inkstream.ocr_core.export.strips import baseline_of
from inkstream.ocr_core.export.tree import Element, page_tree, upright
from inkstream.ocr_core.export.xml_text import attributes, software, xml_comment, xml_text
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level, PageResult

VERSION = "4.4"

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" \
SCHEMAVERSION="{schema}">
 <Description>
  <MeasurementUnit>pixel</MeasurementUnit>
  <sourceImageInformation><fileName>{name}</fileName></sourceImageInformation>
  <Processing ID="processing">
   <processingCategory>contentGeneration</processingCategory>
   <processingSoftware>
    <softwareName>{software}</softwareName>
    <softwareVersion>{version}</softwareVersion>
   </processingSoftware>
  </Processing>
 </Description>
 <Layout>
"""


def alto(pages: Iterable[PageResult], name: str) -> str:
    """Return a document's pages as one ALTO file: blocks are `ComposedBlock`s, paragraphs `TextBlock`s.

    Elements without a box of their own (see `page_tree`) have no position. A page that failed is an empty `Page` with
    the reason in `QUALITY_DETAIL` and a comment. Detected areas that were not read are blocks without lines.

    Args:
        pages: In order, at least one.
        name: The document's name, for `fileName`.
    """
    made_by, version = software()
    parts = [_HEAD.format(schema=VERSION, name=xml_text(name), software=made_by, version=xml_text(version))]
    for position, page in enumerate(pages):
        parts += _page(page, position)
    parts.append(" </Layout>\n</alto>\n")
    return "".join(parts)


def _page(page: PageResult, position: int) -> Iterator[str]:
    number = (position if page.pagenum is None else page.pagenum) + 1
    failure = page.failure and f"could not be read: {page.failure.kind}: {page.failure.message}"
    opening = attributes(
        ID=f"page_{number}",
        PHYSICAL_IMG_NR=number,
        WIDTH=page.width,
        HEIGHT=page.height,
        PC=_share(page.confidence),
        QUALITY_DETAIL=failure,
        PROCESSINGREFS="processing",
    )
    yield f"  <Page{opening}>\n"
    if failure:
        yield f"   {xml_comment(f'page {number} {failure}')}\n"
    size = attributes(HPOS=0, VPOS=0, WIDTH=page.width, HEIGHT=page.height) if page.width else ""
    yield f"   <PrintSpace{size}>\n"
    for index, block in enumerate(page_tree(page), 1):
        yield from _block("ComposedBlock", block, f"block_{number}_{index}", 4)
    yield "   </PrintSpace>\n  </Page>\n"


def _block(tag: str, element: Element, identity: str, indent: int) -> Iterator[str]:
    """Yield a block or a paragraph. ALTO's rotation is counter-clockwise, and only blocks have it."""
    margin = " " * indent
    angle = element.box.angle if element.box else 0.0
    rotation = attributes(ROTATION=float(-angle)) if angle else ""
    yield f"{margin}<{tag}{attributes(ID=identity)}{_position(element.box)}{rotation}>{_shape(element.box)}\n"
    for index, child in enumerate(element.children, 1):
        if element.level is Level.BLOCK:
            paragraph = identity.replace("block", "par", 1)
            yield from _block("TextBlock", child, f"{paragraph}_{index}", indent + 1)
        elif any(word.text for word in child.children):
            yield _line(child, f"{identity.replace('par', 'line', 1)}_{index}", indent + 1)
    yield f"{margin}</{tag}>\n"


def _line(element: Element, identity: str, indent: int) -> str:
    words = [word for word in element.children if word.text]
    inner = f"{' ' * (indent + 1)}<SP/>\n".join(
        _word(word, f"{identity.replace('line', 'word', 1)}_{index}", indent + 1) for index, word in enumerate(words, 1)
    )
    opening = attributes(ID=identity) + _position(element.box) + attributes(BASELINE=_baseline(element))
    return f"{' ' * indent}<TextLine{opening}>{_shape(element.box)}\n{inner}{' ' * indent}</TextLine>\n"


def _word(element: Element, identity: str, indent: int) -> str:
    opening = attributes(ID=identity) + _position(element.box)
    opening += attributes(CONTENT=element.text, WC=_share(element.confidence))
    shape = _shape(element.box)
    ending = f">{shape}</String>" if shape else "/>"
    return f"{' ' * indent}<String{opening}{ending}\n"


def _position(box: Box | None) -> str:
    if box is None:
        return ""
    around = upright(box)
    return attributes(
        HPOS=float(around.left), VPOS=float(around.top), WIDTH=float(around.width), HEIGHT=float(around.height)
    )


def _shape(box: Box | None) -> str:
    if box is None or not box.angle:
        return ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in box.corners())
    return f"<Shape><Polygon{attributes(POINTS=points)}/></Shape>"


def _baseline(line: Element) -> str | None:
    """Return the two ends of a line's baseline, as points."""
    found = baseline_of(line)
    if found is None or line.box is None:
        return None
    slope, height = found
    return " ".join(f"{x:.1f},{height + slope * x:.1f}" for x in (line.box.left, line.box.right))


def _share(confidence: float | None) -> float | None:
    """Return a confidence of 0-100 as ALTO's 0 to 1."""
    return None if confidence is None else round(min(max(confidence / 100, 0.0), 1.0), 4)
