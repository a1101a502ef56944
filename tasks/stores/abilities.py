"""What some stores can do and others cannot: asked for by whoever needs it, with a clear error where it is missing.

A store has an ability when its class has the methods; nothing is declared twice.
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
    """A store that can say what single objects are now, exactly as a listing would. Following events needs it."""

    def look_up(self, paths: Sequence[str]) -> list[FileVersion | None]:
        """Return the current version of each object; None where there is no such object."""

    def was_deleted(self, path: str) -> bool:
        """Return whether the store remembers that an object of this name was deleted."""


class VersionRemoval(Protocol):
    """Removes one version of a file and no other, even while others overwrite it."""

    @property
    def at_once(self) -> int:
        """How many files may be removed at a time."""

    def remove(self, path: str, state: State) -> None:
        """Remove one version of a file.

        Raises:
            SourceChangedError: If the file is another version by now, or gone.
        """

    def archive(self, path: str, state: State, targets: tuple[str, ...]) -> None:
        """Move one version of a file to the first target that is free.

        Raises:
            SourceChangedError: If the file is another version by now, or gone.
            FileExistsError: If every target is another file.
        """


@runtime_checkable
class ConditionalRemoval(Protocol):
    """A store that can remove one version of a file and no other. Cleaning a source needs it."""

    def removal(self, root: str, probe_folder: str) -> VersionRemoval:
        """Return what removes files under a folder.

        Args:
            root: The folder.
            probe_folder: A folder of the same kind of store where a probe may be written.

        Raises:
            ConfigError: If the probe shows that this very store cannot do it.
        """


def require_lookup(url: str, purpose: str) -> None:
    """Check that the store of a URL has `VersionLookup`. Nothing is connected to.

    Args:
        url: The folder or bucket.
        purpose: What needs it, to begin the message with.

    Raises:
        ConfigError: If the store lacks it.
    """
    if not _has(url, VersionLookup):
        protocol, _ = split_url(url)
        raise ConfigError(
            f"{purpose}: {protocol}:// stores do not describe one object as they list it, so {url} can only be listed; "
            "leave events out and run `inkstream run --every 1m`, or take a bucket or a local folder"
        )


def open_lookup(url: str, purpose: str) -> VersionLookup:
    """Open the store of a URL, which has `VersionLookup`.

    Raises:
        ConfigError: If the store lacks it.
        Exception: Whatever the driver raises when the store does not answer or refuses.
    """
    require_lookup(url, purpose)
    store: Any = open_store(*split_url(url))
    lookup: VersionLookup = store
    return lookup


def require_removal(url: str, purpose: str) -> None:
    """Check that the store of a URL has `ConditionalRemoval`. Nothing is connected to.

    Raises:
        ConfigError: If the store lacks it.
    """
    if not _has(url, ConditionalRemoval):
        able = ", ".join(f"{name}://" for name, kind in KINDS.items() if issubclass(kind, ConditionalRemoval))
        raise ConfigError(
            f"{purpose}: on {split_url(url)[0]}:// nothing can be removed on the condition that it was not "
            f"overwritten, so a new version could be lost unread; switch it off, or take a store that can: {able}"
        )


def open_removal(url: str, probe_folder: str, purpose: str) -> VersionRemoval:
    """Return what removes files under a URL, whose store has `ConditionalRemoval`.

    Args:
        url: The folder or bucket.
        probe_folder: A path in the same kind of store where a probe may be written.
        purpose: What needs it, to begin the message with.

    Raises:
        ConfigError: If the store lacks it.
        Exception: Whatever the driver raises when the store does not answer or refuses.
    """
    require_removal(url, purpose)
    protocol, root = split_url(url)
    store: Any = open_store(protocol, root)
    removal: VersionRemoval = store.removal(root, probe_folder)
    return removal


def _has(url: str, ability: type) -> bool:
    return issubclass(kind_of(*split_url(url)), ability)
