"""FTP, whose listings and names differ from server to server."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from ftplib import error_perm
from functools import cached_property
from typing import Any

from inkstream.tasks.stores.base import CHUNK, Described, Store

_KINDS = {"file": "file", "dir": "directory"}


class FtpStore(Store):
    """A folder tree of an FTP server.

    Names are the bytes that the server sends: the connection's encoding is Latin-1, which has a character for each.
    """

    writable = False

    def native(self, path: str) -> str:
        """Returns the server's name for a path.

        Raises:
            PermissionError: If FTP, whose commands are lines, cannot say it.
        """
        name = os.fsencode(super().native(path)).decode("latin-1")
        if {"\n", "\r"} & set(name):
            raise PermissionError("a name with a line break in it cannot be asked for by FTP")
        return name

    def path(self, native: str) -> str:
        """Undoes `native`."""
        return super().path(os.fsdecode(native.encode("latin-1")))

    @cached_property
    def _states_facts(self) -> bool:
        """Whether the server has the commands of RFC 3659, whose answers need no guessing."""
        try:
            return "MLST" in self._ftp.sendcmd("FEAT").upper()
        except error_perm:
            return False

    @property
    def _ftp(self) -> Any:
        return self.driver.ftp

    def _ls(self, folder: str) -> list[Described]:
        name = self.native(folder)
        if not self._states_facts:
            return self._plain_ls(folder)
        lines: list[str] = []
        try:
            self._ftp.retrlines(f"MLSD {name}", lines.append)
        except error_perm as error:
            if str(error).startswith("530"):
                raise
            return [(folder, self._file_in_place_of(folder, error))]
        return [
            (self.path(f"{name.rstrip('/')}/{entry}"), facts)
            for facts, entry in (_facts(line) for line in _joined(lines))
            if facts["type"] in _KINDS.values() and entry not in (".", "..")
        ]

    def _plain_ls(self, folder: str) -> list[Described]:
        entries = [(path, _undated(info)) for path, info in super()._ls(folder)]
        if [path for path, _ in entries] == [f"{folder}/{folder.rpartition('/')[2]}"]:  # a file is listed as itself
            with suppress(FileNotFoundError):
                return [(folder, self._info(folder))]
        return entries

    def _file_in_place_of(self, folder: str, error: error_perm) -> dict[str, Any]:
        """Finds out why a folder is not listed: servers have one code for several reasons.

        Returns:
            What is known of the file that is there instead.

        Raises:
            FileNotFoundError: If nothing is there.
            PermissionError: If the folder is there and may not be listed.
        """
        try:
            info = self._info(folder)
        except FileNotFoundError:
            parent, slash, _ = folder.rpartition("/")
            beside = dict(self._ls(parent)) if slash else {}
            if folder not in beside:
                raise
            info = beside[folder]
        if info["type"] == "directory":
            raise PermissionError(f"{folder}: {error}") from error
        return info

    def _info(self, path: str) -> dict[str, Any]:
        if self._states_facts:
            answer = self._asked("MLST", path).splitlines()
            return _facts(answer[1].strip())[0]
        size, modify = self._asked("SIZE", path), self._asked("MDTM", path)
        return {"type": "file", "size": int(size) if size else None, "modify": modify}

    def _asked(self, command: str, path: str) -> str:
        """Sends a command about a file; an empty string where the server does not know the command."""
        self._ftp.voidcmd("TYPE I")  # some servers give no size otherwise
        try:
            answer: str = self._ftp.sendcmd(f"{command} {self.native(path)}")
        except error_perm as error:
            if str(error).startswith(("501", "550")):
                raise FileNotFoundError(path) from error
            if str(error).startswith(("500", "502", "504")):
                return ""
            raise
        return answer if command == "MLST" else answer[4:].strip()

    def _transfer(self, path: str, write: Callable[[bytes], object]) -> None:
        try:
            self._ftp.retrbinary(f"RETR {self.native(path)}", write, blocksize=CHUNK)
        except error_perm as error:
            if str(error).startswith("550"):  # it was there a moment ago
                raise PermissionError(str(error)) from error
            raise


def _undated(info: dict[str, Any]) -> dict[str, Any]:
    """Takes away the date of `ls -l`, whose form changes as the file ages."""
    return {**info, "modify": None}


def _joined(lines: list[str]) -> list[str]:
    """Puts names together again that have a line break in them, which FTP cannot say."""
    joined: list[str] = []
    for line in lines:
        if "type=" in line.partition(" ")[0].lower() or not joined:
            joined.append(line)
        else:
            joined[-1] += f"\n{line}"
    return joined


def _facts(line: str) -> tuple[dict[str, Any], str]:
    """Reads a line such as `type=file;size=12;modify=20261121054016; name`."""
    stated, _, name = line.partition(" ")
    facts: dict[str, Any] = {}
    for fact in stated.split(";"):
        key, _, value = fact.partition("=")
        facts[key.lower()] = value
    kind = str(facts.get("type", "")).lower()
    size = facts.get("size", "")
    return {
        "type": _KINDS.get(kind, "other"),
        "size": int(size) if size.isdigit() else None,
        "modify": facts.get("modify"),
    }, name
