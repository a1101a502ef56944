"""What all stores share: what distinguishes versions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inkstream.tasks.stores.base import moment, object_etag


def test_without_an_etag_time_and_size_identify_a_version() -> None:
    assert object_etag({"ETag": '"abc"', "size": 5}) == "abc"
    assert object_etag({"mtime": 1_700_000_000, "size": 5}) == "1700000000000000000-5"


@pytest.mark.parametrize(
    "written",
    [1_700_000_000, 1_700_000_000_000, "2023-11-14T22:13:20", "Tue, 14 Nov 2023 22:13:20 GMT"],
)
def test_the_time_formats_of_drivers_are_parsed(written: object) -> None:
    assert moment({"modified": written}) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_none() -> None:
    assert moment({"modified": "yesterday"}) is None
    assert moment({}) is None
