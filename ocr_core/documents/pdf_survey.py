"""What qpdf finds in a PDF that PDFium does not report: lost pages, embedded files, units, hidden annotations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf

_LEFT_OUT = "Pages tree includes"
"""Part of qpdf's warning about an object that it leaves out."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The findings of one walk through a PDF.

    Attributes:
        pages: Pages in the page tree, including damaged ones, whatever count the file states.
        embedded: Files embedded in the document. Files attached to an annotation are not counted.
        units: Size of a user space unit, in 1/72 inch, by 0-based page number; only where it is not 1.
        hidden: Positions in `/Annots` of the annotations in layers that are switched off, by 0-based page number.
    """

    pages: int
    embedded: int = 0
    units: Mapping[int, float] = field(default_factory=dict)
    hidden: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


def survey_of(pdf: pikepdf.Pdf) -> Survey:
    """Return what an open PDF holds. This takes about 15 microseconds per page.

    Raises:
        pikepdf.PdfError: If qpdf cannot read the page tree; or RuntimeError, or ValueError.
    """
    layers = _SwitchedOff(pdf)
    files, units, hidden = _Files(), {}, {}
    files.add(_in_name_tree(pdf))
    files.add(_associated(pdf.Root))
    for number, page in enumerate(pdf.pages):
        entries = page.obj
        if "/UserUnit" in entries and (unit := _unit(entries["/UserUnit"])) != 1:
            units[number] = unit
        if "/AF" in entries:
            files.add(_associated(entries))
        if layers and "/Annots" in entries and (places := tuple(layers.places(entries["/Annots"]))):
            hidden[number] = places
    return Survey(len(pdf.pages) + left_out(pdf), files.count, units, hidden)


def left_out(pdf: pikepdf.Pdf) -> int:
    """Count the objects that qpdf left out because they are not pages. It reports them once for each opened PDF."""
    return sum(_LEFT_OUT in warning for warning in pdf.get_warnings())


def _unit(value: Any) -> float:
    """Return the value of `/UserUnit`; 1 for one that is not a positive number."""
    try:
        unit = float(value)
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return unit if math.isfinite(unit) and unit > 0 else 1.0


class _Files:
    """A count of embedded files, each once although several places may name it."""

    def __init__(self) -> None:
        self.count = 0
        self._seen: set[tuple[int, int]] = set()

    def add(self, specifications: Iterable[Any]) -> None:
        """Count the files that these file specifications embed."""
        for specification in specifications:
            stream = _embedded_stream(specification)
            if stream is None or (stream.objgen in self._seen):
                continue
            self.count += 1
            if stream.objgen != (0, 0):
                self._seen.add(stream.objgen)


def _embedded_stream(specification: Any) -> Any:
    """Return the stream of an embedded file; None for a file outside the PDF and for anything else."""
    import pikepdf

    streams = _entries(_entries(specification).get("/EF"))
    return next((stream for _, stream in streams.items() if isinstance(stream, pikepdf.Stream)), None)


def _entries(value: Any) -> Mapping[str, Any]:
    """Return the entries of a dictionary; none for anything else."""
    import pikepdf

    return dict(value.items()) if isinstance(value, pikepdf.Dictionary) else {}


def _in_name_tree(pdf: pikepdf.Pdf) -> list[Any]:
    import pikepdf

    try:
        return list(pikepdf.NameTree(pdf.Root.Names.EmbeddedFiles).values())
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, pikepdf.PdfError):
        return []


def _associated(entries: Any) -> list[Any]:
    """Return the file specifications in `/AF`."""
    import pikepdf

    files = entries.get("/AF")
    return list(files.as_list()) if isinstance(files, pikepdf.Array) else []


class _SwitchedOff:
    """The layers (optional content groups) that a PDF's default configuration switches off; false if there are none.

    PDFium leaves out the content of such layers, but draws their annotations.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._off: set[tuple[int, int]] = set()
        properties = _entries(pdf.Root.get("/OCProperties"))
        default = _entries(properties.get("/D"))
        if str(default.get("/BaseState", "/ON")) == "/OFF":
            self._off = set(_groups(properties.get("/OCGs"))) - set(_groups(default.get("/ON")))
        self._off |= set(_groups(default.get("/OFF")))

    def __bool__(self) -> bool:
        return bool(self._off)

    def places(self, annotations: Any) -> Iterator[int]:
        """Yield the positions of annotations that are not visible."""
        import pikepdf

        if not isinstance(annotations, pikepdf.Array):
            return
        for place, annotation in enumerate(annotations.as_list()):
            if isinstance(annotation, pikepdf.Dictionary) and not self._shows(annotation.get("/OC")):
                yield place

    def _shows(self, content: Any) -> bool:
        """Return whether a group or a membership dictionary is visible."""
        import pikepdf

        if not isinstance(content, pikepdf.Dictionary):
            return True
        if str(content.get("/Type", "")) != "/OCMD":
            return content.objgen not in self._off
        members = content.get("/OCGs")
        listed = members if isinstance(members, pikepdf.Array) else [members]
        on = [group not in self._off for group in _groups(listed)]
        if not on:
            return True
        policy = str(content.get("/P", "/AnyOn"))
        return {"/AllOn": all(on), "/AnyOff": not all(on), "/AllOff": not any(on)}.get(policy, any(on))


def _groups(values: Any) -> list[tuple[int, int]]:
    """Return the object numbers of the groups in an array or a list; none for anything else."""
    import pikepdf

    listed = list(values.as_list()) if isinstance(values, pikepdf.Array) else values
    if not isinstance(listed, list):
        return []
    return [value.objgen for value in listed if isinstance(value, pikepdf.Dictionary)]
