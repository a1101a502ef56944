"""A second kind of event source: a queue in an SQLite file that announces the files of local folders.

Like a module for another cloud, it has the class and its entry in the registry. As a program it is another user of the
queue:

    python -m tests.integration.tasks.source.sqlite_events QUEUE.db announce FILE...
    python -m tests.integration.tasks.source.sqlite_events QUEUE.db listen CONFIG.json EVENT[:N]

The second follows the queue, as `inkstream listen --once` does, until it kills itself at an event.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import build_config
from inkstream.tasks.source.event_source import Announcement, EventSourceKind, Message, QueueStatus
from inkstream.tasks.source.opening import EVENT_SOURCES
from tests.faults.driver import at

TRIES = 2
_TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, body TEXT, receipt TEXT, visible_at REAL DEFAULT 0, tries INTEGER DEFAULT 0
)
"""


class SqliteQueue:
    """See `inkstream.tasks.source.event_source.EventSource`. A message is dead after `TRIES` deliveries."""

    def __init__(self, url: str, visibility_timeout: timedelta) -> None:
        self.url = url
        self._visibility = visibility_timeout.total_seconds()
        path = Path(urlsplit(url).path)
        if not path.exists():
            raise EnvironmentFault(f"there is no queue {path}", "announce something, or correct events.queue")
        self._database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._turn = threading.Lock()

    def has_dead_letters(self) -> bool:
        return True

    def receive(self, limit: int, wait: timedelta) -> list[Message]:
        end = time.monotonic() + wait.total_seconds()
        while True:
            with self._transaction() as run:
                now = time.time()
                waiting = "SELECT id, tries + 1, body FROM messages WHERE visible_at <= ? AND tries < ? LIMIT ?"
                found = run(waiting, (now, TRIES, limit)).fetchall()
                for id, tries, _ in found:
                    taken = (f"{id}/{tries}", now + self._visibility, tries, id)
                    run("UPDATE messages SET receipt = ?, visible_at = ?, tries = ? WHERE id = ?", taken)
            if found or time.monotonic() >= end:
                return [_message(f"{id}", f"{id}/{tries}", body) for id, tries, body in found]
            time.sleep(0.02)

    def hide(self, messages: Sequence[Message], time_: timedelta) -> None:
        visible_at = time.time() + time_.total_seconds()
        with self._transaction() as run:
            for message in messages:
                run("UPDATE messages SET visible_at = ? WHERE receipt = ?", (visible_at, message.receipt))

    def acknowledge(self, messages: Sequence[Message]) -> None:
        with self._transaction() as run:
            for message in messages:
                run("DELETE FROM messages WHERE receipt = ?", (message.receipt,))

    def status(self) -> QueueStatus:
        with self._transaction() as run:
            tried = run("SELECT visible_at <= ?, tries FROM messages", (time.time(),)).fetchall()
        dead = sum(visible and tries >= TRIES for visible, tries in tried)
        waiting = sum(visible and tries < TRIES for visible, tries in tried)
        return QueueStatus(
            self.url, waiting, len(tried) - waiting - dead, 0, QueueStatus(f"{self.url}#dead", dead, 0, 0)
        )

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database.execute


def _message(id: str, receipt: str, body: str) -> Message:
    try:
        files = json.loads(body)["created"]
        return Message(id, receipt, tuple(Announcement("file", file, created=True) for file in files))
    except (ValueError, KeyError, TypeError) as error:
        return Message(id, receipt, problem=f"it is not an announcement: {error}")


KIND = EventSourceKind(
    name="SQLite", schemes=("sqlite",), example="sqlite:///queue.db", announces=frozenset({"file"}), open=SqliteQueue
)
"""The entry in the registry."""


def send(queue: Path, *bodies: str) -> None:
    """Put messages into a queue; create it if it does not exist."""
    database = sqlite3.connect(queue, timeout=60)
    with database:
        database.execute(_TABLE)
        database.executemany("INSERT INTO messages (body) VALUES (?)", [(body,) for body in bodies])
    database.close()


def main(queue: str, act: str, *arguments: str) -> None:
    if act == "announce":
        send(Path(queue), *(json.dumps({"created": [file]}) for file in arguments))
        return
    EVENT_SOURCES["sqlite"] = KIND
    config, event = arguments
    die = at(event, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with Stream(build_config(json.loads(Path(config).read_text())), observers=[die]) as stream:
        stream.listen(once=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
