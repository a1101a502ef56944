"""Documents that cost a millisecond to read, so that a fault test can have a thousand of them."""

from __future__ import annotations

from collections.abc import Collection


def tiny_pdf(*pages: str, large: Collection[int] = ()) -> bytes:
    """Return a born-digital PDF with one short line of text per page, 400 x 144 points or, if large, 800 x 288."""
    font, tree = 3, 2
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for number, text in enumerate(pages):
        box = b"[0 0 800 288]" if number in large else b"[0 0 400 144]"
        stream = f"BT /F1 18 Tf 40 100 Td ({text}) Tj ET".encode("ascii")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox %b /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R >> >> >>" % (tree, box, len(objects), font)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[tree - 1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
