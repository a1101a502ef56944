"""Cleaning a local source: which files are removed, and which are never lost."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import SourceOptions, StreamConfig, build_config
from inkstream.tasks.model import FileVersion
from inkstream.tasks.source.cleaning import Cleaner
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.local_removal import ASIDE


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    (folder / "sub").mkdir(parents=True)
    (folder / "a b#.pdf").write_bytes(b"one")
    (folder / "sub/c.pdf").write_bytes(b"three")
    (folder / os.fsdecode(b"\xff\n.pdf")).write_bytes(b"odd")
    return folder


def config(inbox: Path, **source: object) -> StreamConfig:
    return build_config({"source": {"url": str(inbox), **source}, "sink": {"url": str(inbox.parent / "tables")}})


def archiving(inbox: Path) -> StreamConfig:
    return config(inbox, clean_source="archive", source_archive_dir=str(inbox.parent / "done"))


def listed(inbox: Path) -> list[FileVersion]:
    return list_files(SourceOptions(url=str(inbox)))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_cleaning_deletes_the_listed_files_and_nothing_else(inbox: Path) -> None:
    files = listed(inbox)
    (inbox / "late.pdf").write_bytes(b"late")
    cleaned = Cleaner(config(inbox, clean_source="delete")).clean(files)
    assert (cleaned.files, cleaned.failed) == (3, {})
    assert contents(inbox) == {"late.pdf": b"late"}
    assert sorted(path.name for path in inbox.iterdir()) == ["late.pdf", "sub"]


@pytest.mark.parametrize("other_file_system", [False, True])
def test_archived_files_keep_their_paths(inbox: Path, monkeypatch: pytest.MonkeyPatch, other_file_system: bool) -> None:
    before, times = contents(inbox), {file.path: file.etag for file in listed(inbox)}
    if other_file_system:
        link = os.link

        def refusing(source: Path, target: Path, **how: bool) -> None:
            if ("done" in str(source)) != ("done" in str(target)):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            link(source, target, **how)

        monkeypatch.setattr(os, "link", refusing)
    cleaned = Cleaner(archiving(inbox)).clean(listed(inbox))
    assert (cleaned.files, cleaned.failed) == (3, {})
    assert contents(inbox) == {}
    assert contents(inbox.parent / "done") == before
    assert {file.etag for file in listed(inbox.parent / "done")} == set(times.values())


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second file system")
def test_an_archive_may_be_on_another_file_system(inbox: Path) -> None:
    done = Path("/dev/shm") / f"inkstream-test-{os.getpid()}"
    try:
        source = config(inbox, clean_source="archive", source_archive_dir=str(done))
        before = contents(inbox)
        assert Cleaner(source).clean(listed(inbox)).files == 3
        assert (contents(inbox), contents(done)) == ({}, before)
    finally:
        shutil.rmtree(done, ignore_errors=True)


def test_the_archive_is_never_overwritten(inbox: Path) -> None:
    done = inbox.parent / "done"
    done.mkdir()
    (done / "a b#.pdf").write_bytes(b"another")
    assert Cleaner(archiving(inbox)).clean(listed(inbox)).files == 3
    archived = contents(done)
    assert archived.pop("a b#.pdf") == b"another"
    (name,) = (name for name, content in archived.items() if content == b"one")
    assert name.startswith("a b#-")
    assert name.endswith(".pdf")


def test_a_version_that_was_archived_already_is_not_archived_twice(inbox: Path) -> None:
    done = inbox.parent / "done"
    shutil.copytree(inbox, done)
    before = contents(done)
    assert Cleaner(archiving(inbox)).clean(listed(inbox)).files == 3
    assert (contents(inbox), contents(done)) == ({}, before)


@pytest.mark.parametrize("mode", ["delete", "archive"])
def test_a_file_overwritten_or_deleted_since_the_listing_is_left_alone(inbox: Path, mode: str) -> None:
    files = listed(inbox)
    (inbox / "a b#.pdf").write_bytes(b"a new version")
    (inbox / "sub/c.pdf").unlink()
    source = archiving(inbox) if mode == "archive" else config(inbox, clean_source="delete")
    cleaned = Cleaner(source).clean(files)
    assert (cleaned.files, cleaned.failed) == (1, {})
    assert contents(inbox) == {"a b#.pdf": b"a new version"}


@pytest.mark.parametrize("newest", [None, b"and a third"])
def test_a_file_overwritten_at_the_last_moment_is_put_back(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, newest: bytes | None
) -> None:
    """It is overwritten between the check and the removal and, if `newest` is given, again after it was moved aside."""
    (file,) = [file for file in listed(inbox) if "c.pdf" in file.path]
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        (inbox / "new").write_bytes(b"the second")
        (inbox / "new").replace(self)
        moved = self.rename(target)
        if newest is not None:
            self.write_bytes(newest)
        return moved

    monkeypatch.setattr(Path, "rename", overtaken)
    cleaned = Cleaner(config(inbox, clean_source="delete")).clean([file])
    assert (cleaned.files, cleaned.failed) == (0, {})
    assert (inbox / "sub/c.pdf").read_bytes() == (newest or b"the second")
    assert b"the second" in contents(inbox).values(), "a version that nobody has read is lost"


def test_a_file_left_aside_by_a_killed_run_is_put_back(inbox: Path) -> None:
    aside = inbox / ASIDE / "f00/sub"
    aside.mkdir(parents=True)
    (aside / "d.pdf").write_bytes(b"left aside")
    assert "d.pdf" not in str(listed(inbox))
    Cleaner(config(inbox, clean_source="delete"))
    assert (inbox / "sub/d.pdf").read_bytes() == b"left aside"
    assert not (inbox / ASIDE).exists()


def test_files_that_cannot_be_removed_are_reported_and_stay(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (inbox.parent / "done").write_bytes(b"a file where the archive should be")
    (inbox / "link.pdf").symlink_to("sub/c.pdf")
    before = contents(inbox)
    cleaned = Cleaner(archiving(inbox)).clean(listed(inbox))
    assert (cleaned.files, len(cleaned.failed)) == (0, 4)
    assert contents(inbox) == before


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"clean_source": "archive"}, "needs source_archive_dir"),
        ({"clean_source": "archive", "source_archive_dir": "inbox/done"}, "is inside the source"),
        ({"clean_source": "archive", "source_archive_dir": "link/done"}, "is inside the source"),
        ({"clean_source": "archive", "source_archive_dir": "inbox"}, "is inside the source"),
        ({"clean_source": "archive", "source_archive_dir": "."}, "is inside it"),
        ({"clean_source": "archive", "source_archive_dir": "tables/pages"}, "folder of the sink"),
        ({"clean_source": "archive", "source_archive_dir": "s3://bucket/done"}, "same kind of store"),
        ({"clean_source": "delete", "url": "ftp://host/in"}, "ftp:// stores cannot remove a file only if"),
        ({"clean_source": "delete", "url": "http://host/in"}, "http:// stores cannot remove a file only if"),
        ({"clean_source": "remove"}, "not one of off, archive, delete"),
    ],
)
def test_options_that_could_lose_a_file_are_refused(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, source: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(inbox.parent)
    Path("link").symlink_to("inbox")
    with pytest.raises(ConfigError, match=said):
        Cleaner(build_config({"source": {"url": "inbox", **source}, "sink": {"url": "tables"}}))


def test_an_archive_beside_the_source_is_accepted(inbox: Path) -> None:
    Cleaner(archiving(inbox))
    Cleaner(config(inbox, clean_source="archive", source_archive_dir=f"{inbox}2"))
