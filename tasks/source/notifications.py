"""Parsing S3 notifications, whether plain or wrapped by SNS or EventBridge.

Formats: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from inkstream.tasks.source.event_source import Announcement

PROTOCOL = "s3"
_CREATED = ("ObjectCreated", "ObjectRestore:Completed", "ObjectSynced")
_REMOVED = ("ObjectRemoved", "LifecycleExpiration", "ObjectLifecycle:Expiration")
_BRIDGE = {
    "Object Created": True,
    "Object Restore Completed": True,
    "Object Deleted": False,
}
_NEITHER = (
    "ObjectAcl",
    "ObjectLifecycle:Transition",
    "ObjectRestore:Delete",
    "ObjectRestore:Post",
    "ObjectTagging",
    "IntelligentTiering",
    "LifecycleTransition",
    "ReducedRedundancyLostObject",
    "Replication",
    "TestEvent",
)
_NEITHER_IN_BRIDGE = (
    "Object ACL Updated",
    "Object Access Tier Changed",
    "Object Restore Expired",
    "Object Restore Initiated",
    "Object Storage Class Changed",
    "Object Tags Added",
    "Object Tags Deleted",
)
"""Events that are about neither creation nor removal."""
_CLOUDTRAIL = "AWS API Call via CloudTrail"
_CALLS = {"PutObject": True, "CopyObject": True, "CompleteMultipartUpload": True, "DeleteObject": False}
_OTHER_CALLS = re.compile(
    r"(Get|Head|List|Select)\w*|(Put|Delete)\w*(Acl|Tagging|Retention|LegalHold)|\w*Bucket\w*|"
    r"(Create|Abort)MultipartUpload|UploadPart(Copy)?|RestoreObject"
)
"""Calls of S3 that neither create nor remove an object. A restore is announced again when it is complete."""
_RAW_KEYS = "ceph"  # sends raw keys; Amazon and MinIO URL-encode them
_ENVELOPES = 3


def read_message(body: str) -> list[Announcement]:
    """Return what a message announces, whether it is plain or wrapped by SNS or EventBridge.

    Args:
        body: The message's text.

    Returns:
        The announcements; none for a test event, or for an event about neither creation nor removal.

    Raises:
        ValueError: If the message is not an S3 notification; the error says why.
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
    raise ValueError("it is not an S3 notification")


def _json(content: Any) -> Mapping[str, Any]:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            raise ValueError("it is not JSON") from None
    if not isinstance(content, Mapping):
        raise ValueError("it is JSON, but not an object")  # noqa: TRY004 - one error type for all unreadable messages
    return content


def _records(records: Any) -> Iterator[Announcement]:
    if not isinstance(records, list):
        raise ValueError("its Records are not a list")  # noqa: TRY004
    for record in records:
        try:
            name = str(record["eventName"]).removeprefix("s3:")
            created = _meaning(name, {**dict.fromkeys(_CREATED, True), **dict.fromkeys(_REMOVED, False)}, _NEITHER)
            if created is None:
                continue
            key = str(record["s3"]["object"]["key"])
            if not str(record.get("eventSource", "")).startswith(_RAW_KEYS):
                key = unquote_plus(key, errors="strict")
            yield _announcement(record["s3"], key, created=created)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"one of its records cannot be read: {type(error).__name__}: {error}") from None


def _meaning(name: str, events: Mapping[str, bool], neither: tuple[str, ...]) -> bool | None:
    """Return whether an event creates (or else removes) an object; None if it does neither.

    Raises:
        ValueError: If it is unknown: a message that is not understood must not be settled.
    """
    if name.startswith(neither):
        return None
    for start, created in events.items():
        if name.startswith(start):
            return created
    raise ValueError(f"its event {name!r} is unknown")


def _bridged(event: Mapping[str, Any]) -> Iterator[Announcement]:
    kind = str(event["detail-type"])
    if not str(event.get("source", "")).endswith("s3"):
        raise ValueError("it is an EventBridge event, but not from S3")
    if kind == _CLOUDTRAIL:
        yield from _recorded(event)
        return
    created = _meaning(kind, _BRIDGE, _NEITHER_IN_BRIDGE)
    if created is None:
        return
    try:
        yield _announcement(event["detail"], str(event["detail"]["object"]["key"]), created=created)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"its detail cannot be read: {type(error).__name__}: {error}") from None


def _recorded(event: Mapping[str, Any]) -> Iterator[Announcement]:
    """Yield what a call has done that CloudTrail recorded. Its key is as the caller wrote it, its ETag unknown."""
    try:
        detail = event["detail"]
        call = str(detail["eventName"])
        if detail.get("errorCode") or _OTHER_CALLS.fullmatch(call):
            return
        created = _meaning(call, _CALLS, ())
        if created is None:
            return
        asked = detail["requestParameters"]
        s3 = {"bucket": {"name": asked["bucketName"]}, "object": {}}
        yield _announcement(s3, str(asked["key"]), created=created)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"its detail cannot be read: {type(error).__name__}: {error}") from None


def _announcement(s3: Mapping[str, Any], key: str, *, created: bool) -> Announcement:
    etag, size = s3["object"].get("eTag") or s3["object"].get("etag"), s3["object"].get("size")
    return Announcement(
        protocol=PROTOCOL,
        path=f"{s3['bucket']['name']}/{key}",
        created=created,
        etag=str(etag).strip('"') if etag else None,
        size=int(size) if size is not None else None,
    )
