"""A long file is fetched once per machine, however many ranges and workers read it, and its copy ends with the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.cluster import Cluster
from tests.faults.documents import tiny_pdf
from tests.faults.s3_proxy import Proxy, s3_proxy
from tests.integration.command import run_json, settings

PAGES = 48
CHEAP = settings(
    pipeline__text_layer__mode="only",
    pipeline__render__resolution=72,
    execution__pages_per_range=2,
    execution__window_per_worker=1,
)


@pytest.fixture
def source(s3: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("one.pdf", "two.pdf"):
        pages = [f"{name} has a page {number}" for number in range(PAGES)]
        s3.put_object(Bucket=bucket, Key=f"in/{name}", Body=tiny_pdf(*pages))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return f"s3://{bucket}/in"


def fetched_names(proxy: Proxy) -> list[str]:
    requests = [request for request in proxy.requests() if request.method == "GET" and "/in/" in request.path]
    return [request.path.rpartition("/")[2] for request in requests]


def remaining_copies(folder: Path) -> list[Path]:
    return list((folder / "temporary").glob("inkstream-files-*"))


def run_through(proxy: Proxy, source: str, folder: Path, *options: str) -> None:
    places = ["--source", source, "--sink", str(folder / "tables")]
    environment = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint}
    (*_, summary) = run_json(*places, *CHEAP, *options, environment=environment)
    assert (summary["files"], summary["pages"], summary["failed_pages"]) == (2, 2 * PAGES, 0)
    assert sorted(fetched_names(proxy)) == ["one.pdf", "two.pdf"]
    assert PagesTable(str(folder / "tables")).rows().num_rows == 2 * PAGES


def test_the_workers_of_a_run_share_one_copy_of_each_file(source: str, endpoint: str, tmp_path: Path) -> None:
    with s3_proxy(tmp_path, endpoint) as proxy:
        run_through(proxy, source, tmp_path, *settings(execution__workers=3))
    assert remaining_copies(tmp_path) == []


def test_lasting_workers_share_one_copy_and_remove_it_after_the_run(
    source: str, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_proxy(tmp_path, endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        cluster = Cluster(tmp_path, 2)
        try:
            run_through(proxy, source, tmp_path, *settings(execution__scheduler=cluster.address))
            assert remaining_copies(tmp_path) == []
        finally:
            cluster.close()
