"""What becomes of files that are done: archived or deleted, or they stay.

Only after the commit, only files without a failed page, and only the very version that was read. Whoever is killed
between the commit and the cleaning leaves files that are known and done; the next run finds them in its listing.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
import pyarrow.compute as pc

from inkstream.ocr_core.errors import ConfigError, SourceChangedError
from inkstream.tasks.config import SourceOptions, StreamConfig
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import SINK_FOLDERS, decode, split_url, within
from inkstream.tasks.progress import Cleaned
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source import local_cleaning as local
from inkstream.tasks.source.discovery import file_keys, row_keys
from inkstream.tasks.stores import State, explain_store_error, open_store
from inkstream.tasks.stores.s3 import S3Store

_AT_ONCE = 16


class _Remover(Protocol):
    """Takes one version of a file out of the source."""

    def remove(self, relative: str, state: State) -> None:
        """Deletes it."""

    def archive(self, relative: str, state: State, names: tuple[str, ...]) -> None:
        """Moves it to the archive, under the first of the names that is free."""


class Cleaner:
    """Cleans a stream's source.

    Args:
        config: The stream's configuration, with a `clean_source` that is not off.

    Raises:
        ConfigError: If files of this source cannot be removed safely, see `refuse_unsafe_cleaning`.
        EnvironmentFault: If the store may not be written.
        TransientError: If the store does not answer.
    """

    def __init__(self, config: StreamConfig) -> None:
        refuse_unsafe_cleaning(config)
        self._config = config
        protocol, self._root = split_url(config.source.url)
        try:
            self._remover = _Local(config.source) if protocol == "file" else _S3(config)
        except Exception as error:
            raise explain_store_error(error, f"cannot clean {config.source.url}", protocol) from error

    def clean(self, files: Iterable[FileVersion]) -> Cleaned:
        """Cleans files that are committed without a failed page. Raises nothing: what fails is counted."""
        cleaned, failed = 0, {}
        with ThreadPoolExecutor(_AT_ONCE if isinstance(self._remover, _S3) else 1) as pool:
            for file, problem in pool.map(self._clean_one, files):
                if problem is None:
                    cleaned += 1
                elif problem:
                    failed[file.path] = problem
        return Cleaned(cleaned, failed)

    def clean_left_over(self, known: Sequence[FileVersion]) -> Cleaned:
        """Cleans those files of a listing that an earlier run should have cleaned.

        Args:
            known: File versions that are there and have rows.
        """
        return self.clean(done_files(self._config, known))

    def _clean_one(self, file: FileVersion) -> tuple[FileVersion, str | None]:
        """None when it was cleaned, an empty string when another version is there, else what went wrong."""
        relative = decode(file.path)[1][len(self._root.rstrip("/")) + 1 :]
        state = State(file.etag, file.size)
        try:
            if self._config.source.clean_source == "delete":
                self._remover.remove(relative, state)
            else:
                self._remover.archive(relative, state, _archive_names(relative, file))
        except SourceChangedError:
            return file, ""
        except Exception as error:  # noqa: BLE001 - it stays where it is, and the next run tries again
            return file, f"{type(error).__name__}: {error}"
        return file, None


class _Local:
    def __init__(self, source: SourceOptions) -> None:
        self._root = Path(split_url(source.url)[1])
        self._archive = Path(split_url(source.source_archive_dir)[1]) if source.source_archive_dir else None
        with suppress(OSError):
            local.put_back_all(self._root)

    def remove(self, relative: str, state: State) -> None:
        local.remove(self._root, Path(relative), state)

    def archive(self, relative: str, state: State, names: tuple[str, ...]) -> None:
        assert self._archive is not None
        local.archive(self._root, Path(relative), state, tuple(self._archive / name for name in names))


class _S3:
    def __init__(self, config: StreamConfig) -> None:
        self._root = split_url(config.source.url)[1]
        self._archive = split_url(config.source.source_archive_dir)[1] if config.source.source_archive_dir else ""
        store = open_store("s3", self._root)
        assert isinstance(store, S3Store)
        self._store = store
        sink_protocol, sink = split_url(config.sink.url)
        folder = sink if sink_protocol == "s3" else self._root  # a sink is ours to write to, a source may not be
        self._how = store.find_removal(f"{folder}/_inkstream-probe-{uuid.uuid4().hex}")

    def remove(self, relative: str, state: State) -> None:
        self._store.remove(f"{self._root}/{relative}", state, self._how)

    def archive(self, relative: str, state: State, names: tuple[str, ...]) -> None:
        targets = tuple(f"{self._archive}/{name}" for name in names)
        self._store.archive(f"{self._root}/{relative}", state, targets, self._how)


def refuse_unsafe_cleaning(config: StreamConfig) -> None:
    """Refuses what could lose a file, before anything is done.

    Raises:
        ConfigError: If only some pages of a file are read, or the store has no way to remove one version and no other,
            or the archive would be read again, or would take part of the sink's own folders.
    """
    source = config.source
    if source.clean_source == "off":
        return
    if config.pipeline.pages is not None:
        raise ConfigError(
            f"source.clean_source {source.clean_source}: with pipeline.pages {config.pipeline.pages} the other pages "
            "of a file would go unread; read all pages, or leave clean_source off"
        )
    protocol, root = split_url(source.url)
    if protocol not in ("file", "s3"):
        raise ConfigError(
            f"source.clean_source: on {protocol}:// nothing can be removed on condition that it was not overwritten, "
            "so a new version could be lost; leave clean_source off (local folders and S3 can be cleaned)"
        )
    if source.clean_source != "archive" or source.source_archive_dir is None:
        return
    archive_protocol, archive = split_url(source.source_archive_dir)
    where = f"source.source_archive_dir {source.source_archive_dir}"
    if archive_protocol != protocol:
        raise ConfigError(f"{where}: the archive must be in the same kind of store as the source {source.url}")
    if within(archive, root):
        raise ConfigError(f"{where} lies in the source {source.url}; give a folder outside")
    if within(root, archive):
        raise ConfigError(f"{where}: the source {source.url} lies in it; give a folder beside the source")
    sink_protocol, sink = split_url(config.sink.url)
    if sink_protocol == protocol and any(within(archive, f"{sink}/{folder}") for folder in SINK_FOLDERS):
        raise ConfigError(f"{where} lies in a folder of the sink {config.sink.url}; give a folder outside")


def done_files(config: StreamConfig, files: Sequence[FileVersion]) -> list[FileVersion]:
    """Returns those of the files that the sink says are done without a failed page, and with every page read."""
    if not files:
        return []
    candidates = file_keys(files)
    latest = np.full(len(files), -1)
    done = np.zeros(len(files), dtype=bool)
    for rows in open_sink(config.sink).states(config.stream):
        places = pc.index_in(row_keys(rows), value_set=candidates)
        known = rows.append_column("place", places).filter(pc.is_valid(places)).select(["place", "batch_id", "state"])
        for row in known.to_pylist():
            if row["batch_id"] > latest[row["place"]]:
                latest[row["place"]] = row["batch_id"]
                done[row["place"]] = row["state"] == "done"
    if done.any():  # seldom: what is left over was left by a run that died, or could not be removed
        for rows in open_sink(config.sink).partly_read(config.stream):
            places = pc.index_in(row_keys(rows), value_set=candidates).drop_null()
            done[places.to_numpy(zero_copy_only=False)] = False
    return [file for file, is_done in zip(files, done, strict=True) if is_done]


def _archive_names(relative: str, file: FileVersion) -> tuple[str, str]:
    """A file's name in the archive, and the one it gets where another file has that: its version is in it."""
    version = hashlib.sha256(repr(file.key).encode()).hexdigest()[:12]
    path = PurePosixPath(relative)
    return relative, relative[: len(relative) - len(path.name)] + f"{path.stem}-{version}{path.suffix}"
