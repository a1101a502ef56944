"""The command `inkstream demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkstream.flows.cli.common import (
    PrefectChoice,
    app,
    exit_codes,
)

if TYPE_CHECKING:
    pass


@app.command(rich_help_panel="Process documents")
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's documents and table are kept.")] = Path("demo"),
    prefect: Annotated[PrefectChoice, typer.Option(help="Run under Prefect.")] = PrefectChoice.ON,
) -> None:
    """Make a small inbox of documents and stream it into a Delta table. Run it again: nothing is new."""
    from inkstream.flows.demo.run import run_demo

    with exit_codes():
        run_demo(folder, prefect.value)
