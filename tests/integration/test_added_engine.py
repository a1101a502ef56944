"""An engine from another package reads: in a script, in a stream on Dask, in a separate process, and for `doctor`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.work.cluster import open_cluster
from tests.added_engine import LABELS, PAGE, install, labels
from tests.faults.cluster import Cluster
from tests.integration.command import inkstream, run_json, settings
from tests.places import ROOT

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}
CHOSEN = settings(pipeline__recognize__engine="acme", pipeline__recognize__acme__space=0.36)

SCRIPT = """
import json, sys
from inkstream import PageWorker, PipelineOptions, engine_versions, pipeline_id

options = PipelineOptions.model_validate({"recognize": json.loads(sys.argv[2])})
with PageWorker(options) as worker:
    result = worker.page(sys.argv[1], 0)
    processes = [worker.pid, worker.model_pid]
found = [result.text, result.engine, str(result.failure), processes, pipeline_id(options, engine_versions(options))]
print(json.dumps(found))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Make a folder with the package, and a page for it to read."""
    (tmp_path / "inbox").mkdir()
    labels().save(tmp_path / "inbox" / "labels.png", dpi=(200, 200))
    return install(tmp_path / "packages")


def environment(package: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{package}"}


def read(package: Path, **recognize: Any) -> list[Any]:
    """Return text, engine, failure, process ids and pipeline_id of the page, read in the sandbox by a script."""
    page = package.parent / "inbox" / "labels.png"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(page), json.dumps(recognize)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(package),
        cwd=package.parent,
    )
    assert done.returncode == 0, done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


def test_an_added_engine_reads_in_the_sandbox(package: Path) -> None:
    text, engine, failure, (_, model), pipeline = read(package, engine="acme")
    assert text.split("\n\n") == LABELS
    assert (engine, failure, model) == ("acme", "None", None)
    assert pipeline == read(package, engine="acme", acme={"space": 0.35})[-1]
    assert pipeline != read(package, engine="acme", acme={"space": 0.37})[-1]
    metadata = package / "acme_reader-1.2.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.2", "1.3"))
    assert pipeline != read(package, engine="acme")[-1], "the pipeline_id depends on the version of the package"


def test_an_added_engine_reads_the_lines_that_another_engine_doubts(package: Path) -> None:
    text, engine, *_ = read(package, engine="auto", routing={"second": "acme", "threshold": 100})
    assert text.split() == " ".join(LABELS).split()
    assert "acme" in engine.split("+")


def test_an_added_engine_may_have_its_own_process(package: Path) -> None:
    install(package, ('    scripts=("latin",),\n', "    own_process=True,\n"))
    text, _, _, (pages, model), _ = read(package, engine="acme")
    assert text.split("\n\n") == LABELS
    assert model not in (None, pages)


def test_errors_of_an_added_engine_are_page_failures_or_environment_faults(package: Path) -> None:
    install(
        package, ("        height, width = np", "        assert not ink.any(), 'smudged'\n        height, width = np")
    )
    text, _, failure, *_ = read(package, engine="acme")
    assert text is None
    assert "internal" in failure
    assert "AssertionError: smudged" in failure
    install(package, ('"""Return a letter in a box', '"""Do nothing."""\n    1 / 0\n    """Return a letter in a box'))
    with pytest.raises(AssertionError, match=r"EnvironmentFault: the model of the engine acme does not work: Zero"):
        read(package, engine="acme")


def test_an_added_engine_reads_a_stream_on_dask(package: Path) -> None:
    folder = package.parent
    places: list[str | Path] = ["--source", folder / "inbox", "--sink", folder / "tables"]
    *_, last = run_json(*places, *CHOSEN, *settings(execution__workers=2), environment=environment(package), cwd=folder)
    assert (last["pages"], last["failed_pages"]) == (1, 0)
    (row,) = DeltaTable(str(folder / "tables" / "pages")).to_pyarrow_table().to_pylist()
    assert row["text"].split("\n\n") == LABELS
    assert {region["engine"] for region in row["regions"]} == {"acme"}
    stored = json.loads((folder / "tables" / "pipelines" / f"{row['pipeline_id']}.json").read_text())
    assert stored["engine_versions"]["engine:acme"] == "acme-reader 1.2"
    assert stored["pipeline"]["recognize"]["acme"]["space"] == 0.36
    again = inkstream("reprocess", folder / "tables", "--dry-run", environment=environment(package), cwd=folder)
    assert "nothing" in again.stdout + again.stderr


def test_doctor_checks_what_an_added_engine_needs(package: Path) -> None:
    words = ["doctor", "--json", *CHOSEN]
    done = inkstream(*words, environment=environment(package), cwd=package.parent)
    checks = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
    assert checks["engine acme"]["detail"] == "acme-reader 1.2, for the scripts latin"
    assert checks["acme typeface"]["ok"]
    assert "read a page" in checks["page process"]["detail"]
    lacking = [*words, *settings(pipeline__recognize__acme__typeface="/nowhere.ttf")]
    done = inkstream(*lacking, environment=environment(package), cwd=package.parent, code=4)
    (failed,) = [check for check in map(json.loads, done.stdout.splitlines()) if not check["ok"]]
    assert (failed["name"], failed["detail"]) == ("acme typeface", "the typeface /nowhere.ttf does not exist")
    assert failed["remedy"] == "correct recognize.acme.typeface"


def test_a_configuration_with_an_added_engine_needs_its_package(package: Path) -> None:
    file = package.parent / "stream.yaml"
    own = re.findall(r"`(acme: \{.*?\})`", PAGE.read_text(encoding="utf-8"))
    recognize = {"engine": "acme", **yaml.safe_load(own[0])}
    file.write_text(yaml.safe_dump({**PLACES, "pipeline": {"recognize": recognize}}))
    inkstream("config", "check", file, environment=environment(package))
    schema = json.loads(inkstream("config", "schema", environment=environment(package)).stdout)
    assert "acme" in schema["$defs"]["RecognizeOptions"]["properties"]["engine"]["enum"]
    without = {**environment(package), "PYTHONPATH": str(ROOT / "src")}
    done = inkstream("config", "check", file, environment=without, code=2)
    assert "'acme' is not one of tesseract, ppocr, trocr, auto" in done.stdout


def test_a_worker_without_the_package_is_an_environment_fault(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(package.parent, 1)
    try:
        execution = ExecutionOptions(scheduler=cluster.address)
        pipeline = json.dumps({"recognize": {"engine": "acme"}})
        with pytest.raises(EnvironmentFault, match=r"does not know the options .*: recognize\.engine") as caught:
            _check(execution, pipeline, package, monkeypatch)
        assert "with the same engines" in caught.value.remedy
    finally:
        cluster.close()


def _check(execution: ExecutionOptions, pipeline: str, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkstream.ocr_core.options import plugins

    monkeypatch.syspath_prepend(package)
    plugins._found.cache_clear()
    try:
        with open_cluster(execution, pipeline):
            raise AssertionError("a worker that cannot read was accepted")
    finally:
        monkeypatch.undo()
        plugins._found.cache_clear()
        plugins.load_plugin.cache_clear()
