"""The probe writes to a place to learn whether it can hold a sink."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from s3fs import S3FileSystem

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.stores.probe import probe_sink, require_exclusive_create


def test_a_folder_is_probed_without_creating_it(tmp_path: Path) -> None:
    assert probe_sink(str(tmp_path)) == "can be written"
    report = probe_sink(str(tmp_path / "new" / "folder"))
    assert report == f"will be created; {tmp_path} can be written"
    assert list(tmp_path.iterdir()) == []


def test_a_sink_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="cannot write to"):
        probe_sink(str(tmp_path / "file" / "tables"))


def test_a_bucket_with_exclusive_creation_is_probed_only_once(
    s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = f"s3://{bucket}/tables"
    assert "lets only one of two writers create an object" in probe_sink(sink)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket), "the probe's object is removed"
    monkeypatch.setattr(S3FileSystem, "pipe_file", None)
    require_exclusive_create(sink)


def test_a_bucket_without_exclusive_creation_is_refused(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_file = S3FileSystem.pipe_file

    def careless(self: Any, path: str, data: bytes, **how: Any) -> Any:
        how.pop("mode", None)
        return pipe_file(self, path, data, **how)

    monkeypatch.setattr(S3FileSystem, "pipe_file", careless)
    with pytest.raises(EnvironmentFault, match="let 4 writers create the same object"):
        require_exclusive_create(f"s3://{bucket}/careless")
