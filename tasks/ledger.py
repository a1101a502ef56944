"""The ledger: which file versions are done. A projection of `pages`, for speed and to be queried.

A projection always covers `(ledger's version, pages' version]` of a stream, never "my batch", so it mends
what an earlier driver left undone, and losing the whole ledger costs one longer projection.
"""

from __future__ import annotations

import random
import time

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from ocr_core.errors import TransientError
from tasks.config import StreamConfig
from tasks.delta import TRANSIENT_DELTA, explain_delta_error, scan, sql_text
from tasks.rows import FORGOTTEN
from tasks.tables import LEDGER_SCHEMA, LedgerTable, PagesTable, transaction_version

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
    """Brings the ledger up to date with `pages`.

    Returns:
        The stream's transaction version that the ledger now covers; -1 when nothing was ever committed.

    Raises:
        TransientError: If another driver keeps being faster, or the store fails.
        EnvironmentFault: If a table cannot be read or written from here.
    """
    pages = PagesTable(config.sink.url)
    ledger = LedgerTable(config.sink.url)
    if not pages.exists():
        return -1
    for attempt in range(_MAX_ATTEMPTS):
        try:
            return _catch_up(pages, ledger, config.stream)
        except TransientError as error:
            # Another driver was faster, the reply was lost, or the store failed: the next look tells.
            last = error
            time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311 - jitter
    raise TransientError(f"{ledger.url} could not be brought up to date in {_MAX_ATTEMPTS} attempts: {last}") from last


def _catch_up(pages: PagesTable, ledger: LedgerTable, stream: str) -> int:
    snapshot = pages.open()
    handle = ledger.create_for(snapshot)
    pages.refresh(snapshot)  # after the ledger, so that it cannot be behind it
    after = transaction_version(handle, stream)
    upto = transaction_version(snapshot, stream)
    if after < upto:
        _project(snapshot, handle, stream, after, upto)
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
