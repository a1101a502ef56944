"""URLs of stores may not contain a secret, and messages do not repeat one."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from inkstream.tasks.config.urls import SECRET_ERROR, StoreUrl

URLS: TypeAdapter[str] = TypeAdapter(StoreUrl)


@pytest.mark.parametrize(
    "url", ["inbox", "/a@b/c", "s3://bucket/in", "abfss://container@account.dfs.core.windows.net/in"]
)
def test_urls_without_credentials_are_kept_as_written(url: str) -> None:
    assert URLS.validate_python(url) == url


@pytest.mark.parametrize("url", ["ftp://ada:sesame@host/in", "sftp://ada@host/in", "https://:sesame@host/in"])
def test_a_user_or_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        URLS.validate_python(url)
    (error,) = caught.value.errors()
    assert error["type"] == SECRET_ERROR
    assert "in the environment" in error["msg"]
    assert "sesame" not in error["msg"]
