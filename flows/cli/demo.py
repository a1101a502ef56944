"""The command `inkstream demo`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import WithPrefect
from inkstream.flows.under_prefect.settings import use_embedded_server


@command("Set up")
def demo(
    folder: Annotated[Path, typer.Option(help="Folder for the demo's documents and table.")] = Path("demo"),
    prefect: WithPrefect = "on",
) -> None:
    """Stream an inbox of five documents into a Delta table. The second time, nothing is new.

    Example: inkstream demo --prefect off
    """
    with exit_codes():
        os.environ.setdefault("PREFECT_HOME", str((folder / "prefect").resolve()))
        if prefect == "on":
            use_embedded_server()
        from inkstream.flows.demo.run import run_demo

        run_demo(folder, prefect)
