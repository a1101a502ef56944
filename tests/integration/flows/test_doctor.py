"""`inkstream doctor`, and a store that cannot hold a table."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from s3fs import S3FileSystem

from inkstream.flows.doctor import run_checks
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import build_config
from inkstream.tasks.stores.probe import require_exclusive_create
from tests.faults.cluster import Cluster
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, settings


def doctor(*arguments: str | Path, code: int = 0, **options: Any) -> dict[str, dict[str, Any]]:
    """Run the command and return its checks by name."""
    done = inkstream("doctor", "--json", *arguments, code=code, **options)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(check["ok"] or check["remedy"] for check in checks)
    assert (code == 0) == all(check["ok"] for check in checks)
    return {check["name"]: check for check in checks}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Make a folder with an inbox of one document and the configuration that reads it."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.pdf").write_bytes(tiny_pdf("the text of a"))
    (tmp_path / "stream.yaml").write_text("source: {url: inbox}\nsink: {url: tables}\n")
    return tmp_path


def test_all_checks_pass_and_nothing_is_left_behind(places: Path) -> None:
    checks = doctor("stream.yaml", cwd=places)
    assert checks["source"]["detail"].startswith("1 file,")
    assert "can be written" in checks["sink"]["detail"]
    assert "read a page" in checks["page process"]["detail"]
    assert sorted(path.name for path in places.iterdir()) == ["inbox", "stream.yaml"]
    assert "source" not in doctor("--sink", places / "tables")
    shown = inkstream("doctor", "--source", places / "inbox").stdout
    assert "ok   source" in shown
    assert "ok   tesseract" in shown


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ({"source__url": "nowhere"}, "source", "there is no folder"),
        ({"sink__url": "stream.yaml/tables"}, "sink", "cannot write to"),
        ({"sink__url": "inbox/tables"}, "source", "is inside the source"),
        ({"pipeline__recognize__languages": "[xyz]"}, "tesseract language xyz", "xyz"),
        ({"execution__limits__page_seconds": 0.001}, "page process", "timeout on a small page"),
        ({"execution__limits__memory_mb": 1 << 40}, "memory", "not enough for one page"),
        ({"execution__scheduler": "tcp://127.0.0.1:9"}, "Dask scheduler", "no Dask scheduler answers"),
    ],
)
def test_a_failed_check_has_a_remedy(
    places: Path, options: dict[str, object], name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(places)
    overrides = settings(**options)[1::2]
    config = build_config({"source": {"url": "inbox"}, "sink": {"url": "tables"}}, overrides=overrides)
    (failed,) = (check for check in run_checks(config) if not check.ok)
    assert failed.name == name
    assert message in failed.detail
    assert failed.remedy


def test_a_scheduler_and_its_workers_are_checked(places: Path) -> None:
    cluster = Cluster(places, workers=1)
    try:
        checks = doctor("stream.yaml", *settings(execution__scheduler=cluster.address), cwd=places)
    finally:
        cluster.close()
    assert "1 workers that can read pages" in checks["Dask scheduler"]["detail"]
    assert "memory" not in checks, "the memory is needed on the workers' machines"


def test_a_prefect_api_that_does_not_answer_fails_its_check(places: Path) -> None:
    environment = {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(places / "prefect")}
    checks = doctor("--set", "pipeline.text_layer.mode=only", code=4, environment=environment)
    assert "does not answer" in checks["Prefect API"]["detail"]


class Forgetful(BaseHTTPRequestHandler):
    """A proxy that forwards requests to an S3 server without their `If-None-Match`."""

    protocol_version = "HTTP/1.1"  # else it does not answer `Expect: 100-continue`
    upstream = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "if-none-match"}
        there = http.client.HTTPConnection(str(urlsplit(self.upstream).netloc))
        there.request(self.command, self.path, body, headers)
        answer = there.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        there.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def forgetful(endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Make a bucket in a store that lets clients create an object that exists already."""
    handler = type("ForgetfulHere", (Forgetful,), {"upstream": endpoint})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        S3FileSystem.clear_instance_cache()
        yield bucket
        server.shutdown()


def test_a_store_that_ignores_if_none_match_is_refused(forgetful: str, s3: Any, places: Path) -> None:
    sink = f"s3://{forgetful}/tables"
    with pytest.raises(EnvironmentFault, match="let 4 writers create the same object"):
        require_exclusive_create(sink)
    apart: dict[str, Any] = {"cwd": places, "environment": os.environ}  # the store is a thread of this process
    checks = doctor("stream.yaml", "--sink", sink, code=4, **apart)
    assert "If-None-Match" in checks["sink"]["remedy"]
    refused = inkstream("run", "stream.yaml", "--sink", sink, "--prefect", "off", code=4, **apart).stderr
    assert "a table there could lose rows" in refused
    assert s3.list_objects_v2(Bucket=forgetful)["KeyCount"] == 0


def test_a_store_that_respects_if_none_match_is_accepted(s3: Any, bucket: str, places: Path) -> None:
    checks = doctor("stream.yaml", "--sink", f"s3://{bucket}/tables", cwd=places)
    assert "lets only one of two writers create an object" in checks["sink"]["detail"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
