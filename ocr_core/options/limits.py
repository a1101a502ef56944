"""Limits that keep one document from harming others."""

from __future__ import annotations

from pydantic import Field

from inkstream.ocr_core.options import Options


class LimitOptions(Options):
    """What one page, or one file, may cost. Limits never change a page's text, only whether the page has one."""

    page_seconds: float = Field(120.0, gt=0, description="wall-clock seconds a page may take before it is killed")
    page_cpu_seconds: float = Field(120.0, gt=0, description="CPU seconds a page may take before it is killed")
    memory_mb: int = Field(2048, ge=64, description="MiB a page may take beyond the idle child process")
    recycle_after: int = Field(500, ge=1, description="pages after which the child process is replaced")
    max_file_mb: int = Field(2048, ge=1, description="largest file in MiB; larger ones fail with kind `limit`")
    max_pages: int = Field(100_000, ge=1, description="most pages of a file; longer ones fail with kind `limit`")
