"""The Delta tables of a sink: `pages`, and its ledger `files`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.ocr_core.installation import upgrade_command
from inkstream.tasks.paths import join, split_url
from inkstream.tasks.rows import PAGES_SCHEMA, SCHEMA_VERSION
from inkstream.tasks.sinks.delta.durable import DurableTable
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, storage_options
from inkstream.tasks.sinks.delta.log import LocalLog
from inkstream.tasks.sinks.delta.snapshot import DeltaSnapshot
from inkstream.tasks.sinks.sql import newest_rows

VERSION_PROPERTY = "inkstream.schema_version"
PAGES_ID_PROPERTY = "inkstream.pages_id"
_CHECKPOINT_EVERY = "10"  # each handle reads all log entries since then, more than once
_UNSUPPORTED = re.compile(r"[%#?\[\]^|\\\x00-\x1f\x7f]|[\ud800-\udfff]")

LEDGER_SCHEMA = pa.schema(
    [
        ("stream", pa.string()),
        ("path", pa.string()),
        ("etag", pa.string()),
        ("length", pa.int64()),
        ("version_id", pa.string()),
        ("modification_time", pa.timestamp("us", tz="UTC")),
        ("state", pa.string()),
        ("batch_id", pa.int64()),
        ("pages", pa.int64()),
        ("failed_pages", pa.int64()),
        ("content_hash", pa.string()),
        ("pipeline_id", pa.string()),
        ("processing_ms", pa.float64()),
        ("committed_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""The schema of `files`: one row per file version and commit; the row with the highest `batch_id` is valid."""


class SinkTable:
    """One Delta table of a sink. It keeps no handle: every `open` returns a new one.

    Args:
        sink_url: The sink's folder or prefix, as the user wrote it.
        name: The table's folder in the sink.
        schema: The columns that this version of Inkstream writes.
        indexed: Columns whose minimum and maximum are stored per file, so that reads can skip files.
        durable: Whether commits have to survive a power cut. Object stores see to that themselves.

    Raises:
        ConfigError: If the URL has characters that the Delta library mishandles.
    """

    def __init__(self, sink_url: str, name: str, schema: pa.Schema, indexed: tuple[str, ...], *, durable: bool) -> None:
        protocol, path = split_url(sink_url)
        bad = _UNSUPPORTED.search(path)
        if bad:
            raise ConfigError(
                f"sink.url {sink_url!r} contains {bad.group()!r}, which Delta tables do not support; give another URL"
            )
        self.url = join(path if protocol == "file" else f"{protocol}://{path}", name)
        self.schema = schema
        self.indexed = indexed
        self._place = protocol, path
        self._durable = DurableTable(Path(self.url)) if durable and protocol == "file" else None

    @property
    def _options(self) -> dict[str, str] | None:
        """The current storage options: the keys of a role may change during a long run."""
        return storage_options(*self._place)

    def create(self, properties: Mapping[str, str] | None = None) -> DeltaTable:
        """Create the table if it does not exist, and open it.

        Args:
            properties: Additional table properties for a new table.
        """
        try:
            return self._checked(DeltaTable(self.url, storage_options=self._options))
        except TableNotFoundError:
            pass  # created below
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot open {self.url}") from error
        try:
            DeltaTable.create(
                self.url,
                schema=self.schema,
                mode="ignore",
                configuration=self._configuration(properties or {}),
                raise_if_key_not_exists=False,
                storage_options=self._options,
            )
        except TRANSIENT_DELTA as error:
            if not self.exists():  # else another driver has just created it
                raise explain_delta_error(error, f"cannot create {self.url}") from error
        return self.open()

    def open(self, version: int | None = None) -> DeltaTable:
        """Open a new handle.

        Args:
            version: Table version to open; the latest if not given.

        Raises:
            ConfigError: If the table or the version does not exist.
            EnvironmentFault: If a newer Inkstream wrote the table, or it may not be read.
            TransientError: If the store does not answer.
        """
        try:
            return self._checked(DeltaTable(self.url, version=version, storage_options=self._options))
        except TableNotFoundError:
            raise ConfigError(f"there is no table at {self.url}; `inkstream run` creates it") from None
        except TRANSIENT_DELTA as error:
            if version is not None and self.exists() and version > self.open().version():
                raise ConfigError(f"{self.url} has no version {version}") from None
            raise explain_delta_error(error, f"cannot open {self.url}") from error

    def snapshot(self, version: int | None = None) -> DeltaSnapshot:
        """Return a snapshot of a version, with a new handle. Raises the errors of `open`.

        Args:
            version: Table version; the latest if not given.
        """
        return DeltaSnapshot(self.url, self.open(version), of_the_past=version is not None)

    def refresh(self, handle: DeltaTable) -> None:
        """Move a handle to the latest version, which is cheaper than opening one. Not for handles that commit pages.

        Raises:
            EnvironmentFault: If a newer Inkstream has written the table since, or it may no longer be read.
            TransientError: If the store does not answer, or the table was replaced by another.
        """
        try:
            handle.update_incremental()
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot read {self.url} again") from error
        self._checked(handle)

    def first_entry(self) -> bytes:
        """Return the first entry of the log of a new table like this one."""
        with tempfile.TemporaryDirectory() as folder:
            DeltaTable.create(
                folder, schema=self.schema, configuration=self._configuration({}), raise_if_key_not_exists=False
            )
            return LocalLog(Path(folder)).entry(0).read_bytes()

    def make_durable(self, version: int) -> None:
        """Return when all commits up to a version survive a power cut.

        Raises:
            EnvironmentFault: If the disk does not take them.
        """
        if self._durable is not None:
            self._durable.sync(version)

    def exists(self) -> bool:
        """Return whether the table exists."""
        try:
            return DeltaTable.is_deltatable(self.url, storage_options=self._options)
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot look for {self.url}") from error

    def version(self) -> int | None:
        """Return the latest table version; None if there is no table."""
        return self.open().version() if self.exists() else None

    def _configuration(self, properties: Mapping[str, str]) -> Mapping[str, str | None]:
        return {
            "delta.checkpointInterval": _CHECKPOINT_EVERY,
            "delta.dataSkippingStatsColumns": ",".join(self.indexed),
            VERSION_PROPERTY: str(SCHEMA_VERSION),
            **properties,
        }

    def _checked(self, table: DeltaTable) -> DeltaTable:
        written = int(table.metadata().configuration.get(VERSION_PROPERTY) or SCHEMA_VERSION)
        if written > SCHEMA_VERSION:
            raise EnvironmentFault(
                f"{self.url} has schema version {written}, but this Inkstream reads versions up to {SCHEMA_VERSION}",
                upgrade_command(),
            )
        return table


