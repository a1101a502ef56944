"""New files are those that the sink does not know. A table in memory stands in for the sink."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import KEY_COLUMNS, FileVersion, KnownBytes
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.source.discovery import compare, file_keys, row_keys
from inkstream.tasks.source.unchanged import unchanged_versions

NOW = datetime(2026, 11, 21, tzinfo=UTC)
UTC_TIME = pa.timestamp("us", tz="UTC")


def version(path: str, etag: str = "e", size: int = 1, hours: int = 0) -> FileVersion:
    return FileVersion(path, etag, size, NOW + timedelta(hours=hours))


class Table:
    """The content of a sink, as `inkstream.tasks.sinks.sink.Known` shows it.

    Args:
        committed: Versions with rows, each with its batch.
        hashes: What their bytes are, by version.
        recorded: The versions without rows whose bytes are recorded.
        hashes_by_batch: What the bytes are, by batch, if `hashes` does not name the version.
    """

    def __init__(
        self,
        *committed: tuple[FileVersion, int],
        hashes: Mapping[FileVersion, str] | None = None,
        recorded: Mapping[FileVersion, str] | None = None,
        hashes_by_batch: Mapping[int, str] | None = None,
    ) -> None:
        self._recorded = recorded or {}
        self._rows = pa.table(
            {
                "path": [file.path for file, _ in committed],
                "etag": [file.etag for file, _ in committed],
                "length": pa.array([file.size for file, _ in committed], pa.int64()),
                "modification_time": pa.array([file.modified for file, _ in committed], UTC_TIME),
                "batch_id": pa.array([batch for _, batch in committed], pa.int64()),
                "content_hash": pa.array(
                    [(hashes or {}).get(file, (hashes_by_batch or {}).get(batch)) for file, batch in committed],
                    pa.string(),
                ),
            }
        )
        self.planned_at = max((batch for _, batch in committed), default=-1)

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        del paths  # `Known` may also yield rows of other paths
        for start in range(self._rows.num_rows):  # in several pieces, as from a large table
            yield self._rows.select(list(columns)).slice(start, 1)

    def unchanged(self, paths: Collection[str]) -> Iterator[pa.Table]:
        del paths
        yield unchanged_versions((file, KnownBytes(file, found)) for file, found in self._recorded.items())


def config(mode: str) -> StreamConfig:
    return build_config({"source": {"url": "in"}, "sink": {"url": "out", "mode": mode}})


def test_in_append_mode_a_version_with_rows_is_known() -> None:
    table = Table((version("a"), 0), (version("b"), 1))
    listed = [version("a"), version("a", "other"), version("a", size=2), version("b"), version("c")]
    discovery = compare(config("append"), table, listed)
    assert discovery.files == [listed[1], listed[2], listed[4]]
    assert discovery.known_files == [listed[0], listed[3]]
    assert (discovery.known, discovery.listed, discovery.planned_at) == (2, 5, 1)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_every_file_is_new_to_an_empty_sink(mode: str) -> None:
    listed = [version("a"), version("b")]
    discovery = compare(config(mode), Table(), listed)
    assert (discovery.files, discovery.planned_at, discovery.replacing) == (listed, -1, frozenset())
    assert compare(config(mode), Table((version("a"), 0)), []).files == []


def test_in_upsert_mode_the_newest_version_of_a_path_counts() -> None:
    table = Table(
        (version("same", hours=1), 0),
        (version("newer there", hours=1), 0),
        (version("newer here", hours=1), 0),
        (version("twice", "first", hours=1), 0),
        (version("twice", "second", hours=1), 2),  # the same time: the later batch counts
    )
    listed = [
        version("same", hours=1),
        version("newer there", "old", hours=0),
        version("newer here", "new", hours=2),
        version("twice", "second", hours=1),
        version("unknown"),
    ]
    skipped = Skipped()
    discovery = compare(config("upsert"), table, listed, skipped=skipped)
    assert [file.path for file in discovery.files] == ["newer here", "unknown"]
    assert discovery.superseded == 1
    assert skipped.to_json() == {"superseded": 1}
    assert discovery.replacing == {"newer here"}
    back = compare(config("upsert"), table, [version("twice", "first", hours=1)])
    assert (back.known, back.replacing) == (0, frozenset({"twice"})), (
        "both have the same time, so this one is not older"
    )


def test_different_versions_have_different_keys() -> None:
    files = [version("a", "b\n1", 2), version("a", "b", 12), version("a\n", "b", 1)]
    keys = file_keys(files).to_pylist()
    assert len(set(keys)) == 3
    rows = pa.table({"path": ["a"], "etag": ["b"], "length": pa.array([12], pa.int64())})
    assert row_keys(rows.select(KEY_COLUMNS)).to_pylist() == [keys[1]]
