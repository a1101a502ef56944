"""Reading lines inside the sandbox's child: the model process, which only sees decoded crops."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np  # noqa: F401 - imported here so that it counts as start-up, not as the first call

from inkstream.ocr_core.engines.line_reader import DeviceLostError
from inkstream.ocr_core.engines.registry import open_line_reader
from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.workers.crop_wire import unpack_crops


def handle(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one request of `LineWorker`.

    Args:
        request: `options` (JSON of `RecognizeOptions`); `shapes` of crops with their pixels as `blob`, or neither to
            only load the model.

    Returns:
        `readings`, one per crop.

    Raises:
        EnvironmentFault: If the model is missing or cannot be loaded.
    """
    reader = open_line_reader(RecognizeOptions.model_validate_json(request["options"]))
    if "shapes" not in request:
        return {}, b""
    try:
        readings = reader.read(unpack_crops(request["shapes"], request["blob"]))
    except DeviceLostError as error:
        sys.exit(f"the model's device is lost: {error}")  # a new process may find it again
    return {"readings": [reading.to_list() for reading in readings]}, b""
