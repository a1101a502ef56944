"""Stores that are reached through an fsspec driver, and how their names are written as URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.stores.errors import is_forbidden
from inkstream.tasks.stores.file_filter import FileFilter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 1 << 20

Described: TypeAlias = tuple[str, dict[str, Any]]
"""A path and the driver's `info` about it."""

_ETAGS = ("ETag", "etag", "md5Hash", "content_md5", "md5Checksum", "Content-MD5", "Digest", "sha", "blob_id", "oid")
_TIMES = (
    "LastModified",
    "last_modified",
    "Last-Modified",
    "mtime",
    "modified",
    "updated",
    "modificationTime",
    "modifiedTime",
    "timeModified",
    "modified_at",
    "created",
)
_MILLISECONDS = 1e11  # a larger number is milliseconds since 1970, not seconds
_LOOKUPS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class State:
    """The current version of a file: its unquoted ETag and its size in bytes."""

    etag: str
    size: int


class Store:
    """One bucket, or one host, through its fsspec driver.

    A path is the part of a URL after `://`: the authority (a bucket, or a host with its port), a slash, and the rest.

    Args:
        protocol: The URL's scheme.
        driver: The fsspec filesystem.
        authority: The bucket or host that its paths begin with.
        prefix: What the driver's own names begin with instead of the authority and its slash.
    """

    def __init__(self, protocol: str, driver: Any, authority: str, prefix: str) -> None:
        self.protocol = protocol
        self.driver = driver
        self._authority = authority
        self._prefix = prefix

    def native(self, path: str) -> str:
        """Return the driver's name for a path."""
        return self._prefix + path[len(self._authority) + 1 :]

    def path(self, native: str) -> str:
        """Return the path of a driver's name: the inverse of `native`."""
        return f"{self._authority}/{native.removeprefix(self._prefix)}"

    def versions(self, root: str, wanted: FileFilter, skipped: Skipped) -> Iterator[FileVersion]:
        """Yield the file versions under a folder, in no order.

        Args:
            root: The folder.
            wanted: Which files are documents.
            skipped: Counts the other files, and what cannot be looked at.

        Raises:
            FileNotFoundError: If the folder or bucket does not exist.
            ConfigError: If `root` is a file, or the store does not report enough to tell versions apart.
        """
        for path, info in self._described(self._files(root, wanted, skipped), skipped):
            yield self._file_version(path, info)

    def state(self, path: str) -> State:
        """Return the state of one file."""
        return self._state(path, self._info(path))

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Read one version of a file.

        Args:
            path: The file.
            require: Called with the state of the file that is read; raises if it is another version.
            write: Receives the bytes in order.

        Returns:
            The object's version id; None if the store has none.
        """
        require(self.state(path))
        self._transfer(path, write)
        require(self.state(path))
        return None

    def write(self, path: str, data: bytes, *, durable: bool = True) -> None:  # noqa: ARG002 - object stores always are
        """Write an object completely or not at all: readers see the old one or the new one.

        Args:
            path: The object.
            data: Its content.
            durable: Whether to return only when it survives a power cut.
        """
        self.driver.pipe_file(self.native(path), data)

    def fetch(self, path: str) -> bytes:
        """Return the content of a small object."""
        content: bytes = self.driver.cat_file(self.native(path))
        return content

    def names(self, root: str) -> list[str]:
        """Return the paths of all objects under a folder, whatever their names; empty if the folder does not exist."""
        return [self.path(name) for name in self.driver.find(self.native(root))]

    def _files(self, root: str, wanted: FileFilter, skipped: Skipped) -> Iterator[Described]:
        """Yield the wanted files, folder by folder."""
        waiting, seen = [root], {root}
        while waiting:
            folder = waiting.pop()
            for path, info in self._entries(folder, root, skipped):
                if path == root:
                    raise is_a_file(root)
                name = path.rsplit("/", 1)[-1]
                is_folder = info["type"] == "directory"
                reason = wanted.folder_reason(name) if is_folder else wanted.reason(name)
                if reason is None and not is_folder and info["type"] != "file":
                    reason = SkipReason.SPECIAL
                if reason is not None:
                    skipped.add(reason, path)
                elif not is_folder:
                    yield path, info
                elif path not in seen:
                    seen.add(path)
                    waiting.append(path)

    def _entries(self, folder: str, root: str, skipped: Skipped) -> list[Described]:
        """Return the entries of a folder; none if it is gone or its access is denied, unless it is the source's own."""
        try:
            return self._ls(folder)
        except FileNotFoundError:
            if folder == root:
                raise FileNotFoundError(f"there is no folder {root}") from None
        except Exception as error:
            if folder == root or not is_forbidden(error):
                raise
            skipped.add(SkipReason.UNREADABLE_FOLDER, folder, "access denied")
        return []

    def _ls(self, folder: str) -> list[Described]:
        listed = self.driver.ls(self.native(folder), detail=True)
        entries = [(self.path(info["name"].rstrip("/")), info) for info in listed]
        return [(path, self._followed(path, info)) for path, info in entries]

    def _followed(self, path: str, info: dict[str, Any]) -> dict[str, Any]:
        """Return the info of a link's target if that is a file. Links to folders may form loops, so they stay links."""
        if info["type"] != "link":
            return info
        try:
            target = self._info(path)
        except OSError:
            return info
        return target if target["type"] == "file" else info

    def _described(self, found: Iterable[Described], skipped: Skipped) -> Iterator[Described]:
        """Yield the files, after asking the store about each one whose listing cannot tell its versions apart."""
        for path, info in found:
            if _says_enough(info):
                yield path, info
                continue
            try:
                yield path, self._info(path)
            except FileNotFoundError:
                continue  # removed after its folder was listed
            except Exception as error:
                if not is_forbidden(error):
                    raise
                skipped.add(SkipReason.UNREADABLE, path, "access denied")

    def _info(self, path: str) -> dict[str, Any]:
        info: dict[str, Any] = self.driver.info(self.native(path))
        return info

    def _file_version(self, path: str, info: dict[str, Any]) -> FileVersion:
        state = self._state(path, info)
        return FileVersion(encode(self.protocol, path), state.etag, state.size, moment(info) or EPOCH)

    def _state(self, path: str, info: dict[str, Any]) -> State:
        if not _says_enough(info):
            raise ConfigError(
                f"{encode(self.protocol, path)}: the store reports neither an ETag nor a modification time, or no "
                "size, so versions of the file cannot be told apart; exclude it with source.glob, or use another store"
            )
        return State(object_etag(info), int(info["size"]))

    def _transfer(self, path: str, write: Callable[[bytes], object]) -> None:
        with self.driver.open(self.native(path), "rb") as opened:
            while chunk := opened.read(CHUNK):
                write(chunk)


