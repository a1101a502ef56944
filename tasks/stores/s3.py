"""S3: one GET whose own ETag is compared."""

from __future__ import annotations

from collections.abc import Callable

from fsspec.asyn import sync

from tasks.stores.base import CHUNK, Bucket, State


class S3Store(Bucket):
    """A bucket of S3 or of what speaks its language."""

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        """Reads through one GET: its ETag is atomic with the body, and every S3 dialect has it."""
        version: str | None = sync(self.driver.loop, self._get, path, require, write)
        return version

    async def _get(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> str | None:
        bucket, _, key = path.partition("/")
        response = await self.driver._call_s3("get_object", Bucket=bucket, Key=key)
        async with response["Body"] as body:
            require(State(response["ETag"].strip('"'), int(response["ContentLength"])))
            while chunk := await body.read(CHUNK):
                write(chunk)
        version = response.get("VersionId")
        return None if version in (None, "null") else str(version)
