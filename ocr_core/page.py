"""Pages, their regions and their results: the data that passes between all parts.

A *file* has *pages*; a page has *regions* at four levels (block, paragraph, line, word). Coordinates are
pixels of the rendered page at its recorded resolution (dpi), origin top left. Confidence is 0-100 everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.geometry import Box


class Level(StrEnum):
    """How coarse a region is, coarsest first."""

    BLOCK = "block"
    PARAGRAPH = "paragraph"
    LINE = "line"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Region:
    """An area of a page, perhaps with the text read in it.

    Attributes:
        index: Position in the page's list of regions, which is in reading order, parents before children.
        parent: `index` of the enclosing region, or None at the top.
        level: How coarse the area is.
        box: Where it is.
        text: What was read, or None where nothing was recognised (a detected region).
        confidence: 0-100, or None where nothing was recognised.
        engine: What found or read it: `tesseract`, `text_layer`, ...
    """

    index: int
    parent: int | None
    level: Level
    box: Box
    text: str | None
    confidence: float | None
    engine: str

    @property
    def is_space(self) -> bool:
        """Whether it is a space between two words (`recognize.with_spaces`), not a word."""
        return self.level is Level.WORD and self.text == " "

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON can carry them."""
        return {
            "index": self.index,
            "parent": self.parent,
            "level": self.level.value,
            "box": self.box.to_dict(),
            "text": self.text,
            "confidence": self.confidence,
            "engine": self.engine,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned.

        Raises:
            ValueError: If it is something else; or TypeError, or KeyError.
        """
        return cls(
            values["index"],
            values["parent"],
            Level(values["level"]),
            Box.from_dict(values["box"]),
            values["text"],
            values["confidence"],
            values["engine"],
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engine's reading of a line.

    Attributes:
        engine: What read it.
        text: What it read.
        confidence: 0-100.
    """

    engine: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What routing decided about one line that the first engine was not sure of.

    Attributes:
        region: `index` of the line among the page's regions; None where the line left no region.
        kept: The engine whose reading was kept; None where neither read anything.
        reason: Why a second engine was asked.
        candidates: The readings it had to choose from.
    """

    region: int | None
    kept: str | None
    reason: str
    candidates: tuple[Candidate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON can carry them."""
        return {
            "region": self.region,
            "kept": self.kept,
            "reason": self.reason,
            "candidates": [{"engine": c.engine, "text": c.text, "confidence": c.confidence} for c in self.candidates],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned.

        Raises:
            ValueError: If it is something else; or TypeError, or KeyError.
        """
        region, kept = values["region"], values["kept"]
        if not isinstance(region, int | None) or not isinstance(kept, str | None):
            raise TypeError(f"not a decision: {values!r}")
        candidates = tuple(
            Candidate(str(each["engine"]), str(each["text"]), float(each["confidence"]))
            for each in values["candidates"]
        )
        return cls(region, kept, str(values["reason"]), candidates)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page has no text: a fault of the document, as data."""

    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """The format and size of a file, as a probe finds them.

    Attributes:
        format: `pdf`, `tiff`, `png`, `jpeg`, `jpeg2000`, `heif`, `avif`, `webp`, `gif`, `bmp` or `pnm`, by magic bytes.
        pages: Number of pages, at least 1.
        notes: What a reader of its pages should know, such as that it was repaired.
    """

    format: str
    pages: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageResult:
    """One planned page's outcome: text, or the failure that took its place.

    Attributes:
        pagenum: 0-based; None for the one result of a file whose pages cannot be counted, or of which no page is
            selected.
        total_pages: Pages in the file; None when they cannot be counted.
        text: The page's text (`""` for a blank page); None when it failed.
        confidence: Mean over words, 0-100; None when there are no words.
        regions: In reading order, parents before children.
        width: Rendered page width in pixels; None when it was never rendered.
        height: Rendered page height in pixels.
        resolution: dpi of the coordinates; lower than requested if the page would exceed the pixel budget.
        engine: What produced the text.
        processing_ms: Wall time spent on this page.
        failure: Why there is no text, or None.
        overlay: The encoded picture with regions drawn, or None.
        overlay_format: `jpeg`, `png` or `webp`, with `overlay`.
        notes: Remarks that are not failures: `first of 12 frames`, `repaired with qpdf`.
        routing: What was decided about lines that the first engine was not sure of.
    """

    pagenum: int | None
    total_pages: int | None
    text: str | None = None
    confidence: float | None = None
    regions: tuple[Region, ...] = ()
    width: int | None = None
    height: int | None = None
    resolution: int | None = None
    engine: str | None = None
    processing_ms: float = 0.0
    failure: Failure | None = None
    overlay: bytes | None = None
    overlay_format: str | None = None
    notes: tuple[str, ...] = ()
    routing: tuple[Decision, ...] = ()

    def to_wire(self) -> tuple[dict[str, Any], bytes]:
        """Return a dict that JSON can hold and the overlay's bytes, as the sandbox sends them."""
        fields = {name: getattr(self, name) for name in PLAIN_FIELDS}
        fields["overlay_format"] = self.overlay_format
        fields["regions"] = [region.to_dict() for region in self.regions]
        fields["notes"] = list(self.notes)
        fields["routing"] = [decision.to_dict() for decision in self.routing]
        fields["failure"] = [self.failure.kind, self.failure.message] if self.failure else None
        return fields, self.overlay or b""

    @classmethod
    def from_wire(cls, fields: dict[str, Any], overlay: bytes) -> Self:
        """Rebuild what `to_wire` returned; raise ValueError, TypeError or KeyError for anything else."""
        plain = {name: fields[name] for name in (*PLAIN_FIELDS, "overlay_format")}
        failure = fields["failure"]
        return cls(
            **plain,
            regions=tuple(Region.from_dict(region) for region in fields["regions"]),
            failure=Failure(FailureKind(failure[0]), str(failure[1])) if failure else None,
            overlay=overlay or None,
            notes=tuple(fields["notes"]),
            routing=tuple(Decision.from_dict(decision) for decision in fields["routing"]),
        )


def nothing_selected(total_pages: int, selection: str | None) -> PageResult:
    """Return the one result of a file without selected pages: not a failure, and without a page number."""
    note = f"none of its {total_pages} pages is among those to read ({selection})"
    return PageResult(None, total_pages, text="", notes=(note,))


PLAIN_FIELDS = (
    "pagenum",
    "total_pages",
    "text",
    "confidence",
    "width",
    "height",
    "resolution",
    "engine",
    "processing_ms",
)
"""Fields of a `PageResult` that the sandbox sends unchanged, and that are columns of the table."""
