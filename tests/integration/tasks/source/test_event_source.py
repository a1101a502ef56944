"""The real listener follows a second kind of event source; see `sqlite_events`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from inkstream.flows.api import Stream
from inkstream.flows.doctor import run_checks
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import Event, MessagesTaken
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.event_source import held
from inkstream.tasks.source.opening import EVENT_SOURCES, count_messages, open_event_source
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream
from tests.integration.tasks.source.sqlite_events import KIND, send
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("shared_workers")

PROGRAM = [sys.executable, "-m", "tests.integration.tasks.source.sqlite_events"]
VISIBILITY = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Announced:
    """A folder of documents, a table, and a queue that announces the documents."""

    folder: Path

    @property
    def queue(self) -> Path:
        return self.folder / "queue.db"

    @property
    def url(self) -> str:
        return f"sqlite://{self.queue}"

    @property
    def config(self) -> StreamConfig:
        return build_config(
            {
                "source": {"url": str(self.folder / "inbox")},
                "sink": {"url": str(self.folder / "tables")},
                "trigger": {"max_files_per_trigger": 2},
                "pipeline": {"text_layer": {"mode": "only"}},
                "execution": {"workers": 1},
                "events": {"queue": self.url, "backfill_interval": None, "visibility_timeout": "3s"},
            }
        )

    def put(self, name: str) -> str:
        path = self.folder / "inbox" / name
        path.write_bytes(tiny_pdf(f"the text of {name}"))
        return str(path)

    def announce(self, *files: str) -> None:
        """Announce documents from a separate process, as another writer would."""
        self.program("announce", *files)

    def program(self, *arguments: str) -> int:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run([*PROGRAM, str(self.queue), *arguments], env=environment, check=False).returncode

    def rows(self) -> Counter[str]:
        rows = open_sink(self.config.sink).rows(columns=["text"]).to_pylist()
        return Counter(row["text"] for row in rows)

    def dead_letters(self) -> int:
        status = count_messages(self.config.events)
        assert status.dead_letters is not None
        return status.dead_letters.waiting

    def wait_until_waiting(self, messages: int) -> None:
        """Wait until this many messages can be received again."""
        end = time.monotonic() + 60
        while (status := count_messages(self.config.events)).waiting != messages:
            assert time.monotonic() < end, status
            time.sleep(0.05)


@pytest.fixture
def announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Announced:
    """Register the event source with the one line that a module for another kind needs."""
    monkeypatch.setitem(EVENT_SOURCES, "sqlite", KIND)
    (tmp_path / "inbox").mkdir()
    return Announced(tmp_path)


def test_announced_files_are_committed_and_their_messages_deleted(announced: Announced) -> None:
    seen: list[Event] = []
    announced.announce(*[announced.put(name) for name in ("a.pdf", "b.pdf", "_hidden.pdf")])
    announced.put("unannounced.pdf")
    with Stream(announced.config, observers=[seen.append]) as stream:
        assert stream.listen(once=True).files == 2
        announced.announce(str(announced.folder / "inbox" / "a.pdf"))  # events come twice
        assert stream.listen(once=True).files == 0
    assert announced.rows() == {"the text of a.pdf": 1, "the text of b.pdf": 1}
    assert sum(event.settled for event in seen if isinstance(event, MessagesTaken)) == 4
    announced.wait_until_waiting(0)


def test_a_killed_listener_leaves_its_messages_to_the_next_one(
    announced: Announced,
) -> None:
    announced.announce(*[announced.put(name) for name in ("a.pdf", "b.pdf")])
    config = announced.folder / "stream.json"
    config.write_text(announced.config.model_dump_json())
    assert announced.program("listen", str(config), "BatchCommitted:1") == -signal.SIGKILL
    assert announced.rows().total() == 2, "it committed before it was killed"
    announced.wait_until_waiting(2)
    with Stream(announced.config) as stream:
        assert stream.listen(once=True).files == 0, "nothing is read twice"
    assert announced.rows() == {"the text of a.pdf": 1, "the text of b.pdf": 1}
    announced.wait_until_waiting(0)


def test_a_message_that_is_never_settled_becomes_a_dead_letter(announced: Announced) -> None:
    seen: list[Event] = []
    never = str(announced.folder / "inbox" / "never.pdf")
    announced.announce(announced.put("good.pdf"), never)
    send(announced.queue, "this is not JSON")
    with Stream(announced.config, observers=[seen.append]) as stream:
        assert stream.listen(once=True).files == 1
        end = time.monotonic() + 60
        while announced.dead_letters() < 2:
            assert time.monotonic() < end
            assert stream.listen(once=True).files == 0
    taken = [event for event in seen if isinstance(event, MessagesTaken)]
    assert {why for event in taken for why in event.unsettled.values()} == {"it does not exist, or not yet"}
    assert sum(len(event.unreadable) for event in taken) == 2
    status = json.loads(inkstream("status", announced.folder / "tables", "--queue", announced.url, "--json").stdout)
    assert status["queue"]["dead_letters"]["waiting"] == 2
    (check,) = [check for check in run_checks(announced.config) if check.name == "event source"]
    assert (check.ok, "2 dead letters" in check.detail) == (True, True)


def test_messages_stay_hidden_while_they_are_worked_on(announced: Announced) -> None:
    announced.announce(announced.put("a.pdf"))
    source = open_event_source(announced.url, VISIBILITY)
    messages = source.receive(1, timedelta(0))
    with held(source, messages, VISIBILITY):
        end = time.monotonic() + VISIBILITY.total_seconds() + 1
        while time.monotonic() < end:
            assert source.receive(1, timedelta(0)) == []
            threading.Event().wait(0.05)
    with pytest.raises(RuntimeError), held(source, messages, VISIBILITY):
        raise RuntimeError
    assert source.receive(1, timedelta(0)), "messages are given back at once after an error"
    source.close()


def test_the_message_of_a_file_that_may_still_change_stays_hidden(announced: Announced) -> None:
    announced.announce(announced.put("young.pdf"))
    config = announced.config
    patient = config.model_copy(
        update={"source": config.source.model_copy(update={"stability_delay": timedelta(hours=1)})}
    )
    with Stream(patient) as stream:
        summary = stream.listen(once=True)
    assert (summary.files, dict(summary.unsettled)) == (0, {})
    source = open_event_source(announced.url, VISIBILITY)
    assert (source.status().waiting, source.status().in_flight) == (0, 1)
    source.close()


def test_mistakes_about_the_queue_are_raised_before_anything_is_written(announced: Announced) -> None:
    with Stream(announced.config) as stream, pytest.raises(EnvironmentFault, match="there is no queue"):
        stream.listen(once=True)
    elsewhere = build_config({**announced.config.model_dump(mode="json"), "source": {"url": "s3://bucket/in"}})
    with Stream(elsewhere) as stream, pytest.raises(ConfigError, match="SQLite announces objects of file:// stores"):
        stream.listen(once=True)
    assert not (announced.folder / "tables").exists()
