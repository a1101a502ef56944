"""Cleaning a bucket removes exactly one version of an object, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import SourceOptions, StreamConfig, build_config
from inkstream.tasks.model import FileVersion
from inkstream.tasks.source.cleaning import Cleaner
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.s3 import Removal, S3Removal, S3Store
from tests.integration.test_sources_s3 import ODD_KEYS


def config(bucket: str, mode: str) -> StreamConfig:
    archive = f"s3://{bucket}/done" if mode == "archive" else None
    source = {"url": f"s3://{bucket}/in", "clean_source": mode, "source_archive_dir": archive}
    return build_config({"source": source, "sink": {"url": f"s3://{bucket}/out"}})


def listed(bucket: str) -> list[FileVersion]:
    return list_files(SourceOptions(url=f"s3://{bucket}/in"))


def contents(s3: Any, bucket: str) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found}


@pytest.fixture(params=["plain", "versioned", "versioned without conditions"])
def kind(request: pytest.FixtureRequest, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "plain":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    if request.param == "versioned without conditions":
        ignore_conditions(monkeypatch)
    return str(request.param)


def ignore_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the header, like a store that does not know conditional deletes."""
    call = S3Store._call

    def ignoring(self: S3Store, operation: str, **how: Any) -> dict[str, Any]:
        if operation == "delete_object":
            how.pop("IfMatch", None)
        return call(self, operation, **how)

    monkeypatch.setattr(S3Store, "_call", ignoring)


@pytest.mark.parametrize("mode", ["delete", "archive"])
def test_only_the_version_that_was_read_is_removed(s3: Any, bucket: str, kind: str, mode: str) -> None:
    for key in [*ODD_KEYS, "in/overwritten", "in/gone"]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    files = listed(bucket)
    s3.put_object(Bucket=bucket, Key="in/overwritten", Body=b"a new version")
    s3.delete_object(Bucket=bucket, Key="in/gone")
    cleaner = Cleaner(config(bucket, mode))
    expected = Removal.MARKER if kind == "versioned without conditions" else Removal.CONDITION
    assert isinstance(cleaner._removal, S3Removal)
    assert cleaner._removal.how is expected
    cleaned = cleaner.clean(files)
    assert (cleaned.files, cleaned.failed) == (len(ODD_KEYS), {})
    archived = {key.replace("in/", "done/", 1): key.encode() for key in ODD_KEYS} if mode == "archive" else {}
    assert contents(s3, bucket) == {"in/overwritten": b"a new version", **archived}


@pytest.fixture
def versions(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Turn versioning on in a store that ignores conditions; return a function that lists an object's versions."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ignore_conditions(monkeypatch)

    def list_versions(key: str) -> list[bytes]:
        found = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
        return [
            s3.get_object(Bucket=bucket, Key=key, VersionId=each["VersionId"])["Body"].read()
            for each in found
            if each["Key"] == key
        ]

    return list_versions


@pytest.mark.parametrize("mode", ["delete", "archive"])
def test_an_earlier_version_does_not_come_back_and_is_not_lost(s3: Any, bucket: str, versions: Any, mode: str) -> None:
    """Deleting the current version by its id would make the one before it current, as if it were new."""
    for body in (b"draft", b"corrected"):
        s3.put_object(Bucket=bucket, Key="in/letter", Body=body)
    s3.put_object(Bucket=bucket, Key="in/letter 2", Body=b"another")
    read = [file for file in listed(bucket) if file.path.endswith("letter")]
    cleaner = Cleaner(config(bucket, mode))
    assert cleaner.clean(read).files == 1
    assert [file.path.rpartition("/")[2] for file in listed(bucket)] == ["letter%202"]
    assert sorted(versions("in/letter")) == [b"corrected", b"draft"]
    assert cleaner.clean(read).files == 0


def test_a_version_written_before_the_marker_is_current_again(
    s3: Any, bucket: str, versions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=bucket, Key="in/letter", Body=b"one")
    read = listed(bucket)
    cleaner = Cleaner(config(bucket, "delete"))
    head = S3Store._head

    def overwritten_meanwhile(self: S3Store, path: str) -> dict[str, Any] | None:
        answer = head(self, path)
        s3.put_object(Bucket=bucket, Key="in/letter", Body=b"two")
        return answer

    monkeypatch.setattr(S3Store, "_head", overwritten_meanwhile)
    assert cleaner.clean(read).files == 0
    assert contents(s3, bucket) == {"in/letter": b"two"}
    assert sorted(versions("in/letter")) == [b"one", b"two"]


def test_a_store_without_versions_or_conditional_deletes_is_refused(
    s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x")
    ignore_conditions(monkeypatch)
    with pytest.raises(ConfigError, match="turn versioning on"):
        Cleaner(config(bucket, "delete"))
    assert contents(s3, bucket) == {"in/a": b"x"}, "the probe is left behind"


def test_the_archive_is_never_overwritten(s3: Any, bucket: str) -> None:
    for key, body in {"in/a.pdf": b"one", "done/a.pdf": b"another", "in/b.pdf": b"two", "done/b.pdf": b"two"}.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    for _ in range(2):  # again, as after a run that was killed before it removed the file
        assert Cleaner(config(bucket, "archive")).clean(listed(bucket)).files > 0
        found = contents(s3, bucket)
        assert found.pop("done/a.pdf") == b"another"
        assert found.pop("done/b.pdf") == b"two"
        ((name, content),) = found.items()
        assert name.startswith("done/a-")
        assert content == b"one"
        s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=b"one")


def test_an_object_that_may_not_be_removed_is_reported(
    s3: Any,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=b"one")
    cleaner = Cleaner(config(bucket, "delete"))

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(S3Store, "_call", forbidden)
    cleaned = cleaner.clean(listed(bucket))
    assert cleaned.files == 0
    assert "Access Denied" in cleaned.failed[f"s3://{bucket}/in/a.pdf"]
