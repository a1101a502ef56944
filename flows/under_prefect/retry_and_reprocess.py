"""`retry` and `reprocess`, the Prefect flows: the drain loop over files that have rows.

Prefect evaluates the annotations, so this module has no `from __future__ import annotations`; see `ocr_stream`.
"""

from typing import Any

from prefect import flow

from inkstream.flows.loop.planners import FailedPages, OtherPipeline
from inkstream.flows.under_prefect.ocr_stream import drain_with_tasks
from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.config import PresetName, StreamConfig, with_preset


@flow(
    name="retry",
    flow_run_name="{config.stream}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def retry(
    kinds: list[FailureKind] = [],  # noqa: B006 - the form's default; nobody changes it
    paths: list[str] = [],  # noqa: B006
    overrides: list[str] = [],  # noqa: B006
    *,
    config: StreamConfig,
) -> dict[str, Any]:
    """Re-read the pages that failed, each with its earlier options, and replace their rows.

    Args:
        kinds: Only these kinds of failure; all if empty.
        paths: Only these files, as paths, URLs, file names or globs; all if empty.
        overrides: KEY=VALUE, added to the pages' earlier options, such as pipeline.render.resolution=150.
        config: The stream.

    Returns:
        Counts of what was committed and of files left as they are, and the table's version.
    """
    return drain_with_tasks(config, FailedPages(tuple(kinds), tuple(paths), tuple(overrides))).to_json()


@flow(
    name="reprocess",
    flow_run_name="{config.stream}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def reprocess(
    paths: list[str] = [],  # noqa: B006 - the form's default; nobody changes it
    preset: PresetName | None = None,
    *,
    config: StreamConfig,
) -> dict[str, Any]:
    """Re-read the files whose rows were made by another pipeline than this one, and replace their rows.

    Args:
        paths: Only these files, as paths, URLs, file names or globs; all if empty.
        preset: Read with the pipeline of this preset instead of config's.
        config: The stream; files that its pipeline has read already are left alone.

    Returns:
        Counts of what was committed and of files left as they are, and the table's version.
    """
    return drain_with_tasks(with_preset(config, preset), OtherPipeline(tuple(paths))).to_json()
