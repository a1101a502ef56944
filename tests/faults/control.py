"""The control: the same steps, but finished files are recorded in a state file, which is written after the commit.

It shows that the oracle works: if this driver is killed between the two, it writes its batch again.

    python -m tests.faults.control CONFIG.json [--die-at committed[:N]]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from inkstream.ocr_core.workers.page_worker import PageWorker
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.rows import page_rows
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.fetching import fetch


def main() -> int:
    """Process the files that the state file does not name, one batch at a time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--die-at", default="")
    arguments = parser.parse_args()
    _, _, number = arguments.die_at.partition(":")
    die_at = int(number or 1) if arguments.die_at else 0
    config = StreamConfig.model_validate_json(arguments.config.read_text())
    state = Path(config.sink.url) / "state.json"
    done: list[str] = json.loads(state.read_text()) if state.exists() else []
    files = [file for file in list_files(config.source) if file.path not in done]
    size = config.trigger.max_files_per_trigger
    with tempfile.TemporaryDirectory() as cache, PageWorker(config.pipeline, config.execution.limits) as worker:
        for batch, start in enumerate(range(0, len(files), size), 1):
            tables = []
            for file in files[start : start + size]:
                fetched = fetch(file, Path(cache), max_bytes=1 << 30)
                total = worker.probe(str(fetched.local_path)).pages
                rows = page_rows(
                    file,
                    [worker.page(str(fetched.local_path), page, total) for page in range(total)],
                    stream=config.stream,
                    pipeline_id="control",
                    content_hash=fetched.content_hash,
                    version_id=None,
                    overlay_paths=[None] * total,
                )
                batch_id = pa.array([0] * total, pa.int64())
                tables.append(pa.Table.from_batches([rows]).append_column("batch_id", batch_id))
                done.append(file.path)
            write_deltalake(f"{config.sink.url}/pages", pa.concat_tables(tables), mode="append")
            if batch == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            partial = state.with_suffix(".partial")
            partial.write_text(json.dumps(done))
            partial.replace(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
