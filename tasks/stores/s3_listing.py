"""S3 listings, parsed at a fraction of the cost of botocore's own parser.

Most of the cost of a listing is botocore's generic parsing of the response and of each timestamp. So botocore sends the
requests, with its endpoints, credentials, certificates and retries, and this module takes the objects out of the
response before botocore parses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.parsers import expat

from fsspec.asyn import sync

_EVENT = "before-parse.*.ListObjectsV2"  # with the star it runs before botocore checks for errors
_TAKEN = "InkstreamPage"
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects have to be restored. Objects of Glacier's instant retrieval can be read at once."""
_ANSWER = "ListBucketResult"
_asked_here: ContextVar[bool] = ContextVar("asked_here", default=False)
"""Whether a request comes from this module: other code uses the same client and needs ordinary responses."""


class S3Object(NamedTuple):
    """An object in a listing.

    Attributes:
        key: Its key.
        etag: Its unquoted ETag.
        size: In bytes.
        modified: Time of upload.
        is_archived: Whether it has to be restored before it can be read.
    """

    key: str
    etag: str
    size: int
    modified: datetime
    is_archived: bool = False


class _Page(NamedTuple):
    objects: list[S3Object]
    next_token: str | None
    folders: list[str]


def list_objects(  # noqa: PLR0913 - the settings of a listing
    driver: Any,
    bucket: str,
    prefix: str,
    *,
    recursive: bool = True,
    max_keys: int = 1000,
    on_folder: Callable[[str], object] | None = None,
) -> Iterator[S3Object]:
    """Yield the objects whose keys start with a prefix, in the order of their keys.

    Args:
        driver: The bucket's s3fs driver.
        bucket: The bucket's name.
        prefix: The prefix.
        recursive: Whether to include keys with a slash after the prefix.
        max_keys: Maximum number of keys per request; no store returns more than 1000.
        on_folder: Without `recursive`, called with each prefix, up to its slash, of the keys that are not included.
    """
    how = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "" if recursive else "/", "MaxKeys": max_keys}
    while True:
        page = _ask(driver, **how)
        yield from page.objects
        if on_folder is not None:
            for folder in page.folders:
                on_folder(folder)
        if page.next_token is None:
            return
        how["ContinuationToken"] = page.next_token


def first_object(driver: Any, bucket: str, prefix: str) -> S3Object | None:
    """Return the first object whose key starts with a prefix; None if there is none."""
    found = _ask(driver, Bucket=bucket, Prefix=prefix, MaxKeys=1).objects
    return found[0] if found else None


def _ask(driver: Any, **how: Any) -> _Page:
    page: _Page = sync(driver.loop, _request, driver, how)
    return page


async def _request(driver: Any, how: dict[str, Any]) -> _Page:
    await driver.set_session()
    client = await driver.get_s3(how["Bucket"])
    client.meta.events.register(_EVENT, _take_objects, unique_id=_TAKEN)  # registering it again changes nothing
    _asked_here.set(True)  # for this task, which requests one page
    # XML cannot contain control characters, so keys are requested URL-encoded.
    how = {"EncodingType": "url", "OptionalObjectAttributes": ["RestoreStatus"], **how}
    answer = await driver._call_s3("list_objects_v2", **how)
    page: _Page = answer[_TAKEN]
    return page


def _take_objects(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the page out of a response. Leave an error or a broken response as it is, so that botocore retries it."""
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
    """Parse a response of ListObjectsV2; return None if it is another document. No tree is built, to be fast.

    Raises:
        expat.ExpatError: If the response is incomplete.
        KeyError: If an object lacks a key, ETag, size or time.
    """
    found: list[S3Object] = []
    folders: list[str] = []
    said: dict[str, str] = {}
    parts: list[str] = []

    def end(name: str) -> None:
        if name == "Contents":
            found.append(_object(said))
        elif name == "CommonPrefixes":
            folders.append(said.pop("Prefix"))
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
    objects = [each._replace(key=decode(each.key)) for each in found] if decode is not str else found
    token = said["NextContinuationToken"] if said.get("IsTruncated") == "true" else None
    return _Page(objects, token, [decode(folder) for folder in folders])


def _object(said: dict[str, str]) -> S3Object:
    """Return the object whose elements were read, and forget them."""
    is_restored = bool(said.pop("RestoreExpiryDate", ""))
    return S3Object(
        said.pop("Key"),
        said.pop("ETag").removeprefix("W/").replace('"', ""),
        int(said.pop("Size")),
        _time(said.pop("LastModified")),
        said.pop("StorageClass", "") in _ARCHIVES and not is_restored,
    )


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # the format of some stores
        from botocore.utils import parse_timestamp

        time: datetime = parse_timestamp(text)
        return time
