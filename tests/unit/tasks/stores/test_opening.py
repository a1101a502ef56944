"""Stores that are opened through fsspec's registry of drivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, SourceChangedError
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import absolute, split_url
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import FileFilter, Store, open_store
from inkstream.tasks.stores.base import moment, object_etag
from inkstream.tasks.stores.fetching import fetch

MOMENT = datetime(2026, 11, 21, 5, 40, 16, tzinfo=UTC)


class Undated(MemoryFileSystem):  # type: ignore[misc]
    """A store that reports only a file's name and size."""

    protocol = "undated"

    @classmethod
    def _strip_protocol(cls, path: str) -> Any:
        return super()._strip_protocol(path.replace("undated://", "memory://"))

    def ls(self, path: str, **how: Any) -> Any:
        return [_undated(info) for info in super().ls(path, detail=how.get("detail", True))]

    def find(self, path: str, *how: Any, **options: Any) -> Any:
        return {name: _undated(info) for name, info in super().find(path, *how, **options).items()}

    def info(self, path: str, **how: Any) -> Any:
        return _undated(super().info(path, **how))


def _undated(info: dict[str, Any]) -> dict[str, Any]:
    return {name: info[name] for name in ("name", "size", "type")}


@pytest.fixture
def memory() -> Iterator[Any]:
    fsspec.register_implementation("undated", Undated, clobber=True)
    driver = fsspec.filesystem("memory")
    yield driver
    driver.store.clear()
    driver.pseudo_dirs[:] = [""]


def listed(url: str, **options: object) -> list[FileVersion]:
    return list_files(SourceOptions.model_validate({"url": url, **options}))


def test_the_store_of_any_fsspec_driver_is_listed_and_read(memory: Any, tmp_path: Path) -> None:
    names = ["in/a b#c.pdf", "in/q?v=1\n.pdf", "in/sub/é%20.pdf"]
    for name in [*names, "in/_skip", "in/.wip/x", "inside/other"]:
        memory.pipe_file(f"/bucket/{name}", name.encode())
    files = listed("memory://bucket/in")
    assert {fetch(file, tmp_path, 100).local_path.read_bytes().decode() for file in files} == set(names)
    assert len(listed("memory://bucket/in", recursive=False)) == 2
    memory.pipe_file("/bucket/in/a b#c.pdf", b"anew")
    with pytest.raises(SourceChangedError, match="overwritten"):
        fetch(next(file for file in files if "a%20b" in file.path), tmp_path / "anew", 100)
    with pytest.raises(ConfigError, match="is a file"):
        listed("memory://bucket/in/a b#c.pdf")


def test_what_a_listing_leaves_out_is_counted(memory: Any) -> None:
    for name in ["a.pdf", "_b.pdf", "c.txt", "sub/d.pdf", "_x/e.pdf"]:
        memory.pipe_file(f"/bucket/in/{name}", b"x")
    skipped = Skipped()
    list_files(SourceOptions(url="memory://bucket/in", glob="*.pdf"), skipped=skipped)
    assert skipped.examples_json() == {"hidden": ["_b.pdf", "_x/e.pdf"], "glob": ["c.txt"]}
    skipped = Skipped()
    list_files(SourceOptions(url="memory://bucket/in", recursive=False), skipped=skipped)
    assert skipped.examples_json() == {"hidden": ["_b.pdf"], "hidden_folder": ["_x"], "subfolder": ["sub"]}


def test_an_unreadable_subfolder_of_a_store_is_counted(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["a.pdf", "shut/b.pdf"]:
        memory.pipe_file(f"/bucket/in/{name}", b"x")
    listing = type(memory).ls

    def ls(self: Any, path: str, **how: Any) -> Any:
        if path.endswith("/shut"):
            raise PermissionError(13, "Permission denied")
        return listing(self, path, **how)

    monkeypatch.setattr(type(memory), "ls", ls)
    skipped = Skipped("bucket/in")
    store = Store("memory", memory, "bucket", "/bucket/")  # which lists folder by folder, as on SFTP
    (file,) = store.versions("bucket/in", FileFilter(), skipped)
    assert file.path == "memory://bucket/in/a.pdf"
    assert skipped.examples_json() == {"unreadable_folder": ["shut (access denied)"]}


def test_a_store_without_etags_or_times_is_refused(memory: Any) -> None:
    memory.pipe_file("/bucket/in/a.pdf", b"x")
    with pytest.raises(ConfigError, match=r"undated://bucket/in/a\.pdf.*cannot be told apart"):
        listed("undated://bucket/in")
    assert listed("undated://bucket/in", glob="*.png") == []


@pytest.mark.parametrize(
    "info",
    [
        {"mtime": MOMENT},
        {"LastModified": MOMENT.replace(tzinfo=None)},
        {"Last-Modified": "Sat, 21 Nov 2026 05:40:16 GMT"},
        {"updated": "2026-11-21T05:40:16.000Z"},
        {"mtime": MOMENT.timestamp()},
        {"modificationTime": int(MOMENT.timestamp() * 1000)},
    ],
)
def test_each_drivers_time_field_is_parsed(info: dict[str, Any]) -> None:
    assert moment(info) == MOMENT
    assert object_etag({**info, "size": 7}) == "1795239616000000000-7"


@pytest.mark.parametrize(
    "info", [{}, {"mtime": None}, {"modified": "Nov 21 05:40"}, {"mtime": 1e300}, {"created": b""}]
)
def test_a_missing_or_invalid_time_is_none(info: dict[str, Any]) -> None:
    assert moment(info) is None


def test_quotes_are_removed_from_etags() -> None:
    assert object_etag({"ETag": '"abc"', "size": 1, "mtime": MOMENT}) == "abc"
    assert object_etag({"ETag": 'W/"abc"', "size": 1}) == "W/abc"


@pytest.mark.parametrize(
    ("protocol", "path", "native"),
    [
        ("memory", "bucket/a b", "/bucket/a b"),
        ("s3", "bucket/a b?#%.pdf", "bucket/a b?#%.pdf"),
    ],
)
def test_paths_convert_to_native_names_and_back(protocol: str, path: str, native: str) -> None:
    store = open_store(protocol, path)
    assert store.native(path) == native
    assert store.path(native) == path


@pytest.mark.parametrize("url", ["webdav://h:80/a%20b/", "sftp://h:22/a%20b#?", "S3://b/a//b", "smb://h/s"])
def test_making_a_url_absolute_is_idempotent(url: str) -> None:
    once = absolute(url)
    assert (absolute(once), split_url(once)) == (once, split_url(url))


@pytest.mark.parametrize("url", ["zip://x::file:///a.zip", "simplecache::s3://b/x"])
def test_chained_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        split_url(url)


def test_a_missing_driver_or_setting_is_an_environment_fault(memory: Any) -> None:
    fsspec.register_implementation("absent", "absent_module.Absent", clobber=True, errtxt="needs absent-package")
    with pytest.raises(EnvironmentFault, match=r"needs absent-package\s+remedy: .*pip install"):
        open_store("absent", "host/share")
    fsspec.register_implementation("lacking", type("Lacking", (Undated,), {"__init__": _lacking}), clobber=True)
    with pytest.raises(EnvironmentFault, match="FSSPEC_LACKING_USERNAME"):
        open_store("lacking", "host/share")


def _lacking(self: Any, *, base_url: str, **options: Any) -> None: ...
