"""Results as plain text, pages parted by form feeds."""

from __future__ import annotations

from collections.abc import Iterable

from ocr_core.page import PageResult


def plain_text(pages: Iterable[PageResult]) -> str:
    """Returns the text of a document.

    The n-th page stands after n form feeds; a page that failed has no text there.
    """
    return "".join(map(page_text, pages))


def page_text(page: PageResult) -> str:
    """Returns one page's part of `plain_text`: a form feed unless it is the first, its text, a newline.

    A result that stands for no page has none.
    """
    if page.pagenum is None:
        return ""
    parting = "\f" if page.pagenum else ""
    return parting if page.text is None else f"{parting}{page.text}\n"
