"""The first bytes of a file decide its format; its name does not."""

from __future__ import annotations

import re
from pathlib import Path

from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.options.limits import LimitOptions

HEAD_BYTES = 1024
"""Number of bytes that decide a file's format; readers accept a PDF header anywhere in them."""

READ = "PDF, TIFF, PNG, JPEG, JPEG 2000, HEIF, AVIF, WebP, GIF, BMP or PNM"
"""The supported formats, as messages name them."""

_SUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00\x08\x00\x00\x00", "tiff"),
    (b"MM\x00+\x00\x08\x00\x00", "tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)

_SUPPORTED_PATTERNS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "webp"),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL), "bmp"),
    (re.compile(rb"P[1-6](?:(?:\s|#[^\n]*\n)+\d+){2}\s"), "pnm"),
)
"""Formats whose first two letters would match too many other files: the bytes after them must match as well."""

_BRANDS: tuple[tuple[frozenset[bytes], str], ...] = (
    (frozenset((b"avif", b"avis")), "avif"),
    (frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")), "heif"),
)
"""Brands of HEIF files; `mif1` only says that there is a still picture, whatever its codec."""

_KNOWN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive (or an Office or OpenDocument file)"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (4, b"ftyp", "an MP4 or QuickTime file"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL codestream"),
    (0, b"BLP", "a BLP texture"),
    (0, b"8BPS", "a Photoshop image"),
    (0, b"\x97JB2", "a JBIG2 image"),
    (0, b"AT&TFORM", "a DjVu document; convert it to PDF (`ddjvu -format=pdf FILE.djvu FILE.pdf`)"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office file"),
    (0, b"\x1f\x8b", "gzip data"),
    (0, b"BZh", "bzip2 data"),
    (0, b"\xfd7zXZ", "xz data"),
    (0, b"\x28\xb5\x2f\xfd", "zstandard data"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (128, b"DICM", "a DICOM file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a Windows program"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"SQLite format 3", "an SQLite database"),
    (0, b"<?xml", "an XML file"),
    (0, b"<!DOCTYPE", "an HTML file"),
    (0, b"<html", "an HTML file"),
)


def identify(head: bytes) -> str:
    """Return the format of a file that starts with `head`.

    Args:
        head: The first `HEAD_BYTES` bytes, or the whole file if it is shorter.

    Returns:
        `pdf`, `tiff`, `png`, `jpeg`, `jpeg2000`, `heif`, `avif`, `webp`, `gif`, `bmp` or `pnm`.

    Raises:
        DocumentError: `empty` for no bytes, `unsupported` (saying what it seems to be) for any other format.
    """
    if not head:
        raise DocumentError(FailureKind.EMPTY, "the file has 0 bytes")
    for magic, name in _SUPPORTED:
        if head.startswith(magic):
            return name
    for pattern, name in _SUPPORTED_PATTERNS:
        if pattern.match(head):
            return name
    for brands, name in _BRANDS:
        if brands & _brands_of(head):
            return name
    for offset, magic, meaning in _KNOWN:
        if head[offset : offset + len(magic)] == magic:
            raise _unsupported(f"it is {meaning}")
    if b"%PDF-" in head[:HEAD_BYTES]:
        return "pdf"
    raise _unsupported("it seems to be plain text" if _is_text(head) else f"it starts with {head[:8].hex(' ')}")


def sniff(path: str | Path, limits: LimitOptions | None = None) -> str:
    """Return the format of a file on disk.

    Args:
        path: The file.
        limits: Only `max_file_mb` is checked.

    Returns:
        `pdf`, `tiff`, `png`, `jpeg`, `jpeg2000`, `heif`, `avif`, `webp`, `gif`, `bmp` or `pnm`.

    Raises:
        DocumentError: `empty`, `unsupported`, `limit` (too large), or `unreadable` when it cannot be opened.
    """
    largest = (limits or LimitOptions()).max_file_mb
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            size = file.seek(0, 2)
    except OSError as error:
        raise DocumentError(FailureKind.UNREADABLE, f"cannot be read: {error.strerror or error}") from error
    if size > largest << 20:
        raise DocumentError(
            FailureKind.LIMIT,
            f"the file has {size / 2**20:.1f} MiB; files over {largest} MiB are not read (max_file_mb)",
        )
    return identify(head)


def _brands_of(head: bytes) -> set[bytes]:
    """Return the brands of a file that starts with an `ftyp` box; none for any other file."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[: int.from_bytes(head[:4], "big")]
    return {box[8:12], *(box[start : start + 4] for start in range(16, len(box) - 3, 4))}


def _unsupported(seen: str) -> DocumentError:
    return DocumentError(FailureKind.UNSUPPORTED, f"not a {READ}: {seen}")


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 for byte in head)
