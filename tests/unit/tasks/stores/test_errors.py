"""Errors of a store or of the table library, by cause."""

from __future__ import annotations

import errno

import pytest

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.stores import explain_store_error


class ClientError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def caused(error: Exception, code: str) -> Exception:
    error.__cause__ = ClientError(code)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (caused(PermissionError("denied"), "AccessDenied"), EnvironmentFault),
        (caused(PermissionError("expired"), "ExpiredToken"), EnvironmentFault),
        (caused(OSError(errno.EINVAL, "token"), "InvalidToken"), EnvironmentFault),
        (caused(FileNotFoundError("bucket"), "NoSuchBucket"), EnvironmentFault),
        (OSError(errno.EROFS, "read-only file system"), EnvironmentFault),
        (caused(OSError(errno.EBUSY, "slow down"), "SlowDown"), TransientError),
        (ConnectionResetError("reset"), TransientError),
        (OSError(errno.ENOSPC, "no space left"), TransientError),
    ],
)
def test_store_errors_are_classified_by_cause(error: Exception, kind: type[InkstreamError]) -> None:
    assert type(explain_store_error(error, "cannot list X")) is kind
