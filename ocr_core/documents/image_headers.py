"""What the header of an image claims, read without a decoder.

Pillow's decoders of these formats take memory for the whole picture as soon as they are opened (WebP, GIF), decode by
another size than the one Pillow reports (a JPEG 2000 file says its size twice), or do not say that there is more than
one picture (PNM). So the pixel budget is held against what is read here, before Pillow sees the file.
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
"""Bytes in which a PNM header is looked for; only its comments can make it long."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first picture of a file claims to be.

    Attributes:
        width: Pixels a decoder makes room for.
        height: Pixels.
        frames: Pictures in the file, at least 1.
    """

    width: int
    height: int
    frames: int = 1


def read_header(path: Path, kind: str) -> Header | None:
    """Reads the header of a GIF, WebP, JPEG 2000 or PNM file; None for a `kind` whose decoder may be asked.

    Raises:
        DocumentError: `corrupt` when there is no sound header, `unsupported` for a picture no decoder here knows.
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
    """Walks the blocks of GIF89a; the canvas grows to hold the first frame, as in Pillow."""
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
    """Reads the canvas of the extended format, or the size in the first bytes of the one bitstream."""
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
    """Yields name, start and length of each RIFF chunk from here; the caller goes back to the start it was given."""
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        start = file.tell()
        yield name, start, length
        file.seek(start + length + (length & 1))


def _jpeg2000(file: BinaryIO) -> Header:
    """Takes the larger of what the container and the codestream say: Pillow believes one, OpenJPEG the other."""
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
    """Yields name and start of each JP2 box from here; the caller goes back to the start it was given."""
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            header = 16
        start = file.tell()
        yield name, start
        if length < header:
            return  # 0: this one reaches to the end of the file
        file.seek(start + length - header)


def _image_header(file: BinaryIO, start: int) -> tuple[int, int] | None:
    """Returns the size in a `jp2h` box; its `ihdr` is required to be the first one in it."""
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
    """Counts the pictures of a raw PNM, which may follow each other; a plain one has a single picture."""
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
        bytes_a_sample = 2 if depth and int(depth[1]) > 255 else 1
        start += (depth or header).end() + 1 + row * height * bytes_a_sample
        file.seek(start)
    if first is None:
        raise _damaged("its header cannot be read")
    return Header(first.width, first.height, frames)


def _damaged(why: str) -> DocumentError:
    return DocumentError(FailureKind.CORRUPT, f"the image is damaged: {why}")


_READERS: dict[str, Callable[[BinaryIO], Header]] = {"gif": _gif, "webp": _webp, "jpeg2000": _jpeg2000, "pnm": _pnm}
