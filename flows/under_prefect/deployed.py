"""Checks for runs of deployments, whose working directory is not known in advance."""

from __future__ import annotations

from pathlib import Path

from prefect.context import FlowRunContext

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig


def require_absolute_places(config: StreamConfig) -> None:
    """Refuse relative folders in a deployment's run.

    A process worker starts each run in a temporary folder. Rows in a relative sink would be lost with that folder.

    Raises:
        ConfigError: If this is a deployment's run, and its source, archive or sink is a relative folder.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    relative = relative_places(config)
    if relative:
        names = ", ".join(f"{name} {place}" for name, place in relative.items())
        raise ConfigError(
            f"{names}: a relative folder; a deployment's runs work in a temporary folder, so nothing was read or "
            "written; give an absolute path or a URL"
        )


def relative_places(config: StreamConfig) -> dict[str, str]:
    """Return the folders of a configuration that are relative, by option."""
    places = {
        "source.url": config.source.url,
        "source.source_archive_dir": config.source.source_archive_dir,
        "sink.url": config.sink.url,
    }
    return {name: place for name, place in places.items() if place is not None and _is_relative(place)}


def _is_relative(place: str) -> bool:
    return "://" not in place and not Path(place).expanduser().is_absolute()
