"""Web servers: a folder is a page of links, a file's version is what its headers say."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import decode, encode
from inkstream.tasks.stores.base import CHUNK, Described, FileFilter, Store
from inkstream.tasks.stores.errors import is_gone

_AT_ONCE = 16
_PLAIN = {"Accept-Encoding": "identity"}  # else a server may send another size and ETag


class HttpStore(Store):
    """A web server with listings, such as nginx with `autoindex` or `python -m http.server`.

    The driver's names are URLs, percent-encoded as the server's links are.
    """

    writable = False

    def native(self, path: str) -> str:
        """Returns the URL of a path."""
        return encode(self.protocol, path)

    def path(self, native: str) -> str:
        """Undoes `native`."""
        return decode(native)[1]

    def _files(self, root: str, wanted: FileFilter) -> Iterator[Described]:
        empty = True
        for entry in super()._files(root, wanted):
            empty = False
            yield entry
        if empty and self._info(root).get("mimetype") != "text/html":
            raise ConfigError(f"{self.native(root)} is no page of links; give a folder that the server lists")

    def _ls(self, folder: str) -> list[Described]:
        page = f"{self.native(folder)}/"
        entries: dict[str, dict[str, Any]] = {}
        for info in self.driver.ls(page, detail=True):
            link = html.unescape(info["name"])
            rest = [part for part in link.removeprefix(page).split("/") if part not in ("", ".")]
            if not link.startswith(page) or not rest or ".." in rest or {"?", "#"} & set(link):
                continue  # up, elsewhere, or the same page sorted otherwise
            entries[f"{folder}/{os.fsdecode(unquote_to_bytes('/'.join(rest)))}"] = info
        return list(entries.items())

    def _described(self, found: Iterable[Described]) -> Iterator[Described]:
        """Asks for the headers of many files at a time."""

        def describe(entry: Described) -> Described | None:
            try:
                return entry[0], self._info(entry[0])
            except FileNotFoundError:
                return None

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from (described for described in pool.map(describe, found) if described)

    def _info(self, path: str) -> dict[str, Any]:
        """The driver says of any failure that there is no such file; its cause tells."""
        try:
            return super()._info(path)
        except FileNotFoundError as error:
            if error.__cause__ is not None and not is_gone(error.__cause__):
                raise error.__cause__ from None
            raise

    def _transfer(self, path: str, write: Callable[[bytes], object]) -> None:
        """Streams the whole: not every server gives ranges."""
        with self.driver.open(self.native(path), "rb", block_size=0, headers=_PLAIN) as opened:
            while chunk := opened.read(CHUNK):
                write(chunk)
