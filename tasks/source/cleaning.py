"""Cleaning the source: archiving or deleting files that are done.

A file is cleaned only after its commit, only if no page failed, and only in the version that was read. If a run is
killed between the commit and the cleaning, its files remain; the next run finds them in its listing and cleans them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import numpy as np
import pyarrow.compute as pc

from inkstream.ocr_core.errors import ConfigError, SourceChangedError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import FileKey, FileVersion
from inkstream.tasks.paths import SINK_FOLDERS, decode, split_url, within
from inkstream.tasks.progress import Cleaned
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.source.discovery import file_keys, row_keys
from inkstream.tasks.stores import State, explain_store_error
from inkstream.tasks.stores.abilities import open_removal, require_removal


class Cleaner:
    """Cleans a stream's source.

    Args:
        config: The stream's configuration; its `clean_source` is not off.

    Raises:
        ConfigError: If files of this source cannot be removed safely; see `refuse_unsafe_cleaning`.
        EnvironmentFault: If the store cannot be written.
        TransientError: If the store does not answer.
    """

    def __init__(self, config: StreamConfig) -> None:
        refuse_unsafe_cleaning(config)
        self._config = config
        source = config.source
        protocol, self._root = split_url(source.url)
        self._archive = split_url(source.source_archive_dir)[1] if source.source_archive_dir else ""
        self._take_out = {"delete": self._delete, "archive": self._move_to_archive}[source.clean_source]
        sink_protocol, sink = split_url(config.sink.url)
        probe_folder = (
            sink if sink_protocol == protocol else self._root
        )  # we may lack the right to write new files to a source
        try:
            self._removal = open_removal(source.url, probe_folder, "source.clean_source")
        except Exception as error:
            raise explain_store_error(error, f"cannot clean {source.url}", protocol) from error

    def clean(self, files: Iterable[FileVersion]) -> Cleaned:
        """Clean files that are committed without a failed page. Failures are counted, not raised."""
        cleaned, failed = 0, {}
        with ThreadPoolExecutor(self._removal.at_once) as pool:
            for file, problem in pool.map(self._clean_one, files):
                if problem is None:
                    cleaned += 1
                elif problem:
                    failed[file.path] = problem
        return Cleaned(cleaned, failed)

    def clean_left_over(
        self, sink: Sink, known: Sequence[FileVersion], stand_ins: Mapping[FileKey, FileVersion]
    ) -> Cleaned:
        """Clean the files of a listing that an earlier run should have cleaned.

        Args:
            sink: The stream's sink.
            known: File versions that exist and are done.
            stand_ins: By key, the version with rows that a file without rows of its own has the bytes of.
        """
        return self.clean(done_files(sink, self._config.stream, known, stand_ins))

    def _clean_one(self, file: FileVersion) -> tuple[FileVersion, str | None]:
        """Clean a file and return None; return an empty string if it has another version now, else what went wrong."""
        try:
            self._take_out(file)
        except SourceChangedError:
            return file, ""
        except Exception as error:  # noqa: BLE001 - the file stays, and the next run tries again
            return file, f"{type(error).__name__}: {error}"
        return file, None

    def _delete(self, file: FileVersion) -> None:
        self._removal.remove(decode(file.path)[1], State(file.etag, file.size))

    def _move_to_archive(self, file: FileVersion) -> None:
        path = decode(file.path)[1]
        names = _archive_names(path[len(self._root.rstrip("/")) + 1 :], file)
        targets = tuple(f"{self._archive}/{name}" for name in names)
        self._removal.archive(path, State(file.etag, file.size), targets)


def refuse_unsafe_cleaning(config: StreamConfig) -> None:
    """Raise an error, before anything is done, for a configuration that could lose files.

    Raises:
        ConfigError: If only some pages of a file are read, if the store cannot remove only one version, or if the
            archive would be read as documents or is in one of the sink's folders.
    """
    source = config.source
    if source.clean_source == "off":
        return
    if config.pipeline.pages is not None:
        raise ConfigError(
            f"source.clean_source {source.clean_source}: with pipeline.pages {config.pipeline.pages} the other pages "
            "of a file would be lost before they are read; read all pages, or leave clean_source off"
        )
    require_removal(source.url, "source.clean_source")
    if source.source_archive_dir is not None and source.clean_source == "archive":
        _refuse_unsafe_archive(config, source.source_archive_dir)


def _refuse_unsafe_archive(config: StreamConfig, archive_url: str) -> None:
    source = config.source
    protocol, root = split_url(source.url)
    archive_protocol, archive = split_url(archive_url)
    where = f"source.source_archive_dir {archive_url}"
    if archive_protocol != protocol:
        raise ConfigError(f"{where}: the archive must be in the same kind of store as the source {source.url}")
    if within(archive, root):
        raise ConfigError(f"{where} is inside the source {source.url}; give a folder outside it")
    if within(root, archive):
        raise ConfigError(
            f"{where}: the source {source.url} is inside it; give a folder that does not contain the source"
        )
    sink_protocol, sink = split_url(config.sink.url)
    if sink_protocol == protocol and any(within(archive, f"{sink}/{folder}") for folder in SINK_FOLDERS):
        raise ConfigError(f"{where} is inside a folder of the sink {config.sink.url}; give a folder outside it")


def done_files(
    sink: Sink, stream: str, files: Sequence[FileVersion], stand_ins: Mapping[FileKey, FileVersion] | None = None
) -> list[FileVersion]:
    """Return the files that are done according to the sink: every page was read, and none failed.

    Args:
        sink: The sink.
        stream: The stream.
        files: The files.
        stand_ins: By key, the version with rows that a file without rows of its own has the bytes of.
    """
    if not files:
        return []
    candidates = file_keys([(stand_ins or {}).get(file.key, file) for file in files])
    latest = np.full(len(files), -1)
    done = np.zeros(len(files), dtype=bool)
    for rows in sink.states(stream):
        places = pc.index_in(row_keys(rows), value_set=candidates)
        known = rows.append_column("place", places).filter(pc.is_valid(places)).select(["place", "batch_id", "state"])
        for row in known.to_pylist():
            if row["batch_id"] > latest[row["place"]]:
                latest[row["place"]] = row["batch_id"]
                done[row["place"]] = row["state"] == "done"
    if done.any():  # rare: a killed run left them, or they could not be removed
        for rows in sink.partly_read(stream):
            places = pc.index_in(row_keys(rows), value_set=candidates).drop_null()
            done[places.to_numpy(zero_copy_only=False)] = False
    return [file for file, is_done in zip(files, done, strict=True) if is_done]


def _archive_names(relative: str, file: FileVersion) -> tuple[str, str]:
    """Return a file's name in the archive, and its name with a version for when the first is taken."""
    version = hashlib.sha256(repr(file.key).encode()).hexdigest()[:12]
    path = PurePosixPath(relative)
    return relative, relative[: len(relative) - len(path.name)] + f"{path.stem}-{version}{path.suffix}"
