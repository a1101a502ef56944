"""The pages of an S3 listing, read at a fraction of what the AWS library's own reading of them costs.

That reads an answer by a model of the service and each time by a parser for any time: most of what a listing costs. So
it asks, with all it knows of endpoints, credentials, authorities and retries, and the objects are taken out of its
answer before it reads that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.parsers import expat

from fsspec.asyn import sync

_EVENT = "before-parse.*.ListObjectsV2"  # by its star it comes before the AWS library's own look for errors
_TAKEN = "InkstreamPage"
_ANSWER = "ListBucketResult"
_asked_here: ContextVar[bool] = ContextVar("asked_here", default=False)
"""Whether a request is of this module: others use the same client and want the answer as they know it."""


class S3Object(NamedTuple):
    """An object as a listing says it: its key, unquoted ETag, size in bytes and time of upload."""

    key: str
    etag: str
    size: int
    modified: datetime


class _Page(NamedTuple):
    objects: list[S3Object]
    next_token: str | None


def list_objects(
    driver: Any, bucket: str, prefix: str, *, recursive: bool = True, max_keys: int = 1000
) -> Iterator[S3Object]:
    """Yields the objects whose keys start with a prefix, by key.

    Args:
        driver: The bucket's, of s3fs.
        bucket: Its name.
        prefix: What the keys start with.
        recursive: Those with a slash after the prefix, too.
        max_keys: Of one request; no store gives more than 1000.
    """
    how = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "" if recursive else "/", "MaxKeys": max_keys}
    while True:
        page = _ask(driver, **how)
        yield from page.objects
        if page.next_token is None:
            return
        how["ContinuationToken"] = page.next_token


def first_object(driver: Any, bucket: str, prefix: str) -> S3Object | None:
    """Returns the first object whose key starts with a prefix."""
    found = _ask(driver, Bucket=bucket, Prefix=prefix, MaxKeys=1).objects
    return found[0] if found else None


def _ask(driver: Any, **how: Any) -> _Page:
    page: _Page = sync(driver.loop, _request, driver, how)
    return page


async def _request(driver: Any, how: dict[str, Any]) -> _Page:
    await driver.set_session()
    client = await driver.get_s3(how["Bucket"])
    client.meta.events.register(_EVENT, _take_objects, unique_id=_TAKEN)  # the same again changes nothing
    _asked_here.set(True)  # for this task, which is of one page
    # Control characters cannot be in XML, so keys are sent like the names of a form.
    answer = await driver._call_s3("list_objects_v2", EncodingType="url", **how)
    page: _Page = answer[_TAKEN]
    return page


def _take_objects(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Takes the page out of an answer; leaves it be where it is an error, or broken, so that it is asked for again."""
    if not _asked_here.get() or response_dict["status_code"] != 200:
        return
    try:
        page = read_page(response_dict["body"])
    except expat.ExpatError:
        return
    if page is not None:
        customized_response_dict[_TAKEN] = page
        response_dict["body"] = f"<{_ANSWER}/>".encode()


def read_page(body: bytes) -> _Page | None:
    """Reads an answer of ListObjectsV2; None if it is another document. Builds no tree: objects are many.

    Raises:
        expat.ExpatError: If it is not whole.
        KeyError: If it lacks what every object has.
    """
    found: list[tuple[str, str, str, str]] = []
    said: dict[str, str] = {}
    parts: list[str] = []

    def end(name: str) -> None:
        if name == "Contents":
            found.append((said.pop("Key"), said.pop("ETag"), said.pop("Size"), said.pop("LastModified")))
        else:
            said[name] = "".join(parts)
        parts.clear()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda *_: parts.clear()
    parser.CharacterDataHandler = parts.append
    parser.EndElementHandler = end
    parser.Parse(body, True)
    if _ANSWER not in said:
        return None
    decode = unquote_plus if said.get("EncodingType") == "url" else str
    objects = [S3Object(decode(key), etag.replace('"', ""), int(size), _time(at)) for key, etag, size, at in found]
    return _Page(objects, said["NextContinuationToken"] if said.get("IsTruncated") == "true" else None)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # as some stores write it
        from botocore.utils import parse_timestamp

        time: datetime = parse_timestamp(text)
        return time
