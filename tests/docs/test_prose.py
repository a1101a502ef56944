"""Pages and code have no phrases that mark translated English."""

from __future__ import annotations

from tests.docs import prose


def test_pages_have_no_translated_phrases() -> None:
    assert list(map(str, prose.in_pages())) == []


def test_code_has_no_translated_phrases() -> None:
    assert list(map(str, prose.in_code())) == []
