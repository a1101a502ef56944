from __future__ import annotations

import errno
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import (
    ConfigError,
    EnvironmentFault,
)
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.fetching import fetch
from tests.denied import as_another_user

MIB = 1 << 20
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def put(path: Path, content: bytes = b"x", age: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = (NOW - timedelta(seconds=age)).timestamp()
    os.utime(path, (moment, moment))
    return path


def names(folder: Path, **options: object) -> list[str]:
    source = SourceOptions.model_validate({"url": str(folder), **options})
    return [os.path.relpath(decode(file.path)[1], folder) for file in list_files(source, NOW)]


def counts(folder: Path, **options: object) -> dict[str, int]:
    skipped = Skipped()
    list_files(SourceOptions.model_validate({"url": str(folder), **options}), NOW, skipped)
    return skipped.to_json()


def only(folder: Path) -> FileVersion:
    (file,) = list_files(SourceOptions(url=str(folder)))
    return file


def test_files_are_listed_oldest_first_and_then_by_name(tmp_path: Path) -> None:
    for name, age in [("b", 5), ("a", 5), ("new", 1), ("old", 9)]:
        put(tmp_path / name, age=age)
    assert names(tmp_path) == ["old", "a", "b", "new"]
    assert names(tmp_path, latest_first=True) == ["new", "b", "a", "old"]


def test_a_listing_obeys_glob_and_recursive_and_skips_hidden_names(tmp_path: Path) -> None:
    for name in ["a.pdf", "b.PDF", "sub/c.pdf", "_tmp.pdf", ".x.pdf", "_wip/d.pdf", ".git/e.pdf", "note.txt"]:
        put(tmp_path / name)
    assert names(tmp_path) == ["a.pdf", "b.PDF", "note.txt", "sub/c.pdf"]
    assert names(tmp_path, glob="*.pdf") == ["a.pdf", "sub/c.pdf"]
    assert names(tmp_path, recursive=False, glob="*.[pP]*") == ["a.pdf", "b.PDF"]


def test_age_counts_from_the_newest_file_and_stability_from_now(tmp_path: Path) -> None:
    for name, age in [("old", 500), ("mid", 150), ("new", 100)]:
        put(tmp_path / name, age=age)
    assert names(tmp_path, max_file_age=timedelta(seconds=60)) == ["mid", "new"]
    assert names(tmp_path, stability_delay=timedelta(seconds=120)) == ["old", "mid"]


def test_a_version_holds_the_time_and_size_of_its_file(tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"12345", age=3)
    file = only(tmp_path)
    assert file.etag == f"{path.stat().st_mtime_ns}-5"
    assert (file.size, file.modified) == (5, NOW - timedelta(seconds=3))


def test_odd_names_are_listed_and_read(tmp_path: Path) -> None:
    odd = [b"a b.pdf", b"#%20?.pdf", b"new\nline", b"quote'\"", b"\xff\xfe.pdf", "é.pdf".encode()]
    for name in odd:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    files = list_files(SourceOptions(url=str(tmp_path)))
    read = {fetch(file, tmp_path / ".cache", MIB).local_path.read_bytes() for file in files}
    assert read == set(odd)


def test_links_are_followed_but_not_round_in_circles(tmp_path: Path) -> None:
    put(tmp_path / "in/sub/a")
    put(tmp_path / "elsewhere/b")
    (tmp_path / "in/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/sub/self").symlink_to(".")
    (tmp_path / "in/away").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "in/loop").symlink_to("loop")
    assert names(tmp_path / "in") == ["away/b", "sub/a"]


def test_one_folder_has_one_name_however_it_is_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in/a")
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    urls = ["in", "./in/", str(tmp_path / "in"), f"file://{tmp_path}/in", "link", f"{tmp_path}/x/../in"]
    assert len({list_files(SourceOptions(url=url))[0].path for url in urls}) == 1


def test_folders_may_be_nested_deeper_than_python_recurses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    Path("a").write_bytes(b"x")
    try:
        assert len(list_files(SourceOptions(url=str(tmp_path)))) == 1
    finally:  # pytest removes folders recursively and would fail
        Path("a").unlink()
        for _ in range(1200):
            os.chdir("..")
            os.rmdir("d")


def test_pipes_and_sockets_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path may have at most 107 bytes
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        assert (tmp_path / "socket").is_socket()
        assert names(tmp_path) == ["a"]


