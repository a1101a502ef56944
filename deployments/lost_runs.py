"""`python -m inkstream.deployments.lost_runs` makes the configured Prefect server mark killed runs as crashed.

`inkstream serve` does this by itself; with a work pool, run it once for each server.
"""

from typing import Annotated

import typer

from inkstream.flows.cli.common import exit_codes
from inkstream.flows.under_prefect.lost_runs import AUTOMATION, HEARTBEAT_SECONDS, SILENCE, watch_lost_runs
from inkstream.flows.under_prefect.settings import require_answer
from inkstream.tasks.config import format_duration, parse_duration


def main(
    after: Annotated[
        str, typer.Option(help=f"How long a run may be silent; it sends a heartbeat every {HEARTBEAT_SECONDS}s.")
    ] = format_duration(SILENCE),
) -> None:
    """Make the configured Prefect server mark runs whose process was killed as crashed. Run it once for each server."""
    with exit_codes():
        require_answer()
        print(f"{AUTOMATION!r}: {watch_lost_runs(parse_duration(after))}")  # noqa: T201


if __name__ == "__main__":
    typer.run(main)
