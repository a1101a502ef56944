"""Pages and code have no phrases that mark translated English."""

from __future__ import annotations

from tests.docs import prose


def test_pages_are_free_of_them() -> None:
    assert list(map(str, prose.in_pages())) == []


def test_code_is_free_of_them() -> None:
    assert list(map(str, prose.in_code())) == []
