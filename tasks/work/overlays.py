"""Overlay pictures beside the table, under keys made of what they show.

The same page read by the same pipeline has the same key, so writing one twice is harmless, and so is one whose batch
was never committed.
"""

from __future__ import annotations

import hashlib

from inkstream.tasks.paths import join, split_url
from inkstream.tasks.stores import explain_store_error, open_store


def overlay_key(content_hash: str, pagenum: int, pipeline_id: str, extension: str) -> str:
    """Returns the key of a page's overlay, relative to the sink: `overlays/ab/abcd….jpg`."""
    digest = hashlib.sha256(f"{content_hash}/{pagenum}/{pipeline_id}".encode()).hexdigest()[:40]
    return f"overlays/{digest[:2]}/{digest}.{extension}"


def put_overlay(sink_url: str, key: str, picture: bytes) -> str:
    """Writes one picture whole and returns where it is: an absolute path, or the URL in an object store.

    Raises:
        EnvironmentFault: If the sink may not be written.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(sink_url)
    try:
        open_store(protocol, root).write(join(root, key), picture)
    except Exception as error:
        raise explain_store_error(error, f"cannot write {key} to {sink_url}") from error
    return join(root if protocol == "file" else f"{protocol}://{root}", key)
