"""S3: reads and removals whose own condition is the version, so that nobody can come in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from fsspec.asyn import sync

from inkstream.ocr_core.errors import ConfigError, SourceChangedError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode
from inkstream.tasks.stores.base import CHUNK, Bucket, Selection, State, is_a_file
from inkstream.tasks.stores.errors import error_code, is_gone
from inkstream.tasks.stores.s3_listing import Listed, first_object, list_objects

_OTHER_VERSION = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


class Removal(Enum):
    """How a bucket removes one version of an object and no other."""

    CONDITION = "DELETE with If-Match"
    VERSION = "DELETE of a version id"


class S3Store(Bucket):
    """A bucket of S3 or of what speaks its language."""

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Reads through one GET: its ETag is atomic with the body, and every S3 dialect has it."""
        version: str | None = sync(self.driver.loop, self._get, path, require, write)
        return version

    async def _get(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        response = await self.driver._call_s3("get_object", **_named(path))
        async with response["Body"] as body:
            require(State(response["ETag"].strip('"'), int(response["ContentLength"])))
            while chunk := await body.read(CHUNK):
                write(chunk)
        return _version_id(response)

    def versions(self, root: str, selection: Selection) -> Iterator[FileVersion]:
        """Yields the file versions under a folder, by key."""
        bucket, _, folder = root.partition("/")
        prefix = f"{folder}/" if folder else ""
        found = False
        for one in list_objects(self.driver, bucket, prefix, recursive=selection.recursive):
            found = True
            if not one.key.endswith("/") and selection.holds(one.key[len(prefix) :]):  # a "folder" that some tool made
                yield self._version(bucket, one)
        if folder and not found and self.current(root):
            raise ConfigError(is_a_file(root))

    def current(self, path: str) -> FileVersion | None:
        """Asks for the version of one object that is there now, in the very words of a listing.

        Not by HEAD, whose times some stores round: a version must be the same whoever found it.

        Returns:
            The version; None where there is no such object.
        """
        bucket, _, key = path.partition("/")
        one = first_object(self.driver, bucket, key)  # the first name with this prefix is the prefix itself
        return self._version(bucket, one) if one and one.key == key else None

    def _version(self, bucket: str, one: Listed) -> FileVersion:
        return FileVersion(encode(self.protocol, f"{bucket}/{one.key}"), one.etag, one.size, one.modified)

    def was_deleted(self, path: str) -> bool:
        """Tells whether a bucket with versions says that the object of this name was deleted."""
        try:
            self._call("head_object", **_named(path))
        except Exception as error:
            if not is_gone(error):
                raise
            response = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
            return "x-amz-delete-marker" in response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return False

    def find_removal(self, probe: str) -> Removal:
        """Finds out by a probe how this store removes one version and no other.

        Not every store that takes the condition of a DELETE obeys it.

        Args:
            probe: A path, in a bucket of the same store, that nobody uses.

        Raises:
            ConfigError: If it cannot.
            OSError: If the probe cannot be written.
        """
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
        """Removes one version of an object.

        Raises:
            SourceChangedError: If another version is there, or none.
        """
        if not self._delete(path, state, how):
            raise SourceChangedError(f"{encode(self.protocol, path)}: it was overwritten, or is gone")

    def archive(self, path: str, state: State, targets: tuple[str, ...], how: Removal) -> None:
        """Copies one version of an object to the first of the targets that is free, then removes it.

        Raises:
            SourceChangedError: If another version is there, or none.
            FileExistsError: If each target is another object.
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
                break  # a run was killed after it had copied it
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
        """Removes one version; False if it is not there."""
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


def _named(path: str) -> dict[str, str]:
    bucket, _, key = path.partition("/")
    return {"Bucket": bucket, "Key": key}


def _version_id(response: dict[str, Any]) -> str | None:
    version = response.get("VersionId")
    return None if version in (None, "null") else str(version)
