"""What S3 notifications announce: pure reading of messages, and where an announced object belongs.

A notification is a hint and no more: it may come twice, late, out of order or not at all. What is there now is asked of
the store (`inkstream.tasks.source.announced`).

Shapes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.paths import encode, split_url, within
from inkstream.tasks.stores import Selection

_CREATED = ("ObjectCreated", "ObjectRestore:Completed", "ObjectSynced")
_REMOVED = ("ObjectRemoved", "LifecycleExpiration", "ObjectLifecycle:Expiration")
_BRIDGE = {
    "Object Created": True,
    "Object Restore Completed": True,
    "Object Deleted": False,
}
_RAW_KEYS = "ceph"  # whose keys are as they are; those of Amazon and MinIO are URL-encoded
_ENVELOPES = 3


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one record says of one object.

    Attributes:
        path: The bucket, a slash, and the key as it is.
        created: Whether it was created (or restored); else it was removed.
        etag: Unquoted ETag of the version it is about; None where it is not said.
        size: Its bytes; None where they are not said.
    """

    path: str
    created: bool
    etag: str | None = None
    size: int | None = None

    @property
    def url(self) -> str:
        """The object's name as rows have it."""
        return encode("s3", self.path)


class Belongs(Enum):
    """Where an announced object lies."""

    TAKEN = "in the source, and to be read"
    LEFT = "not for reading: filtered out, outside the source's folder, or under the sink or the archive"
    ELSEWHERE = "in another bucket"


def read_message(body: str) -> list[Announcement]:
    """Reads a message, plain or wrapped by SNS or EventBridge.

    Args:
        body: The message's text.

    Returns:
        What it announces; nothing for a test event or one that is about neither creation nor removal.

    Raises:
        ValueError: If it is no S3 notification; says why.
    """
    content: Any = body
    for _ in range(_ENVELOPES):
        content = _json(content)
        if "Records" in content:
            return list(_records(content["Records"]))
        if "detail-type" in content:
            return list(_bridged(content))
        if "s3:TestEvent" in (content.get("Event"), content.get("event")):
            return []
        if content.get("Type") != "Notification" or "Message" not in content:
            break
        content = content["Message"]
    raise ValueError("it is no S3 notification")


def belongs(config: StreamConfig, path: str) -> Belongs:
    """Tells where an announced object lies, as a listing would.

    Args:
        config: The stream; its source is on S3.
        path: The bucket, a slash, and the key.
    """
    _, root = split_url(config.source.url)
    if path.startswith(f"{root}/"):
        selection = Selection(config.source.glob, config.source.recursive)
        taken = not path.endswith("/") and selection.holds(path[len(root) + 1 :])
        return Belongs.TAKEN if taken else Belongs.LEFT
    if path.partition("/")[0] == root.partition("/")[0]:
        return Belongs.LEFT
    for url in (config.sink.url, config.source.source_archive_dir):
        protocol, folder = split_url(url) if url else ("", "")
        if protocol == "s3" and within(path, folder):
            return Belongs.LEFT
    return Belongs.ELSEWHERE


def require_bucket(config: StreamConfig) -> str:
    """Returns the URL of the queue to listen to.

    Raises:
        ConfigError: If none is given, or the source is not on S3.
    """
    if config.events.queue is None:
        raise ConfigError("no queue is given: set events.queue, or --queue URL")
    require_bucket_source(config)
    return config.events.queue


def require_bucket_source(config: StreamConfig) -> None:
    """Refuses a source that no event can tell of.

    Raises:
        ConfigError: If it is not on S3.
    """
    if split_url(config.source.url)[0] != "s3":
        raise ConfigError(f"S3 events announce objects of a bucket, and the source {config.source.url} is in none")


def _json(content: Any) -> Mapping[str, Any]:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            raise ValueError("it is not JSON") from None
    if not isinstance(content, Mapping):
        raise ValueError("it is JSON, but no object")  # noqa: TRY004 - one kind of error for all of it
    return content


def _records(records: Any) -> Iterator[Announcement]:
    if not isinstance(records, list):
        raise ValueError("its Records are no list")  # noqa: TRY004
    for record in records:
        try:
            name = str(record["eventName"]).removeprefix("s3:")
            if not name.startswith((*_CREATED, *_REMOVED)):
                continue
            key = str(record["s3"]["object"]["key"])
            if not str(record.get("eventSource", "")).startswith(_RAW_KEYS):
                key = unquote_plus(key, errors="strict")
            yield _announcement(record["s3"], key, created=name.startswith(_CREATED))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"a record of it cannot be read: {type(error).__name__}: {error}") from None


def _bridged(event: Mapping[str, Any]) -> Iterator[Announcement]:
    created = _BRIDGE.get(str(event["detail-type"]))
    if not str(event.get("source", "")).endswith("s3"):
        raise ValueError("it is an EventBridge event, but none of S3")
    if created is None:
        return
    try:
        yield _announcement(event["detail"], str(event["detail"]["object"]["key"]), created=created)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"its detail cannot be read: {type(error).__name__}: {error}") from None


def _announcement(s3: Mapping[str, Any], key: str, *, created: bool) -> Announcement:
    etag, size = s3["object"].get("eTag") or s3["object"].get("etag"), s3["object"].get("size")
    return Announcement(
        path=f"{s3['bucket']['name']}/{key}",
        created=created,
        etag=str(etag).strip('"') if etag else None,
        size=int(size) if size is not None else None,
    )
