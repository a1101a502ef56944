"""Opening a store: any that fsspec has a driver for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command
from inkstream.tasks.stores.base import Bucket, Store
from inkstream.tasks.stores.errors import credentials_remedy
from inkstream.tasks.stores.local import LocalStore
from inkstream.tasks.stores.s3 import S3Store

KINDS: dict[str, type[Store]] = {"file": LocalStore, "s3": S3Store}
"""Stores that need more than their fsspec driver does. All others are told apart in `kind_of`."""

_NOT_KEPT = ("memory", "http", "https")


def can_be_written(protocol: str) -> bool:
    """Return whether objects can be written to URLs of a protocol and outlive this process."""
    return protocol not in _NOT_KEPT


def kind_of(protocol: str, path: str) -> type[Store]:
    """Return the class of the store that a path is in. Nothing is connected to.

    A store that fsspec has a driver for and that is not in `KINDS` is a host where the driver takes a host out of the
    URL, and a bucket where it does not.

    Args:
        protocol: The URL's scheme, `file` for a local path.
        path: What the URL has after `://`.

    Raises:
        EnvironmentFault: If there is no driver.
    """
    if protocol in KINDS:
        return KINDS[protocol]
    return Store if _named(_driver_class(protocol), protocol, path.partition("/")[0]) else Bucket


def open_store(protocol: str, path: str) -> Store:
    """Open the store that a path is in.

    What a driver needs beyond the URL (a user, a password, a key), it takes from fsspec's own configuration:
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
    named = _named(driver_class, protocol, authority)
    prefix = driver_class._strip_protocol(f"{protocol}://{authority}/x").removesuffix("x")
    driver = _driver(protocol, named)
    return kind_of(protocol, path)(protocol, driver, authority, prefix)


def _named(driver_class: Any, protocol: str, authority: str) -> dict[str, Any]:
    """Return what a driver takes out of a URL: the host, the port and the like."""
    named: dict[str, Any] = driver_class._get_kwargs_from_urls(f"{protocol}://{authority}/")
    if "host" in named:
        named["host"] = urlsplit(f"//{authority}").hostname  # an IPv6 address without its brackets
    return named


def _driver_class(protocol: str) -> Any:
    try:
        return fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}",
            f"here and on every worker: {package_command(f'fsspec[{protocol}]')}, or the package that is named",
        ) from None


def _driver(protocol: str, options: dict[str, Any]) -> Any:
    """Open a driver with listing caches off, because a listing must be current.

    A driver that keeps a connection is opened again each time: it may have died, and threads must not share it.
    """
    driver_class = _driver_class(protocol)
    try:
        driver = driver_class(**options, **({} if driver_class.async_impl else {"skip_instance_cache": True}))
    except (ImportError, TypeError) as error:
        raise EnvironmentFault(f"{protocol}:// cannot be opened: {error}", credentials_remedy(protocol)) from None
    driver.dircache.use_listings_cache = False
    driver.dircache.clear()
    return driver
