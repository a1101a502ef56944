"""Looking up and writing single files of a local folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inkstream.tasks.skipped import Skipped
from inkstream.tasks.stores.file_filter import FileFilter
from inkstream.tasks.stores.local import LocalStore


def test_a_lookup_returns_the_same_versions_as_a_listing(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\n.pdf")
    for name in ("a.pdf", odd):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link.pdf").symlink_to("a.pdf")
    store = LocalStore()
    listed = {file.path: file for file in store.versions(str(tmp_path), FileFilter(), Skipped())}
    looked_up = store.look_up([str(tmp_path / name) for name in ("a.pdf", odd, "link.pdf")])
    assert {file.path: file for file in looked_up if file} == listed
    assert len(listed) == 3


def test_a_lookup_returns_none_for_anything_but_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    names = ["none", "folder", "nowhere", "circle", "pipe", "file/below"]
    assert LocalStore().look_up([str(tmp_path / name) for name in names]) == [None] * 6
    assert not LocalStore().was_deleted(str(tmp_path / "none"))


def test_looking_up_a_name_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        LocalStore().look_up([str(tmp_path / ("a" * 300))])


def test_a_written_object_replaces_the_old_one_and_leaves_no_other_file(tmp_path: Path) -> None:
    store, target = LocalStore(), tmp_path / "new/folder/object"
    for content in (b"one", b"another"):
        store.write(str(target), content)
        assert store.fetch(str(target)) == content
    assert store.names(str(tmp_path)) == [str(target)], "nothing is left beside it"
    assert store.names(str(tmp_path / "none")) == []