class PagesTable(SinkTable):
    """`SINK/pages`: one row per page."""

    def __init__(self, sink_url: str, *, durable: bool = True) -> None:
        indexed = ("stream", "batch_id", "path", "pagenum", "timestamp")
        super().__init__(sink_url, "pages", PAGES_SCHEMA, indexed, durable=durable)

    def rows(
        self,
        version: int | None = None,
        limit: int | None = None,
        columns: list[str] | None = None,
        stream: str | None = None,
    ) -> pa.Table:
        """Return rows, newest batch first and pages in order.

        Args:
            version: Table version; the latest if not given.
            limit: Maximum number of rows.
            columns: The columns to return; all if not given.
            stream: The stream whose rows to return; all if not given.
        """
        return newest_rows(self.snapshot(version), stream=stream, limit=limit, columns=columns)


class LedgerTable(SinkTable):
    """`SINK/files`: which file versions are done. It is a projection of `pages`, so it can be rebuilt."""

    def __init__(self, sink_url: str, *, durable: bool = True) -> None:
        super().__init__(sink_url, "files", LEDGER_SCHEMA, ("stream", "batch_id", "path", "state"), durable=durable)

    def create_for(self, pages: DeltaTable) -> DeltaTable:
        """Create the ledger of this `pages` table if it does not exist, and open it.

        Raises:
            EnvironmentFault: If a ledger exists that belongs to another table.
        """
        handle = self.create({PAGES_ID_PROPERTY: str(pages.metadata().id)})
        self.require_projection_of(pages, handle)
        return handle

    def require_projection_of(self, pages: DeltaTable | None, handle: DeltaTable) -> None:
        """Check that a ledger belongs to the `pages` table: the ledger of a table that is gone would hide new files.

        Raises:
            EnvironmentFault: If `handle` is not the ledger of `pages`.
        """
        made_from = handle.metadata().configuration.get(PAGES_ID_PROPERTY)
        if pages is None or made_from != str(pages.metadata().id):
            raise EnvironmentFault(
                f"the ledger {self.url} belongs to a pages table that is gone",
                f"delete {self.url}; it will be rebuilt from the pages table",
            )
