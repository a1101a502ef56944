"""Sources and tables on S3, served by moto in a separate process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from inkstream.ocr_core.errors import (
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    SourceChangedError,
    TransientError,
)
from inkstream.tasks.config import SourceOptions, StreamConfig, build_config
from inkstream.tasks.model import FileVersion
from inkstream.tasks.sinks.delta import commit as commit_table
from inkstream.tasks.sinks.delta.commit import find_commit
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.left_behind import read_json, write_stream
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import fetching, open_store
from inkstream.tasks.stores.fetching import fetch
from inkstream.tasks.stores.s3_listing import list_objects
from tests.conftest import forget_connections
from tests.integration.committing import discover
from tests.integration.conftest import free_port
from tests.integration.test_commit_processes import commit, drive, found_rows, plan, wanted_rows

MIB = 1 << 20
# No line break: moto cannot route one.
ODD_KEYS = [
    "in/a b#c.pdf",
    "in/100%25.pdf",
    "in/q?v=1.pdf",
    "in/é'\".pdf",
    "in/x//y.pdf",
    "in/+.pdf",
]


def listed(bucket: str, **options: object) -> list[FileVersion]:
    return list_files(SourceOptions.model_validate({"url": f"s3://{bucket}/in/", **options}))


def test_what_a_listing_leaves_out_is_counted(s3: Any, bucket: str) -> None:
    names = ["a.pdf", "_b.pdf", "c.txt", "sub/d.pdf", "sub/e.pdf", "_x/f.pdf", "sp ä+ce/g.pdf", "Mu\u0308ller.pdf"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=f"in/{name}", Body=b"x")
    skipped = Skipped()
    files = list_files(SourceOptions(url=f"s3://{bucket}/in", glob="{a,M\u00fcller}.pdf"), skipped=skipped)
    assert {file.path.rpartition("/")[2] for file in files} == {"Mu%CC%88ller.pdf", "a.pdf"}
    assert skipped.to_json() == {"hidden": 2, "glob": 4}
    skipped = Skipped()
    list_files(SourceOptions(url=f"s3://{bucket}/in", recursive=False), skipped=skipped)
    assert skipped.examples_json() == {"hidden": ["_b.pdf"], "hidden_folder": ["_x"], "subfolder": ["sp ä+ce", "sub"]}


def test_odd_keys_are_listed_and_read(s3: Any, bucket: str, tmp_path: Path) -> None:
    for key in [*ODD_KEYS, "in/_skip", "in/.skip", "in/_wip/x", "inside/other", "in.pdf"]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.put_object(Bucket=bucket, Key="in/folder/", Body=b"")
    files = listed(bucket)
    assert {fetch(file, tmp_path, MIB).local_path.read_bytes().decode() for file in files} == set(ODD_KEYS)
    assert all('"' not in file.etag and file.etag for file in files)
    assert len(listed(bucket, recursive=False)) == len(ODD_KEYS) - 1
    assert len(listed(bucket, glob="*.pdf")) == len(ODD_KEYS)


def test_a_listing_of_many_pages_equals_that_of_boto3(s3: Any, bucket: str) -> None:
    for number in range(7):
        s3.put_object(Bucket=bucket, Key=f"in/{number // 2}/a+b {number} é.pdf", Body=b"x" * number)
    s3.put_object(Bucket=bucket, Key="in/top.pdf", Body=b"")
    wanted = s3.list_objects_v2(Bucket=bucket, Prefix="in/")["Contents"]
    driver = open_store("s3", bucket).driver
    found = [tuple(entry) for entry in list_objects(driver, bucket, "in/", max_keys=3)]
    assert [entry[:4] for entry in found] == [
        (item["Key"], item["ETag"].strip('"'), item["Size"], item["LastModified"]) for item in wanted
    ]
    assert [entry.key for entry in list_objects(driver, bucket, "in/", recursive=False, max_keys=3)] == ["in/top.pdf"]
    assert len(driver.find(f"{bucket}/in")) == len(wanted), "other calls of the same client are not affected"


def test_new_objects_are_seen_at_once(s3: Any, bucket: str) -> None:
    assert listed(bucket) == []
    for count in (1, 2):
        s3.put_object(Bucket=bucket, Key=f"in/{count}", Body=b"x")
        assert len(listed(bucket)) == count


def test_an_object_overwritten_or_deleted_since_planning_is_not_read(s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"one")
    (file,) = listed(bucket)
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"two")
    with pytest.raises(SourceChangedError, match="overwritten"):
        fetch(file, tmp_path, MIB)
    s3.delete_object(Bucket=bucket, Key="in/a")
    with pytest.raises(SourceChangedError, match="gone"):
        fetch(file, tmp_path, MIB)
    assert list(tmp_path.iterdir()) == []


def test_a_multipart_object_keeps_its_etag_and_version_id(s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="in/a")["UploadId"]
    parts = []
    for number, body in enumerate([b"0" * 5 * MIB, b"1"], start=1):
        part = s3.upload_part(Bucket=bucket, Key="in/a", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    done = s3.complete_multipart_upload(Bucket=bucket, Key="in/a", UploadId=upload, MultipartUpload={"Parts": parts})
    (file,) = listed(bucket)
    assert file.etag == done["ETag"].strip('"')
    assert file.etag.endswith("-2")
    fetched = fetch(file, tmp_path, 6 * MIB)
    assert fetched.version_id == done["VersionId"]
    assert fetched.local_path.stat().st_size == 5 * MIB + 1


def test_an_archived_object_is_a_document_error(s3: Any, bucket: str, tmp_path: Path) -> None:
    """As one that was archived after the listing. A listing leaves it out."""
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x", StorageClass="STANDARD")
    (file,) = listed(bucket)
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x", StorageClass="GLACIER")
    assert listed(bucket) == []
    with pytest.raises(DocumentError) as caught:
        fetch(file, tmp_path, MIB)
    assert caught.value.kind is FailureKind.UNREADABLE


def test_an_object_as_source_is_an_error_and_an_empty_prefix_is_not(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="in.pdf", Body=b"x")
    with pytest.raises(ConfigError, match="is a file"):
        list_files(SourceOptions.model_validate({"url": f"s3://{bucket}/in.pdf"}))
    assert list_files(SourceOptions.model_validate({"url": f"s3://{bucket}/in"})) == []
    assert len(list_files(SourceOptions.model_validate({"url": f"s3://{bucket}"}))) == 1


def test_missing_buckets_and_credentials_are_environment_faults(
    s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentFault, match="bucket"):
        listed("nobodys-bucket")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget_connections()
    with pytest.raises(EnvironmentFault, match="AWS_ACCESS_KEY_ID"):
        listed("nobodys-bucket")
    with pytest.raises(EnvironmentFault, match="credentials"):
        fetch(FileVersion("s3://nobodys-bucket/in/a", "e", 1, datetime.now(UTC)), tmp_path, MIB)


def test_a_store_that_does_not_answer_is_a_transient_fault(
    s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    monkeypatch.setattr(fetching, "_ATTEMPTS", 1)
    forget_connections()
    with pytest.raises(TransientError):
        listed("some-bucket")
    with pytest.raises(TransientError):
        fetch(FileVersion("s3://some-bucket/in/a", "e", 1, datetime.now(UTC)), tmp_path, MIB)


@pytest.fixture
def config(s3: Any, bucket: str) -> StreamConfig:
    for number in range(6):
        s3.put_object(Bucket=bucket, Key=f"in/{number} é.pdf", Body=b"x" * (number + 1))
    return build_config(
        {
            "source": {"url": f"s3://{bucket}/in"},
            "sink": {"url": f"s3://{bucket}/my tables"},
            "trigger": {"max_files_per_trigger": 4},
        }
    )


def test_a_stream_on_s3_commits_each_file_once(config: StreamConfig) -> None:
    write_stream(config)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)
    assert discover(config).files == []
    stored = read_json(config.sink.url, f"streams/{config.stream}.json")
    assert stored == config.model_dump(mode="json")
    assert read_json(config.sink.url, "streams/none.json") is None
    pages = PagesTable(config.sink.url)
    assert pages.version() == 2
    assert len(pages.open().history()) == 3


def test_a_lost_race_on_s3_commits_nothing_twice(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = plan(config), plan(config)
    append = commit_table.TableRunner.run
    raced: list[int] = []

    def run(self: Any, operation: Any) -> Any:
        if type(operation).__name__ == "Append" and not raced:
            raced.append(1)
            commit(config, theirs[0])
        return append(self, operation)

    monkeypatch.setattr(commit_table.TableRunner, "run", run)
    committed = commit(config, mine[0])
    assert (committed.batch_id, committed.already_done) == (None, (0, 1, 2, 3))
    commit(config, mine[1])
    assert found_rows(config) == wanted_rows(config)
    handle: DeltaTable = PagesTable(config.sink.url).open()
    landed = find_commit(handle, mine[1].attempt_id, 0)
    assert landed is not None
    assert landed.batch_id == 1
