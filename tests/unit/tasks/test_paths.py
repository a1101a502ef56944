"""URLs as people write them, and the protocols in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import protocol_of, refuse_sink_under_source, require_no_credentials, split_url


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("inbox", "file"),
        ("/in:box", "file"),
        ("local:///inbox", "file"),
        ("S3A://bucket/in", "s3"),
        ("gcs://bucket", "gs"),
        ("sftp://host/in", "sftp"),
    ],
)
def test_the_protocol_of_a_url_is_recognised(url: str, protocol: str) -> None:
    assert protocol_of(url) == protocol
    if protocol != "file":
        assert split_url(url)[0] == protocol


def test_all_spellings_of_a_folder_give_the_same_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "inbox")
    monkeypatch.chdir(tmp_path)
    names = ["inbox", "./inbox/", "link", str(tmp_path / "inbox"), f"file://{tmp_path}/inbox"]
    assert {split_url(name) for name in names} == {("file", str(tmp_path / "inbox"))}


@pytest.mark.parametrize("url", ["", "s3://", "s3:///"])
def test_a_url_without_a_folder_or_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected a folder or a bucket"):
        split_url(url)


@pytest.mark.parametrize("url", ["sftp://ada@host/in", "webdav://ada:pw@host/", "s3://key:secret@bucket/in"])
def test_a_url_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(ConfigError, match="environment") as caught:
        require_no_credentials(url)
    assert "pw" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["abfss://container@account.dfs.core.windows.net/in", "github://org:repo@main/docs", "a@b:c/d", "sftp://h/a@b"],
)
def test_an_at_sign_elsewhere_is_not_a_credential(url: str) -> None:
    require_no_credentials(url)


@pytest.mark.parametrize(
    ("source", "sink", "refused"),
    [
        ("in", "in", True),
        ("in", "in/tables", True),
        ("in/.", "link/tables", True),
        ("in", "inside", False),
        ("data/in", "data", False),
        ("data/pages/x", "data", True),
        ("data/overlays", "data", True),
        ("s3://b/in", "s3://b/in/t", True),
        ("s3a://b/in/", "s3://b/in/t", True),
        ("s3://b/in", "s3://b/in2", False),
        ("s3://b", "s3://b/t", True),
        ("s3://b/t/files/", "s3://b/t", True),
        ("s3://b/in", "s3://c/in/t", False),
        ("in", "s3://in/t", False),
    ],
)
def test_a_source_and_a_sink_that_overlap_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, sink: str, refused: bool
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    if refused:
        with pytest.raises(ConfigError, match="sink"):
            refuse_sink_under_source(source, sink)
    else:
        refuse_sink_under_source(source, sink)


def test_a_home_folder_that_does_not_exist_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="there is no such home folder"):
        split_url("~no-such-user/inbox")
