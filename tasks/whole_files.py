"""Writes local files completely or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a hidden name and rename it: a reader sees the old file or the new one, never a part.

    A pipe or a device is written to directly. Missing folders are created.

    Raises:
        OSError: If the file cannot be written.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
