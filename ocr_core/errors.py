"""An exception for each kind of fault: the configuration's, this machine's, a transient one, the document's.

    InkstreamError
    ├── ConfigError          the configuration cannot be run as written   exit 2
    ├── EnvironmentFault     this machine lacks something; has a remedy   exit 4
    ├── TransientError       a transient fault: try again later           exit 5
    │   ├── SourceChangedError   the file was overwritten or vanished while it was read
    │   └── WorkersLostError     no Dask worker is left to run pages
    └── DocumentError        the document's fault; becomes a row, with its FailureKind

Every error pickles: its arguments are its state.
"""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a page (or a file whose pages cannot be counted) has no text. The table's `exception_kind`."""

    UNSUPPORTED = "unsupported"
    EMPTY = "empty"
    CORRUPT = "corrupt"
    ENCRYPTED = "encrypted"
    LIMIT = "limit"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    UNREADABLE = "unreadable"
    INTERNAL = "internal"


class InkstreamError(Exception):
    """Base of every error Inkstream raises on purpose."""


class ConfigError(InkstreamError):
    """The configuration cannot be run as written."""


class EnvironmentFault(InkstreamError):  # noqa: N818 - a fault of the machine, not of the code
    """The machine lacks something that every document needs.

    Args:
        problem: What is missing, in one sentence.
        remedy: What the reader can do about it, as a command where there is one.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  remedy: {self.remedy}"


class TransientError(InkstreamError):
    """A transient fault: the same work may succeed later."""


class SourceChangedError(TransientError):
    """The file is no longer the version that was planned."""


class WorkersLostError(TransientError):
    """No worker is left, and none came back in time."""


class DocumentError(InkstreamError):
    """A fault of the document.

    Args:
        kind: What the row's `exception_kind` says.
        message: What the row's `exception` says, in one sentence.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message


OUT_OF_MEMORY = "the page needs more memory than a page may have (memory_mb)"

_ALLOCATION = ("bad_alloc", "can't allocate memory", "out of memory")


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an exception of a native library (ONNX Runtime, torch, CUDA) says that memory has run out."""
    return any(sign in str(error).lower() for sign in _ALLOCATION)
