"""Options for the Delta library, and classification of its errors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pyarrow as pa
from deltalake import DeltaTable, PostCommitHookProperties, QueryBuilder
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError, SchemaMismatchError

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.stores import explain_store_error
from inkstream.tasks.stores.errors import ELSEWHERE_SIGNS, WRONG_REGION
from inkstream.tasks.stores.scratch import scratch_folder

TRANSIENT_DELTA = (DeltaError, OSError)
"""The errors that the library raises for any problem with the store."""

AFTER_COMMIT = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""What the library does after a commit. Old entries of the log are removed only when a checkpoint is durable."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CREDENTIAL_WORDS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "credential",
    "AccessDenied",
    "403 Forbidden",
)
_PROFILES = ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def storage_options(protocol: str, path: str) -> dict[str, str] | None:
    """Return the storage options of a table handle, in addition to the environment that the library reads itself.

    Credentials in the environment stay there. The log is written with conditional PUT, without which two drivers could
    overwrite each other's commits.

    Args:
        protocol: The URL's scheme.
        path: The part of the URL after `://`.
    """
    if protocol != "s3":
        return None
    said = _of_profile(*(os.environ.get(name) for name in _PROFILES))
    _trust_authorities(said.get_config_variable("ca_bundle"))
    options = {"conditional_put": "etag", "aws_s3_allow_unsafe_rename": "false"}
    profile: dict[str, Any] = said.get_scoped_config()
    endpoint = _endpoint(profile, said.full_config.get("services", {}))
    if endpoint:
        options |= _reached_at(endpoint, path.partition("/")[0], profile.get("s3"))
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or said.get_config_variable("region")
    if region or endpoint:
        options["aws_region"] = region or "us-east-1"
    if "AWS_ACCESS_KEY_ID" not in os.environ:
        options |= _credentials(said)
    return options


def _endpoint(profile: Mapping[str, Any], services: Mapping[str, Any]) -> str | None:
    """Return the endpoint that AWS clients would use: from the environment, else from the profile."""
    of_service = services.get(profile.get("services", ""), {}).get("s3", {})
    said = (os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    return next(filter(None, (*said, of_service.get("endpoint_url"), profile.get("endpoint_url"))), None)


def _reached_at(endpoint: str, bucket: str, s3: Any) -> dict[str, str]:
    """Return the options to address a bucket in an endpoint's path, or in its host name if the profile says so."""
    virtual = isinstance(s3, dict) and s3.get("addressing_style") == "virtual"
    scheme, separator, host = endpoint.rstrip("/").partition("://")
    return {
        "aws_endpoint_url": f"{scheme}{separator}{bucket}.{host}" if virtual else endpoint,
        "aws_virtual_hosted_style_request": str(virtual).lower(),
        "aws_allow_http": str(scheme.lower() == "http").lower(),
    }


@cache
def _of_profile(*_: str | None) -> Any:
    """Return a botocore session, which supports profiles and roles that the Delta library does not."""
    from botocore.session import Session

    session = Session()
    try:
        session.get_scoped_config()
    except Exception as error:
        raise explain_store_error(error, "cannot read the AWS profile") from error
    return session


def _credentials(session: Any) -> dict[str, str]:
    try:
        found = session.get_credentials()  # the session keeps them, and renews them before they expire
        if found is None:
            return {}
        keys = found.get_frozen_credentials()
    except Exception as error:
        raise explain_store_error(error, "cannot find credentials for the sink") from error
    options = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
    return {**options, "aws_session_token": keys.token} if keys.token else options


@cache
def _trust_authorities(bundle: str | None) -> None:
    """Make the Delta library trust the certificates of `AWS_CA_BUNDLE` or a profile's `ca_bundle`, as AWS clients do.

    The library supports only `SSL_CERT_FILE`, which also affects other libraries in this process. So that variable is
    set to a file that contains these certificates as well as those that were trusted before.
    """
    if not bundle:
        return
    try:
        others = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
        trusted = f"{others.read_text()}\n{Path(bundle).read_text()}"
        file = scratch_folder() / "authorities.pem"
        file.write_text(trusted)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot use AWS_CA_BUNDLE: {error}", "set it to a readable file of PEM certificates"
        ) from error
    os.environ["SSL_CERT_FILE"] = str(file)


def scan(table: DeltaTable, sql: str) -> pa.Table:
    """Run a query over a handle's snapshot, named `this` in the query, without moving the handle.

    pyarrow reads the result, because it releases the interpreter's lock. The reader's own `read_all` keeps it, and then
    waits forever if the library's threads need it for the rows that other threads write.
    """
    try:
        reader = QueryBuilder().register("this", table).execute(sql)
        return _plain(pa.RecordBatchReader.from_stream(reader).read_all())
    except Exception as error:  # reading fails with bare Exceptions
        raise explain_delta_error(error, f"cannot read {table.table_uri}") from error


def scan_chunks(table: DeltaTable, columns: list[str], where: str, chunk_rows: int) -> Iterator[pa.Table]:
    """Yield the matching rows of a handle's snapshot in chunks of about `chunk_rows`."""
    batches: list[pa.RecordBatch] = []
    count = 0
    try:
        for batch in pa.RecordBatchReader.from_stream(table.scan(columns=columns, predicate=where)):
            batches.append(batch)
            count += batch.num_rows
            if count >= chunk_rows:
                yield _plain(pa.Table.from_batches(batches))
                batches, count = [], 0
    except Exception as error:
        raise explain_delta_error(error, f"cannot read {table.table_uri}") from error
    if batches:
        yield _plain(pa.Table.from_batches(batches))


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with view types, which few kernels support, cast to the usual types."""
    fields = [field.with_type(_plain_type(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_binary_view(type_):
        return pa.binary()
    if pa.types.is_list(type_):
        return pa.list_(_plain_type(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in type_])
    return type_


def explain_delta_error(error: BaseException, doing: str) -> InkstreamError:
    """Classify an error of the Delta library as the configuration's, the environment's or a transient fault.

    Args:
        error: What the library raised.
        doing: What failed, such as `cannot open s3://bucket/tables/pages`.
    """
    if isinstance(error, InkstreamError):
        return error
    text = f"{doing}: {' '.join(_COLOUR.sub('', str(error)).split())}"
    if isinstance(error, SchemaMismatchError):
        return ConfigError(text)
    remedy = _remedy(error)
    return TransientError(text) if remedy is None else EnvironmentFault(text, remedy)


def _remedy(error: BaseException) -> str | None:
    """Return the remedy for an error that waiting does not fix; None for a transient one."""
    if isinstance(error, CommitFailedError):
        return None
    if isinstance(error, DeltaProtocolError):
        return "the table uses Delta features newer than the installed deltalake: upgrade it"
    if isinstance(error, PermissionError) or any(word in str(error) for word in _CREDENTIAL_WORDS):
        return "check the credentials and AWS_ENDPOINT_URL, and that the credentials may read and write there"
    if any(sign in str(error) for sign in ELSEWHERE_SIGNS):
        return WRONG_REGION
    if "NoSuchBucket" in str(error):
        return "create the bucket, or correct sink.url"
    return None
