"""A store as its driver sees it, and how its names are written as URLs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 1 << 20

Described: TypeAlias = tuple[str, dict[str, Any]]
"""A path, and what the driver says about it."""

_ETAGS = ("ETag", "etag", "md5Hash", "content_md5", "md5Checksum", "Content-MD5", "Digest", "sha", "blob_id", "oid")
_TIMES = (
    "LastModified",
    "last_modified",
    "Last-Modified",
    "mtime",
    "modified",
    "modify",
    "updated",
    "modificationTime",
    "modifiedTime",
    "timeModified",
    "modified_at",
    "created",
)
_FTP_TIME = re.compile(r"(\d{14})(\.\d{1,6})?\d*")
_MILLISECONDS = 1e11  # a number above is not seconds since 1970
_LOOKUPS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Decides which files of a folder are documents.

    Attributes:
        glob: Pattern of file names, case-sensitive.
        recursive: Look into subfolders.
    """

    glob: str = "*"
    recursive: bool = True

    def is_wanted(self, name: str) -> bool:
        """Return whether a file of this name is a document."""
        return self.is_visible(name) and fnmatchcase(name, self.glob)

    def is_wanted_path(self, relative: str) -> bool:
        """Return whether a file with this path below the source is a document."""
        *folders, name = relative.split("/")
        return self.is_wanted(name) and (self.recursive or not folders) and all(map(self.is_visible, folders))

    def is_entered(self, folder: str) -> bool:
        """Return whether a subfolder of this name is listed too."""
        return self.recursive and self.is_visible(folder)

    @staticmethod
    def is_visible(name: str) -> bool:
        """Return whether a name is not reserved: tools begin a name with `_` or `.` for what is not data yet."""
        return not name.startswith(("_", "."))


@dataclass(frozen=True, slots=True)
class State:
    """The current version of a file: its unquoted ETag and its size in bytes."""

    etag: str
    size: int


