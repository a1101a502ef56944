"""PDFs with more than pages in them: forms, annotations, embedded files, layers and broken pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String

TEXT = b"BT /F1 18 Tf 60 760 Td (Account statement 12 of March) Tj ET\n"
SIZE = (595, 842)


def new_pdf(content: bytes = TEXT, **resources: Any) -> pikepdf.Pdf:
    """Return a PDF with one A4 page; `/F1` is Helvetica."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=SIZE)
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    page.obj.Resources = Dictionary(Font=Dictionary(F1=pdf.make_indirect(font)), **resources)
    page.obj.Contents = pdf.make_stream(content)
    return pdf


def appearance(pdf: pikepdf.Pdf, text: str) -> Stream:
    """Return an appearance stream of 300 x 24 points that shows a line of text."""
    shown = Stream(pdf, f"BT /F1 16 Tf 2 6 Td ({text}) Tj ET".encode())
    shown.Type, shown.Subtype, shown.BBox = Name.XObject, Name.Form, Array([0, 0, 300, 24])
    shown.Resources = Dictionary(Font=Dictionary(F1=pdf.pages[0].obj.Resources.Font.F1))
    return shown


def annotate(pdf: pikepdf.Pdf, subtype: str, top: int, shown: str | None = None, **entries: Any) -> pikepdf.Object:
    """Add an annotation of 300 x 24 points to the first page, with an appearance if it shows something.

    Args:
        pdf: The PDF.
        subtype: Such as `Stamp`.
        top: Distance of its lower edge from the page's lower edge, points.
        shown: The text of its appearance.
        entries: Further entries of its dictionary.
    """
    annotation = Dictionary(Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=[60, top, 360, top + 24], **entries)
    if shown is not None:
        annotation.AP = Dictionary(N=appearance(pdf, shown))
    added = pdf.make_indirect(annotation)
    page = pdf.pages[0].obj
    page.Annots = Array([*(page.get("/Annots") or ()), added])
    return added


def add_field(pdf: pikepdf.Pdf, name: str, value: str, top: int, shown: str | None = None, **entries: Any) -> None:
    """Add a text field to the first page."""
    look = String("/F1 16 Tf 0 g")
    field = annotate(pdf, "Widget", top, shown, FT=Name.Tx, T=String(name), V=String(value), DA=look, **entries)
    if "/AcroForm" not in pdf.Root:
        fonts = Dictionary(F1=pdf.pages[0].obj.Resources.Font.F1)
        pdf.Root.AcroForm = Dictionary(Fields=Array(), DA=look, DR=Dictionary(Font=fonts))
    pdf.Root.AcroForm.Fields.append(field)


def file_specification(pdf: pikepdf.Pdf, name: str) -> pikepdf.Object:
    """Return the specification of an embedded file."""
    embedded = pdf.make_indirect(Stream(pdf, f"content of {name}".encode()))
    return pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String(name), EF=Dictionary(F=embedded)))


def embed(pdf: pikepdf.Pdf, specifications: Sequence[pikepdf.Object]) -> None:
    """Put embedded files into the document's name tree."""
    names = [entry for each in specifications for entry in (each.F, each)]
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array(names)))


def only_attachment_encrypted(path: Path, *, version: int) -> Path:
    """Write a PDF that any reader opens, with one attachment that needs a password.

    Args:
        path: Where to write it.
        version: Of the encryption: 4 (AES-128) or 5 (AES-256).
    """
    pdf = new_pdf()
    embed(pdf, [file_specification(pdf, "data.xml")])
    method, length = {4: (Name.AESV2, 16), 5: (Name.AESV3, 32)}[version]
    crypt = Dictionary(Type=Name.CryptFilter, CFM=method, AuthEvent=Name.EFOpen, Length=length)
    entries = Dictionary(
        Filter=Name.Standard, V=version, R=4 if version == 4 else 6, Length=8 * length, P=-1052,
        CF=Dictionary(StdCF=crypt), StmF=Name.Identity, StrF=Name.Identity, EFF=Name.StdCF, EncryptMetadata=False,
        O=String(b"\1" * (32 if version == 4 else 48)), U=String(b"\2" * (32 if version == 4 else 48)),
    )  # fmt: skip
    if version == 5:
        entries.OE, entries.UE, entries.Perms = String(b"\3" * 32), String(b"\4" * 32), String(b"\5" * 16)
    pdf.Root.Held = pdf.make_indirect(entries)
    pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pikepdf.open(path) as saved:
        number, _ = saved.Root.Held.objgen
    path.write_bytes(path.read_bytes().replace(b"trailer <<", b"trailer << /Encrypt %d 0 R " % number))
    return path


def xfa_pdf(path: Path, words: str, *, dynamic: bool, fields: bool = False) -> Path:
    """Write an XFA form.

    Args:
        path: Where to write it.
        words: What its page shows.
        dynamic: Whether its pages are made by XFA alone.
        fields: Whether its page has a filled field.
    """
    pdf = new_pdf(f"BT /F1 14 Tf 60 700 Td ({words}) Tj ET".encode())
    if fields:
        add_field(pdf, "name", "Halvorsen", 600, "Halvorsen", F=4)
    else:
        pdf.Root.AcroForm = Dictionary(Fields=Array())
    pdf.Root.AcroForm.XFA = Stream(pdf, b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    if dynamic:
        pdf.Root.NeedsRendering = True
    pdf.save(path)
    return path


def picture(pdf: pikepdf.Pdf, data: bytes, size: tuple[int, int], filter_name: str | None, **entries: Any) -> Stream:
    """Return a gray picture, 8 bits deep unless `entries` say otherwise."""
    made = Stream(pdf, data)
    made.Type, made.Subtype, made.ColorSpace, made.BitsPerComponent = Name.XObject, Name.Image, Name.DeviceGray, 8
    made.Width, made.Height = size
    if filter_name:
        made.Filter = Name(f"/{filter_name}")
    for key, value in entries.items():
        made[f"/{key}"] = value
    return made


def picture_page(path: Path, made: dict[str, Any], content: bytes) -> Path:
    """Write a page that draws the picture `/Im0`, made of the arguments of `picture`."""
    pdf = new_pdf(content)
    pdf.pages[0].obj.Resources.XObject = Dictionary(Im0=picture(pdf, **made))
    pdf.save(path, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return path
