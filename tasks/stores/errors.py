"""What the errors of a store's driver mean: whose fault it is."""

from __future__ import annotations

import errno

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, TransientError

_CREDENTIALS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
    "InvalidSecurity",
    "NotSignedUp",
    "401",
)
_CREDENTIAL_TYPES = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "AuthenticationException",  # SFTP
    "LogonFailure",  # SMB
    "ClientAuthenticationError",  # Azure
    "DefaultCredentialsError",  # Google
)
_GONE = ("NoSuchKey", "NoSuchVersion", "404", "410")
_S3_REMEDY = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role), and check AWS_ENDPOINT_URL and the clock"
)


def error_code(error: BaseException) -> str:
    """The store's own code for an error (`NoSuchKey`, `SlowDown`, `403`), or an empty string."""
    for candidate in (error, error.__cause__):
        response = getattr(candidate, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        status = getattr(candidate, "status", None) or getattr(response, "status_code", None)
        if isinstance(status, int):
            return str(status)
    return ""


def is_credential_fault(error: BaseException) -> bool:
    """Whether nobody could be served, as opposed to this one object being forbidden."""
    return error_code(error) in _CREDENTIALS or type(error).__name__ in _CREDENTIAL_TYPES


def is_gone(error: BaseException) -> bool:
    """Whether there is no such file, or no more."""
    return isinstance(error, FileNotFoundError | NotADirectoryError) or error_code(error) in _GONE


def is_forbidden(error: BaseException) -> bool:
    """Whether this one object may not be read."""
    return isinstance(error, PermissionError) or error_code(error) == "403"


def credentials_remedy(protocol: str) -> str:
    """Returns where the credentials of a store go: never into a URL."""
    if protocol == "s3":
        return _S3_REMEDY
    name = protocol.upper()
    return (
        f"set what the store asks for in the environment, such as FSSPEC_{name}_USERNAME and FSSPEC_{name}_PASSWORD, "
        "or in a file ~/.config/fsspec/*.json"
    )


def explain_store_error(error: BaseException, doing: str, protocol: str = "s3") -> InkstreamError:
    """Says whose fault an error of listing or writing a store is.

    Args:
        error: What the store's driver raised.
        doing: What was being done, such as `cannot list s3://bucket/inbox`.
        protocol: The store's, for the remedy.
    """
    if isinstance(error, InkstreamError):
        return error
    text = f"{doing}: {error or type(error).__name__}"
    if is_credential_fault(error):
        return EnvironmentFault(text, credentials_remedy(protocol))
    if is_forbidden(error):
        return EnvironmentFault(text, "let these credentials list and read the source and write the sink")
    if is_gone(error) or error_code(error) == "NoSuchBucket":
        return EnvironmentFault(text, "create the bucket or folder, or correct the URL")
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return EnvironmentFault(text, "give a folder that can be written")
    return TransientError(text)
