"""What each store can do, known without connecting to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.stores.abilities import open_lookup, open_removal, require_lookup, require_removal
from inkstream.tasks.stores.base import State


@pytest.fixture
def memory() -> Iterator[Any]:
    driver = fsspec.filesystem("memory")
    yield driver
    driver.store.clear()


@pytest.mark.parametrize("url", ["/inbox", "s3://bucket/in", "s3a://bucket/in", "memory://bucket/in"])
def test_folders_and_buckets_can_be_asked_for_one_object(url: str) -> None:
    require_lookup(url, "events")


@pytest.mark.parametrize("url", ["ftp://host/in", "hdfs://host/in"])
def test_hosts_cannot(url: str) -> None:
    with pytest.raises(ConfigError, match=r"events: .* stores do not describe a single object as they list it"):
        require_lookup(url, "events")
    with pytest.raises(ConfigError, match="can only be listed"):
        open_lookup(url, "events")


@pytest.mark.parametrize("url", ["/inbox", "s3://bucket/in"])
def test_folders_and_s3_remove_one_version_and_no_other(url: str) -> None:
    require_removal(url, "source.clean_source")


@pytest.mark.parametrize("url", ["memory://bucket/in", "ftp://host/in", "http://host/in"])
def test_a_store_that_cannot_is_told_with_those_that_can(url: str) -> None:
    with pytest.raises(ConfigError, match="use one of: file://, s3://"):
        require_removal(url, "source.clean_source")
    with pytest.raises(ConfigError, match="cannot remove a file only if it was not overwritten"):
        open_removal(url, "probe", "source.clean_source")


def test_a_store_without_a_driver_is_the_environments_fault() -> None:
    with pytest.raises(EnvironmentFault, match="no driver for nosuch://"):
        require_lookup("nosuch://bucket/in", "events")


def test_a_bucket_describes_one_object_as_it_lists_it(memory: Any) -> None:
    memory.pipe_file("/bucket/in/a.pdf", b"12345")
    memory.makedirs("/bucket/in/folder")
    lookup = open_lookup("memory://bucket/in", "events")
    paths = ["bucket/in/none.pdf", "bucket/in/a.pdf", "bucket/in/folder"]
    missing, found, folder = lookup.look_up(paths)
    assert (missing, folder) == (None, None)
    assert found is not None
    assert (found.path, found.size) == ("memory://bucket/in/a.pdf", 5)
    assert not lookup.was_deleted("bucket/in/none.pdf")


def test_what_removes_files_of_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"x")
    lookup, removal = open_lookup(str(tmp_path), "events"), open_removal(str(tmp_path), str(tmp_path), "cleaning")
    (version,) = lookup.look_up([str(file)])
    assert version is not None
    removal.remove(str(file), State(version.etag, version.size))
    assert not file.exists()
