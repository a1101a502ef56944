"""Single objects of S3, served by moto in a separate process."""

from __future__ import annotations

from typing import Any

import pytest

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.stores.abilities import open_lookup, open_removal
from inkstream.tasks.stores.base import State
from inkstream.tasks.stores.file_filter import FileFilter
from inkstream.tasks.stores.opening import open_store
from inkstream.tasks.stores.s3 import S3Store


def test_a_lookup_returns_the_same_versions_as_a_listing(s3: Any, bucket: str) -> None:
    keys = ["in/a b+é.pdf", "in/b.pdf", "in/b.pdf.part"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    listed = {file.path: file for file in open_store("s3", bucket).versions(f"{bucket}/in", FileFilter(), Skipped())}
    lookup = open_lookup(f"s3://{bucket}/in", "events")
    found = lookup.look_up([f"{bucket}/{key}" for key in [*keys, "in/b", "in/none.pdf"]])
    assert {file.path: file for file in found if file} == listed
    assert found[-2:] == [None, None], "a prefix of a key is not a key"


def test_only_a_versioned_bucket_remembers_deletions(s3: Any, bucket: str) -> None:
    lookup = open_lookup(f"s3://{bucket}/in", "events")
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="in/a.pdf")
    assert not lookup.was_deleted(f"{bucket}/in/a.pdf"), "an unversioned bucket keeps no record of a deletion"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="in/b.pdf", Body=b"x")
    assert not lookup.was_deleted(f"{bucket}/in/b.pdf")
    s3.delete_object(Bucket=bucket, Key="in/b.pdf")
    assert lookup.was_deleted(f"{bucket}/in/b.pdf")


def test_only_the_expected_version_is_removed_or_archived(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=b"one")
    removal = open_removal(f"s3://{bucket}/in", f"{bucket}/probes", "cleaning")
    for state in (State("0" * 32, 3), State("", 3)):
        with pytest.raises(SourceChangedError, match="it was overwritten, or is gone"):
            removal.remove(f"{bucket}/in/a.pdf", state)
    etag = s3.head_object(Bucket=bucket, Key="in/a.pdf")["ETag"].strip('"')
    removal.archive(f"{bucket}/in/a.pdf", State(etag, 3), (f"{bucket}/done/a.pdf",))
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["done/a.pdf"]


def test_an_object_sent_without_its_length_is_read(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As proxies send it, in chunks. Some also mark the ETag as weak."""
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=b"content")
    store = open_store("s3", bucket)
    call = store.driver._call_s3

    async def chunked(operation: str, *arguments: object, **how: object) -> Any:
        answer = await call(operation, *arguments, **how)
        if operation == "get_object":
            del answer["ContentLength"]
            answer["ETag"] = f"W/{answer['ETag']}"
        return answer

    monkeypatch.setattr(store.driver, "_call_s3", chunked)
    (file,) = store.versions(f"{bucket}/in", FileFilter(), Skipped())
    seen: list[State] = []
    data: list[bytes] = []
    store.read(f"{bucket}/in/a.pdf", seen.append, data.append)
    assert (seen, b"".join(data)) == ([State(file.etag, 7)], b"content")


def test_a_right_to_list_only_what_is_below_a_folder_is_enough(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the folder is empty: whether there is an object of its name may not be asked then."""

    def denied(*_: object) -> None:
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(S3Store, "current", denied)
    assert list(open_store("s3", bucket).versions(f"{bucket}/in", FileFilter(), Skipped())) == []


def test_a_store_that_answers_403_for_a_missing_object_has_no_record_of_its_deletion(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError("Forbidden")

    monkeypatch.setattr(S3Store, "_call", forbidden)
    assert not open_lookup(f"s3://{bucket}/in", "events").was_deleted(f"{bucket}/in/gone.pdf")
