"""Whether the code of a picture breaks off. Decoders fill the rest with one colour and do not report it."""

from __future__ import annotations

import io
import struct

_JPEG_END = b"\xff\xd9"
_JPEG_TAIL = 1024
"""Bytes in which the end of a JPEG is searched; some writers add bytes after it."""
_PADDING = bytes(64)
"""Makes Pillow accept a JPEG that only lacks its end; it still rejects one that lacks more."""

_FAX_TAIL = 32
"""Bytes at the end of fax code that are looked at."""
_FAX_END = "000000000001"
"""The code for the end of a line; after the last line it is repeated."""
_LONGEST_ROW = 40
"""Bits; no row of one colour up to 5,000 pixels has a longer code."""

_JBIG2_UNKNOWN = 0xFFFFFFFF
_JBIG2_SPARE = 2
"""Bytes after the last segment: a PDF may end its stream with a line break."""


def is_whole_jpeg(data: bytes) -> bool:
    """Return whether a JPEG has all of its picture."""
    from PIL import Image

    if _JPEG_END in data[-_JPEG_TAIL:]:
        return True
    try:
        Image.open(io.BytesIO(data + _PADDING), formats=["JPEG"]).load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def is_whole_fax(data: bytes) -> bool:
    """Return whether CCITT code ends as it does after rows of one colour: with their code repeated, or an end mark.

    Args:
        data: Code of a picture whose last rows look as if they had one colour.
    """
    tail = data[-_FAX_TAIL:]
    bits = f"{int.from_bytes(tail, 'big'):0{8 * len(tail)}b}".rstrip("0")
    if _FAX_END in bits:
        return True
    seen = bits[-2 * _LONGEST_ROW :]
    return any(seen[row:] == seen[:-row] for row in range(1, min(_LONGEST_ROW, len(seen) // 2) + 1))


def is_whole_jbig2(data: bytes) -> bool:
    """Return whether every segment of an embedded JBIG2 stream has the length that its header states."""
    place = 0
    while len(data) - place > _JBIG2_SPARE:
        try:
            start, length = _jbig2_segment(data, place)
        except (struct.error, IndexError):
            return False
        if length == _JBIG2_UNKNOWN:
            return True
        place = start + length
    return place <= len(data)


def _jbig2_segment(data: bytes, place: int) -> tuple[int, int]:
    """Return where the data of the segment at `place` starts, and its length.

    Raises:
        struct.error: If the header breaks off; or IndexError.
    """
    number, flags = struct.unpack_from(">IB", data, place)
    place += 5
    references = data[place] >> 5
    if references == 7:
        (references,) = struct.unpack_from(">I", data, place)
        references &= 0x1FFFFFFF
        place += 4 + (references + 8) // 8
    else:
        place += 1
    place += references * (1 if number <= 256 else 2 if number <= 65536 else 4)
    place += 4 if flags & 0x40 else 1
    (length,) = struct.unpack_from(">I", data, place)
    return place + 4, length
