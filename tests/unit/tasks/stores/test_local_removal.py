"""Removing exactly one version of a local file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.stores.base import State
from inkstream.tasks.stores.local_removal import ASIDE, LocalRemoval
from inkstream.tasks.stores.local_state import state_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "inbox/sub/a.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one")
    return path


def now(path: Path) -> State:
    return state_of(str(path), path.stat())


def test_the_version_that_was_read_is_removed(tmp_path: Path, file: Path) -> None:
    LocalRemoval(str(tmp_path / "inbox")).remove(str(file), now(file))
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == ["sub"]
    assert not file.exists()


def test_removing_an_overwritten_or_missing_file_is_an_error(tmp_path: Path, file: Path) -> None:
    removal = LocalRemoval(str(tmp_path / "inbox"))
    with pytest.raises(SourceChangedError, match="overwritten"):
        removal.remove(str(file), State("1-1", 1))
    with pytest.raises(SourceChangedError, match="gone"):
        removal.remove(str(file.with_name("none.pdf")), State("1-1", 1))
    with pytest.raises(SourceChangedError, match="overwritten"):
        removal.archive(str(file), State("1-1", 1), (str(tmp_path / "done/a.pdf"),))
    assert file.read_bytes() == b"one"
    assert not (tmp_path / "done").exists()


def test_a_symbolic_link_is_not_removed(tmp_path: Path, file: Path) -> None:
    link = file.with_name("link.pdf")
    link.symlink_to(file)
    with pytest.raises(OSError, match="symbolic link"):
        LocalRemoval(str(tmp_path / "inbox")).remove(str(link), now(file))
    assert (link.is_symlink(), file.exists()) == (True, True)


def test_the_archive_takes_the_first_free_name_and_overwrites_nothing(tmp_path: Path, file: Path) -> None:
    first, second = tmp_path / "done/a.pdf", tmp_path / "done/a-2.pdf"
    first.parent.mkdir()
    first.write_bytes(b"another")
    state = now(file)
    LocalRemoval(str(tmp_path / "inbox")).archive(str(file), state, (str(first), str(second)))
    assert (first.read_bytes(), second.read_bytes()) == (b"another", b"one")
    file.write_bytes(b"three")
    with pytest.raises(FileExistsError, match="a different file exists"):
        LocalRemoval(str(tmp_path / "inbox")).archive(str(file), now(file), (str(first), str(second)))
    assert file.read_bytes() == b"three"


def test_files_left_aside_by_a_killed_run_never_replace_newer_ones(tmp_path: Path) -> None:
    root = tmp_path / "inbox"
    for name in ("lost.pdf", "replaced.pdf"):
        aside = root / ASIDE / "f00" / name
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(b"left aside")
    (root / "replaced.pdf").write_bytes(b"newer")
    LocalRemoval(str(root))
    assert (root / "lost.pdf").read_bytes() == b"left aside"
    assert (root / "replaced.pdf").read_bytes() == b"newer"
    assert (root / ASIDE / "f00" / "replaced.pdf").read_bytes() == b"left aside", (
        "it was never read, so it must not be lost"
    )
    assert not os.path.lexists(root / ASIDE / "f00" / "lost.pdf")
