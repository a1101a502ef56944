"""The sink: Delta tables `pages` and `files`, and the small JSON files beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.ocr_core.installation import upgrade_command
from inkstream.tasks.paths import join, split_url
from inkstream.tasks.rows import PAGES_SCHEMA, SCHEMA_VERSION
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, storage_options
from inkstream.tasks.sinks.delta.snapshot import DeltaSnapshot
from inkstream.tasks.sinks.sql import newest_rows

VERSION_PROPERTY = "inkstream.schema_version"
PAGES_ID_PROPERTY = "inkstream.pages_id"
_CHECKPOINT_EVERY = "10"  # each handle reads the log from there on, entry by entry and more than once
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
"""The `files` table: one row per file version and commit; the row with the highest `batch_id` holds."""


class SinkTable:
    """One Delta table of a sink. It holds no handle: every `open` is a fresh one.

    Args:
        sink_url: The sink's folder or prefix, as the user wrote it.
        name: The table's folder in the sink.
        schema: The columns this version of Inkstream writes.
        indexed: Columns whose minimum and maximum are kept per file, so that reads can skip files.

    Raises:
        ConfigError: If the URL is of a store, or has characters, that the table format's library mishandles.
    """

    def __init__(self, sink_url: str, name: str, schema: pa.Schema, indexed: tuple[str, ...]) -> None:
        protocol, path = split_url(sink_url)
        bad = _UNSUPPORTED.search(path)
        if bad:
            raise ConfigError(f"sink.url {sink_url!r} has {bad.group()!r} in it, which no table can be kept under")
        self.url = join(path if protocol == "file" else f"{protocol}://{path}", name)
        self.schema = schema
        self.indexed = indexed
        self._place = protocol, path

    @property
    def _options(self) -> dict[str, str] | None:
        """As of now: the keys of a role may be others by the end of a long run."""
        return storage_options(*self._place)

    def create(self, properties: Mapping[str, str] | None = None) -> DeltaTable:
        """Creates the table unless it is there, and opens it.

        Args:
            properties: Table properties besides the usual ones, for a table that is not there yet.
        """
        try:
            return self._checked(DeltaTable(self.url, storage_options=self._options))
        except TableNotFoundError:
            pass  # it is made below
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot open {self.url}") from error
        configuration: Mapping[str, str | None] = {
            "delta.checkpointInterval": _CHECKPOINT_EVERY,
            "delta.dataSkippingStatsColumns": ",".join(self.indexed),
            VERSION_PROPERTY: str(SCHEMA_VERSION),
            **(properties or {}),
        }
        try:
            DeltaTable.create(
                self.url,
                schema=self.schema,
                mode="ignore",
                configuration=configuration,
                raise_if_key_not_exists=False,
                storage_options=self._options,
            )
        except TRANSIENT_DELTA as error:
            if not self.exists():  # else another driver created it in this moment
                raise explain_delta_error(error, f"cannot create {self.url}") from error
        return self.open()

    def open(self, version: int | None = None) -> DeltaTable:
        """Opens a fresh handle.

        Args:
            version: Table version to open; the latest when not given.

        Raises:
            ConfigError: If there is no such table, or no such version.
            EnvironmentFault: If a newer Inkstream wrote it, or it may not be read.
            TransientError: If the store does not answer.
        """
        try:
            return self._checked(DeltaTable(self.url, version=version, storage_options=self._options))
        except TableNotFoundError:
            raise ConfigError(f"there is no table at {self.url}; `inkstream run` makes it") from None
        except TRANSIENT_DELTA as error:
            if version is not None and self.exists() and version > self.open().version():
                raise ConfigError(f"{self.url} has no version {version}") from None
            raise explain_delta_error(error, f"cannot open {self.url}") from error

    def snapshot(self, version: int | None = None) -> DeltaSnapshot:
        """Pin a version, through a fresh handle. Raises as `open` does.

        Args:
            version: Table version to pin; the latest when not given.
        """
        return DeltaSnapshot(self.url, self.open(version), of_the_past=version is not None)

    def refresh(self, handle: DeltaTable) -> None:
        """Moves a handle to the latest version, at less cost than to open another. Never one that is to commit pages.

        Raises:
            EnvironmentFault: If a newer Inkstream has written it meanwhile, or it may not be read any more.
            TransientError: If the store does not answer, or the table is another now.
        """
        try:
            handle.update_incremental()
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot read {self.url} again") from error
        self._checked(handle)

    def exists(self) -> bool:
        """Tells whether the table is there."""
        try:
            return DeltaTable.is_deltatable(self.url, storage_options=self._options)
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot look for {self.url}") from error

    def version(self) -> int | None:
        """Returns the latest table version; None where there is no table."""
        return self.open().version() if self.exists() else None

    def _checked(self, table: DeltaTable) -> DeltaTable:
        written = int(table.metadata().configuration.get(VERSION_PROPERTY) or SCHEMA_VERSION)
        if written > SCHEMA_VERSION:
            raise EnvironmentFault(
                f"{self.url} has schema version {written}; this Inkstream knows {SCHEMA_VERSION}",
                upgrade_command(),
            )
        return table


class PagesTable(SinkTable):
    """`SINK/pages`: one row per page."""

    def __init__(self, sink_url: str) -> None:
        indexed = ("stream", "batch_id", "path", "pagenum", "timestamp")
        super().__init__(sink_url, "pages", PAGES_SCHEMA, indexed)

    def rows(
        self,
        version: int | None = None,
        limit: int | None = None,
        columns: list[str] | None = None,
        stream: str | None = None,
    ) -> pa.Table:
        """Reads rows, newest batch first and pages in order.

        Args:
            version: Table version; the latest when not given.
            limit: Rows at most.
            columns: Which columns; all when not given.
            stream: Rows of this stream only.
        """
        return newest_rows(self.snapshot(version), stream=stream, limit=limit, columns=columns)


class LedgerTable(SinkTable):
    """`SINK/files`: which file versions are done. A projection of `pages`; losing it loses nothing."""

    def __init__(self, sink_url: str) -> None:
        super().__init__(sink_url, "files", LEDGER_SCHEMA, ("stream", "batch_id", "path", "state"))

    def create_for(self, pages: DeltaTable) -> DeltaTable:
        """Creates the ledger of this `pages` table unless it is there, and opens it.

        Raises:
            EnvironmentFault: If the ledger that is there is another table's.
        """
        handle = self.create({PAGES_ID_PROPERTY: str(pages.metadata().id)})
        self.require_projection_of(pages, handle)
        return handle

    def require_projection_of(self, pages: DeltaTable | None, handle: DeltaTable) -> None:
        """Refuses a ledger that would hide files, as it tells of a `pages` table that is gone.

        Raises:
            EnvironmentFault: If `handle` is not the ledger of `pages`.
        """
        made_from = handle.metadata().configuration.get(PAGES_ID_PROPERTY)
        if pages is None or made_from != str(pages.metadata().id):
            raise EnvironmentFault(
                f"the ledger {self.url} belongs to a pages table that is gone",
                f"delete {self.url}: it is made again from the pages table",
            )