class Bucket(Store):
    """A store that lists whole prefixes at once.

    It has `inkstream.tasks.stores.abilities.VersionLookup`: a bucket describes a single object as it lists it.
    """

    def look_up(self, paths: Sequence[str]) -> list[FileVersion | None]:
        """Return the current version of each object; None for one that does not exist."""
        if not self.driver.async_impl:  # threads must not share a synchronous driver
            return [self.current(path) for path in paths]
        first = [self.current(path) for path in paths[:1]]  # alone, because it may open the shared connection
        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as pool:
            return [*first, *pool.map(self.current, paths[1:])]

    def current(self, path: str) -> FileVersion | None:
        """Return the current version of one object, as a listing describes it; None if it does not exist."""
        try:
            info = self._info(path)
        except FileNotFoundError:
            return None
        return self._file_version(path, info) if info["type"] == "file" else None

    def was_deleted(self, path: str) -> bool:  # noqa: ARG002 - for buckets with versions
        """Return False: an ordinary bucket has no record of deleted objects."""
        return False

    def _files(self, root: str, wanted: FileFilter, skipped: Skipped) -> Iterator[Described]:
        how = {} if wanted.recursive else {"maxdepth": 1, "withdirs": True}
        found = self.driver.find(self.native(root).rstrip("/"), detail=True, **how)
        if not found and not self.driver.exists(self._prefix.rstrip("/")):
            raise FileNotFoundError(f"there is no bucket {self._authority}")
        for native, info in found.items():
            path = self.path(native)
            if info.get("type") == "directory" and path.rstrip("/") != root:
                folder = path.rstrip("/")
                skipped.add(wanted.folder_reason(folder.rpartition("/")[2]) or SkipReason.SUBFOLDER, folder)
            if info.get("type") != "file" or path.endswith("/"):
                continue  # a "folder" object that a tool created
            if path == root:
                raise is_a_file(root)
            reason = wanted.path_reason(path[len(root) + 1 :])
            if reason is None:
                yield path, info
            else:
                skipped.add(reason, path)


def is_a_file(root: str) -> ConfigError:
    """Return the error for a source that is a file."""
    return ConfigError(f"{root} is a file; set source.url to its folder and source.glob to its name")


def object_etag(info: dict[str, Any]) -> str:
    """Return the unquoted ETag of a listing or `info` entry, or `mtime_ns-size` if it has none."""
    for name in _ETAGS:
        if info.get(name):
            return str(info[name]).replace('"', "")
    changed = moment(info)
    assert changed is not None
    return f"{(changed - EPOCH) // timedelta(microseconds=1) * 1000}-{info['size']}"


def moment(info: dict[str, Any]) -> datetime | None:
    """Return the modification time of a listing or `info` entry; None if it has none."""
    for name in _TIMES:
        if info.get(name):
            return _time_of(info[name])
    return None


def _says_enough(info: dict[str, Any]) -> bool:
    return info.get("size") is not None and (any(info.get(name) for name in _ETAGS) or moment(info) is not None)


def _time_of(value: Any) -> datetime | None:
    """Return a time from a driver, taken as UTC if it has no zone; None if it cannot be read."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS else value, UTC)
        if isinstance(value, str):
            value = _time_in(value)
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _time_in(text: str) -> datetime:
    if "," in text:
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(text)
