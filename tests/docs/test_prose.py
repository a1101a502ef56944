"""Pages have no phrases that mark translated English, and code has no more of them than before."""

from __future__ import annotations

from tests.docs import prose


def test_pages_are_free_of_them() -> None:
    assert list(map(str, prose.in_pages())) == []


def test_code_has_no_more_of_them_than_before() -> None:
    hits = prose.in_code()
    counts, allowed = prose.by_package(hits), prose.allowed()
    more = {package: (count, allowed[package]) for package, count in counts.items() if count > allowed[package]}
    found = [str(hit) for hit in hits if "/".join(hit.path.split("/")[:-1][:2]) in more]
    assert more == {}, "\n".join(found)