def test_a_file_that_vanishes_while_it_is_listed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a")
    put(tmp_path / "b")
    scandir = os.scandir

    class Vanishing:
        def __init__(self, path: str) -> None:
            self._entries = list(scandir(path))

        def __enter__(self) -> list[os.DirEntry[str]]:
            (tmp_path / "a").unlink(missing_ok=True)
            return self._entries

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Vanishing)
    assert names(tmp_path) == ["b"]


def test_a_missing_source_or_a_file_as_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        names(tmp_path / "none")
    with pytest.raises(ConfigError, match="is a file"):
        names(put(tmp_path / "a"))
    with pytest.raises(ConfigError, match="expected a folder"):
        list_files(SourceOptions(url=""))


def test_names_are_counted_by_the_reason_why_they_are_not_read(tmp_path: Path) -> None:
    for name in ["a.pdf", "_b.pdf", ".c.pdf", "d.txt", "sub/e.pdf", "_x/f.pdf", ".y/g.pdf", "z/_h.pdf"]:
        put(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "nowhere.pdf").symlink_to("gone")
    (tmp_path / "self.pdf").symlink_to("self.pdf")
    assert counts(tmp_path, glob="*.pdf") == {"hidden": 3, "glob": 1, "special": 3, "hidden_folder": 2}
    assert counts(tmp_path, glob="*.pdf", recursive=False) == {
        "hidden": 2,
        "glob": 1,
        "special": 3,
        "hidden_folder": 2,
        "subfolder": 2,
    }


def test_names_are_examples_relative_to_the_source(tmp_path: Path) -> None:
    put(tmp_path / "sub/_a b.pdf")
    skipped = Skipped()
    assert list_files(SourceOptions(url=str(tmp_path)), NOW, skipped) == []
    assert skipped.examples == {SkipReason.HIDDEN: ["sub/_a b.pdf"]}


def test_times_are_counted_by_the_reason_why_their_files_wait_or_are_left_out(tmp_path: Path) -> None:
    for name, age in [("old", 500), ("mid", 150), ("new", 100)]:
        put(tmp_path / name, age=age)
    assert counts(tmp_path, max_file_age=timedelta(seconds=60)) == {"old": 1}
    assert counts(tmp_path, stability_delay=timedelta(seconds=120)) == {"unstable": 1}
    assert counts(tmp_path) == {}


def test_a_file_from_the_future_is_read_once_the_disk_saw_no_change_for_the_delay(tmp_path: Path) -> None:
    path = put(tmp_path / "a")
    os.utime(path, (2**31, 2**31))
    source = SourceOptions(url=str(tmp_path), stability_delay=timedelta(seconds=30))
    written = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    skipped = Skipped()
    assert list_files(source, written + timedelta(seconds=29), skipped) == []
    assert skipped.to_json() == {"unstable": 1}
    (file,) = list_files(source, written + timedelta(seconds=31))
    assert file.modified == datetime.fromtimestamp(2**31, UTC)


def test_a_file_whose_every_time_is_in_the_future_waits_and_is_counted(tmp_path: Path) -> None:
    path = put(tmp_path / "a")
    os.utime(path, (2**31, 2**31))
    # The time of change is this machine's; a year earlier it is in the future too, as on a server whose clock is fast.
    earlier = datetime.fromtimestamp(path.stat().st_ctime, UTC) - timedelta(days=365)
    skipped = Skipped()
    source = SourceOptions(url=str(tmp_path), stability_delay=timedelta(seconds=30))
    assert list_files(source, earlier, skipped) == []
    assert (skipped.to_json(), skipped.examples) == ({"future": 1}, {SkipReason.FUTURE: ["a"]})


def test_a_file_from_the_future_does_not_make_the_others_too_old(tmp_path: Path) -> None:
    put(tmp_path / "old", age=500)
    put(tmp_path / "new", age=10)
    put(tmp_path / "scan", age=-1e8)
    assert names(tmp_path, max_file_age=timedelta(seconds=60)) == ["new", "scan"]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.{png,PNG}", ["a.png", "b.PNG"]),
        ("{a,c{d,e}}*", ["a.png", "cd.tif", "ce.tif"]),
        ("c{d,e}.tif", ["cd.tif", "ce.tif"]),
        ("{x}*", ["{x},y"]),
        ("\\{x\\},*{y,z}", ["{x},y"]),
    ],
)
def test_braces_in_a_glob_stand_for_alternatives(glob: str, expected: list[str], tmp_path: Path) -> None:
    for name in ["a.png", "b.PNG", "cd.tif", "ce.tif", "{x},y"]:
        put(tmp_path / name)
    assert names(tmp_path, glob=glob) == expected


