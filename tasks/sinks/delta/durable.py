"""Making the commits of a Delta table on a local disk durable: the Delta library makes no fsync call.

A commit is visible as soon as its log entry exists, and durable when its data files, its entry and their names are
synced. Only then it may be acknowledged. The order does not matter: after a power cut before that, an entry may have
lost its bytes or its data files, and `inkstream.tasks.sinks.delta.repair` takes it back, which is right because nobody
was told of it. An entry is synced together with all before it, so an entry that was acknowledged never stands on one
that may be taken back.
"""

from __future__ import annotations

from pathlib import Path

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError
from inkstream.tasks.sinks.delta.log import Action, LocalLog, added
from inkstream.tasks.stores import explain_store_error
from inkstream.tasks.whole_files import sync_file, sync_folder, sync_names

_BEFORE_CHECKPOINT = 10
"""Entries before the newest checkpoint that a process syncs, too, when it first looks at a table: a driver that was
killed leaves at most one entry that is not durable, and a checkpoint may follow it at once."""


class DurableTable:
    """Syncs the commits of one table, each once.

    Args:
        table: The table's folder.
    """

    def __init__(self, table: Path) -> None:
        self._log = LocalLog(table)
        self._synced: int | None = None
        self._fault: InkstreamError | None = None

    def sync(self, upto: int) -> None:
        """Make all commits up to a version durable.

        Raises:
            InkstreamError: If the disk did not take them. Then nothing more is synced by this process: a second attempt
                may succeed although the bytes are lost.
        """
        if self._fault is not None:
            raise self._fault
        first = max(0, self._checkpoint() - _BEFORE_CHECKPOINT) if self._synced is None else self._synced + 1
        if first > upto:
            return
        try:
            self._sync(first, upto)
        except (OSError, ValueError) as error:
            self._fault = _explained(error, self._log.table)
            raise self._fault from error
        self._synced = upto

    def _checkpoint(self) -> int:
        return max(self._log.checkpoints(), default=-1)

    def _sync(self, first: int, upto: int) -> None:
        entries = [version for version in range(first, upto + 1) if self._log.entry(version).exists()]
        files = {self._log.data_file(add) for version in entries for add in self._added(version)}
        for path in sorted(files):
            if path.exists():  # else it was merged into a larger file since
                sync_file(path)
        for version in entries:
            sync_file(self._log.entry(version))
            for path in self._log.checkpoint_files(version):
                sync_file(path)
        sync_folder(self._log.table)
        sync_folder(self._log.folder)
        if self._synced is None:  # the folders themselves may be new
            sync_names([self._log.folder, self._log.table, self._log.table.parent])

    def _added(self, version: int) -> list[Action]:
        try:
            return list(added(self._log.actions(version)))
        except ValueError:
            if version <= self._checkpoint():
                return []  # the checkpoint has it
            raise


def _explained(error: Exception, table: Path) -> InkstreamError:
    found = explain_store_error(error, f"cannot make the commits of {table} durable", "file")
    if isinstance(found, EnvironmentFault):
        return found
    return EnvironmentFault(str(found), "check the disk; the next run reads again what was lost")
