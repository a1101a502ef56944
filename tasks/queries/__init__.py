"""Questions to a sink after the run: status, diff, export, and what retry and forget choose from."""

from inkstream.ocr_core.installation import require_extra

require_extra("streaming", "a table")
