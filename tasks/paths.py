"""How a file is named: one reversible URL for any bytes a store lets into a name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from inkstream.ocr_core.errors import ConfigError

_SAFE = "/~"  # besides A-Za-z0-9-._ which `quote` never touches
_SAFE_IN_AUTHORITY = ":@[]"
_LOCAL = ("file", "local")
_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_NAMES_BEFORE_AT = ("abfs", "abfss", "adl", "az", "github", "oci", "ocilake", "wasb", "wasbs")
_CHAIN = re.compile(r"::[a-z0-9+.-]*://")

SINK_FOLDERS = ("pages", "files", "overlays", "streams", "pipelines")
"""What a sink keeps, each in a folder of its own."""


def split_url(url: str) -> tuple[str, str]:
    """Splits what a user writes into a protocol and a path as the store knows it.

    A local path comes back absolute with symbolic links resolved, so that one folder has one name.

    Args:
        url: A local path or any fsspec URL, not percent-encoded.

    Returns:
        The protocol (`file` for a local path) and the path without it: of a URL, the bucket or the host with its
        port, a slash, and the rest.

    Raises:
        ConfigError: If there is nothing in it, or it is none that a folder can be named by.
    """
    _, separator, rest = url.partition("://")
    protocol, rest = protocol_of(url), rest if separator else url
    if not rest.strip("/") and not (protocol in _LOCAL and rest):
        raise ConfigError(f"{url!r}: expected a folder or a bucket with a prefix, such as ./inbox or s3://bucket/inbox")
    if protocol in _LOCAL:
        return "file", os.path.realpath(Path(rest).expanduser())
    if "::" in protocol or _CHAIN.search(rest):
        raise ConfigError(f"{url!r}: chained URLs are no folder where documents arrive; give the innermost one")
    return protocol, rest.rstrip("/")


def protocol_of(url: str) -> str:
    """Return the protocol of a URL as a user writes it; `file` for a local path."""
    protocol, separator, _ = url.partition("://")
    name = protocol.lower() if separator else "file"
    return "file" if name in _LOCAL else _ALIASES.get(name, name)


def require_no_credentials(url: str) -> None:
    """Refuses a URL with a user or a password in it: it is kept in the sink and shown in rows, logs and Prefect.

    Raises:
        ConfigError: Naming where credentials belong; the URL itself is not in the message.
    """
    protocol, separator, rest = url.partition("://")
    user, at, host = rest.partition("/")[0].rpartition("@")
    if not separator or not at or protocol.lower() in _LOCAL:
        return
    if protocol.lower() in _NAMES_BEFORE_AT and (":" not in user or protocol.lower() == "github"):
        return
    name = protocol.upper()
    raise ConfigError(
        f"a {protocol}:// URL must not have a user or password in it, because URLs are kept and shown; write "
        f"{protocol}://{host}/... and set FSSPEC_{name}_USERNAME and FSSPEC_{name}_PASSWORD in the environment, "
        "or a file ~/.config/fsspec/*.json"
    )


def absolute(url: str) -> str:
    """Returns a URL that means the same in every process: a local path absolute, no trailing slash."""
    protocol, path = split_url(url)
    return path if protocol == "file" else f"{protocol}://{path}"


def encode(protocol: str, path: str) -> str:
    """Makes a `FileVersion.path` of a protocol and a path as `split_url` gives them.

    Names that are not UTF-8 are expected the way `os.fsdecode` gives them.
    """
    authority, slash, rest = ("", "", path) if protocol == "file" else path.partition("/")
    quoted = quote(os.fsencode(authority), safe=_SAFE_IN_AUTHORITY)
    return f"{protocol}://{quoted}{slash}{quote(os.fsencode(rest), safe=_SAFE)}"


def decode(url: str) -> tuple[str, str]:
    """Undoes `encode`: the protocol and the path."""
    protocol, _, quoted = url.partition("://")
    return protocol, os.fsdecode(unquote_to_bytes(quoted))


def join(url: str, *parts: str) -> str:
    """Appends `parts` to a folder URL as the user wrote it."""
    return "/".join([url.rstrip("/") or "/", *parts])


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def refuse_sink_under_source(source_url: str, sink_url: str) -> None:
    """Refuse a sink whose own files would be taken for documents.

    Raises:
        ConfigError: If the sink is the source or lies in it, or the source is in a folder of the sink's.
    """
    protocol, root = split_url(source_url)
    sink_protocol, sink = split_url(sink_url)
    if protocol != sink_protocol:
        return
    if within(sink, root):
        raise ConfigError(
            f"the sink {sink_url} lies in the source {source_url}: its files would be taken for documents; "
            "give the sink a folder outside"
        )
    for folder in SINK_FOLDERS:
        if within(root, f"{sink.rstrip('/')}/{folder}"):
            raise ConfigError(
                f"the source {source_url} lies in {folder}/, which the sink {sink_url} keeps for itself; "
                "give the source a folder outside the sink"
            )
