"""Errors of a store or of the table library, by cause."""

from __future__ import annotations

import errno

import pytest

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.stores import explain_store_error


class ClientError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class ParamValidationError(Exception):
    """Botocore's error for a name that can never be a bucket."""


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
        (caused(OSError("moved"), "PermanentRedirect"), EnvironmentFault),
        (
            OSError("Received redirect without LOCATION, this indicates an incorrectly configured region"),
            EnvironmentFault,
        ),
        (ParamValidationError("Invalid bucket name"), ConfigError),
        (OSError(errno.EROFS, "read-only file system"), EnvironmentFault),
        (caused(OSError(errno.EBUSY, "slow down"), "SlowDown"), TransientError),
        (ConnectionResetError("reset"), TransientError),
        (OSError(errno.ENOSPC, "no space left"), TransientError),
    ],
)
def test_store_errors_are_classified_by_cause(error: Exception, kind: type[InkstreamError]) -> None:
    assert type(explain_store_error(error, "cannot list X")) is kind


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (caused(OSError("None"), "503"), "cannot list X: 503"),
        (caused(OSError("busy"), "SlowDown"), "cannot list X: busy (SlowDown)"),
        (caused(OSError("SlowDown: busy"), "SlowDown"), "cannot list X: SlowDown: busy"),
        (KeyError(), "cannot list X: KeyError"),
    ],
)
def test_errors_show_the_code_of_the_store(error: Exception, told: str) -> None:
    assert str(explain_store_error(error, "cannot list X")) == told
