"""The commit loop's operations on a Delta table, with a new handle for each attempt."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from inkstream.tasks.commit.operations import (
    Answer,
    Append,
    CommittedSince,
    FindCommit,
    Landed,
    MakeDurable,
    ModifiedSince,
    Open,
    Opened,
    Operation,
)
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.model import Batch
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta.engine import AFTER_COMMIT, TRANSIENT_DELTA, explain_delta_error
from inkstream.tasks.sinks.delta.snapshot import DeltaSnapshot, transaction_version
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.sql import any_of, committed_since, modified_since, sql_text, version_predicate

COMMIT_ID = "inkstream.commit_id"
STREAM = "inkstream.stream"
BATCH_ID = "inkstream.batch_id"


class TableRunner:
    """Runs the commit loop's operations for one batch.

    Nothing moves the handle between `Open` and `Append`: a handle at a newer version would no longer conflict with the
    commits in between.

    Args:
        pages: The table.
        batch: The batch.
        spool: The rows of the batch.
        replace: Indices of the files whose earlier rows are replaced.
    """

    def __init__(self, pages: PagesTable, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> None:
        self._pages = pages
        self._batch = batch
        self._spool = spool
        self._replace = replace
        self._handle: DeltaTable | None = None

    def run(self, operation: Operation) -> Answer:
        """Run one operation and return its answer.

        Raises:
            InkstreamError: If it failed, classified by fault. An `Append` may have landed anyway.
        """
        if isinstance(operation, Open):
            self._handle = self._pages.create()
            return Opened(self._handle.version(), transaction_version(self._handle, self._batch.stream))
        if isinstance(operation, CommittedSince):
            return committed_since(self._snapshot(), self._batch.stream, operation.after)
        if isinstance(operation, ModifiedSince):
            return modified_since(self._snapshot(), self._batch.stream, operation.after)
        if isinstance(operation, FindCommit):
            return find_commit(self._open_handle(), operation.commit_id, operation.after)
        if isinstance(operation, Append):
            return self._append(self._open_handle(), operation)
        if isinstance(operation, MakeDurable):
            self._pages.make_durable(operation.version)
            return None
        raise TypeError(operation)

    def _open_handle(self) -> DeltaTable:
        if self._handle is None:
            raise RuntimeError("no handle is open")
        return self._handle

    def _snapshot(self) -> DeltaSnapshot:
        return DeltaSnapshot(self._pages.url, self._open_handle())

    def _append(self, handle: DeltaTable, operation: Append) -> int:
        self._handle = None  # each handle appends only once
        properties = CommitProperties(
            custom_metadata={
                COMMIT_ID: operation.commit_id,
                STREAM: self._batch.stream,
                BATCH_ID: str(operation.batch_id),
            },
            app_transactions=[Transaction(self._batch.stream, operation.batch_id)],
        )
        schema = target_schema(PAGES_SCHEMA, handle)
        rows = CommitRows(self._spool, operation, schema)
        try:
            self._write(handle, rows, operation, properties)
        except TRANSIENT_DELTA as error:
            if rows.error is not None:
                raise rows.error from error
            raise explain_delta_error(error, f"cannot commit to {self._pages.url}") from error
        return handle.version()

    def _write(self, handle: DeltaTable, rows: CommitRows, operation: Append, properties: CommitProperties) -> None:
        same = set(rows.schema.names) == set(handle.schema().to_arrow().names)
        merge: Any = None if same else "merge"
        if self._replace.isdisjoint(operation.files) and not operation.replacing:
            write_deltalake(
                handle,
                rows.reader(),
                mode="append",
                schema_mode=merge,
                commit_properties=properties,
                post_commithook_properties=AFTER_COMMIT,
            )
            return
        write_deltalake(
            handle,
            rows.reader(),
            mode="overwrite",
            predicate=self._predicate(operation),
            schema_mode=merge,
            commit_properties=properties,
            post_commithook_properties=AFTER_COMMIT,
        )

    def _predicate(self, operation: Append) -> str:
        """Return the condition for the rows to replace; the written rows must match it too.

        It selects all rows of the paths in `operation.replacing`, and of other files only those of their version. So a
        new version matches no row, and reading a version again does not remove newer versions of its path.
        """
        keys = (self._batch.files[index].key for index in operation.files)
        replaced = any_of(
            f"path = {sql_text(key[0])}" if key[0] in operation.replacing else version_predicate(key) for key in keys
        )
        return f"stream = {sql_text(self._batch.stream)} AND {replaced}"


def target_schema(ours: pa.Schema, handle: DeltaTable) -> pa.Schema:
    """Return the table's columns and types, followed by the columns of `ours` that it lacks."""
    table = pa.schema(handle.schema().to_arrow())
    return pa.schema([*table, *(field for field in ours if field.name not in table.names)])


def find_commit(handle: DeltaTable, commit_id: str, after: int) -> Landed | None:
    """Find a commit in the log between version `after` and the handle's version; return None if it is not there."""
    newer = handle.version() - after
    if newer <= 0:
        return None
    try:
        history = handle.history(newer)
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, f"cannot read the log of {handle.table_uri}") from error
    for commit in history:
        if commit.get(COMMIT_ID) == commit_id:
            return Landed(int(commit[BATCH_ID]), int(commit["version"]))
    return None
