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


def test_keys_are_decoded_only_where_the_answer_says_that_they_are_encoded() -> None:
    one = OBJECT.format("in/a+b%20%0A%C3%A9%2B.pdf", "2026-11-21T09:30:07.250Z")
    page = read_page(answer(one, "<EncodingType>url</EncodingType>"))
    assert page is not None
    assert page.objects == [S3Object("in/a b \né+.pdf", "9dd4-2", 12, AT)]
    plain = read_page(answer(one, attributes=""))
    assert plain is not None
    assert plain.objects[0].key == "in/a+b%20%0A%C3%A9%2B.pdf"


@pytest.mark.parametrize("time", ["2026-11-21T09:30:07.25Z", "2026-11-21T10:30:07.250+01:00"])
def test_times_are_read(time: str) -> None:
    page = read_page(answer(OBJECT.format("a", time)))
    assert page is not None
    assert page.objects[0].modified == AT


def test_a_time_that_is_not_of_the_usual_form_is_left_to_the_aws_library() -> None:
    page = read_page(answer(OBJECT.format("a", "Sat, 21 Nov 2026 09:30:07 GMT")))
    assert page is not None
    assert page.objects[0].modified == AT.replace(microsecond=0)


def test_the_next_page_is_named_only_where_there_is_one() -> None:
    token = "<NextContinuationToken>1+/%2B=</NextContinuationToken>"
    for said, wanted in (("true", "1+/%2B="), ("false", None)):
        page = read_page(answer(token, f"<IsTruncated>{said}</IsTruncated>"))
        assert page == ([], wanted)


def test_an_error_is_no_page_and_half_an_answer_raises() -> None:
    assert read_page(b"<Error><Code>SlowDown</Code></Error>") is None
    with pytest.raises(ExpatError):
        read_page(answer(OBJECT.format("a", "2026-11-21T09:30:07.250Z"))[:-30])
    with pytest.raises(ExpatError):
        read_page(b"")


def test_an_object_without_an_etag_does_not_get_the_one_before() -> None:
    one = OBJECT.format("a", "2026-11-21T09:30:07.250Z")
    with pytest.raises(KeyError, match="ETag"):
        read_page(answer(one, one.replace("&quot;9dd4-2&quot;", "").replace("<ETag></ETag>", "")))
