"""Overlay pictures beside the table, under keys derived from their content.

The same page read by the same pipeline has the same key, so it is harmless to write an overlay twice, or to write one
whose batch is never committed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from inkstream.tasks.paths import join, split_url
from inkstream.tasks.sinks.versioned import Removed, VersionedSink
from inkstream.tasks.stores import explain_store_error, filesystem, open_store
from inkstream.tasks.stores.exclusive import objects_below

_KEY = re.compile(r"overlays/[0-9a-f]{2}/[0-9a-f]{40}\.\w+$")
_FILE = re.compile(r"overlays/[0-9a-f]{2}/(\.?[0-9a-f]{40}\.\w+(?:\.[0-9a-f]{32}\.partial)?)$")
"""An overlay's file name, complete or partial."""


def overlay_key(content_hash: str, pagenum: int, pipeline_id: str, extension: str) -> str:
    """Return the key of a page's overlay, relative to the sink: `overlays/ab/abcd….jpg`."""
    digest = hashlib.sha256(f"{content_hash}/{pagenum}/{pipeline_id}".encode()).hexdigest()[:40]
    return f"overlays/{digest[:2]}/{digest}.{extension}"


def overlay_keys(overlay_paths: Iterable[str | None]) -> set[str]:
    """Return the keys of overlays from the `overlay_path` of rows, even if the sink was moved later."""
    matches = (_KEY.search(path) for path in overlay_paths if path)
    return {match[0] for match in matches if match}


def put_overlay(sink_url: str, key: str, picture: bytes, *, durable: bool = True) -> str:
    """Write one picture completely, and return its absolute path or its URL in an object store.

    Args:
        sink_url: The sink's folder or prefix.
        key: From `overlay_key`.
        picture: The encoded picture.
        durable: Whether to return only when it survives a power cut.

    Raises:
        EnvironmentFault: If the sink cannot be written.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(sink_url)
    try:
        open_store(protocol, root).write(join(root, key), picture, durable=durable)
    except Exception as error:
        raise explain_store_error(error, f"cannot write {key} to {sink_url}") from error
    return join(root if protocol == "file" else f"{protocol}://{root}", key)


def remove_overlays(sink_url: str, keys: Iterable[str]) -> set[str]:
    """Remove overlays, and return the keys of those that existed.

    Raises:
        EnvironmentFault: If the sink cannot be written.
        TransientError: If the store does not answer. Some of the overlays may be gone.
    """
    protocol, root = split_url(sink_url)
    store = filesystem(protocol)
    removed = set()
    for key in keys:
        try:
            if store.exists(join(root, key)):
                store.rm_file(join(root, key))
                removed.add(key)
        except FileNotFoundError:
            continue
        except Exception as error:
            raise explain_store_error(error, f"cannot remove {key} of {sink_url}") from error
    return removed


def vacuum_overlays(sink: VersionedSink, retention: timedelta, *, dry_run: bool) -> Removed:
    """Remove overlays that no readable version of the pages names.

    An overlay is written before the commit that names it, so a recent one is never removed.

    Args:
        sink: The sink.
        retention: Overlays younger than this are kept.
        dry_run: Only count.

    Raises:
        TransientError: If the store fails, or a row cannot be read. Then no overlay is removed.
        EnvironmentFault: If the sink cannot be read or written from here.
    """
    before = datetime.now(UTC) - retention
    old = _old_overlays(sink.sink_url, before)
    if old:
        for path in sink.overlays_in_use(retention):
            old.pop(path.rpartition("/")[2], None)
    if old:  # a batch may have written one again in the meantime
        still_old = _old_overlays(sink.sink_url, before)
        old = {name: still_old[name] for name in old if name in still_old}
    if old and not dry_run:
        protocol, _ = split_url(sink.sink_url)
        try:
            filesystem(protocol).rm([key for key, _ in old.values()])
        except Exception as error:
            raise explain_store_error(error, f"cannot remove overlays of {sink.sink_url}") from error
    return Removed(len(old), sum(size for _, size in old.values()))


def _old_overlays(sink_url: str, before: datetime) -> dict[str, tuple[str, int]]:
    """Return the key and size of each overlay that was last written before a time, by file name."""
    old = {}
    for key, info in objects_below(f"{sink_url}/overlays"):
        match = _FILE.search(key)
        if match and _written_at(info) < before:
            old[match[1]] = (key, int(info.get("size") or 0))
    return old


def _written_at(info: dict[str, Any]) -> datetime:
    """Return when an object was last written, or the current time if unknown, so that the object counts as recent."""
    times = (info.get(name) for name in ("LastModified", "last_modified", "mtime"))
    time = next((time for time in times if time), None)
    if isinstance(time, datetime):
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(time), UTC) if time else datetime.now(UTC)