class Store:
    """One bucket, or one host, through its fsspec driver.

    Paths are what a URL has after `://`: the authority (a bucket, or a host with its port), a slash, and the rest.

    Args:
        protocol: The URL's scheme.
        driver: The fsspec filesystem.
        authority: What its paths begin with.
        prefix: What the driver's own names have in place of the authority and its slash.

    Attributes:
        writable: Whether objects can be kept here, each written whole or not at all.
    """

    writable = True

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

    def versions(self, root: str, wanted: FileFilter) -> Iterator[FileVersion]:
        """Yield the file versions under a folder, in no order.

        Raises:
            FileNotFoundError: If there is no such folder or bucket.
            ConfigError: If `root` is a file, or the store does not say enough to tell versions apart.
        """
        for path, info in self._described(self._files(root, wanted)):
            yield self._file_version(path, info)

    def state(self, path: str) -> State:
        """Return the state of one file."""
        return self._state(path, self._info(path))

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Read one version of a file.

        Args:
            path: Which file.
            require: Called with the state of what is read; raises if it is another version.
            write: Takes the bytes, in order.

        Returns:
            The object's version id, where the store has one.
        """
        require(self.state(path))
        self._transfer(path, write)
        require(self.state(path))
        return None

    def write(self, path: str, data: bytes) -> None:
        """Write an object whole or not at all: readers see the old one or the new one."""
        self.driver.pipe_file(self.native(path), data)

    def fetch(self, path: str) -> bytes:
        """Return the content of a small object."""
        content: bytes = self.driver.cat_file(self.native(path))
        return content

    def names(self, root: str) -> list[str]:
        """Return the paths of all objects under a folder, whatever their names; none where there is no such folder."""
        return [self.path(name) for name in self.driver.find(self.native(root))]

    def _files(self, root: str, wanted: FileFilter) -> Iterator[Described]:
        """Yield the wanted files, folder by folder."""
        waiting, seen = [root], {root}
        while waiting:
            folder = waiting.pop()
            try:
                entries = self._ls(folder)
            except FileNotFoundError:
                if folder == root:
                    raise FileNotFoundError(f"there is no folder {root}") from None
                continue  # removed since its parent was listed
            for path, info in entries:
                if path == root:
                    raise ConfigError(is_a_file(root))
                name = path.rsplit("/", 1)[-1]
                if info["type"] == "directory":
                    if path not in seen and wanted.is_entered(name):
                        seen.add(path)
                        waiting.append(path)
                elif info["type"] == "file" and wanted.is_wanted(name):
                    yield path, info

    def _ls(self, folder: str) -> list[Described]:
        listed = self.driver.ls(self.native(folder), detail=True)
        entries = [(self.path(info["name"].rstrip("/")), info) for info in listed]
        return [(path, self._followed(path, info)) for path, info in entries]

    def _followed(self, path: str, info: dict[str, Any]) -> dict[str, Any]:
        """Return the file that a link leads to; a link to a folder could lead round in circles, so it stays a link."""
        if info["type"] != "link":
            return info
        try:
            target = self._info(path)
        except OSError:
            return info
        return target if target["type"] == "file" else info

    def _described(self, found: Iterable[Described]) -> Iterator[Described]:
        """Ask about each file whose listing does not say enough."""
        for path, info in found:
            if _says_enough(info):
                yield path, info
            else:
                try:
                    yield path, self._info(path)
                except FileNotFoundError:
                    continue  # removed since its folder was listed

    def _info(self, path: str) -> dict[str, Any]:
        info: dict[str, Any] = self.driver.info(self.native(path))
        return info

    def _file_version(self, path: str, info: dict[str, Any]) -> FileVersion:
        state = self._state(path, info)
        return FileVersion(encode(self.protocol, path), state.etag, state.size, moment(info) or EPOCH)

    def _state(self, path: str, info: dict[str, Any]) -> State:
        if not _says_enough(info):
            raise ConfigError(
                f"{encode(self.protocol, path)}: the store gives neither an ETag nor a modification time, or no size, "
                "so its versions cannot be told apart; leave the file out with source.glob, or take another store"
            )
        return State(object_etag(info), int(info["size"]))

    def _transfer(self, path: str, write: Callable[[bytes], object]) -> None:
        with self.driver.open(self.native(path), "rb") as opened:
            while chunk := opened.read(CHUNK):
                write(chunk)


class Bucket(Store):
    """A store that lists whole prefixes at once.

    It has `inkstream.tasks.stores.abilities.VersionLookup`: a bucket describes one object as it lists it.
    """

    def look_up(self, paths: Sequence[str]) -> list[FileVersion | None]:
        """Return the current version of each object; None where there is no such object."""
        if not self.driver.async_impl:  # such a driver must not be shared by threads
            return [self.current(path) for path in paths]
        first = [self.current(path) for path in paths[:1]]  # alone, as it may open the connection for all
        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as pool:
            return [*first, *pool.map(self.current, paths[1:])]

    def current(self, path: str) -> FileVersion | None:
        """Return the current version of one object, in the words of a listing; None where there is no such object."""
        try:
            info = self._info(path)
        except FileNotFoundError:
            return None
        return self._file_version(path, info) if info["type"] == "file" else None

    def was_deleted(self, path: str) -> bool:  # noqa: ARG002 - for buckets that remember
        """Return False: an ordinary bucket does not remember what was deleted."""
        return False

    def _files(self, root: str, wanted: FileFilter) -> Iterator[Described]:
        found = self.driver.find(self.native(root).rstrip("/"), maxdepth=None if wanted.recursive else 1, detail=True)
        if not found and not self.driver.exists(self._prefix.rstrip("/")):
            raise FileNotFoundError(f"there is no bucket {self._authority}")
        for native, info in found.items():
            path = self.path(native)
            if info.get("type") != "file" or path.endswith("/"):
                continue  # a "folder" that some tool made
            if path == root:
                raise ConfigError(is_a_file(root))
            if wanted.is_wanted_path(path[len(root) + 1 :]):
                yield path, info


def is_a_file(root: str) -> str:
    """Return the message about a source that is a file."""
    return f"{root} is a file; give its folder as source.url, and its name as glob"


def object_etag(info: dict[str, Any]) -> str:
    """Return the unquoted ETag of a listing or `info` entry; where a store has none, `mtime_ns-size`."""
    for name in _ETAGS:
        if info.get(name):
            return str(info[name]).replace('"', "")
    changed = moment(info)
    assert changed is not None
    return f"{(changed - EPOCH) // timedelta(microseconds=1) * 1000}-{info['size']}"


def moment(info: dict[str, Any]) -> datetime | None:
    """Return the modification time of a listing or `info` entry; None where it has none."""
    for name in _TIMES:
        if info.get(name):
            return _time_of(info[name])
    return None


def _says_enough(info: dict[str, Any]) -> bool:
    return info.get("size") is not None and (any(info.get(name) for name in _ETAGS) or moment(info) is not None)


def _time_of(value: Any) -> datetime | None:
    """Return the time that a driver gives, in UTC where it names no zone; None where it cannot be read."""
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
    ftp = _FTP_TIME.fullmatch(text)
    if ftp:
        return datetime.strptime(ftp[1], "%Y%m%d%H%M%S") + timedelta(seconds=float(ftp[2] or 0))
    if "," in text:
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(text)
