"""The rows of `pages`: their schema, and how results become rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.page import PLAIN_FIELDS, Decision, Failure, PageResult, Region
from inkstream.tasks.model import FileVersion

_BETWEEN_NOTES = "; "

SCHEMA_VERSION = 1
"""Increased when a column changes its meaning. A table with a higher version is refused."""

FORGOTTEN = "forgotten"
"""The `exception_kind` of the one row that remains of a file whose text was deleted on request."""

_UTC = pa.timestamp("us", tz="UTC")

REGION_TYPE = pa.struct(
    [
        ("index", pa.int32()),
        ("parent", pa.int32()),
        ("level", pa.string()),
        ("left", pa.float32()),
        ("top", pa.float32()),
        ("width", pa.float32()),
        ("height", pa.float32()),
        ("angle", pa.float32()),
        ("text", pa.string()),
        ("confidence", pa.float32()),
        ("engine", pa.string()),
    ]
)

CANDIDATE_TYPE = pa.struct([("engine", pa.string()), ("text", pa.string()), ("confidence", pa.float32())])

DECISION_TYPE = pa.struct(
    [
        ("region", pa.int32()),
        ("kept", pa.string()),
        ("reason", pa.string()),
        ("candidates", pa.list_(CANDIDATE_TYPE)),
    ]
)

ROWS_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("pagenum", pa.int32()),
        ("total_pages", pa.int32()),
        ("text", pa.string()),
        ("confidence", pa.float64()),
        ("regions", pa.list_(REGION_TYPE)),
        ("exception", pa.string()),
        ("exception_kind", pa.string()),
        ("notes", pa.string()),
        ("overlay_path", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("resolution", pa.int32()),
        ("engine", pa.string()),
        ("pipeline_id", pa.string()),
        ("stream", pa.string()),
        ("etag", pa.string()),
        ("version_id", pa.string()),
        ("modification_time", _UTC),
        ("length", pa.int64()),
        ("content_hash", pa.string()),
        ("processing_ms", pa.float64()),
        ("routing", pa.list_(DECISION_TYPE)),
    ]
)
"""A row as a worker makes it, before the commit adds its batch."""

PAGES_SCHEMA = ROWS_SCHEMA.append(pa.field("batch_id", pa.int64())).append(pa.field("timestamp", _UTC))
"""The schema of the `pages` table."""

STAMPS = ("batch_id", "timestamp")
"""The columns that a commit writes, whatever values the rows have."""


AnyRows = TypeVar("AnyRows", pa.Table, pa.RecordBatch)


def aligned(rows: AnyRows, schema: pa.Schema) -> AnyRows:
    """Return rows with the columns and types of a schema. Missing columns become null; other columns are left out."""
    names = rows.schema.names
    columns = [
        rows.column(field.name).cast(field.type) if field.name in names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return type(rows).from_arrays(columns, schema=schema)


def page_rows(  # noqa: PLR0913 - each is a column of the row
    file: FileVersion,
    results: Sequence[PageResult],
    *,
    stream: str,
    pipeline_id: str | None,
    content_hash: str | None,
    version_id: str | None,
    overlay_paths: Sequence[str | None],
) -> pa.RecordBatch:
    """Turn the results of one file's pages into rows, in the given order.

    Args:
        file: The file version the pages were read from.
        results: One result per page; a single one with a null `pagenum` if pages cannot be counted.
        stream: The stream the rows belong to.
        pipeline_id: The pipeline that made the results; None if nothing was made.
        content_hash: SHA-256 of the bytes that were read; None if nothing could be read.
        version_id: The object's version id; None if the store has none.
        overlay_paths: For each result, the URL of its overlay.

    Raises:
        ValueError: If the numbers of results and overlay paths differ.
    """
    same = {
        "path": file.path,
        "stream": stream,
        "pipeline_id": pipeline_id,
        "etag": file.etag,
        "version_id": version_id,
        "modification_time": file.modified,
        "length": file.size,
        "content_hash": content_hash,
    }
    rows = [_row(result, overlay) | same for result, overlay in zip(results, overlay_paths, strict=True)]
    return pa.RecordBatch.from_pylist(rows, schema=ROWS_SCHEMA)


def _row(result: PageResult, overlay_path: str | None) -> dict[str, Any]:
    failure = result.failure
    return {
        **{name: getattr(result, name) for name in PLAIN_FIELDS},
        "text": storable(result.text),
        "confidence": _finite(result.confidence),
        "regions": [_region(region) for region in result.regions],
        "exception": storable(failure.message) if failure else None,
        "exception_kind": failure.kind.value if failure else None,
        "notes": storable(_BETWEEN_NOTES.join(result.notes)) or None,
        "overlay_path": overlay_path,
        "routing": [_decision(decision) for decision in result.routing] or None,
    }


def _region(region: Region) -> dict[str, Any]:
    fields = region.to_dict()
    return {**fields, **fields.pop("box"), "text": storable(region.text), "confidence": _finite(region.confidence)}


def page_result(row: Mapping[str, Any]) -> PageResult:
    """Rebuild the result that a row was made from, without its overlay.

    Args:
        row: A row of `pages`, as Python values.
    """
    kind = row["exception_kind"]
    return PageResult(
        **{name: row[name] for name in PLAIN_FIELDS},
        regions=tuple(Region.from_dict({**region, "box": region}) for region in row["regions"] or ()),
        notes=tuple(row["notes"].split(_BETWEEN_NOTES)) if row.get("notes") else (),
        failure=Failure(FailureKind(kind), row["exception"] or "") if kind else None,
        routing=tuple(Decision.from_dict(decision) for decision in row.get("routing") or ()),
    )


def _decision(decision: Decision) -> dict[str, Any]:
    fields = decision.to_dict()
    for candidate in fields["candidates"]:
        candidate |= {"text": storable(candidate["text"]), "confidence": _finite(candidate["confidence"])}
    return fields


def storable(text: str | None) -> str | None:
    """Replace what not every reader of a text column can handle: lone surrogates and NUL."""
    if text is None:
        return None
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return paired.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
