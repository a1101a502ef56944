"""Queries on a sink after a run: status, diff, export, and the files that retry and forget select."""

from inkstream.ocr_core.installation import require_extra

require_extra("streaming", "a table")
