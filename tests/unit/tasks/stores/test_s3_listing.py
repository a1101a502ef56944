"""Listings of S3, as different stores write them."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.parsers.expat import ExpatError

import pytest

from inkstream.tasks.stores.s3_listing import S3Object, read_page

OBJECT = (
    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;9dd4-2&quot;</ETag><Size>12</Size>"
    "<Owner><ID>me</ID><DisplayName>I</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>"
)
AT = datetime(2026, 11, 21, 9, 30, 7, 250_000, UTC)


def answer(*inside: str, attributes: str = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"') -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}\n<ListBucketResult{attributes}>\n  {' '.join(inside)}</ListBucketResult>".encode()


def test_keys_are_decoded_only_if_the_answer_declares_an_encoding() -> None:
    element = OBJECT.format("in/a+b%20%0A%C3%A9%2B.pdf", "2026-11-21T09:30:07.250Z")
    page = read_page(answer(element, "<EncodingType>url</EncodingType>"))
    assert page is not None
    assert page.objects == [S3Object("in/a b \né+.pdf", "9dd4-2", 12, AT)]
    plain = read_page(answer(element, attributes=""))
    assert plain is not None
    assert plain.objects[0].key == "in/a+b%20%0A%C3%A9%2B.pdf"


@pytest.mark.parametrize(
    ("storage_class", "status", "is_archived"),
    [
        ("STANDARD", "", False),
        ("GLACIER_IR", "", False),
        ("GLACIER", "", True),
        ("DEEP_ARCHIVE", "<IsRestoreInProgress>true</IsRestoreInProgress>", True),
        (
            "GLACIER",
            "<IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>soon</RestoreExpiryDate>",
            False,
        ),
    ],
)
def test_an_archived_object_is_one_until_it_is_restored(storage_class: str, status: str, is_archived: bool) -> None:
    archived = OBJECT.replace("STANDARD", storage_class).replace(
        "</Contents>", f"<RestoreStatus>{status}</RestoreStatus></Contents>"
    )
    first, second = archived.format("a", "2026-11-21T09:30:07Z"), OBJECT.format("b", "2026-11-21T09:30:07Z")
    page = read_page(answer(first, second))
    assert page is not None
    assert [listed.is_archived for listed in page.objects] == [is_archived, False]


@pytest.mark.parametrize("time", ["2026-11-21T09:30:07.25Z", "2026-11-21T10:30:07.250+01:00"])
def test_iso_times_are_parsed(time: str) -> None:
    page = read_page(answer(OBJECT.format("a", time)))
    assert page is not None
    assert page.objects[0].modified == AT


def test_times_that_are_not_iso_are_parsed_too() -> None:
    page = read_page(answer(OBJECT.format("a", "Sat, 21 Nov 2026 09:30:07 GMT")))
    assert page is not None
    assert page.objects[0].modified == AT.replace(microsecond=0)


def test_the_continuation_token_is_returned_only_if_truncated() -> None:
    token = "<NextContinuationToken>1+/%2B=</NextContinuationToken>"
    for truncated, expected in (("true", "1+/%2B="), ("false", None)):
        page = read_page(answer(token, f"<IsTruncated>{truncated}</IsTruncated>"))
        assert page is not None
        assert page.next_token == expected


def test_an_error_answer_is_none_and_an_incomplete_one_raises() -> None:
    assert read_page(b"<Error><Code>SlowDown</Code></Error>") is None
    with pytest.raises(ExpatError):
        read_page(answer(OBJECT.format("a", "2026-11-21T09:30:07.250Z"))[:-30])
    with pytest.raises(ExpatError):
        read_page(b"")


def test_an_object_without_an_etag_does_not_inherit_the_one_before() -> None:
    element = OBJECT.format("a", "2026-11-21T09:30:07.250Z")
    with pytest.raises(KeyError, match="ETag"):
        read_page(answer(element, element.replace("&quot;9dd4-2&quot;", "").replace("<ETag></ETag>", "")))
