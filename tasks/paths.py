"""How files are named: one reversible URL for any bytes that a store allows in a name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.names import as_on_disk

_SAFE = "/~"  # in addition to A-Za-z0-9-._, which `quote` never touches
_SAFE_IN_AUTHORITY = ":@[]"
_LOCAL = ("file", "local")
_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_NAMES_BEFORE_AT = ("abfs", "abfss", "adl", "az", "github", "oci", "ocilake", "wasb", "wasbs")
_CHAIN = re.compile(r"::[a-z0-9+.-]*://")

SINK_FOLDERS = ("pages", "files", "overlays", "streams", "pipelines", "repaired")
"""What a sink keeps, each in a folder of its own."""


def split_url(url: str) -> tuple[str, str]:
    """Split what a user writes into a protocol and a path as the store knows it.

    A local path becomes absolute, with symbolic links resolved, so that one folder has one name. A folder that exists
    is found under its name in NFC and NFD alike.

    Args:
        url: A local path or any fsspec URL, not percent-encoded.

    Returns:
        The protocol (`file` for a local path) and the path after it. The path of a URL is the bucket, or the host
        with its port, then a slash and the rest.

    Raises:
        ConfigError: If the URL names no folder, or is a chained URL.
    """
    _, separator, rest = url.partition("://")
    protocol, rest = protocol_of(url), rest if separator else url
    if not rest.strip("/") and not (protocol in _LOCAL and rest):
        raise ConfigError(f"{url!r}: expected a folder or a bucket with a prefix, such as ./inbox or s3://bucket/inbox")
    if protocol in _LOCAL:
        return "file", os.path.realpath(as_on_disk(str(_expanded(rest))))
    if "::" in protocol or _CHAIN.search(rest):
        raise ConfigError(f"{url!r}: a chained URL cannot be used here; give the innermost URL alone")
    return protocol, rest.rstrip("/")


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path!r}: there is no such home folder; write the whole path, or set HOME") from None


def protocol_of(url: str) -> str:
    """Return the protocol of a URL as a user writes it; `file` for a local path."""
    protocol, separator, _ = url.partition("://")
    name = protocol.lower() if separator else "file"
    return "file" if name in _LOCAL else _ALIASES.get(name, name)


def require_no_credentials(url: str) -> None:
    """Raise an error for a URL with a user or password in it: URLs are stored in rows and shown in logs and Prefect.

    Raises:
        ConfigError: If there is one. The message says where credentials belong and does not repeat the URL.
    """
    protocol, separator, rest = url.partition("://")
    user, at, host = rest.partition("/")[0].rpartition("@")
    if not separator or not at or protocol.lower() in _LOCAL:
        return
    if protocol.lower() in _NAMES_BEFORE_AT and (":" not in user or protocol.lower() == "github"):
        return
    name = protocol.upper()
    raise ConfigError(
        f"a {protocol}:// URL must not have a user or password in it, because URLs are stored and shown; write "
        f"{protocol}://{host}/... and set FSSPEC_{name}_USERNAME and FSSPEC_{name}_PASSWORD in the environment, "
        "or a file ~/.config/fsspec/*.json"
    )


def absolute(url: str) -> str:
    """Return a URL that means the same in every process: absolute if local, without a trailing slash."""
    protocol, path = split_url(url)
    return path if protocol == "file" else f"{protocol}://{path}"


def encode(protocol: str, path: str) -> str:
    """Return the `FileVersion.path` of a protocol and a path as `split_url` returns them.

    Names that are not UTF-8 must be decoded as `os.fsdecode` does.
    """
    authority, slash, rest = ("", "", path) if protocol == "file" else path.partition("/")
    quoted = quote(os.fsencode(authority), safe=_SAFE_IN_AUTHORITY)
    return f"{protocol}://{quoted}{slash}{quote(os.fsencode(rest), safe=_SAFE)}"


def decode(url: str) -> tuple[str, str]:
    """Return the protocol and the path of a `FileVersion.path`: the inverse of `encode`."""
    protocol, _, quoted = url.partition("://")
    return protocol, os.fsdecode(unquote_to_bytes(quoted))


def join(url: str, *parts: str) -> str:
    """Append `parts` to a folder URL as the user wrote it."""
    return "/".join([url.rstrip("/") or "/", *parts])


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def refuse_sink_under_source(source_url: str, sink_url: str) -> None:
    """Raise an error for a sink whose own files would be read as documents.

    Raises:
        ConfigError: If the sink is the source or inside it, or the source is inside one of the sink's folders.
    """
    protocol, root = split_url(source_url)
    sink_protocol, sink = split_url(sink_url)
    if protocol != sink_protocol:
        return
    if within(sink, root):
        raise ConfigError(
            f"the sink {sink_url} is inside the source {source_url}: its files would be read as documents; "
            "give the sink a folder outside the source"
        )
    for folder in SINK_FOLDERS:
        if within(root, f"{sink.rstrip('/')}/{folder}"):
            raise ConfigError(
                f"the source {source_url} is inside {folder}/, a folder of the sink {sink_url}; "
                "give the source a folder outside the sink"
            )
