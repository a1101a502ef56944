"""What a run does before it believes a Delta sink: repair what a power cut damaged, and rebuild a ledger that is ahead.

The ledger is ahead of `pages` after a power cut (if its own commit survived, and that of the pages did not), after
`pages` was restored from a backup, and after Delta's RESTORE. It would say that documents are done whose rows are gone.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, scan
from inkstream.tasks.sinks.delta.ledger import PAGES_TIME, PAGES_VERSION, LedgerProjection
from inkstream.tasks.sinks.delta.repair import find_damage, repair
from inkstream.tasks.sinks.delta.snapshot import transaction_version
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.stores import explain_store_error
from inkstream.tasks.whole_files import make_folder, sync_names

KEPT = "repaired"
"""Folder of the sink for damaged files."""

_ROWS_REMOVED = ("RESTORE", "DELETE", "UPDATE", "MERGE", "REPAIR")
"""Operations of `pages`, as its log names them, that Inkstream's own commits never are."""
_DONE = {
    "entry": "this commit was taken back, and its documents are read again",
    "data": "its commit was taken back, and its documents are read again",
    "covered": "its place was filled, and nothing is lost: a checkpoint has it",
    "checkpoint": "it was removed, and nothing is lost",
    "hint": "it was removed, and nothing is lost",
}
"""What was done about damage of each kind."""
_LOOK_BACK = (1, 20)
"""Commits of the ledger among which the last one that was made from the pages is looked for: usually it is the last."""


class Recovery:
    """Brings a Delta sink into a state that a run may believe.

    Args:
        sink_url: The sink's folder or prefix.
        pages: The pages.
        ledger: The ledger.
        projection: Rebuilds the ledger.
    """

    def __init__(self, sink_url: str, pages: PagesTable, ledger: LedgerTable, projection: LedgerProjection) -> None:
        self._pages = pages
        self._ledger = ledger
        self._projection = projection
        protocol, root = split_url(sink_url)
        self._root = Path(root) if protocol == "file" else None

    def run(self, stream: str, *, thorough: bool, dry_run: bool) -> Iterator[str]:
        """Repair what is damaged, and yield a sentence for each thing that was.

        Args:
            stream: The stream that is going to run.
            thorough: Whether to decode all data files.
            dry_run: Only look.

        Raises:
            EnvironmentFault: If something cannot be repaired.
            TransientError: If the store does not answer.
        """
        if self._root is not None:
            try:
                found = list(self._repaired(self._root / KEPT, thorough=thorough, dry_run=dry_run))
            except OSError as error:
                raise explain_store_error(error, f"cannot check {self._root}", "file") from error
            yield from found
            if found and dry_run:
                return
        reason = self._is_ahead(stream) if self._ledger.exists() else None
        if reason:
            if not dry_run:
                self._projection.rebuild(self._streams())
            yield f"{self._ledger.url} was ahead of the pages, and is made again from them: {reason}"

    def _repaired(self, kept: Path, *, thorough: bool, dry_run: bool) -> Iterator[str]:
        """Repair both tables on a local disk. The ledger goes first: without it, all is known from the pages alone."""
        lost = find_damage(Path(self._ledger.url), thorough=thorough)
        durable = None if lost else self._durable_at()
        damage = find_damage(Path(self._pages.url), durable, thorough=thorough)
        if dry_run:
            yield from map(str, [*lost, *damage])
            return
        if (lost or damage) and Path(self._ledger.url).exists():
            target = kept / f"files-{uuid.uuid4().hex[:8]}"
            make_folder(kept)
            shutil.move(self._ledger.url, target)
            sync_names([target, Path(self._ledger.url)])
        yield from (f"{each}; the ledger is made again from the pages, and the old one is in {kept}" for each in lost)
        if damage:
            damage = repair(Path(self._pages.url), kept, self._pages.first_entry, thorough=thorough)
            yield from (f"{each}; {_DONE[each.kind]}" for each in damage)

    def _durable_at(self) -> int | None:
        """Return when the pages were known to be durable, in milliseconds since 1970; None if that is unknown."""
        made_from = _made_from(self._ledger.open()) if self._ledger.exists() else None
        return int(made_from[PAGES_TIME]) if made_from and made_from[PAGES_TIME].isdecimal() else None

    def _is_ahead(self, stream: str) -> str | None:
        """Return why the ledger is ahead of the pages; None if it is not.

        Raises:
            EnvironmentFault: If the ledger belongs to other pages.
        """
        ledger = self._ledger.open()
        made_from = _made_from(ledger)
        pages = self._pages.open() if self._pages.exists() else None  # after the ledger, so that it is not behind it
        self._ledger.require_projection_of(pages, ledger)
        assert pages is not None
        if transaction_version(ledger, stream) > transaction_version(pages, stream):
            return "it has batches that the pages do not have"
        if made_from is None:
            return None
        version = int(made_from[PAGES_VERSION])
        if version > pages.version():
            return "it was made from a later version of the pages"
        since = _history(pages, pages.version() - version + 1)
        removing = [commit["operation"] for commit in since if commit["version"] > version and _removes_rows(commit)]
        if removing:
            return f"rows of the pages were removed by {removing[0]}"
        at = next((commit for commit in since if commit["version"] == version), None)
        if at is not None and str(at.get("timestamp")) != made_from[PAGES_TIME]:
            return "it was made from other pages than these, which may come from a backup"
        return None

    def _streams(self) -> list[str]:
        ledger = scan(self._ledger.open(), "SELECT DISTINCT stream FROM this")
        pages = scan(self._pages.open(), "SELECT DISTINCT stream FROM this")
        return sorted({*ledger.column(0).to_pylist(), *pages.column(0).to_pylist()})


def _made_from(ledger: DeltaTable) -> dict[str, Any] | None:
    """Return the newest commit of the ledger that says which version of the pages it was made from."""
    for count in _LOOK_BACK:
        for commit in _history(ledger, count):
            if PAGES_VERSION in commit and commit["version"] <= ledger.version():
                return commit
    return None


def _history(handle: DeltaTable, count: int) -> list[dict[str, Any]]:
    try:
        return handle.history(count)
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, f"cannot read the log of {handle.table_uri}") from error


def _removes_rows(commit: dict[str, Any]) -> bool:
    return any(str(commit.get("operation", "")).upper().startswith(name) for name in _ROWS_REMOVED)
