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
    expected = Removal.VERSION if kind == "versioned without conditions" else Removal.CONDITION
    assert isinstance(cleaner._removal, S3Removal)
    assert cleaner._removal.how is expected
    cleaned = cleaner.clean(files)
    assert (cleaned.files, cleaned.failed) == (len(ODD_KEYS), {})
    archived = {key.replace("in/", "done/", 1): key.encode() for key in ODD_KEYS} if mode == "archive" else {}
    assert contents(s3, bucket) == {"in/overwritten": b"a new version", **archived}


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
