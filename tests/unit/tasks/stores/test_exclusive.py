"""Objects that only one of several writers creates."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.stores.exclusive import create_from, create_whole, filesystem, objects_below


def test_only_one_of_several_concurrent_writers_succeeds(tmp_path: Path) -> None:
    barrier, created = threading.Barrier(8), []

    def create(number: int) -> None:
        barrier.wait()
        try:
            create_whole("file", str(tmp_path / "object"), str(number).encode() * 1000)
        except FileExistsError:
            return
        created.append(str(number))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 1
    assert (tmp_path / "object").read_text() == created[0] * 1000
    assert [path.name for path in tmp_path.iterdir()] == ["object"], "nothing half-written is left"


def test_creating_an_object_from_a_file_keeps_the_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    create_from("file", source, str(tmp_path / "object"))
    assert (tmp_path / "object").read_bytes() == source.read_bytes() == b"content"
    with pytest.raises(FileExistsError):
        create_from("file", source, str(tmp_path / "object"))


def test_an_s3_object_is_created_only_once(s3: object, bucket: str, tmp_path: Path) -> None:
    create_whole("s3", f"{bucket}/a/object", b"first")
    (tmp_path / "source").write_bytes(b"second")
    with pytest.raises(FileExistsError):
        create_whole("s3", f"{bucket}/a/object", b"second")
    with pytest.raises(FileExistsError):
        create_from("s3", tmp_path / "source", f"{bucket}/a/object")
    create_from("s3", tmp_path / "source", f"{bucket}/a/b/other")
    sizes = {key: info["size"] for key, info in objects_below(f"s3://{bucket}/a")}
    assert sizes == {f"{bucket}/a/object": 5, f"{bucket}/a/b/other": 6}


def test_a_large_file_is_created_in_one_request(
    s3: object, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some stores obey `If-None-Match` for one request, and not for an upload in parts."""
    driver = filesystem("s3")
    call, operations = driver._call_s3, []

    async def record(operation: str, *arguments: object, **how: object) -> object:
        operations.append(operation)
        return await call(operation, *arguments, **how)

    monkeypatch.setattr(driver, "_call_s3", record)
    with (tmp_path / "source").open("wb") as large:
        large.truncate(101 << 20)
    create_from("s3", tmp_path / "source", f"{bucket}/large")
    assert operations == ["put_object"]
    with (tmp_path / "source").open("wb") as large:
        large.truncate(5 << 30)
    with pytest.raises(EnvironmentFault, match="one request") as raised:
        create_from("s3", tmp_path / "source", f"{bucket}/larger")
    assert "max_files_per_trigger" in raised.value.remedy


def test_stores_without_exclusive_creation_or_a_driver_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="gs:// objects cannot be created exclusively"):
        create_whole("gs", "bucket/object", b"")
    with pytest.raises(EnvironmentFault, match="no driver for nosuch://"):
        filesystem("nosuch")


def test_a_missing_folder_has_no_objects_and_cannot_be_written(tmp_path: Path) -> None:
    assert list(objects_below(str(tmp_path / "none"))) == []
    with pytest.raises(EnvironmentFault, match="cannot create"):
        create_whole("file", str(tmp_path / "none" / "object"), b"")
