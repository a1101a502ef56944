"""The log of a Delta table on a local disk, read without the Delta library.

The log's entry for version 42 is `_delta_log/00000000000000000042.json`, one action per line. A checkpoint
(`00000000000000000040.checkpoint.parquet`) sums up all entries up to its version, and the file `_last_checkpoint` names
the newest one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_ENTRY = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10})?\.parquet")

Action = dict[str, Any]
"""One of `commitInfo`, `protocol`, `metaData`, `txn`, `add` and `remove`, by that name."""


@dataclass(frozen=True, slots=True)
class LocalLog:
    """The log of one table.

    Attributes:
        table: The table's folder.
    """

    table: Path

    @property
    def folder(self) -> Path:
        """The log's folder."""
        return self.table / "_delta_log"

    @property
    def hint(self) -> Path:
        """The file that names the newest checkpoint."""
        return self.folder / "_last_checkpoint"

    def entry(self, version: int) -> Path:
        """Return the file of a version."""
        return self.folder / f"{version:020}.json"

    def versions(self) -> list[int]:
        """Return the versions that have an entry, rising; empty without a log."""
        return self._numbers(_ENTRY)

    def checkpoints(self) -> list[int]:
        """Return the versions that have a checkpoint, rising."""
        return self._numbers(_CHECKPOINT)

    def checkpoint_files(self, version: int) -> list[Path]:
        """Return the files of a checkpoint."""
        return sorted(self.folder.glob(f"{version:020}.checkpoint*.parquet"))

    def actions(self, version: int) -> list[Action]:
        """Return the actions of an entry.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it is not a complete entry.
        """
        lines = self.entry(version).read_bytes().splitlines()
        actions = [json.loads(line) for line in lines if line.strip()]
        if not actions or not all(isinstance(action, dict) for action in actions):
            raise ValueError(f"{self.entry(version)} has no actions")
        return actions

    def data_file(self, action: Action) -> Path:
        """Return the file that an `add` or `remove` names."""
        return self.table / unquote(action["path"])

    def _numbers(self, name: re.Pattern[str]) -> list[int]:
        try:
            found = {match[1] for path in self.folder.iterdir() if (match := name.fullmatch(path.name))}
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(map(int, found))


def added(actions: list[Action]) -> Iterator[Action]:
    """Yield what the actions add."""
    return (action["add"] for action in actions if "add" in action)
