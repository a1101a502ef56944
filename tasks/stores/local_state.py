"""The state that distinguishes versions of a local file."""

from __future__ import annotations

import os
import stat

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.paths import encode
from inkstream.tasks.stores.base import State


def state_of(path: str, result: os.stat_result) -> State:
    """Return the state of a file: `mtime_ns-size` as its ETag, and its size in bytes.

    Args:
        path: The file, for the message.
        result: Its `stat` result.

    Raises:
        SourceChangedError: If it is not a regular file.
    """
    if not stat.S_ISREG(result.st_mode):
        raise SourceChangedError(f"{encode('file', path)}: it is no longer a regular file")
    return State(f"{result.st_mtime_ns}-{result.st_size}", result.st_size)
