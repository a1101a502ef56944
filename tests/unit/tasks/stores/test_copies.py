"""Copies of source files that the processes of a machine share; some of the processes are killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import DocumentError, TransientError
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import fetching
from inkstream.tasks.stores.copies import Copies, CopiesFolder, copies_of, leave_copies
from inkstream.tasks.stores.local import LocalStore

MIB = 1 << 20

# Holds the folder's only file until it reads a line. If `slow`, it also reads a line before it writes each chunk.
HOLD = """
import sys
from pathlib import Path
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import fetching
from inkstream.tasks.stores.copies import Copies, CopiesFolder
source, parent, name, slow = sys.argv[1:]
write = fetching._CopyWriter.write
def say_and_write(self, chunk):
    print("fetching", flush=True)
    if slow:
        sys.stdin.readline()
    write(self, chunk)
fetching._CopyWriter.write = say_and_write
(file,) = list_files(SourceOptions(url=source))
with Copies(CopiesFolder(name, 100), Path(parent)).hold(file, 1 << 30) as copy:
    print("holding", copy.content_hash, flush=True)
    sys.stdin.readline()
"""


def put(folder: Path, sizes: list[int]) -> list[FileVersion]:
    folder.mkdir()
    for number, size in enumerate(sizes):
        (folder / f"{number}").write_bytes(bytes([number]) * size)
    return list_files(SourceOptions(url=str(folder)))


class Holder:
    """A process that holds a copy."""

    def __init__(self, source: Path, parent: Path, name: str, *, slow: bool = False) -> None:
        command = [sys.executable, "-c", HOLD, str(source), str(parent), name, "slow" if slow else ""]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def send_line(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self) -> None:
        self.process.communicate("\n", timeout=30)
        assert self.process.returncode == 0


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == [], "copies are left after every process has ended"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and path.suffix == ""}


def test_a_file_is_fetched_by_one_process_while_the_others_wait(tmp_path: Path, parent: Path) -> None:
    put(tmp_path / "in", [3 * MIB])
    name = uuid.uuid4().hex
    first = Holder(tmp_path / "in", parent, name, slow=True)
    assert first.read_line() == "fetching"
    others = [Holder(tmp_path / "in", parent, name) for _ in range(2)]
    for _ in range(2):
        first.send_line()
        assert first.read_line() == "fetching"
    first.send_line()
    expected = f"holding {hashlib.sha256(bytes(3 * MIB)).hexdigest()}"
    assert [holder.read_line() for holder in (first, *others)] == [expected] * 3
    assert len(names(parent)) == 1
    for holder in (first, *others):
        holder.finish()


def test_another_process_restarts_the_fetch_of_a_killed_one(tmp_path: Path, parent: Path) -> None:
    put(tmp_path / "in", [3 * MIB])
    name = uuid.uuid4().hex
    killed = Holder(tmp_path / "in", parent, name, slow=True)
    assert killed.read_line() == "fetching"
    killed.send_line()
    assert killed.read_line() == "fetching"
    waiting = Holder(tmp_path / "in", parent, name)
    killed.process.send_signal(signal.SIGKILL)
    killed.process.communicate()
    assert [waiting.read_line() for _ in range(3)] == ["fetching"] * 3
    assert waiting.read_line() == f"holding {hashlib.sha256(bytes(3 * MIB)).hexdigest()}"
    assert len(names(parent)) == 1
    waiting.finish()


def test_opening_a_folder_removes_the_copies_of_killed_processes(tmp_path: Path, parent: Path) -> None:
    (file,) = put(tmp_path / "in", [10])
    killed = [Holder(tmp_path / "in", parent, "a-run") for _ in range(2)]
    for holder in killed:
        while not holder.read_line().startswith("holding"):
            pass
    for holder in killed:
        holder.process.kill()
        holder.process.communicate()
    assert len(names(parent)) == 1
    copies = Copies(CopiesFolder("another-run", 1), parent)
    assert names(parent) == set()
    with copies.hold(file, 10):
        pass
    copies.close()


def test_threads_share_a_copy_that_is_read_once(tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = put(tmp_path / "in", [1000])
    reads: list[str] = []
    read = LocalStore.read

    def counting(store: LocalStore, path: str, *how: Any) -> None:
        reads.append(path)
        read(store, path, *how)

    monkeypatch.setattr(LocalStore, "read", counting)
    copies, barrier = Copies(CopiesFolder("a-run", 1), parent), threading.Barrier(6)

    def work() -> None:
        barrier.wait()
        with copies.hold(file, MIB):
            pass

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    copies.close()


def test_copies_stay_within_the_budget_except_those_that_are_held(tmp_path: Path, parent: Path) -> None:
    files = put(tmp_path / "in", [MIB // 2 - 1000] * 5)
    copies, other = Copies(CopiesFolder("a-run", 1), parent), Copies(CopiesFolder("a-run", 1), parent)
    with copies.hold(files[0], MIB) as first, copies.hold(files[1], MIB), other.hold(files[2], MIB) as third:
        assert len(names(parent)) == 3, "a copy that is held stays, even over the budget"
        assert first.local_path.read_bytes() == bytes(MIB // 2 - 1000)
        assert third.local_path.read_bytes() == bytes([2]) * (MIB // 2 - 1000)
    with copies.hold(files[3], MIB) as fourth:
        assert len(names(parent)) == 2
        assert names(parent) > {fourth.local_path.name}
    os.utime(fourth.local_path.with_suffix(".lock"), (0, 0))
    with other.hold(files[4], MIB):
        assert fourth.local_path.name not in names(parent), "the least recently held copy is removed first"
    copies.close()
    assert len(names(parent)) == 2
    other.close()


def test_the_next_holder_retries_a_failed_copy(tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = put(tmp_path / "in", [10])
    copies = Copies(CopiesFolder("a-run", 1), parent)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("inkstream.tasks.retries.pause", lambda _: None)
        patched.setattr(fetching._CopyWriter, "write", full)
        with pytest.raises(TransientError), copies.hold(file, MIB):
            pass
    assert names(parent) == set()
    with copies.hold(file, MIB) as copy:
        assert copy.local_path.read_bytes() == bytes(10)
    with pytest.raises(DocumentError, match="are allowed"), copies.hold(file, 9):
        pass
    copies.close()


def test_the_copies_of_ended_and_idle_runs_are_removed(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(parent))
    over, forgotten, now = (CopiesFolder(f"{name}-{uuid.uuid4().hex}", 1) for name in ("over", "forgotten", "now"))
    assert copies_of(over) is copies_of(over)
    copies_of(forgotten)
    assert len(list(parent.iterdir())) == 4
    leave_copies(over.name)
    leave_copies(over.name)
    assert len(list(parent.iterdir())) == 2
    monkeypatch.setattr("inkstream.tasks.stores.copies._IDLE_SECONDS", 0.0)
    copies_of(now)
    assert len(list(parent.glob("*now*"))) == 2
    assert len(list(parent.iterdir())) == 2
    leave_copies(now.name)
