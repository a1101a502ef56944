"""Classification of the errors that store drivers raise.

The drivers of local folders, S3, Google Cloud Storage and Azure are known. Errors of any other fsspec driver are
classified by their type or status code where that is enough, and are otherwise transient.
"""

from __future__ import annotations

import errno

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError

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
    "AuthenticationException",  # other drivers, such as paramiko's
    "LogonFailure",  # other drivers, such as smbprotocol's
    "ClientAuthenticationError",  # Azure
    "DefaultCredentialsError",  # Google
)
_ELSEWHERE = (
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "301",
)
ELSEWHERE_SIGNS = ("redirect without LOCATION", "incorrectly configured region", "AuthorizationHeaderMalformed")
WRONG_REGION = "the bucket is in another region: set AWS_REGION to it, and check AWS_ENDPOINT_URL"
"""The remedy, because waiting never helps."""
_GONE = ("NoSuchKey", "NoSuchVersion", "404", "410")
_S3_REMEDY = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role), and check AWS_ENDPOINT_URL and the clock"
)


def error_code(error: BaseException) -> str:
    """Return the store's own code for an error (`NoSuchKey`, `SlowDown`, `403`), or an empty string."""
    for candidate in (error, error.__cause__):
        response = getattr(candidate, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        status = getattr(candidate, "status", None) or getattr(response, "status_code", None)
        if isinstance(status, int):
            return str(status)
    return ""


def is_credential_fault(error: BaseException) -> bool:
    """Return whether the credentials are invalid, rather than one object being forbidden."""
    return error_code(error) in _CREDENTIALS or type(error).__name__ in _CREDENTIAL_TYPES


def is_gone(error: BaseException) -> bool:
    """Return whether the file does not exist, or no longer exists."""
    return isinstance(error, FileNotFoundError | NotADirectoryError) or error_code(error) in _GONE


def is_forbidden(error: BaseException) -> bool:
    """Return whether access to this object is denied."""
    return isinstance(error, PermissionError) or error_code(error) == "403"


def credentials_remedy(protocol: str) -> str:
    """Return where to set the credentials of a store. They never belong in a URL."""
    if protocol == "s3":
        return _S3_REMEDY
    name = protocol.upper()
    return (
        f"set the credentials that the store needs in the environment, such as FSSPEC_{name}_USERNAME and "
        f"FSSPEC_{name}_PASSWORD, or in a file ~/.config/fsspec/*.json"
    )


def _told(error: BaseException) -> str:
    """Return what a store said, with its code: some libraries leave out one of them."""
    text = " ".join(str(error).split())
    code = error_code(error)
    if text in ("", "None"):
        text = code or type(error).__name__
    return text if not code or code in text else f"{text} ({code})"


def _is_elsewhere(error: BaseException) -> bool:
    """Return whether the bucket is in another region than the request was sent to."""
    return error_code(error) in _ELSEWHERE or any(sign in str(error) for sign in ELSEWHERE_SIGNS)


def explain_store_error(error: BaseException, doing: str, protocol: str = "s3") -> InkstreamError:
    """Classify an error of listing or writing a store as the environment's fault or a transient fault.

    Args:
        error: What the store's driver raised.
        doing: What failed, such as `cannot list s3://bucket/inbox`.
        protocol: The store's protocol, for the remedy.

    Returns:
        The error to raise instead; `error` itself if it is classified already.
    """
    if isinstance(error, InkstreamError):
        return error
    text = f"{doing}: {_told(error)}"
    if type(error).__name__ == "ParamValidationError":
        return ConfigError(f"{text}; give the name or the alias of a bucket")
    remedy = _remedy(error, protocol)
    return TransientError(text) if remedy is None else EnvironmentFault(text, remedy)


def _remedy(error: BaseException, protocol: str) -> str | None:
    """Return the remedy for an error that waiting does not fix; None for a transient one."""
    if _is_elsewhere(error):
        return WRONG_REGION
    if is_credential_fault(error):
        return credentials_remedy(protocol)
    if is_forbidden(error):
        return "let these credentials list and read the source and write the sink"
    if is_gone(error) or error_code(error) == "NoSuchBucket":
        return "create the bucket or folder, or correct the URL"
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return "give a folder that can be written"
    return None
