"""The ledger: which file versions are done. It is a projection of `pages`, for speed and for queries.

A projection always covers `(ledger's version, pages' version]` of a stream, never just one batch. So it includes what
an earlier driver failed to project, and if the whole ledger is lost, one longer projection restores it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from inkstream.ocr_core.errors import InkstreamError, TransientError
from inkstream.tasks.retries import retrying
from inkstream.tasks.rows import FORGOTTEN, aligned
from inkstream.tasks.sinks.delta.engine import AFTER_COMMIT, TRANSIENT_DELTA, explain_delta_error, scan
from inkstream.tasks.sinks.delta.snapshot import transaction_version
from inkstream.tasks.sinks.delta.tables import LEDGER_SCHEMA, LedgerTable, PagesTable
from inkstream.tasks.sinks.sql import sql_text

_MAX_ATTEMPTS = 10

PAGES_VERSION = "inkstream.pages_version"
PAGES_TIME = "inkstream.pages_time"
"""What each commit of the ledger records: the version of `pages` that it was made from, which was durable, and the time
(in milliseconds) in that version's log entry."""

_UNCHANGED = "unchanged"
"""The state of a file version that has no rows, because it has the bytes of a version that has them."""

HAS_ROWS = f"state <> '{_UNCHANGED}'"
"""The condition for the ledger's rows of file versions that have rows in `pages`."""

_PROJECTION = """
SELECT stream, path, etag, length,
       max(version_id) AS version_id,
       max(modification_time) AS modification_time,
       CASE WHEN max(exception_kind) = {forgotten} THEN 'forgotten'
            WHEN count(exception_kind) = 0 THEN 'done'
            WHEN count(exception_kind) = count(*) THEN 'failed'
            ELSE 'partial' END AS state,
       max(batch_id) AS batch_id,
       count(*) FILTER (WHERE exception_kind IS NULL OR exception_kind <> {forgotten}) AS pages,
       count(exception_kind) FILTER (WHERE exception_kind <> {forgotten}) AS failed_pages,
       max(content_hash) AS content_hash,
       max(pipeline_id) AS pipeline_id,
       coalesce(sum(processing_ms), 0) AS processing_ms,
       max("timestamp") AS committed_at
FROM this
WHERE stream = {stream} AND batch_id > {after} AND batch_id <= {upto}
GROUP BY stream, path, etag, length
"""


