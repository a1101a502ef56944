"""S3: reads and removals that carry the version as their condition, so that nobody can come in between."""

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
from inkstream.tasks.stores.base import CHUNK, Bucket, FileFilter, State, is_a_file
from inkstream.tasks.stores.errors import error_code, is_gone
from inkstream.tasks.stores.s3_listing import S3Object, first_object, list_objects

_OTHER_VERSION = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


class Removal(Enum):
    """A way to remove one version of an object and no other."""

    CONDITION = "DELETE with If-Match"
    VERSION = "DELETE of a version id"


class S3Store(Bucket):
    """A bucket of S3, or of another store that speaks S3.

    It has the abilities `VersionLookup` and `ConditionalRemoval` of `inkstream.tasks.stores.abilities`.
    """

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Read through one GET: its ETag is atomic with the body, and every S3 dialect has it."""
        version: str | None = sync(self.driver.loop, self._get, path, require, write)
        return version

    async def _get(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        response = await self.driver._call_s3("get_object", **_named(path))
        async with response["Body"] as body:
            require(State(response["ETag"].strip('"'), int(response["ContentLength"])))
            while chunk := await body.read(CHUNK):
                write(chunk)
        return _version_id(response)

    def versions(self, root: str, wanted: FileFilter) -> Iterator[FileVersion]:
        """Yield the file versions under a folder, by key."""
        bucket, _, folder = root.partition("/")
        prefix = f"{folder}/" if folder else ""
        found = False
        for one in list_objects(self.driver, bucket, prefix, recursive=wanted.recursive):
            found = True
            is_folder = one.key.endswith("/")  # that some tool made
            if not is_folder and wanted.is_wanted_path(one.key[len(prefix) :]):
                yield self._version(bucket, one)
        if folder and not found and self.current(root):
            raise ConfigError(is_a_file(root))

    def current(self, path: str) -> FileVersion | None:
        """Return the current version of one object, from a listing of its name; None where there is no such object.

        A HEAD would do but for its times, which some stores round: a version must be the same whoever found it.
        """
        bucket, _, key = path.partition("/")
        one = first_object(self.driver, bucket, key)  # the first name with this prefix is the prefix itself
        return self._version(bucket, one) if one and one.key == key else None

    def _version(self, bucket: str, one: S3Object) -> FileVersion:
        return FileVersion(encode(self.protocol, f"{bucket}/{one.key}"), one.etag, one.size, one.modified)

    def was_deleted(self, path: str) -> bool:
        """Return whether a bucket with versions says that the object of this name was deleted."""
        try:
            self._call("head_object", **_named(path))
        except Exception as error:
            if not is_gone(error):
                raise
            response = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
            return "x-amz-delete-marker" in response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return False

    def removal(self, root: str, probe_folder: str) -> S3Removal:  # noqa: ARG002 - paths have their bucket
        """Return what removes objects of this bucket.

        Args:
            root: Its folder.
            probe_folder: A folder, in a bucket of the same store, where a probe is written and deleted.

        Raises:
            ConfigError: If this store cannot remove one version and no other.
            OSError: If the probe cannot be written.
        """
        return S3Removal(self, self._find_removal(f"{probe_folder}/_inkstream-probe-{uuid.uuid4().hex}"))

    def _find_removal(self, probe: str) -> Removal:
        """Find out with a probe which way works: some stores take the condition of a DELETE and ignore it."""
        etag = self._call("put_object", **_named(probe), Body=uuid.uuid4().bytes)["ETag"]
        try:
            obeyed = not self._delete(probe, State("0" * 32, 0), Removal.CONDITION)
            if obeyed and self._delete(probe, State(etag.strip('"'), 0), Removal.CONDITION):
                return Removal.CONDITION
        finally:
            self._call("delete_object", **_named(probe))
        if self._call("get_bucket_versioning", Bucket=self._authority).get("Status") == "Enabled":
            return Removal.VERSION
        raise ConfigError(
            f"source.clean_source: this store does not obey If-Match on a DELETE and the bucket {self._authority} has "
            "no versions, so a file that is overwritten at the wrong moment would be lost; turn versioning on, or "
            "leave clean_source off"
        )

    def remove(self, path: str, state: State, how: Removal) -> None:
        """Remove one version of an object.

        Raises:
            SourceChangedError: If the object is another version by now, or gone.
        """
        if not self._delete(path, state, how):
            raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten, or is gone")

    def archive(self, path: str, state: State, targets: tuple[str, ...], how: Removal) -> None:
        """Copy one version of an object to the first target that is free, then remove it.

        Raises:
            SourceChangedError: If the object is another version by now, or gone.
            FileExistsError: If every target is another object.
        """
        source = self._head(path)
        if source is None or source["ETag"].strip('"') != state.etag:
            raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten, or is gone")
        for target in targets:
            there = self._head(target)
            if there is None:
                self._copy(path, source, target)
                break
            named_by_version = target == targets[-1]
            if there["ContentLength"] == state.size and (named_by_version or there["ETag"] == source["ETag"]):
                break  # copied by a run that was killed before it removed the object
        else:
            raise FileExistsError(f"{encode(self.protocol, targets[-1])} is another object")
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
        if copied is None or copied["ContentLength"] != source["ContentLength"]:
            raise OSError(f"{encode(self.protocol, target)}: the copy is not whole")

    def _delete(self, path: str, state: State, how: Removal) -> bool:
        """Delete one version; return False where it is not there."""
        condition = {"IfMatch": f'"{state.etag}"'}
        if how is Removal.VERSION:
            there = self._head(path)
            version = _version_id(there) if there else None
            if there is None or version is None or there["ETag"].strip('"') != state.etag:
                return False
            condition = {"VersionId": version}
        try:
            self._call("delete_object", **_named(path), **condition)
        except Exception as error:
            if error_code(error) in _OTHER_VERSION or is_gone(error):
                return False
            raise
        return True

    def _head(self, path: str) -> dict[str, Any] | None:
        try:
            return self._call("head_object", **_named(path))
        except Exception as error:
            if is_gone(error):
                return None
            raise

    def _call(self, operation: str, **how: Any) -> dict[str, Any]:
        answer: dict[str, Any] = sync(self.driver.loop, self.driver._call_s3, operation, **how)
        return answer


@dataclass(frozen=True, slots=True)
class S3Removal:
    """Removes objects of one bucket. See `inkstream.tasks.stores.abilities.VersionRemoval`.

    Attributes:
        store: The bucket.
        how: The way that works in its store.
        at_once: How many objects may be removed at a time.
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


def _version_id(response: dict[str, Any]) -> str | None:
    version = response.get("VersionId")
    return None if version in (None, "null") else str(version)