def test_a_glob_matches_both_normal_forms_and_paths_stay_as_on_the_disk(tmp_path: Path) -> None:
    put(tmp_path / "Mu\u0308ller NFD.png")
    put(tmp_path / "M\u00fcller NFC.png")
    for glob in ("M\u00fcller*", "Mu\u0308ller*", "M[\u00fc]ller*", "{M\u00fc,x}ller*"):
        assert names(tmp_path, glob=glob) == ["M\u00fcller NFC.png", "Mu\u0308ller NFD.png"]


def test_a_source_is_found_under_either_normal_form_of_its_name(tmp_path: Path) -> None:
    put(tmp_path / "Mu\u0308ller/Post/a")
    (file,) = list_files(SourceOptions(url=str(tmp_path / "M\u00fcller/Post")))
    assert decode(file.path)[1] == str(tmp_path / "Mu\u0308ller/Post/a")


def test_an_unreadable_subfolder_is_counted_and_the_rest_is_listed(open_folder: Path) -> None:
    for name in ["a", "shut/b", "dark/c", "lost+found/d", "open/e"]:
        put(open_folder / name)
    (open_folder / "link").symlink_to("dark/c")
    for name, mode in [("shut", 0), ("dark", 0o744), ("lost+found", 0o700)]:
        (open_folder / name).chmod(mode)
    skipped = Skipped()
    with as_another_user():
        files = list_files(SourceOptions(url=str(open_folder)), NOW, skipped)
    assert [file.path.rpartition("/")[2] for file in files] == ["a", "e"]
    assert skipped.to_json() == {"unreadable": 2, "unreadable_folder": 1, "system_folder": 1}
    assert skipped.examples[SkipReason.UNREADABLE_FOLDER] == ["shut (permission denied)"]
    assert sorted(skipped.examples[SkipReason.UNREADABLE]) == [
        "dark/c (permission denied)",
        "link (permission denied)",
    ]
    assert skipped.has_unreadable


def test_a_source_that_this_user_may_not_list_is_an_environment_fault(open_folder: Path) -> None:
    (open_folder / "in").mkdir(mode=0)
    with as_another_user(), pytest.raises(EnvironmentFault, match=r"cannot list .*in: Permission denied"):
        names(open_folder / "in")


def test_a_folder_that_vanishes_while_it_is_listed_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a")
    put(tmp_path / "sub/b")
    scandir = os.scandir

    def scan_then_remove(path: str) -> Any:
        entries = scandir(path)
        if (tmp_path / "sub").exists():
            (tmp_path / "sub/b").unlink()
            (tmp_path / "sub").rmdir()
        return entries

    monkeypatch.setattr(os, "scandir", scan_then_remove)
    assert counts(tmp_path) == {}


@pytest.mark.parametrize(("fault", "name"), [(errno.EIO, "input/output error"), (errno.ESTALE, "stale file handle")])
def test_a_subfolder_on_a_broken_disk_is_counted(
    fault: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "sub/b")
    scandir = os.scandir

    def broken(path: str) -> Any:
        if path.endswith("/sub"):
            raise OSError(fault, os.strerror(fault), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", broken)
    skipped = Skipped()
    list_files(SourceOptions(url=str(tmp_path)), NOW, skipped)
    assert skipped.examples == {SkipReason.UNREADABLE_FOLDER: [f"sub ({name})"]}


def test_a_process_without_file_handles_does_not_take_folders_for_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "sub/b")
    scandir = os.scandir

    def exhausted(path: str) -> Any:
        if path.endswith("/sub"):
            raise OSError(errno.EMFILE, "Too many open files", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", exhausted)
    with pytest.raises(EnvironmentFault, match="Too many open files"):
        names(tmp_path)


def test_an_unreadable_folder_is_an_environment_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(EnvironmentFault, match=r"cannot list .*Permission denied"):
        names(tmp_path)


def test_an_unknown_protocol_is_an_environment_fault() -> None:
    with pytest.raises(EnvironmentFault, match="no driver for nope://"):
        list_files(SourceOptions(url="nope://bucket/x"))
