"""Announced objects: their place, their current state, and which must wait. The tests use a local folder."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source import announced as announced_module
from inkstream.tasks.source.announced import ObjectPlace, discover_announced, place_of, skipped_announcements
from inkstream.tasks.source.discovery import Discovery
from inkstream.tasks.source.event_source import Announcement
from tests.integration.test_commit_processes import commit, plan


def on_s3(**source: object) -> StreamConfig:
    return build_config({"source": {"url": "s3://b/in", **source}, "sink": {"url": "s3://other/tables"}})


def announced(path: str, protocol: str = "s3", *, created: bool = True, **version: Any) -> Announcement:
    return Announcement(protocol, path, created, **version)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("b/in/a.pdf", ObjectPlace.DOCUMENT),
        ("b/in/x/a.pdf", ObjectPlace.DOCUMENT),
        ("b/in//a.pdf", ObjectPlace.DOCUMENT),
        ("b/in", ObjectPlace.IGNORED),
        ("b/in/", ObjectPlace.IGNORED),
        ("b/in/x/", ObjectPlace.IGNORED),
        ("b/in/a.png", ObjectPlace.IGNORED),
        ("b/in/_a.pdf", ObjectPlace.IGNORED),
        ("b/in/.x/a.pdf", ObjectPlace.IGNORED),
        ("b/inside/a.pdf", ObjectPlace.IGNORED),
        ("b/done/a.pdf", ObjectPlace.IGNORED),
        ("other/tables/pages/a.pdf", ObjectPlace.IGNORED),
        ("other/a.pdf", ObjectPlace.ELSEWHERE),
    ],
)
def test_each_announced_object_is_given_its_place(path: str, place: ObjectPlace) -> None:
    config = on_s3(glob="*.pdf", clean_source="archive", source_archive_dir="s3://b/done")
    assert place_of(config, announced(path)) is place
    assert place_of(config, announced(path, "gs")) is ObjectPlace.ELSEWHERE


def test_objects_in_subfolders_are_ignored_unless_recursive() -> None:
    assert place_of(on_s3(recursive=False), announced("b/in/x/a.pdf")) is ObjectPlace.IGNORED


class Inbox:
    """A folder whose files are announced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "inbox"
        self.folder.mkdir()
        self.sink = folder / "tables"

    def config(self, **source: object) -> StreamConfig:
        return build_config({"source": {"url": str(self.folder), **source}, "sink": {"url": str(self.sink)}})

    def put(self, name: str, content: bytes = b"x") -> Announcement:
        (self.folder / name).write_bytes(content)
        return self.of(name)

    def of(self, name: str, **version: Any) -> Announcement:
        return announced(str(self.folder / name), "file", **version)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def names(discovery: Discovery) -> list[str]:
    return [file.path.rpartition("/")[2] for file in discovery.files]


def waits(discovery: Discovery) -> dict[str, str]:
    return {url.rpartition("/")[2]: wait.why for url, wait in discovery.unsettled.items()}


def find(inbox: Inbox, announcements: Iterable[Announcement], removed: Iterable[str] = (), **source: Any) -> Discovery:
    config = inbox.config(**source)
    return discover_announced(config, open_sink(config.sink), [*announcements], [*removed])


def test_announced_objects_are_found_once_oldest_first(inbox: Inbox) -> None:
    young, old = inbox.put("young.pdf"), inbox.put("old.pdf")
    os.utime(inbox.folder / "old.pdf", ns=(1, 1))
    discovery = find(inbox, [young, old, young, inbox.put("_hidden.pdf"), announced("elsewhere/a.pdf")])
    assert names(discovery) == ["old.pdf", "young.pdf"]
    assert discovery.files[0].etag == "1-1"
    assert (discovery.listed, waits(discovery)) == (2, {"a.pdf": "it is in another bucket than the source"})


def test_announcements_without_a_document_find_nothing(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announced_module, "open_lookup", lambda *_: pytest.fail("an object was looked up"))
    discovery = find(inbox, [inbox.put("_hidden.pdf")])
    assert (discovery.files, discovery.listed, dict(discovery.unsettled)) == ([], 0, {})


def test_a_committed_version_is_known_even_if_its_file_is_gone(inbox: Inbox) -> None:
    kept, gone = inbox.put("kept.pdf"), inbox.put("gone.pdf")
    (batch,) = plan(inbox.config())
    commit(inbox.config(), batch)
    (version,) = [file for file in batch.files if "gone" in file.path]
    (inbox.folder / "gone.pdf").unlink()
    discovery = find(inbox, [kept, inbox.of("gone.pdf", etag=version.etag, size=version.size)])
    assert (discovery.files, waits(discovery)) == ([], {})
    assert [file.path for file in discovery.known_files] == [kept.url]
    other = inbox.of("gone.pdf", etag=uuid.uuid4().hex, size=1)
    assert waits(find(inbox, [other])) == {"gone.pdf": "it does not exist, or not yet"}, "another version was committed"
    assert waits(find(inbox, [gone])) == {"gone.pdf": "it does not exist, or not yet"}, (
        "the announcement names no version"
    )


def test_an_object_whose_removal_was_announced_is_settled(inbox: Inbox) -> None:
    gone = inbox.of("gone.pdf", etag="e", size=1)
    assert waits(find(inbox, [gone], [gone.url])) == {}
    assert waits(find(inbox, [inbox.of("gone.pdf", created=False)])) == {}


def test_an_unstable_object_waits_and_a_too_old_one_is_skipped(inbox: Inbox) -> None:
    young, old = inbox.put("young.pdf"), inbox.put("old.pdf")
    os.utime(inbox.folder / "old.pdf", ns=(1, 1))
    discovery = find(inbox, [young, old], stability_delay="1h", max_file_age="7d")
    assert (discovery.files, waits(discovery)) == ([], {"young.pdf": "it may still change (source.stability_delay)"})
    assert discovery.skipped.examples_json() == {"old": ["old.pdf"]}
    (wait,) = discovery.unsettled.values()
    assert wait.again_in is not None
    assert 3500 < wait.again_in.total_seconds() <= 3600


def test_an_object_from_the_future_waits_from_the_time_of_its_last_change(inbox: Inbox) -> None:
    event = inbox.put("a.pdf")
    os.utime(inbox.folder / "a.pdf", (2**31, 2**31))
    (wait,) = find(inbox, [event], stability_delay="1h").unsettled.values()
    assert wait.again_in is not None
    assert 3500 < wait.again_in.total_seconds() <= 3600


def test_announced_objects_that_are_not_documents_are_counted_by_reason() -> None:
    names = ["_a.pdf", ".x/a.pdf", "a.png", "b.png", "a.pdf", "", "x/"]
    events = [announced(f"b/in/{name}") for name in names]
    others = [announced("b/in/_gone.pdf", created=False), announced("b/inside/_a.pdf"), announced("c/in/_a.pdf")]
    skipped = skipped_announcements(on_s3(glob="*.pdf"), [*events, *others, announced("b/in")])
    assert skipped.to_json() == {"hidden": 2, "glob": 2}
    assert skipped.examples_json()["glob"] == ["a.png", "b.png"]


def test_an_error_of_a_lookup_names_the_source(inbox: Inbox) -> None:
    too_long = inbox.of("a" * 300 + ".pdf")  # longer than any file system allows
    with pytest.raises(TransientError, match=f"cannot look up announced objects of {inbox.folder}: .*too long"):
        find(inbox, [too_long])
