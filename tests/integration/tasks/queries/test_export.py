"""`inkstream export` and `inkstream ocr --format`, on real tables and documents, as a person uses them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pypdfium2 as pdfium
import pytest

from inkstream import ConfigError, PipelineOptions, read_document
from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.hocr import hocr
from inkstream.ocr_core.export.text import json_lines, plain_text
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Failure, Level, PageResult, Region
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.left_behind import write_stream
from tests import generators
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings
from tests.integration.committing import commit_to, export_of
from tests.integration.test_commit_processes import plan
from tests.integration.test_sources_s3 import ODD_KEYS

pytestmark = pytest.mark.usefixtures("shared_workers")

READ = settings(
    pipeline__text_layer__mode="ignore",
    pipeline__render__resolution=150,
    execution__workers=1,
    execution__limits__memory_mb=700,
)
NAMES = {"scan.pdf": 3, "sub/letter #1.png": 1, "damaged.pdf": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with an `inbox` and its `tables`."""
    place = tmp_path_factory.mktemp("export")
    (place / "inbox" / "sub").mkdir(parents=True)
    generators.scanned_pdf(place / "inbox" / "scan.pdf", ["page one here", "the second page", "and a third"])
    generators.page_image(["Dear reader,"], dpi=150).save(place / "inbox/sub/letter #1.png", dpi=(150, 150))
    (place / "inbox" / "damaged.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    last = run_json("--source", place / "inbox", "--sink", place / "tables", *READ)[-1]
    assert (last["files"], last["pages"], last["failed_pages"]) == (3, 5, 1)
    return place


def exported(folder: Path, *arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
    done = inkstream("export", folder / "tables", *arguments, "--json", code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def text_of(path: Path) -> list[str]:
    with pdfium.PdfDocument(path) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


@pytest.mark.parametrize("export_format", [f for f in ExportFormat if f is not ExportFormat.PDF])
def test_an_export_equals_the_output_of_a_fresh_read(folder: Path, export_format: ExportFormat, tmp_path: Path) -> None:
    files = list(export_of(str(folder / "tables"), str(tmp_path), export_format))
    assert {file.output for file in files} == {f"{tmp_path}/{name}" for name in tree(tmp_path)}
    assert sorted((file.pages, file.failed_pages, file.problem) for file in files) == [
        (1, 0, None),
        (1, 1, None),
        (3, 0, None),
    ]
    assert tree(tmp_path) == {f"{name}{export_format.extension}" for name in NAMES}
    options = PipelineOptions.model_validate({"text_layer": {"mode": "ignore"}, "render": {"resolution": 150}})
    pages = list(read_document(folder / "inbox" / "scan.pdf", options, sandboxed=False))
    written = (tmp_path / f"scan.pdf{export_format.extension}").read_text(encoding="utf-8")
    if export_format is ExportFormat.TEXT:
        assert written == plain_text(pages) == "page one here\n\fthe second page\n\fand a third\n"
    elif export_format is ExportFormat.HOCR:
        assert written == hocr(pages, "scan.pdf")
    elif export_format is ExportFormat.JSON:
        timeless = [json.loads(line) | {"processing_ms": 0} for line in written.splitlines()]
        assert [set(line) for line in timeless] == [set(json.loads(line)) for line in json_lines(pages).splitlines()]
    damaged = (tmp_path / f"damaged.pdf{export_format.extension}").read_text(encoding="utf-8")
    assert ("no page can be found" in damaged) == (export_format is not ExportFormat.TEXT)
    if export_format in (ExportFormat.HOCR, ExportFormat.ALTO):
        ET.fromstring(damaged)


def test_searchable_pdfs_are_made_from_the_source_files(folder: Path, tmp_path: Path) -> None:
    lines = exported(folder, "--format", "pdf", "--output", tmp_path, code=3)
    assert lines[-1] == {"files": 2, "pages": 4, "failed_pages": 0, "not_exported": 1, "output": str(tmp_path)}
    assert text_of(tmp_path / "scan.pdf.ocr.pdf") == ["page one here", "the second page", "and a third"]
    assert text_of(tmp_path / "sub" / "letter #1.png.ocr.pdf") == ["Dear reader,"]
    (damaged,) = (line for line in lines[:-1] if line["problem"])
    assert (damaged["output"], damaged["problem"]) == (
        None,
        "the PDF is damaged: no page can be found in it, not even by qpdf",
    )


def test_only_matching_files_are_exported_and_summed_up_in_text(folder: Path, tmp_path: Path) -> None:
    paths = ["--path", "*.png", "--path", "damaged.pdf"]
    done = inkstream("export", folder / "tables", "--format", "pdf", "--output", tmp_path, *paths, code=3)
    assert done.stdout == f"1 file, 1 page (0 of them could not be read) in {tmp_path}\n"
    problem = "damaged.pdf: not exported: the PDF is damaged: no page can be found in it, not even by qpdf"
    assert done.stderr == f"{problem}\n1 file not exported\n"
    assert tree(tmp_path) == {"sub/letter #1.png.ocr.pdf"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--path", "nothing*.pdf"], 2, "has no file nothing*.pdf"),
        (["--stream", "other"], 2, "no stream 'other'"),
        (["--version", "99"], 2, "version"),
        (["--output", "/proc/nowhere"], 4, "remedy"),
        (["--output", "http://host/text"], 2, "files cannot be stored in http://host/text; give a folder, or a bucket"),
        (["--output", "memory://text"], 2, "files cannot be stored in memory://text"),
        (["--format", "docx"], 2, "docx"),
    ],
)
def test_mistakes_in_the_arguments_are_refused(
    folder: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    usual = ["--format", "text", "--output", str(tmp_path)]
    assert message in inkstream("export", folder / "tables", *usual, *arguments, code=code).stderr


def test_an_export_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no table"):
        export_of(str(tmp_path), str(tmp_path / "out"), ExportFormat.TEXT)


def test_the_latest_file_versions_or_an_earlier_table_are_exported(tmp_path: Path) -> None:
    inbox, tables = tmp_path / "inbox", tmp_path / "tables"
    inbox.mkdir()
    (inbox / "a.pdf").write_bytes(tiny_pdf("the first version", "with two pages"))
    (inbox / "b.pdf").write_bytes(tiny_pdf("only one version"))
    cheap = settings(pipeline__text_layer__mode="only", execution__workers=1)
    before = run_json("--source", inbox, "--sink", tables, *cheap)[-1]["version"]
    (inbox / "a.pdf").write_bytes(tiny_pdf("the second version"))
    run_json("--source", inbox, "--sink", tables, *cheap)

    def texts(**options: Any) -> dict[str, str]:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        files = list(export_of(str(tables), str(tmp_path / "out"), ExportFormat.TEXT, **options))
        assert all(file.problem is None for file in files)
        return {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}

    assert texts() == {"a.pdf.txt": "the second version\n", "b.pdf.txt": "only one version\n"}
    assert texts(version=before)["a.pdf.txt"] == "the first version\n\fwith two pages\n"

    # Version `before` has rows of files that were overwritten or are gone: their PDFs cannot be made.
    (inbox / "b.pdf").unlink()
    old = list(export_of(str(tables), str(tmp_path / "pdf"), ExportFormat.PDF, version=before))
    problems = {Path(file.path).name: file.problem or "" for file in old}
    assert "it was overwritten" in problems["a.pdf"]
    assert "it is gone" in problems["b.pdf"]
    assert not any(file.passing for file in old)
    assert not (tmp_path / "pdf").exists()
    (new,) = export_of(str(tables), str(tmp_path / "pdf"), ExportFormat.PDF, patterns=["a.pdf"])
    assert new.problem is None
    assert text_of(tmp_path / "pdf" / "a.pdf.ocr.pdf") == ["the second version"]


def commit_read_pages(config: StreamConfig, batch: Batch, text: str) -> None:
    """Commit pages as if they had been read: one of words with boxes, and one that failed."""
    same: dict[str, Any] = {"stream": config.stream, "pipeline_id": "p", "content_hash": "h", "version_id": None}
    with ResultSpool() as spool:
        for index, file in enumerate(batch.files):
            word = Region(0, None, Level.WORD, Box(10, 20, 80, 30, 2.5), f"{text}{index}", 71.5, "tesseract")
            read = PageResult(0, 2, word.text, 71.5, (word,), 600, 800, 150, "tesseract", notes=("a note", "another"))
            failed = PageResult(1, 2, failure=Failure(FailureKind.TIMEOUT, "took too long"))
            spool.add(index, page_rows(file, [read, failed], overlay_paths=[None, None], **same))
        commit_to(config, batch, spool, range(len(batch.files)))


def test_a_parquet_sink_exports_the_same_as_a_delta_table(tmp_path: Path) -> None:
    """More files than are read at a time, in several batches, one of them in two versions."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(80):
        (inbox / f"{number:03}.pdf").write_bytes(tiny_pdf(f"{number}", "failed"))
    configs = {}
    for sink_format in ("delta", "parquet"):
        configs[sink_format] = build_config(
            {
                "source": {"url": str(inbox)},
                "sink": {"url": str(tmp_path / sink_format), "format": sink_format},
                "trigger": {"max_files_per_trigger": 70},
            }
        )
        write_stream(configs[sink_format])
    for again in (False, True):
        if again:
            (inbox / "003.pdf").write_bytes(tiny_pdf("the third, written anew", "failed"))
        for config in configs.values():
            while batches := plan(config):
                commit_read_pages(config, batches[0], "anew" if again else "word")
    parquet = str(tmp_path / "parquet")
    for export_format in (f for f in ExportFormat if f is not ExportFormat.PDF):
        out = {}
        for sink_format in configs:
            place = tmp_path / export_format / sink_format
            files = list(export_of(str(tmp_path / sink_format), str(place), export_format))
            assert not any(file.problem for file in files)
            out[sink_format] = {name: (place / name).read_bytes() for name in tree(place)}
        assert out["parquet"] == out["delta"]
        assert len(out["parquet"]) == 80
        assert all((b"anew" if name.startswith("003") else b"word") in data for name, data in out["parquet"].items())
    (pdf,) = export_of(parquet, str(tmp_path / "pdf"), ExportFormat.PDF, patterns=["003.pdf"])
    assert (pdf.pages, pdf.failed_pages, pdf.problem) == (2, 1, None)
    assert "anew0" in text_of(tmp_path / "pdf" / "003.pdf.ocr.pdf")[0]
    with pytest.raises(ConfigError, match=r"Parquet files in .* have no versions.*needs sink\.format delta"):
        export_of(parquet, str(tmp_path / "out"), ExportFormat.TEXT, version=0)


def test_an_export_goes_from_bucket_to_bucket(s3: Any, bucket: str, tmp_path: Path) -> None:
    for number, key in enumerate(ODD_KEYS):
        s3.put_object(Bucket=bucket, Key=key, Body=tiny_pdf(f"the text of {number}"))
    cheap = settings(pipeline__text_layer__mode="only", execution__workers=1)
    run_json("--source", f"s3://{bucket}/in", "--sink", f"s3://{bucket}/out", *cheap, cwd=tmp_path)
    files = list(export_of(f"s3://{bucket}/out", f"s3://{bucket}/text", ExportFormat.TEXT))
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="text/")["Contents"]}
    assert {file.output for file in files} == {f"s3://{bucket}/{key}" for key in keys}
    assert len(keys) == len(ODD_KEYS)
    bodies = {s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}
    assert bodies == {f"the text of {number}\n" for number in range(len(ODD_KEYS))}
    s3.put_object(Bucket=bucket, Key=ODD_KEYS[0], Body=tiny_pdf("written anew"))
    pdfs = list(export_of(f"s3://{bucket}/out", str(tmp_path / "pdf"), ExportFormat.PDF))
    assert sum("it was overwritten" in (file.problem or "") for file in pdfs) == 1
    assert sum(file.problem is None for file in pdfs) == len(tree(tmp_path / "pdf")) == len(ODD_KEYS) - 1


def test_ocr_prints_or_writes_a_format(folder: Path, tmp_path: Path) -> None:
    scan = folder / "inbox" / "scan.pdf"
    assert inkstream("ocr", scan, "--format", "hocr", *READ).stdout.count('class="ocr_page"') == 3
    done = inkstream("ocr", scan, "--format", "pdf", "--output", tmp_path / "new" / "scan.pdf", *READ)
    assert (done.stdout, done.stderr) == ("", "")
    assert text_of(tmp_path / "new" / "scan.pdf")[1] == "the second page"
    failing = inkstream("ocr", folder / "inbox" / "damaged.pdf", "--format", "pdf", "--output", tmp_path / "x", code=3)
    assert "no page can be found" in failing.stderr
    assert not (tmp_path / "x").exists()


def test_ocr_never_overwrites_its_document(folder: Path, tmp_path: Path) -> None:
    scan = folder / "inbox" / "scan.pdf"
    before = scan.read_bytes()
    os.symlink(scan, tmp_path / "link.pdf")
    done = inkstream("ocr", scan, "--format", "pdf", "--output", tmp_path / "link.pdf", code=2)
    assert "is the document itself" in done.stderr
    assert scan.read_bytes() == before