class LedgerProjection:
    """Brings the ledger of a sink up to date with `pages`, repeatedly.

    It keeps its handles between calls: refreshing a handle reads only the new entries of the log, while opening one
    reads the last checkpoint and everything since.

    Args:
        pages: The pages. What is projected was made durable before.
        ledger: The ledger.
    """

    def __init__(self, pages: PagesTable, ledger: LedgerTable) -> None:
        self._pages = pages
        self._ledger = ledger
        self._handles: tuple[DeltaTable, DeltaTable] | None = None

    def run(self, stream: str) -> int:
        """Project what a stream has committed since its last entry in the ledger.

        Returns:
            The stream's transaction version that the ledger now covers; -1 if nothing was ever committed.

        Raises:
            TransientError: If other drivers are faster each time, or the store fails.
            EnvironmentFault: If a table cannot be read or written from here.
        """
        try:
            covered: int = retrying(attempts=_MAX_ATTEMPTS, first=0.1, longest=1.0)(self._project, stream)
        except TransientError as error:
            raise TransientError(
                f"{self._ledger.url} could not be brought up to date in {_MAX_ATTEMPTS} attempts: {error}"
            ) from error
        return covered

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Add file versions without rows. They belong to no batch, and claim no transaction.

        Raises:
            TransientError: If the store fails.
            EnvironmentFault: If the ledger cannot be written from here.
        """
        values = {
            "stream": stream,
            "state": _UNCHANGED,
            "pages": 0,
            "failed_pages": 0,
            "committed_at": datetime.now(UTC),
        }
        for name, value in values.items():
            kind = LEDGER_SCHEMA.field(name).type
            versions = versions.append_column(name, pa.array([value] * versions.num_rows, kind))
        handle = self._ledger.create_for(self._pages.open())
        try:
            write_deltalake(
                handle, aligned(versions, LEDGER_SCHEMA), mode="append", post_commithook_properties=AFTER_COMMIT
            )
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, "cannot write the ledger") from error
        self._ledger.make_durable(handle.version())

    def _project(self, stream: str) -> int:
        """Catch up with the kept handles or, if that fails, with new ones.

        The kept handles may have expired credentials or belong to a ledger that was deleted. After any other failure
        (another driver was faster, the reply was lost, the store failed), reading the ledger again shows its state.
        """
        if self._handles is not None:
            try:
                return self._catch_up(stream)
            except InkstreamError:
                self._handles = None
        try:
            return self._catch_up(stream)
        except InkstreamError:
            self._handles = None
            raise

    def _catch_up(self, stream: str) -> int:
        if self._handles is None:
            if not self._pages.exists():
                return -1
            snapshot = self._pages.open()
            handle = self._ledger.create_for(snapshot)
        else:
            snapshot, handle = self._handles
            self._ledger.refresh(handle)
        self._pages.refresh(snapshot)  # after the ledger, so that `pages` is not behind it
        after = transaction_version(handle, stream)
        upto = transaction_version(snapshot, stream)
        if after < upto:
            self._pages.make_durable(snapshot.version())
            _project(snapshot, handle, stream, after, upto)
            self._ledger.make_durable(handle.version())
        self._handles = snapshot, handle
        return max(after, upto)

    def rebuild(self, streams: Iterable[str]) -> None:
        """Write the ledger again from all rows of `pages`, for the streams in either, in one commit.

        Raises:
            TransientError: If the store fails.
            EnvironmentFault: If a table cannot be read or written from here.
        """
        pages = self._pages.open()
        self._pages.make_durable(pages.version())
        handle = self._ledger.create_for(pages)
        upto = {stream: transaction_version(pages, stream) for stream in streams}
        parts = [scan(pages, _projection(stream, -1, number)) for stream, number in upto.items()]
        _write(
            handle, pa.concat_tables([LEDGER_SCHEMA.empty_table(), *map(_as_ledger, parts)]), pages, upto, "overwrite"
        )
        self._ledger.make_durable(handle.version())
        self._handles = None


def _project(snapshot: DeltaTable, handle: DeltaTable, stream: str, after: int, upto: int) -> None:
    rows = scan(snapshot, _projection(stream, after, upto))
    _write(handle, _as_ledger(rows), snapshot, {stream: upto}, "append")


def _projection(stream: str, after: int, upto: int) -> str:
    values = {"stream": sql_text(stream), "after": after, "upto": upto, "forgotten": sql_text(FORGOTTEN)}
    return _PROJECTION.format(**values)


def _as_ledger(rows: pa.Table) -> pa.Table:
    return rows.select(LEDGER_SCHEMA.names).cast(LEDGER_SCHEMA)


def _write(
    handle: DeltaTable, rows: pa.Table, pages: DeltaTable, upto: Mapping[str, int], mode: Literal["append", "overwrite"]
) -> None:
    """Commit rows of the ledger.

    Args:
        handle: The ledger.
        rows: The rows.
        pages: The version of the pages that they were made from.
        upto: The transaction version that the ledger covers then, by stream.
        mode: Whether they are added to the ledger, or replace it.
    """
    try:
        version = pages.version()
        entry = next(entry for entry in pages.history(1) if entry["version"] == version)  # newer ones may be there, too
        made_from = {PAGES_VERSION: str(version), PAGES_TIME: str(entry.get("timestamp"))}
        write_deltalake(
            handle,
            rows,
            mode=mode,
            commit_properties=CommitProperties(
                custom_metadata={"inkstream.stream": ",".join(upto), **made_from},
                app_transactions=[Transaction(*each) for each in upto.items()],
            ),
            post_commithook_properties=AFTER_COMMIT,
        )
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, "cannot write the ledger") from error
