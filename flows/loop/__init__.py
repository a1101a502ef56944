"""The loop that drains a stream: plan, process, commit. It runs with Prefect and without."""

from inkstream.ocr_core.installation import require_extra

require_extra("streaming", "a stream")
