"""`python -m inkstream.deployments` prints the folder of the files for Prefect's work pools, or copies them."""

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import exit_codes
from inkstream.ocr_core.errors import ConfigError

FOLDER = Path(__file__).parent


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Copy the files to this folder; without it, print where they are.")
    ] = None,
) -> None:
    """Print the folder of prefect.yaml and on-arrival.yaml, or copy them.

    Example: prefect deploy --all --prefect-file "$(python -m inkstream.deployments)/prefect.yaml"
    """
    with exit_codes():
        if folder is None:
            print(FOLDER)  # noqa: T201
            return
        for copy in copy_files(folder):
            print(copy)  # noqa: T201


def copy_files(folder: Path) -> list[Path]:
    """Copy the YAML files to a folder, create it if necessary, and return the copies.

    Raises:
        ConfigError: If one of them exists already; then none is copied.
    """
    copies = {file: folder / file.name for file in sorted(FOLDER.glob("*.yaml"))}
    taken = [str(copy) for copy in copies.values() if copy.exists()]
    if taken:
        raise ConfigError(f"{', '.join(taken)} already exists, so nothing was copied; delete it or name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for file, copy in copies.items():
        copy.write_bytes(file.read_bytes())
    return [*copies.values()]


if __name__ == "__main__":
    typer.run(main)
