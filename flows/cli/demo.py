"""The command `inkstream demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import app, exit_codes
from inkstream.flows.under_prefect.settings import PrefectMode


@app.command(rich_help_panel="Process documents")
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's documents and table are kept.")] = Path("demo"),
    prefect: Annotated[PrefectMode, typer.Option(help="Run under Prefect.")] = "on",
) -> None:
    """Make a small inbox of documents and stream it into a Delta table. Run it again: nothing is new."""
    from inkstream.flows.demo.run import run_demo

    with exit_codes():
        run_demo(folder, prefect)
