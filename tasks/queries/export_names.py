"""Names for the files of an export: readable, safe, and different for different documents."""

from __future__ import annotations

import hashlib
import os

from inkstream.tasks.paths import decode

_KEPT = frozenset(" !#$&'()+,-.;=@[]^_`{}~")
"""Characters that are kept, in addition to letters, digits and printable characters outside ASCII."""

_LONGEST = 200
"""Maximum bytes of a folder's or file's name. File systems allow 255, and the extension is added to it."""


def output_name(path: str, root: str, extension: str) -> str:
    """Return the path of a document's export, relative to the output folder.

    Folders below the source are kept. Ambiguous characters, including `%`, are percent-encoded, so that two documents
    never share a name, no export is outside the folder, and none has the name of another's folder.

    Args:
        path: `FileVersion.path`.
        root: The source's folder in the same form; a path outside it is kept whole.
        extension: The extension to add, with its dot.
    """
    protocol, plain = decode(path)
    _, folder = decode(root)
    prefix = f"{folder.rstrip('/')}/"
    if path.partition("://")[0] == root.partition("://")[0] and plain.startswith(prefix) and len(plain) > len(prefix):
        parts = [_safe(part) for part in plain[len(prefix) :].split("/")]
    else:
        parts = [f"{protocol}%", *(_safe(part) for part in plain.removeprefix("/").split("/"))]
    *folders, name = parts
    return "/".join([*(_no_file(folder, extension) for folder in folders), name + extension])


def _safe(part: str) -> str:
    """Encode one part of a path. A lone `%` stands for an empty part; `%~` and a hash end a shortened part."""
    encoded = "".join(map(_character, part)) or "%"
    for edge in (0, -1):  # hidden names, `.`, `..`, and spaces or dots at the end, which some systems drop
        if encoded[edge] in " .":
            encoded = _percent(encoded[0]) + encoded[1:] if edge == 0 else encoded[:-1] + _percent(encoded[-1])
    if len(encoded.encode()) <= _LONGEST:
        return encoded
    digest = hashlib.sha256(os.fsencode(part)).hexdigest()[:32]
    start = encoded.encode()[: _LONGEST - 34].decode(errors="ignore")
    return f"{start}%~{digest}"


def _character(character: str) -> str:
    kept = character.isalnum() or character in _KEPT or (character > "\x7f" and character.isprintable())
    return character if kept else _percent(character)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(character))


def _no_file(folder: str, extension: str) -> str:
    """Change a folder's name if it ends with the extension, so that it differs from all files' names."""
    return folder[:-1] + _percent(folder[-1]) if folder.endswith(extension) else folder
