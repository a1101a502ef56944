from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import DocumentError, FailureKind, SourceChangedError, TransientError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.stores import fetching
from inkstream.tasks.stores.fetching import fetch
from tests.denied import as_another_user
from tests.unit.tasks.source.test_listing import NOW, only, put

MIB = 1 << 20


def test_a_copy_has_the_planned_content_and_its_hash(tmp_path: Path) -> None:
    put(tmp_path / "in/a", b"content" * 1000)
    fetched = fetch(only(tmp_path / "in"), tmp_path / "cache", MIB)
    assert fetched.local_path.read_bytes() == b"content" * 1000
    assert fetched.content_hash == hashlib.sha256(b"content" * 1000).hexdigest()
    assert fetched.version_id is None
    assert os.listdir(tmp_path / "cache") == [fetched.local_path.name]


def test_a_file_overwritten_or_gone_since_planning_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "in/a", b"one")
    file = only(tmp_path / "in")
    path.write_bytes(b"two")
    with pytest.raises(SourceChangedError, match="overwritten"):
        fetch(file, tmp_path / "cache", MIB)
    path.unlink()
    with pytest.raises(SourceChangedError, match="gone"):
        fetch(file, tmp_path / "cache", MIB)
    os.mkfifo(path)
    with pytest.raises(SourceChangedError, match="regular file"):
        fetch(file, tmp_path / "cache", MIB)
    assert os.listdir(tmp_path / "cache") == []


def test_a_file_overwritten_while_it_is_read_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "in/a", b"0" * 3 * MIB)
    file = only(tmp_path / "in")
    write = fetching._CopyWriter.write

    def overwrite_then_write(self: fetching._CopyWriter, chunk: bytes) -> None:
        with path.open("r+b") as opened:
            opened.write(b"1")
        write(self, chunk)

    monkeypatch.setattr(fetching._CopyWriter, "write", overwrite_then_write)
    with pytest.raises(SourceChangedError):
        fetch(file, tmp_path / "cache", 4 * MIB)


def test_a_file_replaced_while_it_is_read_is_read_as_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "in/a", b"0" * 3 * MIB)
    file = only(tmp_path / "in")
    write = fetching._CopyWriter.write

    def replace_then_write(self: fetching._CopyWriter, chunk: bytes) -> None:
        put(tmp_path / "next", b"1" * 10).replace(path)
        write(self, chunk)

    monkeypatch.setattr(fetching._CopyWriter, "write", replace_then_write)
    fetched = fetch(file, tmp_path / "cache", 4 * MIB)
    assert set(fetched.local_path.read_bytes()) == {ord("0")}


def test_a_file_without_read_permission_is_left_for_a_later_run(open_folder: Path) -> None:
    path = put(open_folder / "in/a")
    (open_folder / "cache").mkdir(mode=0o777)
    (open_folder / "cache").chmod(0o777)
    file = only(open_folder / "in")
    path.chmod(0)
    with as_another_user(), pytest.raises(TransientError, match="permission denied; give this user read access"):
        fetch(file, open_folder / "cache", MIB)
    path.chmod(0o644)
    with as_another_user():
        assert fetch(file, open_folder / "cache", MIB).local_path.read_bytes() == b"x"


def test_a_file_over_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    file = FileVersion("file:///gone", "e", 11, NOW)
    with pytest.raises(DocumentError, match="11 bytes; 10 are allowed") as caught:
        fetch(file, tmp_path / "cache", 10)
    assert caught.value.kind is FailureKind.LIMIT


def test_a_full_disk_is_retried_and_then_a_transient_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in/a")
    file = only(tmp_path / "in")
    monkeypatch.setattr("inkstream.tasks.retries.pause", lambda _: None)
    tries: list[int] = []

    def full(self: Path, mode: str) -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(TransientError, match="No space left"):
        fetch(file, tmp_path / "cache", MIB)
    assert len(tries) == 3
