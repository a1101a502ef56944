"""The contenders: each reads the same PDFs with the same number of workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WARM_UP = "warm-up-"
_XARGS_STEP = """
name=$(basename "$1")
pdftoppm -r 300 -gray "$1" "$2/$name"
for page in "$2/$name"-*.pgm; do
  tesseract "$page" "${page%.pgm}" -l eng --oem 1 --psm 3 2>/dev/null
  rm "$page"
done
"""


class NotInstalledError(Exception):
    """The contender is not on this machine."""


@dataclass(frozen=True)
class Setting:
    """The settings that all contenders share.

    Attributes:
        documents: The PDFs.
        workers: Processes that may read pages at once.
        ocrmypdf: Path of `ocrmypdf`, or None.
        inkstream: Path of `inkstream`, or None.
    """

    documents: list[Path]
    workers: int
    ocrmypdf: str | None
    inkstream: str | None


@dataclass(frozen=True)
class Outcome:
    """One contender's run.

    Attributes:
        seconds: Wall time from starting the command to its end.
        texts: What it read, by file name.
        work_seconds: Wall time of the same pages without start-up, if the contender reports it.
        notes: Further figures, for the JSON file.
    """

    seconds: float
    texts: dict[str, str]
    work_seconds: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)


Contender = Callable[[Setting, Path], Outcome]


def bare_loop(setting: Setting, work: Path) -> Outcome:
    """Run two processes, each with pypdfium2 and one open Tesseract handle."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.bare_loop",
        "--workers",
        str(setting.workers),
        "--out",
        str(work),
    ]
    seconds, output = _timed([*command, *map(str, setting.documents)])
    texts = {path.name: (work / f"{path.name}.txt").read_text() for path in setting.documents}
    return Outcome(seconds, texts, work_seconds=json.loads(output)["work_seconds"])


def xargs(setting: Setting, work: Path) -> Outcome:
    """Run `pdftoppm` and `tesseract` with `xargs -P`, one file per process at a time."""
    _need("pdftoppm", "tesseract", "xargs")
    command = [
        "xargs",
        "-0",
        f"-P{setting.workers}",
        "-I{}",
        "sh",
        "-c",
        _XARGS_STEP,
        "step",
        "{}",
        str(work),
    ]
    seconds, _ = _timed(command, stdin="\0".join(map(str, setting.documents)))
    texts = {
        path.name: "\n".join(page.read_text() for page in sorted(work.glob(f"{path.name}-*.txt")))
        for path in setting.documents
    }
    return Outcome(seconds, texts)


def ocrmypdf(setting: Setting, work: Path) -> Outcome:
    """Run OCRmyPDF with `--jobs` on one file after the other; it writes only the text, not a PDF."""
    if setting.ocrmypdf is None:
        raise NotInstalledError("ocrmypdf")
    seconds = 0.0
    for path in setting.documents:
        sidecar = str(work / f"{path.name}.txt")
        options = ["--quiet", "--jobs", str(setting.workers), "--output-type", "none", "--sidecar", sidecar]
        seconds += _timed([setting.ocrmypdf, *options, str(path), "-"])[0]
    return Outcome(seconds, {path.name: (work / f"{path.name}.txt").read_text() for path in setting.documents})


def inkstream(setting: Setting, work: Path) -> Outcome:
    """Run `inkstream run` on the documents, from its start to its end."""
    inbox = work / "inbox"
    _link(setting.documents, inbox, prefix="")
    seconds, lines = _inkstream(setting, inbox, work / "tables", batch=len(setting.documents))
    return Outcome(seconds, _table_texts(work / "tables"), notes={"batches": [line for _, line in lines]})


def inkstream_steady(setting: Setting, work: Path) -> Outcome:
    """Read the documents as the second batch of a run whose first batch, of equal size, is the warm-up.

    `work_seconds` is the time from the first batch's line of progress to the second's, so it includes the time
    between two batches. `triggerExecution`, which does not, is among the notes. Batches do not overlap here, because
    some of the second's work would then be done before the first one's line.
    """
    inbox = work / "inbox"
    _link(setting.documents, inbox, prefix=WARM_UP, age=3600)
    _link(setting.documents, inbox, prefix="")
    size = len(setting.documents)
    seconds, lines = _inkstream(setting, inbox, work / "tables", "execution.overlap=false", batch=size)
    batches = [(arrived, line) for arrived, line in lines if "batchId" in line]
    if len(batches) != 2:
        raise RuntimeError(f"expected two batches of {len(setting.documents)} files, got {len(batches)}: {lines}")
    (warm, _), (done, measured) = batches
    texts = {name: text for name, text in _table_texts(work / "tables").items() if not name.startswith(WARM_UP)}
    notes = {"triggerExecution": measured.get("durationMs", {}).get("triggerExecution"), "batches": batches}
    return Outcome(seconds, texts, work_seconds=done - warm, notes=notes)


def small_batches(setting: Setting, work: Path, *, overlap: bool) -> Outcome:
    """Run `inkstream run` with one batch per document and one page at a time, with or without overlapping batches."""
    inbox = work / "inbox"
    _link(setting.documents, inbox, prefix="")
    overrides = (f"execution.overlap={str(overlap).lower()}", "execution.pages_per_range=1")
    seconds, lines = _inkstream(setting, inbox, work / "tables", *overrides, batch=1)
    arrived = [second for second, line in lines if "batchId" in line]
    return Outcome(seconds, _table_texts(work / "tables"), work_seconds=arrived[-1] - arrived[0])


def _inkstream(
    setting: Setting, inbox: Path, tables: Path, *overrides: str, batch: int
) -> tuple[float, list[tuple[float, dict[str, Any]]]]:
    """Run it; return the wall time, and each line of progress with the second at which it came."""
    if setting.inkstream is None:
        raise NotInstalledError("inkstream")
    command = [
        setting.inkstream,
        "run",
        "--source",
        str(inbox),
        "--sink",
        str(tables),
        "--prefect",
        "off",
        "--json",
    ]
    command += ["--max-files-per-trigger", str(batch), "--set", "pipeline.text_layer.mode=ignore"]
    for override in (f"execution.workers={setting.workers}", *overrides):
        command += ["--set", override]
    lines: list[tuple[float, dict[str, Any]]] = []
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(), text=True) as process:
        assert process.stdout is not None
        lines.extend((time.perf_counter() - started, json.loads(line)) for line in process.stdout)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, lines


def _table_texts(tables: Path) -> dict[str, str]:
    """Return the committed text of each file, its pages in order."""
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    rows: list[dict[str, Any]] = []
    for uri in DeltaTable(tables / "pages").file_uris():
        rows += pq.read_table(uri, columns=["path", "pagenum", "text"]).to_pylist()
    texts: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (row["path"], row["pagenum"])):
        name = row["path"].rsplit("/", 1)[-1]
        texts[name] = texts.get(name, "") + "\n" + (row["text"] or "")
    return texts


def _link(documents: list[Path], folder: Path, *, prefix: str, age: int = 0) -> None:
    """Copy the documents, with a modification time `age` seconds ago."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in documents:
        copy = folder / f"{prefix}{path.name}"
        shutil.copyfile(path, copy)
        os.utime(copy, (time.time() - age, time.time() - age))


def _timed(command: list[str], stdin: str | None = None) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, env=_environment(), text=True, check=True)
    return time.perf_counter() - started, done.stdout


def _environment() -> dict[str, str]:
    """Return the environment of all contenders: one thread per Tesseract, unbuffered output."""
    return {**os.environ, "OMP_THREAD_LIMIT": "1", "PYTHONUNBUFFERED": "1"}


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise NotInstalledError(program)
