"""The ledger: which file versions are done. A projection of `pages`, for speed and to be queried.

A projection always covers `(ledger's version, pages' version]` of a stream, never "my batch", so it mends
what an earlier driver left undone, and losing the whole ledger costs one longer projection.
"""

from __future__ import annotations

import random
import time

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from inkstream.ocr_core.errors import InkstreamError, TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, scan, sql_text
from inkstream.tasks.sinks.delta.tables import LEDGER_SCHEMA, LedgerTable, PagesTable, transaction_version

_MAX_ATTEMPTS = 10

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


def project_ledger(config: StreamConfig) -> int:
    """Brings the ledger up to date with `pages` once; see `LedgerProjection.run`."""
    return LedgerProjection(config.sink.url).run(config.stream)


class LedgerProjection:
    """Brings the ledger of a sink up to date with `pages`, as often as it is asked to.

    It keeps its handles between: to move one on takes the log's new entries only, to open one all since the last
    checkpoint and that.

    Args:
        sink_url: The sink's folder or prefix.
    """

    def __init__(self, sink_url: str) -> None:
        self._pages = PagesTable(sink_url)
        self._ledger = LedgerTable(sink_url)
        self._handles: tuple[DeltaTable, DeltaTable] | None = None

    def run(self, stream: str) -> int:
        """Projects what a stream has committed since the ledger's last entry of it.

        Returns:
            The stream's transaction version that the ledger now covers; -1 when nothing was ever committed.

        Raises:
            TransientError: If another driver keeps being faster, or the store fails.
            EnvironmentFault: If a table cannot be read or written from here.
        """
        for attempt in range(_MAX_ATTEMPTS):
            kept = self._handles
            try:
                return self._catch_up(stream)
            except InkstreamError as error:
                last = error
                self._handles = None
                if kept is not None:  # they may be of keys that have expired, or of a ledger that was deleted
                    continue
                if not isinstance(error, TransientError):
                    raise
            # Another driver was faster, the reply was lost, or the store failed: the next look tells.
            time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311 - jitter
        url = self._ledger.url
        raise TransientError(f"{url} could not be brought up to date in {_MAX_ATTEMPTS} attempts: {last}") from last

    def _catch_up(self, stream: str) -> int:
        if self._handles is None:
            if not self._pages.exists():
                return -1
            snapshot = self._pages.open()
            handle = self._ledger.create_for(snapshot)
        else:
            snapshot, handle = self._handles
            self._ledger.refresh(handle)
        self._pages.refresh(snapshot)  # after the ledger, so that it cannot be behind it
        after = transaction_version(handle, stream)
        upto = transaction_version(snapshot, stream)
        if after < upto:
            _project(snapshot, handle, stream, after, upto)
        self._handles = snapshot, handle
        return max(after, upto)


def _project(snapshot: DeltaTable, handle: DeltaTable, stream: str, after: int, upto: int) -> None:
    values = {"stream": sql_text(stream), "after": after, "upto": upto, "forgotten": sql_text(FORGOTTEN)}
    rows = scan(snapshot, _PROJECTION.format(**values))
    properties = CommitProperties(
        custom_metadata={"inkstream.stream": stream}, app_transactions=[Transaction(stream, upto)]
    )
    rows = rows.select(LEDGER_SCHEMA.names).cast(LEDGER_SCHEMA)
    try:
        write_deltalake(handle, rows, mode="append", commit_properties=properties)
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, "cannot write the ledger") from error
