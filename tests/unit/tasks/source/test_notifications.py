"""Notifications as Amazon, Ceph, MinIO, SNS and EventBridge write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.source.notifications import read_message


def record(key: str, name: str = "ObjectCreated:Put", source: str = "aws:s3", **fields: Any) -> dict[str, Any]:
    described = {"key": key, "size": 7, "eTag": "abc", "sequencer": "0A", **fields}
    return {"eventSource": source, "eventName": name, "s3": {"bucket": {"name": "b"}, "object": described}}


def message(*records: dict[str, Any]) -> str:
    return json.dumps({"Records": records})


def sns_message(body: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:t", "Message": body})


def eventbridge_message(key: str, kind: str = "Object Created") -> str:
    detail = {"bucket": {"name": "b"}, "object": {"key": key, "size": 7, "etag": "abc", "version-id": "v"}}
    return json.dumps({"version": "0", "detail-type": kind, "source": "aws.s3", "detail": detail})


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (message(record("in/a+b%2Bc%C3%A9.pdf")), "b/in/a b+cé.pdf"),
        (message(record("in/a+b%2B.pdf", "s3:ObjectCreated:Put", "ceph:s3")), "b/in/a+b%2B.pdf"),
        (message(record("in%2Fa+b.pdf", "s3:ObjectCreated:Put", "minio:s3")), "b/in/a b.pdf"),
        (eventbridge_message("in/a+b%2B.pdf"), "b/in/a+b%2B.pdf"),
        (sns_message(message(record("in/a+b.pdf"))), "b/in/a b.pdf"),
        (sns_message(eventbridge_message("in/a+b.pdf")), "b/in/a+b.pdf"),
    ],
)
def test_keys_are_decoded_as_each_store_writes_them(body: str, path: str) -> None:
    assert read_message(body) == [Announcement("s3", path, created=True, etag="abc", size=7)]


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1))
def test_any_key_survives_encoding(key: str) -> None:
    from urllib.parse import quote_plus

    for body in (message(record(quote_plus(key))), message(record(key, source="ceph:s3")), eventbridge_message(key)):
        assert [announcement.path for announcement in read_message(body)] == [f"b/{key}"]


def test_removals_and_restores_are_announced_and_other_events_ignored() -> None:
    body = message(
        record("a", "ObjectRemoved:Delete"),
        record("b", "ObjectRestore:Completed"),
        record("c", "ObjectTagging:Put"),
        record("d", "LifecycleExpiration:Delete"),
        record("e", "s3:ObjectRemoved:DeleteMarkerCreated"),
    )
    assert [(announcement.path, announcement.created) for announcement in read_message(body)] == [
        ("b/a", False),
        ("b/b", True),
        ("b/d", False),
        ("b/e", False),
    ]
    assert [announcement.created for announcement in read_message(eventbridge_message("a", "Object Deleted"))] == [
        False
    ]
    assert read_message(eventbridge_message("a", "Object Tags Added")) == []
    assert read_message(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})) == []
    assert read_message(sns_message(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))) == []


def cloudtrail_message(call: str, key: str = "in/a+b%2B.pdf", **detail: object) -> str:
    asked = {"bucketName": "b", "key": key}
    content = {"eventSource": "s3.amazonaws.com", "eventName": call, "requestParameters": asked, **detail}
    return json.dumps({"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": content})


@pytest.mark.parametrize("call", ["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject"])
def test_calls_that_cloudtrail_recorded_announce_their_object(call: str) -> None:
    wanted = Announcement("s3", "b/in/a+b%2B.pdf", created=call != "DeleteObject", etag=None, size=None)
    assert read_message(cloudtrail_message(call)) == [wanted]


@pytest.mark.parametrize("call", ["GetObject", "HeadObject", "ListObjects", "PutObjectTagging", "RestoreObject"])
def test_other_calls_announce_nothing(call: str) -> None:
    assert read_message(cloudtrail_message(call)) == []


def test_a_call_that_failed_announces_nothing() -> None:
    assert read_message(cloudtrail_message("PutObject", errorCode="AccessDenied")) == []


@pytest.mark.parametrize(
    "body",
    [
        message(record("a", "ObjectMelted:Slowly")),
        message(record("a"), record("b", "NewKindOfEvent")),
        eventbridge_message("a", "Object Melted"),
        cloudtrail_message("MeltObject"),
        cloudtrail_message("PutObject", requestParameters=None),
    ],
)
def test_an_unknown_event_is_refused_so_that_its_message_stays(body: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|cannot be read"):
        read_message(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"Records": 1}',
        '{"Records": [1]}',
        '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
        json.dumps({"Records": [record("%ff")]}),
        json.dumps({"Records": [record("a", size="many")]}),
        json.dumps({"detail-type": "EC2 Instance State-change", "source": "aws.ec2", "detail": {}}),
        json.dumps({"detail-type": "Object Created", "source": "aws.s3", "detail": {}}),
        json.dumps({"Type": "SubscriptionConfirmation", "Message": "{}"}),
        sns_message(sns_message(sns_message(sns_message("{}")))),
    ],
)
def test_anything_but_a_notification_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_message(body)
