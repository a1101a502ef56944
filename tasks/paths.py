"""How a file is named: one reversible URL for any bytes a store lets into a name."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from ocr_core.errors import ConfigError

_SAFE = "/~"  # besides A-Za-z0-9-._ which `quote` never touches
_LOCAL = ("file", "local")
_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}


def split_url(url: str) -> tuple[str, str]:
    """Splits what a user writes into a protocol and a path as the store knows it.

    A local path comes back absolute with symbolic links resolved, so that one folder has one name.

    Args:
        url: A local path or any fsspec URL, not percent-encoded.

    Returns:
        The protocol (`file` for a local path) and the path without it.

    Raises:
        ConfigError: If there is nothing in it.
    """
    protocol, separator, rest = url.partition("://")
    if not separator:
        protocol, rest = "file", url
    protocol = _ALIASES.get(protocol.lower(), protocol.lower())
    if not rest.strip("/") and not (protocol in _LOCAL and rest):
        raise ConfigError(f"{url!r}: expected a folder or a bucket with a prefix, such as ./inbox or s3://bucket/inbox")
    if protocol in _LOCAL:
        return "file", os.path.realpath(Path(rest).expanduser())
    return protocol, rest.rstrip("/")


def absolute(url: str) -> str:
    """Returns a URL that means the same in every process: a local path absolute, no trailing slash."""
    protocol, path = split_url(url)
    return path if protocol == "file" else f"{protocol}://{path}"


def encode(protocol: str, path: str) -> str:
    """Makes a `FileVersion.path` of a protocol and a path as the store knows it.

    Local names that are not UTF-8 are expected the way `os.fsdecode` gives them.
    """
    return f"{protocol}://{quote(os.fsencode(path), safe=_SAFE)}"


def decode(url: str) -> tuple[str, str]:
    """Undoes `encode`: the protocol and the path as the store knows it."""
    protocol, _, quoted = url.partition("://")
    return protocol, os.fsdecode(unquote_to_bytes(quoted))


def join(url: str, *parts: str) -> str:
    """Appends `parts` to a folder URL as the user wrote it."""
    return "/".join([url.rstrip("/") or "/", *parts])
