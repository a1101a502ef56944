"""Overlay pictures beside the table, under keys made of what they show.

The same page read by the same pipeline has the same key, so writing one twice is harmless, and so is one whose batch
was never committed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import fsspec


def overlay_key(content_hash: str, pagenum: int, pipeline_id: str, extension: str) -> str:
    """Returns the key of a page's overlay, relative to the sink: `overlays/ab/abcd….jpg`."""
    digest = hashlib.sha256(f"{content_hash}/{pagenum}/{pipeline_id}".encode()).hexdigest()[:40]
    return f"overlays/{digest[:2]}/{digest}.{extension}"


class OverlayStore:
    """Writes overlays under a sink.

    Args:
        sink_url: The sink's folder or prefix, any fsspec URL.
    """

    def __init__(self, sink_url: str) -> None:
        self._url = sink_url.rstrip("/")
        self._fs: Any
        self._fs, self._root = fsspec.core.url_to_fs(self._url)

    def put(self, key: str, picture: bytes) -> str:
        """Writes one picture whole and returns its URL.

        Raises:
            OSError: If the store cannot be written.
        """
        target = f"{self._root.rstrip('/')}/{key}"
        if isinstance(self._fs.protocol, tuple) and "file" in self._fs.protocol:
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            partial = f"{target}.{hashlib.sha256(picture).hexdigest()[:8]}.partial"
            self._fs.pipe_file(partial, picture)
            self._fs.mv(partial, target)
        else:
            self._fs.pipe_file(target, picture)
        return f"{self._url}/{key}"
