"""Sinks: where rows are stored.

`delta` keeps every version and can replace rows; `parquet` and `memory` can only append rows
(`inkstream.tasks.sinks.numbered`). All of them commit through the same loop (`inkstream.tasks.commit`).
"""

from inkstream.ocr_core.installation import require_extra

require_extra("streaming", "a table")
