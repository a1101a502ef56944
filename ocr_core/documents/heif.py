"""HEIF pictures (HEIC, the format of phones) through pillow-heif, which is an extra."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.installation import install_command, missing_modules

_ORIENTATION = 0x0112
_TURNS = (b"irot", b"imir")
"""Properties by which a HEIF file says how it is turned; a decoder applies them, and EXIF only repeats them."""
_PROPERTIES_MOST = 1 << 20
"""Bytes at the start of a file that are searched for properties: they come before the pictures' data."""


def require_heif() -> None:
    """Check that HEIF pictures can be read here.

    Raises:
        DocumentError: `unsupported`, with the command that installs what is missing.
    """
    if missing_modules("heif"):
        raise DocumentError(
            FailureKind.UNSUPPORTED,
            "it is a HEIF (HEIC) image, which needs a package that is not installed where pages are read: run "
            f"`{install_command('heif')}` there and retry, or convert the file to JPEG",
        )


def open_heif(path: Path) -> Image.Image:
    """Open the primary picture of a HEIF file, without decoding it.

    The picture's EXIF data has the orientation that is left to be applied: none, unless only EXIF states one.
    """
    from pillow_heif import register_heif_opener

    register_heif_opener()
    image = Image.open(path, formats=["HEIF"])
    with path.open("rb") as file:
        start = file.read(_PROPERTIES_MOST)
    orientation = image.info.get("original_orientation")
    if orientation and not any(turn in start for turn in _TURNS):
        image.getexif()[_ORIENTATION] = orientation
    return image
