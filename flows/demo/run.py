"""`inkstream demo`: the main job on a small inbox, made on the spot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from inkstream.flows.api import PrefectMode, Stream
from inkstream.flows.console.run import run_output
from inkstream.flows.console.show import rows_table, table_console
from inkstream.flows.demo.inbox import make_inbox
from inkstream.flows.under_prefect.settings import use_embedded_server
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import Summary
from inkstream.tasks.sinks.delta.tables import PagesTable

if TYPE_CHECKING:
    from rich.console import Console


def run_demo(folder: Path, prefect: PrefectMode) -> None:
    """Makes the inbox where it is not there yet, streams it and shows what came of it.

    Args:
        folder: Holds `inbox/`, `tables/` and Prefect's own files, so that nothing else on the machine is touched.
        prefect: `on`, `auto` or `off`.
    """
    console = table_console()
    inbox, sink = folder / "inbox", folder / "tables"
    if not inbox.exists():
        documents = make_inbox(inbox)
        console.print(f"made an inbox of {len(documents)} documents: {inbox}/", markup=False)
    os.environ.setdefault("PREFECT_HOME", str((folder / "prefect").resolve()))
    use_embedded_server()
    config = demo_config(inbox, sink)
    if prefect == "on":
        console.print("starting Prefect's embedded server and a local Dask cluster …")
    with run_output(as_json=False) as output, Stream(config, observers=[output], prefect=prefect) as stream:
        summary = stream.run()
        output.finished(summary)
    _show(console, config, summary, inbox)


def demo_config(inbox: Path, sink: Path) -> StreamConfig:
    """Returns the demo's configuration: the `ocr-streaming` preset, text layers used, overlays drawn."""
    return build_config(
        {
            "source": {"url": str(inbox)},
            "sink": {"url": str(sink)},
            "pipeline": {"text_layer": {"mode": "prefer"}, "draw": {}},
        },
        preset="ocr-streaming",
    )


def _show(console: Console, config: StreamConfig, summary: Summary, inbox: Path) -> None:
    pages = PagesTable(config.sink.url)
    rows = pages.rows(limit=50)
    console.print(rows_table(rows))
    if summary.overlays:
        console.print(f"a page with its lines drawn: {summary.overlays[0]}", markup=False, soft_wrap=True)
    console.print("read the table from anywhere:", markup=False)
    console.print(
        f"  .venv/bin/python -c \"import polars as pl; print(pl.read_delta('{pages.url}')"
        ".select('timestamp', 'pagenum', 'path', 'text', 'confidence', 'exception'))\"",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"now drop a file into {inbox}/ and run `make demo` again: only that one is read", markup=False)
