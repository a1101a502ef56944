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
    driver.pseudo_dirs[:] = [""]


@pytest.mark.parametrize("url", ["/inbox", "s3://bucket/in", "s3a://bucket/in", "memory://bucket/in"])
def test_folders_and_buckets_can_look_up_a_single_object(url: str) -> None:
    require_lookup(url, "events")


@pytest.mark.parametrize("url", ["ftp://host/in", "hdfs://host/in"])
def test_ftp_and_hdfs_cannot_look_up_a_single_object(url: str) -> None:
    with pytest.raises(ConfigError, match=r"events: .* stores do not describe a single object as they list it"):
        require_lookup(url, "events")
    with pytest.raises(ConfigError, match="can only be listed"):
        open_lookup(url, "events")


@pytest.mark.parametrize("url", ["/inbox", "s3://bucket/in"])
def test_folders_and_s3_can_remove_a_single_version(url: str) -> None:
    require_removal(url, "source.clean_source")


@pytest.mark.parametrize("url", ["memory://bucket/in", "ftp://host/in", "http://host/in"])
def test_refusing_removal_lists_the_stores_that_support_it(url: str) -> None:
    with pytest.raises(ConfigError, match="use one of: file://, s3://"):
        require_removal(url, "source.clean_source")
    with pytest.raises(ConfigError, match="cannot remove a file only if it was not overwritten"):
        open_removal(url, "probe", "source.clean_source")


def test_a_store_without_a_driver_is_an_environment_fault() -> None:
    with pytest.raises(EnvironmentFault, match="no driver for nosuch://"):
        require_lookup("nosuch://bucket/in", "events")


def test_a_bucket_looks_up_existing_objects_only(memory: Any) -> None:
    memory.pipe_file("/bucket/in/a.pdf", b"12345")
    memory.makedirs("/bucket/in/folder")
    lookup = open_lookup("memory://bucket/in", "events")
    paths = ["bucket/in/none.pdf", "bucket/in/a.pdf", "bucket/in/folder"]
    missing, existing, folder = lookup.look_up(paths)
    assert (missing, folder) == (None, None)
    assert existing is not None
    assert (existing.path, existing.size) == ("memory://bucket/in/a.pdf", 5)
    assert not lookup.was_deleted("bucket/in/none.pdf")


def test_the_removal_of_a_folder_deletes_the_version_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"x")
    lookup, removal = open_lookup(str(tmp_path), "events"), open_removal(str(tmp_path), str(tmp_path), "cleaning")
    (version,) = lookup.look_up([str(file)])
    assert version is not None
    removal.remove(str(file), State(version.etag, version.size))
    assert not file.exists()
