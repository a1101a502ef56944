"""The main job from bucket to bucket, on an S3 server in a separate process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings
from tests.integration.test_sources_s3 import ODD_KEYS

CHEAP = settings(pipeline__draw="{}", pipeline__render__resolution=72, execution__workers=1)


def rows_of(bucket: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = PagesTable(f"s3://{bucket}/out").rows().to_pylist()
    return rows


def test_commands_work_from_bucket_to_bucket(s3: Any, bucket: str, tmp_path: Path) -> None:
    for number, key in enumerate(ODD_KEYS):
        s3.put_object(Bucket=bucket, Key=key, Body=tiny_pdf(f"first page of {number}", f"second page of {number}"))
    s3.put_object(Bucket=bucket, Key="in/_partial.pdf", Body=b"not there yet")
    places = ["--source", f"s3://{bucket}/in/", "--sink", f"s3://{bucket}/out"]

    first = run_json(*places, *CHEAP, cwd=tmp_path)[-1]
    assert (first["files"], first["pages"], first["failed_pages"]) == (len(ODD_KEYS), 2 * len(ODD_KEYS), 0)
    assert first["table"] == f"s3://{bucket}/out/pages"
    rows = rows_of(bucket)
    assert {(row["path"], row["pagenum"], row["text"]) for row in rows} == {
        (f"s3://{bucket}/{quote(key, safe='/~')}", page, f"{word} page of {number}")
        for number, key in enumerate(ODD_KEYS)
        for page, word in enumerate(("first", "second"))
    }
    for row in rows:
        assert row["overlay_path"].startswith(f"s3://{bucket}/out/overlays/")
        key = row["overlay_path"].removeprefix(f"s3://{bucket}/")
        with Image.open(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), formats=["JPEG"]) as picture:
            assert picture.size == (row["width"], row["height"])
    assert list(tmp_path.iterdir()) == []

    assert run_json(*places, *CHEAP) == [{**first, "batches": 0, "files": 0, "pages": 0}]

    etag = s3.put_object(Bucket=bucket, Key=ODD_KEYS[0], Body=tiny_pdf("written anew"))["ETag"].strip('"')
    third = run_json(*places, *CHEAP)[-1]
    assert (third["files"], third["pages"]) == (1, 1)
    (new,) = (row for row in rows_of(bucket) if row["batch_id"] == 1)
    assert (new["text"], new["etag"]) == ("written anew", etag)
    assert len(rows_of(bucket)) == 2 * len(ODD_KEYS) + 1

    sink = f"s3://{bucket}/out"
    larger = [*settings(pipeline__render__resolution=100, execution__workers=1), "--prefect", "off", "--json"]
    again = json.loads(inkstream("reprocess", sink, *larger, code=5).stdout.splitlines()[-1])
    assert (again["pages"], again["left_out"]) == (2 * len(ODD_KEYS) - 1, 1)  # the overwritten version is gone
    assert len(rows_of(bucket)) == 2 * len(ODD_KEYS) + 1
    difference = inkstream("diff", sink, "--from", str(third["version"]), "--json").stdout
    assert json.loads(difference.splitlines()[-1])["pages"]["same"] == again["pages"]
    before = len(s3.list_objects_v2(Bucket=bucket, Prefix="out/overlays/")["Contents"])
    forgotten = json.loads(inkstream("forget", sink, f"s3://{bucket}/{ODD_KEYS[0]}", "--yes", "--json").stdout)
    assert (len(forgotten["files"]), forgotten["overlays"]) == (2, 3)
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix="out/overlays/")["Contents"]) == before - 3
    assert run_json(*places, *CHEAP)[-1]["files"] == 0
