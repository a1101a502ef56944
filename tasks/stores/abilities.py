"""Abilities that some stores have and others lack.

A store has an ability if its class has the methods. Code that needs an ability asks for it, and gets a clear error if
it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import split_url
from inkstream.tasks.stores.base import State
from inkstream.tasks.stores.opening import KINDS, kind_of, open_store


@runtime_checkable
class VersionLookup(Protocol):
    """A store that can describe the current version of a single object exactly as a listing would. Events need it."""

    def look_up(self, paths: Sequence[str]) -> list[FileVersion | None]:
        """Return the current version of each object; None for one that does not exist."""

    def was_deleted(self, path: str) -> bool:
        """Return whether the store has a record that an object of this name was deleted."""


class VersionRemoval(Protocol):
    """Removes one version of a file and no other, even while someone overwrites the file."""

    @property
    def at_once(self) -> int:
        """Number of files that may be removed at the same time."""

    def remove(self, path: str, state: State) -> None:
        """Remove one version of a file.

        Raises:
            SourceChangedError: If the file now has another version, or is gone.
        """

    def archive(self, path: str, state: State, targets: tuple[str, ...]) -> None:
        """Move one version of a file to the first free target.

        Raises:
            SourceChangedError: If the file now has another version, or is gone.
            FileExistsError: If a different file exists at every target.
        """


@runtime_checkable
class ConditionalRemoval(Protocol):
    """A store that can remove one version of a file and no other. Cleaning a source needs it."""

    def removal(self, root: str, probe_folder: str) -> VersionRemoval:
        """Return a `VersionRemoval` for the files in a folder.

        Args:
            root: The folder.
            probe_folder: A folder of the same kind of store where a probe may be written.

        Raises:
            ConfigError: If the probe shows that this store cannot do it.
        """


def require_lookup(url: str, purpose: str) -> None:
    """Check, without connecting, that the store of a URL has `VersionLookup`.

    Args:
        url: The folder or bucket.
        purpose: What needs it, to start the message.

    Raises:
        ConfigError: If the store lacks it.
    """
    if not _has(url, VersionLookup):
        protocol, _ = split_url(url)
        raise ConfigError(
            f"{purpose}: {protocol}:// stores do not describe a single object as they list it, so {url} can only be "
            "listed; run `inkstream run --every 1m` without events, or use a bucket or a local folder"
        )


def open_lookup(url: str, purpose: str) -> VersionLookup:
    """Open the store of a URL and return its `VersionLookup`.

    Raises:
        ConfigError: If the store lacks it.
        Exception: Whatever the driver raises if the store does not answer or refuses access.
    """
    require_lookup(url, purpose)
    store: Any = open_store(*split_url(url))
    lookup: VersionLookup = store
    return lookup


def require_removal(url: str, purpose: str) -> None:
    """Check, without connecting, that the store of a URL has `ConditionalRemoval`.

    Raises:
        ConfigError: If the store lacks it.
    """
    if not _has(url, ConditionalRemoval):
        able = ", ".join(f"{name}://" for name, kind in KINDS.items() if issubclass(kind, ConditionalRemoval))
        raise ConfigError(
            f"{purpose}: {split_url(url)[0]}:// stores cannot remove a file only if it was not overwritten, so a new "
            f"version could be lost before it is read; turn this off, or use one of: {able}"
        )


def open_removal(url: str, probe_folder: str, purpose: str) -> VersionRemoval:
    """Return a `VersionRemoval` for the files under a URL.

    Args:
        url: The folder or bucket.
        probe_folder: A path in the same kind of store where a probe may be written.
        purpose: What needs it, to start the message.

    Raises:
        ConfigError: If the store does not have `ConditionalRemoval`.
        Exception: Whatever the driver raises if the store does not answer or refuses access.
    """
    require_removal(url, purpose)
    protocol, root = split_url(url)
    store: Any = open_store(protocol, root)
    removal: VersionRemoval = store.removal(root, probe_folder)
    return removal


def _has(url: str, ability: type) -> bool:
    return issubclass(kind_of(*split_url(url)), ability)
