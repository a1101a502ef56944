"""Opening a store.

Local folders and buckets are supported. Any other fsspec driver that is installed can be used as well.
"""

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
"""Stores with a class of their own. `kind_of` finds the class for all others."""

_NOT_KEPT = ("memory", "http", "https")


def can_be_written(protocol: str) -> bool:
    """Return whether objects written to URLs of a protocol outlive this process."""
    return protocol not in _NOT_KEPT


def kind_of(protocol: str, path: str) -> type[Store]:
    """Return the class of the store that a path is in, without connecting.

    A protocol that is not in `KINDS` gets `Store` if its fsspec driver takes a host out of the URL, else `Bucket`.

    Args:
        protocol: The URL's scheme, `file` for a local path.
        path: The part of the URL after `://`.

    Raises:
        EnvironmentFault: If no driver for the protocol is installed.
    """
    if protocol in KINDS:
        return KINDS[protocol]
    return Store if _named(_driver_class(protocol), protocol, path.partition("/")[0]) else Bucket


def open_store(protocol: str, path: str) -> Store:
    """Open the store that a path is in.

    A driver takes what it needs beyond the URL (a user, a password, a key) from fsspec's own configuration:
    `FSSPEC_<PROTOCOL>_<NAME>` in the environment, or `~/.config/fsspec/*.json`.

    Args:
        protocol: The URL's scheme, `file` for a local path.
        path: The part of the URL after `://`.

    Raises:
        EnvironmentFault: If no driver is installed, or the driver lacks a package or an option.
        Exception: Whatever the driver raises if the store does not answer or refuses access.
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
    """Return the options that a driver takes from a URL, such as the host and port."""
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
            f"here and on every worker: {package_command(f'fsspec[{protocol}]')}, or the package that the error names",
        ) from None


def _driver(protocol: str, options: dict[str, Any]) -> Any:
    """Open a driver without a listing cache, because listings must be current.

    A synchronous driver is opened again each time: its connection may have died, and threads must not share it.
    """
    driver_class = _driver_class(protocol)
    try:
        driver = driver_class(**options, **({} if driver_class.async_impl else {"skip_instance_cache": True}))
    except (ImportError, TypeError) as error:
        raise EnvironmentFault(f"{protocol}:// cannot be opened: {error}", credentials_remedy(protocol)) from None
    driver.dircache.use_listings_cache = False
    driver.dircache.clear()
    return driver
