"""The size that an image's header states, read without a decoder.

Pillow's decoders of these formats allocate memory for the whole picture when they are opened (WebP, GIF), decode at
another size than Pillow reports (a JPEG 2000 file states its size twice), or do not report that there is more than
one picture (PNM). So the pixel budget is checked against the size read here, before Pillow opens the file.

imagesize 2.0 cannot take this over: it returns a GIF's canvas, which the first frame may exceed, and the first of the
two sizes of a JPEG 2000 file, which decoders ignore; and it counts no frames.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inkstream.ocr_core.errors import DocumentError, FailureKind

_JP2 = b"\x00\x00\x00\x0cjP  "
_MOST_COMPONENTS = 4

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P([1-6])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})")
_PNM_DEPTH = re.compile(_SPACE + rb"(\d{1,5})")
_PNM_HEADER_MOST = 4096
"""Bytes that are searched for a PNM header; only comments can make it long."""


@dataclass(frozen=True, slots=True)
class Header:
    """The stated size of a file's first picture.

    Attributes:
        width: Pixels that a decoder allocates.
        height: Pixels.
        frames: Pictures in the file, at least 1.
    """

    width: int
    height: int
    frames: int = 1


def read_header(path: Path, kind: str) -> Header | None:
    """Return the header of a GIF, WebP, JPEG 2000 or PNM file; None for a `kind` whose decoder is safe to open.

    Raises:
        DocumentError: `corrupt` if the header is damaged, `unsupported` if no decoder here can read the picture.
    """
    read = _READERS.get(kind)
    if read is None:
        return None
    with open(path, "rb") as file:
        try:
            return read(file)
        except (struct.error, IndexError, OverflowError) as error:
            raise _damaged("its header ends too soon") from error


def _gif(file: BinaryIO) -> Header:
    """Walk the blocks of GIF89a and count the frames; the canvas grows to hold the first one, as in Pillow."""
    width, height, flags = struct.unpack("<6xHHB2x", file.read(13))
    _skip_colours(file, flags)
    frames = 0
    while (label := file.read(1)) not in (b"", b";"):
        if label == b"!":
            file.seek(1, 1)
        elif label == b",":
            left, top, across, down, flags = struct.unpack("<HHHHB", file.read(9))
            if not frames:
                width, height = max(width, left + across), max(height, top + down)
            frames += 1
            _skip_colours(file, flags)
            file.seek(1, 1)
        else:
            continue
        while length := file.read(1)[:1]:
            if length == b"\0":
                break
            file.seek(length[0], 1)
    if not frames:
        raise _damaged("there is no picture in it")
    return Header(width, height, frames)


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), 1)


def _webp(file: BinaryIO) -> Header:
    """Read the canvas of the extended format, or the size in the first bytes of the one bitstream."""
    size: tuple[int, int] | None = None
    frames = 0
    file.seek(12)
    for name, start, _ in _chunks(file):
        if name == b"ANMF":
            frames += 1
        elif size is None and name == b"VP8X":
            size = _webp_canvas(file.read(10))
        elif size is None and name == b"VP8 ":
            width, height = struct.unpack("<6xHH", file.read(10))
            size = width & 0x3FFF, height & 0x3FFF
        elif size is None and name == b"VP8L":
            (bits,) = struct.unpack("<xI", file.read(5))
            size = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        file.seek(start)
    if size is None:
        raise _damaged("there is no picture in it")
    return Header(*size, max(frames, 1))


def _webp_canvas(body: bytes) -> tuple[int, int]:
    return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and length of each RIFF chunk from here on; the caller must seek back to that start."""
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        start = file.tell()
        yield name, start, length
        file.seek(start + length + (length & 1))


def _jpeg2000(file: BinaryIO) -> Header:
    """Return the larger of the sizes in container and codestream: Pillow believes one, OpenJPEG the other."""
    if file.read(8)[: len(_JP2)] != _JP2:
        file.seek(0)
        return _codestream(file)
    container: tuple[int, int] | None = None
    file.seek(0)
    for name, start in _boxes(file):
        if name == b"jp2h" and container is None:
            container = _image_header(file, start)
        if name == b"jp2c":
            inside = _codestream(file)
            width, height = container or (0, 0)
            return Header(max(width, inside.width), max(height, inside.height))
        file.seek(start)
    raise _damaged("there is no picture in it")


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield name and start of each JP2 box from here on; the caller must seek back to that start."""
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            header = 16
        start = file.tell()
        yield name, start
        if length < header:
            return  # length 0: this box reaches to the end of the file
        file.seek(start + length - header)


def _image_header(file: BinaryIO, start: int) -> tuple[int, int] | None:
    """Return the size in a `jp2h` box, whose first box must be `ihdr`."""
    length, name, height, width = struct.unpack(">I4sII", file.read(16))
    file.seek(start)
    return (width, height) if name == b"ihdr" and length else None


def _codestream(file: BinaryIO) -> Header:
    start, _, _, right, bottom, left, top, components = struct.unpack(">IHHIIII16xH", file.read(42))
    if start != 0xFF4FFF51:
        raise _damaged("there is no JPEG 2000 codestream in it")
    if components > _MOST_COMPONENTS:
        raise DocumentError(FailureKind.UNSUPPORTED, f"a JPEG 2000 image with {components} channels is not read")
    return Header(right - left, bottom - top)


def _pnm(file: BinaryIO) -> Header:
    """Count the pictures of a raw PNM file, which may hold several; a plain one holds a single picture."""
    first: Header | None = None
    frames = start = 0
    while header := _PNM.match(head := file.read(_PNM_HEADER_MOST)):
        kind, width, height = header[1], int(header[2]), int(header[3])
        first = first or Header(width, height)
        frames += 1
        if kind in b"123":
            break
        depth = None if kind == b"4" else _PNM_DEPTH.match(head, header.end())
        row = (width + 7) // 8 if kind == b"4" else width * (3 if kind == b"6" else 1)
        bytes_per_sample = 2 if depth and int(depth[1]) > 255 else 1
        start += (depth or header).end() + 1 + row * height * bytes_per_sample
        file.seek(start)
    if first is None:
        raise _damaged("its header cannot be read")
    return Header(first.width, first.height, frames)


def _damaged(why: str) -> DocumentError:
    return DocumentError(FailureKind.CORRUPT, f"the image is damaged: {why}")


_READERS: dict[str, Callable[[BinaryIO], Header]] = {"gif": _gif, "webp": _webp, "jpeg2000": _jpeg2000, "pnm": _pnm}
