"""Opening a store: any that fsspec has a driver for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command
from inkstream.tasks.stores.base import Bucket, Store
from inkstream.tasks.stores.errors import credentials_remedy
from inkstream.tasks.stores.ftp import FtpStore
from inkstream.tasks.stores.http import HttpStore
from inkstream.tasks.stores.local import LocalStore
from inkstream.tasks.stores.s3 import S3Store

_KINDS: dict[str, type[Store]] = {"s3": S3Store, "ftp": FtpStore, "http": HttpStore, "https": HttpStore}
_OPTIONS: dict[str, dict[str, Any]] = {
    "ftp": {"encoding": "latin-1"},
    "http": {"simple_links": False},
    "https": {"simple_links": False},
}


def can_be_written(protocol: str) -> bool:
    """Tells whether what is written to URLs of a scheme is kept there, whole: not what ends with this process."""
    return protocol != "memory" and _KINDS.get(protocol, Store).writable


def open_store(protocol: str, path: str) -> Store:
    """Opens the store that a path is in.

    What a driver needs besides the URL (a user, a password, a key), it takes from fsspec's own configuration:
    `FSSPEC_<PROTOCOL>_<NAME>` in the environment, or `~/.config/fsspec/*.json`.

    Args:
        protocol: The URL's scheme, `file` for a local path.
        path: What the URL has after `://`.

    Raises:
        EnvironmentFault: If there is no driver, or it lacks something.
        Exception: Whatever the driver raises when the store does not answer or refuses.
    """
    if protocol == "file":
        return LocalStore()
    authority = path.partition("/")[0]
    driver_class = _driver_class(protocol)
    named = driver_class._get_kwargs_from_urls(f"{protocol}://{authority}/")
    if "host" in named:
        named["host"] = urlsplit(f"//{authority}").hostname  # an IPv6 address without its brackets
    prefix = driver_class._strip_protocol(f"{protocol}://{authority}/x").removesuffix("x")
    kind = _KINDS.get(protocol, Store if named else Bucket)
    return kind(protocol, _driver(protocol, {**_OPTIONS.get(protocol, {}), **named}), authority, prefix)


def _driver_class(protocol: str) -> Any:
    try:
        return fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}",
            f"here and on every worker: {package_command(f'fsspec[{protocol}]')}, or the package that is named",
        ) from None


def _driver(protocol: str, options: dict[str, Any]) -> Any:
    """Opens a driver with listing caches off: a listing must be of now.

    One that keeps a connection is opened anew each time: it may have died since, and must not be shared by threads.
    """
    driver_class = _driver_class(protocol)
    try:
        driver = driver_class(**options, **({} if driver_class.async_impl else {"skip_instance_cache": True}))
    except (ImportError, TypeError) as error:
        raise EnvironmentFault(f"{protocol}:// cannot be opened: {error}", credentials_remedy(protocol)) from None
    driver.dircache.use_listings_cache = False
    driver.dircache.clear()
    return driver
