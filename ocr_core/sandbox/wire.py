"""The frames that parent and child exchange: two lengths, a JSON header, raw bytes. Standard library only."""

from __future__ import annotations

import json
import struct
from typing import Any

FRAME = struct.Struct("!II")
"""Size of the header and of the blob, in bytes."""

HEADER_MOST = 64 << 20
BLOB_MOST = 256 << 20


def pack(header: dict[str, Any], blob: bytes) -> bytes:
    """Return one frame.

    Raises:
        ValueError: If it is larger than a reader accepts, or the header holds an infinite number or NaN.
        TypeError: If the header cannot be written as JSON.
    """
    text = json.dumps(header, allow_nan=False).encode("ascii")
    if len(text) > HEADER_MOST or len(blob) > BLOB_MOST:
        raise ValueError(f"a frame of {len(text)} + {len(blob)} bytes is too large")
    return FRAME.pack(len(text), len(blob)) + text + blob
