"""S3: reads and removals that are conditional on the object's version, so that an overwrite cannot come in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fsspec.asyn import sync

from inkstream.ocr_core.errors import ConfigError, SourceChangedError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.stores.base import CHUNK, Bucket, State, is_a_file
from inkstream.tasks.stores.errors import error_code, is_forbidden, is_gone
from inkstream.tasks.stores.file_filter import FileFilter
from inkstream.tasks.stores.s3_listing import S3Object, first_object, list_objects

_FOLDER_MARKS = ("/", "_$folder$")
_DENIED = ("AccessDenied", "403")
_OTHER_VERSION = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


class Removal(Enum):
    """A way to remove one version of an object and no other."""

    CONDITION = "DELETE with If-Match"
    MARKER = "a delete marker, after a look at the version"


class S3Store(Bucket):
    """A bucket of S3, or of another store that speaks S3.

    It has the abilities `VersionLookup` and `ConditionalRemoval` of `inkstream.tasks.stores.abilities`.
    """

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Read with one GET: its ETag belongs to exactly this body, in every S3 dialect."""
        version: str | None = sync(self.driver.loop, self._get, path, require, write)
        return version

    async def _get(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        response = await self.driver._call_s3("get_object", **_named(path))
        length, count = response.get("ContentLength"), 0
        async with response["Body"] as body:
            if length is not None:
                require(State(_etag(response), int(length)))
            while chunk := await body.read(CHUNK):
                count += len(chunk)
                write(chunk)
        if length is None:  # sent in chunks
            require(State(_etag(response), count))
        return _version_id(response)

    def versions(self, root: str, wanted: FileFilter, skipped: Skipped) -> Iterator[FileVersion]:
        """Yield the file versions under a folder, in the order of their keys."""
        bucket, _, folder = root.partition("/")
        prefix = f"{folder}/" if folder else ""
        found = False

        def skip_folder(key: str) -> None:
            name = key.rstrip("/").rpartition("/")[2]
            skipped.add(wanted.folder_reason(name) or SkipReason.SUBFOLDER, f"{bucket}/{key}")

        objects = list_objects(self.driver, bucket, prefix, recursive=wanted.recursive, on_folder=skip_folder)
        for listed in objects:
            found = True
            if listed.key.endswith(_FOLDER_MARKS):
                continue  # an object that a tool created for a folder
            reason = wanted.path_reason(listed.key[len(prefix) :])
            if reason is None and listed.is_archived:
                reason = SkipReason.ARCHIVED
            if reason is None:
                yield self._version(bucket, listed)
            else:
                skipped.add(reason, f"{bucket}/{listed.key}")
        if folder and not found and self._is_object(root):
            raise is_a_file(root)

    def _is_object(self, path: str) -> bool:
        """Return whether there is an object of this name; False if these credentials may only list what is below it."""
        try:
            return self.current(path) is not None
        except Exception as error:
            if error_code(error) in _DENIED or is_forbidden(error):
                return False
            raise

    def current(self, path: str) -> FileVersion | None:
        """Return the current version of one object, from a listing of its key; None if it does not exist.

        A HEAD is not used because some stores round its times: a version must be the same however it was found.
        """
        bucket, _, key = path.partition("/")
        first = first_object(self.driver, bucket, key)  # the first key with a prefix is the prefix itself
        return self._version(bucket, first) if first and first.key == key else None

    def _version(self, bucket: str, listed: S3Object) -> FileVersion:
        return FileVersion(encode(self.protocol, f"{bucket}/{listed.key}"), listed.etag, listed.size, listed.modified)

    def was_deleted(self, path: str) -> bool:
        """Return whether a bucket with versioning has a delete marker for the object."""
        try:
            self._call("head_object", **_named(path))
        except Exception as error:
            if is_forbidden(error):
                return False  # what some stores answer for an object that does not exist
            if not is_gone(error):
                raise
            response = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
            return "x-amz-delete-marker" in response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return False

    def removal(self, root: str, probe_folder: str) -> S3Removal:  # noqa: ARG002 - paths include their bucket
        """Return the removal for objects of this bucket.

        Args:
            root: Folder of the objects.
            probe_folder: A folder, in a bucket of the same store, where a probe is written and deleted.

        Raises:
            ConfigError: If this store cannot remove only one version.
            OSError: If the probe cannot be written.
        """
        return S3Removal(self, self._find_removal(f"{probe_folder}/_inkstream-probe-{uuid.uuid4().hex}"))

    def _find_removal(self, probe: str) -> Removal:
        """Find out with a probe which way works: some stores accept a condition on a DELETE but ignore it."""
        etag = self._call("put_object", **_named(probe), Body=uuid.uuid4().bytes)["ETag"]
        try:
            obeyed = not self._delete(probe, State("0" * 32, 0), Removal.CONDITION)
            if obeyed and self._delete(probe, State(etag.strip('"'), 0), Removal.CONDITION):
                return Removal.CONDITION
        finally:
            self._call("delete_object", **_named(probe))
        if self._call("get_bucket_versioning", Bucket=self._authority).get("Status") == "Enabled":
            return Removal.MARKER
        raise ConfigError(
            f"source.clean_source: this store ignores If-Match on a DELETE and the bucket {self._authority} has no "
            "versioning, so a file that is overwritten at the wrong moment would be lost; turn versioning on, or "
            "leave clean_source off"
        )

    def remove(self, path: str, state: State, how: Removal) -> None:
        """Remove one version of an object.

        Raises:
            SourceChangedError: If the object now has another version, or is gone.
        """
        if not self._delete(path, state, how):
            raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten, or is gone")

    def archive(self, path: str, state: State, targets: tuple[str, ...], how: Removal) -> None:
        """Copy one version of an object to the first free target, then remove it.

        Raises:
            SourceChangedError: If the object now has another version, or is gone.
            FileExistsError: If a different object exists at every target.
        """
        source = self._head(path)
        if source is None or _etag(source) != state.etag:
            raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten, or is gone")
        for target in targets:
            there = self._head(target)
            if there is None:
                self._copy(path, source, target)
                break
            named_by_version = target == targets[-1]
            if self._size(target, there) == state.size and (named_by_version or _etag(there) == _etag(source)):
                break  # copied by a run that was killed before it removed the source
        else:
            raise FileExistsError(f"a different object exists at {encode(self.protocol, targets[-1])}")
        self.remove(path, state, how)

    def _copy(self, path: str, source: dict[str, Any], target: str) -> None:
        origin = _named(path)
        if version := _version_id(source):
            origin["VersionId"] = version
        try:
            self._call("copy_object", **_named(target), CopySource=origin, CopySourceIfMatch=source["ETag"])
        except Exception as error:
            if error_code(error) in _OTHER_VERSION:
                raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten") from error
            raise
        copied = self._head(target)
        if copied is None or self._size(target, copied) != self._size(path, source):
            raise OSError(f"{encode(self.protocol, target)}: the copy is incomplete")

    def _delete(self, path: str, state: State, how: Removal) -> bool:
        """Delete one version, and return whether it was the current one."""
        if how is Removal.MARKER:
            return self._hide(path, state)
        try:
            self._call("delete_object", **_named(path), IfMatch=f'"{state.etag}"')
        except Exception as error:
            if error_code(error) in _OTHER_VERSION or is_gone(error):
                return False
            raise
        return True

    def _hide(self, path: str, state: State) -> bool:
        """Hide one version under a delete marker, and return whether it was the current one.

        Deleting it by its id would bring the version before it back, as if it were new. If another version was written
        in the meantime, it is the one that the marker hides, and the marker is taken away again.
        """
        there = self._head(path)
        version = _version_id(there) if there else None
        if there is None or version is None or _etag(there) != state.etag:
            return False
        marker = _version_id(self._call("delete_object", **_named(path)))
        hidden = None
        try:
            hidden = self._version_before(path, marker) if marker else None
        finally:
            if marker and hidden != version:
                self._call("delete_object", **_named(path), VersionId=marker)
        return hidden == version

    def _version_before(self, path: str, version: str) -> str | None:
        """Return the id of the version that was written before another one; None if there is none."""
        named = _named(path)
        answer = self._call(
            "list_object_versions",
            Bucket=named["Bucket"],
            Prefix=named["Key"],
            KeyMarker=named["Key"],
            VersionIdMarker=version,
            MaxKeys=1,
        )
        found = [each for each in answer.get("Versions", ()) if each["Key"] == named["Key"]]
        return _version_id(found[0]) if found else None

    def _head(self, path: str) -> dict[str, Any] | None:
        try:
            return self._call("head_object", **_named(path))
        except Exception as error:
            if is_gone(error):
                return None
            raise

    def _size(self, path: str, head: dict[str, Any]) -> int:
        """Return the size of an object; from a listing if the answer to a HEAD does not say it."""
        if "ContentLength" in head:
            return int(head["ContentLength"])
        found = self.current(path)
        return found.size if found else -1

    def _call(self, operation: str, **how: Any) -> dict[str, Any]:
        answer: dict[str, Any] = sync(self.driver.loop, self.driver._call_s3, operation, **how)
        return answer


@dataclass(frozen=True, slots=True)
class S3Removal:
    """Removes objects of one bucket. See `inkstream.tasks.stores.abilities.VersionRemoval`.

    Attributes:
        store: The bucket.
        how: The way of removal that works in its store.
        at_once: Number of objects that may be removed at the same time.
    """

    store: S3Store
    how: Removal
    at_once: int = 16

    def remove(self, path: str, state: State) -> None:
        """Remove one version of an object, as `S3Store.remove` does."""
        self.store.remove(path, state, self.how)

    def archive(self, path: str, state: State, targets: tuple[str, ...]) -> None:
        """Move one version of an object, as `S3Store.archive` does."""
        self.store.archive(path, state, targets, self.how)


def _named(path: str) -> dict[str, str]:
    bucket, _, key = path.partition("/")
    return {"Bucket": bucket, "Key": key}


def _etag(response: dict[str, Any]) -> str:
    """Return an ETag without quotes, and without the mark that some proxies put before it."""
    return str(response["ETag"]).removeprefix("W/").strip('"')


def _version_id(response: dict[str, Any]) -> str | None:
    version = response.get("VersionId")
    return None if version in (None, "null") else str(version)
