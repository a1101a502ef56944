"""Sources on hosts: real FTP and web servers in processes of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import (
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    SourceChangedError,
    TransientError,
)
from inkstream.tasks.config import SourceOptions, build_config
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode, encode
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores import fetching
from inkstream.tasks.stores.fetching import fetch
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings
from tests.integration.conftest import free_port
from tests.integration.servers import PASSWORD, USER, ftp_server, web_server

MIB = 1 << 20
CHEAP = settings(pipeline__text_layer__mode="only", execution__workers=1)
ODD_NAMES = [
    b"a b#c.pdf",
    b"100%25.pdf",
    b"q?v=1&x.pdf",
    "é'\".pdf".encode(),
    b"+;.pdf",
    b"<&amp;>.pdf",
    b"sub/x y/z.pdf",
]
NOT_UTF8 = b"\xe9\xff.pdf"
KINDS = ["ftp", "ftp-plain", "http"]  # the plain server lists as `ls -l` does


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "served/my in#box").mkdir(parents=True)
    return tmp_path / "served/my in#box"


@pytest.fixture
def url(kind: str, inbox: Path, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        log = tmp_path / "server.log"
        if kind == "http":
            yield f"http://{stack.enter_context(web_server(inbox.parent, log))}/my%20in%23box/"
        else:
            options = ["--plain"] if kind == "ftp-plain" else []
            yield f"ftp://{stack.enter_context(ftp_server(inbox.parent, log, *options))}/my in#box/"


def put(folder: Path, name: bytes, content: bytes) -> Path:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def listed(url: str, **options: object) -> list[FileVersion]:
    return list_files(SourceOptions.model_validate({"url": url, **options}))


def test_names_times_and_sizes(url: str, kind: str, inbox: Path, tmp_path: Path) -> None:
    names = [*ODD_NAMES, NOT_UTF8] if kind == "ftp-plain" else ODD_NAMES  # the other servers cannot say it
    for number, name in enumerate(names):
        path = put(inbox, name, name * (number + 1))
        os.utime(path, (1_700_000_000 + number,) * 2)
    for name in (b"_skip", b".skip", b"_wip/x", b"../outside"):
        put(inbox, name, b"x")
    files = listed(url)
    host = url.split("/")[2]
    protocol = kind.split("-", maxsplit=1)[0]
    assert [file.path for file in files] == [
        encode(protocol, f"{host}/my in#box/{os.fsdecode(name)}") for name in names
    ]
    for number, (file, name) in enumerate(zip(files, names, strict=True)):
        assert file.size == len(name) * (number + 1)
        assert file.modified == datetime.fromtimestamp(1_700_000_000 + number, UTC)
        assert fetch(file, tmp_path / "copies", MIB).local_path.read_bytes() == name * (number + 1)
    assert len(listed(url, recursive=False)) == len(names) - 1
    assert len(listed(url, glob="*#c*")) == 1


def test_files_larger_than_a_block_are_read_whole(url: str, inbox: Path, tmp_path: Path) -> None:
    content = os.urandom(7 * MIB + 1)
    put(inbox, b"big", content)
    (file,) = listed(url)
    assert fetch(file, tmp_path / "copies", 8 * MIB).local_path.read_bytes() == content


def test_a_file_overwritten_or_gone_since_planning_is_not_read(url: str, inbox: Path, tmp_path: Path) -> None:
    assert listed(url) == []
    path = put(inbox, b"a.pdf", b"one")
    (file,) = listed(url)
    path.write_bytes(b"longer")
    with pytest.raises(SourceChangedError, match="overwritten"):
        fetch(file, tmp_path / "copies", MIB)
    assert listed(url)[0].key != file.key
    path.unlink()
    with pytest.raises(SourceChangedError, match="gone"):
        fetch(file, tmp_path / "copies", MIB)


def test_a_folder_that_is_not_there_or_is_a_file_is_said_so(url: str, inbox: Path) -> None:
    put(inbox, b"a.pdf", b"x")
    with pytest.raises(EnvironmentFault, match="there is no folder"):
        listed(url.rstrip("/") + "/none")
    with pytest.raises((ConfigError, EnvironmentFault), match=r"is a file|no folder"):
        listed(url.rstrip("/") + "/a.pdf")


@pytest.mark.parametrize("kind", ["ftp", "http"], indirect=True)
def test_end_to_end(url: str, kind: str, inbox: Path, tmp_path: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        put(inbox, name, tiny_pdf(f"first page of {number}", f"second page of {number}"))
    places = ["--source", url, "--sink", str(tmp_path / "tables")]
    first = run_json(*places, *CHEAP)[-1]
    assert (first["files"], first["pages"], first["failed_pages"]) == (len(ODD_NAMES), 2 * len(ODD_NAMES), 0)
    rows = PagesTable(str(tmp_path / "tables")).rows().to_pylist()
    assert {(row["path"], row["text"]) for row in rows if row["pagenum"] == 0} == {
        (
            encode(kind.split("-", maxsplit=1)[0], f"{url.split('/')[2]}/my in#box/{os.fsdecode(name)}"),
            f"first page of {number}",
        )
        for number, name in enumerate(ODD_NAMES)
    }
    assert run_json(*places, *CHEAP)[-1]["files"] == 0
    kept = json.loads((tmp_path / "tables/streams/main.json").read_text())
    assert decode(kept["source"]["url"])[1] == f"{url.split('/')[2]}/my in#box"


def test_credentials_come_from_the_environment_and_are_kept_nowhere(inbox: Path, tmp_path: Path) -> None:
    put(inbox, b"a.pdf", tiny_pdf("for ada alone"))
    with ftp_server(inbox, tmp_path / "log", "--user") as host:
        places = ["--source", f"ftp://{host}/", "--sink", str(tmp_path / "tables")]
        assert "FSSPEC_FTP_USERNAME" in inkstream("run", *places, *CHEAP, code=4).stderr
        known = {**os.environ, "FSSPEC_FTP_USERNAME": USER, "FSSPEC_FTP_PASSWORD": PASSWORD}
        assert run_json(*places, *CHEAP, environment=known)[-1]["pages"] == 1
        written = ["--source", f"ftp://{USER}:{PASSWORD}@{host}/", "--sink", str(tmp_path / "other")]
        refused = inkstream("run", *written, *CHEAP, code=2).stderr
    assert "FSSPEC_FTP_PASSWORD" in refused
    assert PASSWORD not in refused
    assert not (tmp_path / "other").exists()
    for file in (tmp_path / "tables").rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()


def test_a_name_that_ftp_cannot_say_is_a_row(inbox: Path, tmp_path: Path) -> None:
    put(inbox, b"new\nline.pdf", b"x")
    put(inbox, b"other.pdf", b"y")
    with ftp_server(inbox, tmp_path / "log") as host:
        bad, good = sorted(listed(f"ftp://{host}/"), key=lambda file: file.path)
        assert bad.path.endswith("/new%0Aline.pdf")
        assert fetch(good, tmp_path / "copies", MIB).local_path.read_bytes() == b"y"
        with pytest.raises(DocumentError) as caught:
            fetch(bad, tmp_path / "copies", MIB)
    assert caught.value.kind is FailureKind.UNREADABLE


def test_a_server_that_gives_no_times_is_refused(inbox: Path, tmp_path: Path) -> None:
    put(inbox, b"a.pdf", b"x")
    with (
        ftp_server(inbox, tmp_path / "log", "--plain", "--undated") as host,
        pytest.raises(ConfigError, match="cannot be told apart"),
    ):
        listed(f"ftp://{host}/")


def test_a_folder_that_may_not_be_listed_is_said_so(inbox: Path, tmp_path: Path) -> None:
    put(inbox, b"locked/a.pdf", b"x")
    with (
        ftp_server(inbox, tmp_path / "log", "--locked", str(inbox / "locked")) as host,
        pytest.raises(EnvironmentFault, match=r"locked: 550 (?s:.*)let these credentials list"),
    ):
        listed(f"ftp://{host}/")


@pytest.mark.parametrize("protocol", ["ftp", "http"])
def test_a_host_that_does_not_answer_is_the_moments_fault(
    protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_ATTEMPTS", 1)
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(TransientError, match="cannot list"):
        listed(f"{protocol}://{host}/in")
    with pytest.raises(TransientError):
        fetch(FileVersion(f"{protocol}://{host}/in/a", "e", 1, datetime.now(UTC)), tmp_path, MIB)


def test_a_sink_where_no_table_can_be_is_refused_at_the_start(inbox: Path, tmp_path: Path) -> None:
    done = inkstream("run", "--source", str(inbox), "--sink", "ftp://127.0.0.1:9/tables", *CHEAP, code=2)
    assert "no table can be kept on ftp://" in done.stderr


def test_no_url_holds_credentials() -> None:
    for url in ["ftp://ada@host/in", "http://ada:pw@host/", "s3://key:secret@bucket/in", "sftp://a:b@[::1]:22/in"]:
        with pytest.raises(ConfigError, match="environment") as caught:
            build_config({"source": {"url": url}, "sink": {"url": "tables"}})
        assert "pw" not in str(caught.value)
    for url in [
        "abfss://container@account.dfs.core.windows.net/in",
        "github://org:repo@main/docs",
        "a@b:c/d",
        "ftp://h/a@b",
    ]:
        build_config({"source": {"url": url}, "sink": {"url": "tables"}})
