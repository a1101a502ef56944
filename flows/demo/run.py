"""Runs `inkstream demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inkstream.flows.api import Stream
from inkstream.flows.console.run import NEW_FILES, run_output
from inkstream.flows.console.tables import print_rows, table_console
from inkstream.flows.demo.inbox import make_inbox
from inkstream.flows.under_prefect.settings import PrefectMode
from inkstream.ocr_core.installation import missing_modules, python_command
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import Summary
from inkstream.tasks.sinks.opening import open_sink

if TYPE_CHECKING:
    from inkstream.flows.console.terminal import Terminal


def run_demo(folder: Path, prefect: PrefectMode) -> None:
    """Make the inbox if it does not exist, stream it, and print its rows.

    Args:
        folder: Holds `inbox/`, `tables/` and Prefect's own files, so that nothing else on the machine is touched.
        prefect: `on`, `auto` or `off`.

    Raises:
        InkstreamError: As `Stream.run` does.
    """
    console = table_console()
    inbox, sink = folder / "inbox", folder / "tables"
    if not inbox.exists():
        documents = make_inbox(inbox)
        console.print(f"made an inbox of {len(documents)} documents: {inbox}/", markup=False, soft_wrap=True)
    config = demo_config(inbox, sink)
    if prefect == "on":
        console.print("starting Prefect's embedded server and a local Dask cluster …")
    with run_output(NEW_FILES, as_json=False) as output, Stream(config, observers=[output], prefect=prefect) as stream:
        summary = stream.run()
        output.finished(summary)
    _print_result(console, config, summary, inbox)


def demo_config(inbox: Path, sink: Path) -> StreamConfig:
    """Return the demo's configuration: the preset `ocr-streaming`, text layers verified, overlays drawn."""
    return build_config(
        {
            "source": {"url": str(inbox)},
            "sink": {"url": str(sink)},
            "pipeline": {"text_layer": {"mode": "verify"}, "draw": {}},
        },
        preset="ocr-streaming",
    )


def _print_result(console: Terminal, config: StreamConfig, summary: Summary, inbox: Path) -> None:
    print_rows(console, open_sink(config.sink).rows(limit=50))
    if summary.overlays:
        console.print(f"a page with its lines drawn: {summary.overlays[0]}", markup=False, soft_wrap=True)
    if not missing_modules("polars"):
        console.print("any library that reads Delta tables can open this one, for example Polars:", markup=False)
        console.print(
            f"  {python_command()} -c \"import polars as pl; print(pl.read_delta('{summary.table}')"
            ".select('timestamp', 'pagenum', 'path', 'text', 'confidence', 'exception'))\"",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"drop a file into {inbox}/ and run the demo again: only that file is read", markup=False)
