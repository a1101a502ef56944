"""Errors of the table library by cause, and its store options."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.session
import pytest
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError, SchemaMismatchError

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.sinks.delta.engine import explain_delta_error, storage_options


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CommitFailedError("Concurrent transaction failed."), TransientError),
        (DeltaError("Generic error"), TransientError),
        (OSError("Generic S3 error: 503 Slow Down"), TransientError),
        (Exception("Parquet error: connection reset"), TransientError),
        (DeltaProtocolError("unsupported reader version"), EnvironmentFault),
        (PermissionError("denied"), EnvironmentFault),
        (OSError("Generic S3 error: InvalidAccessKeyId"), EnvironmentFault),
        (OSError("Generic S3 error: <Code>NoSuchBucket</Code>"), EnvironmentFault),
        (SchemaMismatchError("Cannot cast schema"), ConfigError),
        (TransientError("already said"), TransientError),
    ],
)
def test_errors_of_the_table_library_are_classified_by_cause(error: Exception, kind: type[InkstreamError]) -> None:
    explained = explain_delta_error(error, "cannot commit to X")
    assert type(explained) is kind
    assert explained is error or "cannot commit to X: " in str(explained)


def test_colours_and_line_breaks_are_removed_from_messages() -> None:
    explained = explain_delta_error(OSError("Generic S3 error\n   \x1b[31m|\x1b[0m reset"), "cannot open X")
    assert str(explained) == "cannot open X: Generic S3 error | reset"


def test_s3_options_hold_no_credentials_and_ask_for_conditional_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    options = storage_options("s3", "bucket/out")
    assert options is not None
    assert options["conditional_put"] == "etag"
    assert (options["aws_allow_http"], options["aws_region"]) == ("true", "us-east-1")
    assert "secret" not in options.values()
    assert storage_options("file", "/out") is None


PROFILE = "[default]\nendpoint_url = https://all\n"
OF_SERVICE = "services = mine\n[services mine]\ns3 =\n  endpoint_url = https://store:8\n"


@pytest.mark.parametrize(
    ("config", "environment", "endpoint"),
    [
        ("", {}, None),
        (PROFILE, {}, "https://all"),
        (PROFILE + OF_SERVICE, {}, "https://store:8"),
        (PROFILE + OF_SERVICE, {"AWS_ENDPOINT_URL": "https://here"}, "https://here"),
        (PROFILE, {"AWS_ENDPOINT_URL": "https://here", "AWS_ENDPOINT_URL_S3": "https://s3"}, "https://s3"),
        (PROFILE + "s3 =\n  addressing_style = path\n", {}, "https://all"),
        (PROFILE + "s3 =\n  addressing_style = virtual\n", {"AWS_ENDPOINT_URL": "http://h:9/"}, "http://bucket.h:9"),
    ],
)
def test_a_table_uses_the_same_endpoint_as_aws_clients(
    config: str, environment: dict[str, str], endpoint: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(config)
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in ({"AWS_CONFIG_FILE": str(tmp_path / "config")} | keys | environment).items():
        monkeypatch.setenv(name, value)
    options = storage_options("s3", "bucket/out")
    assert options is not None
    assert options.get("aws_endpoint_url") == endpoint
    client = botocore.session.Session().create_client("s3", region_name="us-east-1")
    assert client.meta.endpoint_url.rstrip("/") == (endpoint or "https://s3.amazonaws.com").replace("bucket.", "")
