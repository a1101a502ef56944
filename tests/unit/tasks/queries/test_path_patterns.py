"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.tasks.paths import encode
from inkstream.tasks.queries.path_patterns import matching

LOCAL = [encode("file", path) for path in ("/in/a b.pdf", "/in/sub/c.pdf", "/in/d[1].pdf", "/in/d1.pdf")]
REMOTE = [encode("s3", "bucket/in/a b.pdf")]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("file:///in/a%20b.pdf", [LOCAL[0]]),
        ("/in/a b.pdf", [LOCAL[0]]),
        ("a b.pdf", [LOCAL[0], *REMOTE]),
        ("*.pdf", [*LOCAL, *REMOTE]),
        ("/in/sub/*", [LOCAL[1]]),
        ("/in/d[1].pdf", [LOCAL[2]]),
        ("d[12].pdf", [LOCAL[3]]),
        ("s3://bucket/in/a b.pdf", REMOTE),
        ("s3://bucket/*", REMOTE),
        ("/in", []),
        ("A B.pdf", []),
    ],
)
def test_a_pattern_is_a_path_a_url_a_name_or_a_glob(pattern: str, expected: list[str]) -> None:
    assert matching([*LOCAL, *REMOTE], [pattern]) == set(expected)


def test_no_pattern_matches_everything_and_several_add_up() -> None:
    assert matching(LOCAL, []) == set(LOCAL)
    assert matching(LOCAL, ["c.pdf", "d1.pdf"]) == {LOCAL[1], LOCAL[3]}


def test_relative_patterns_resolve_links_and_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    path = encode("file", str(tmp_path.resolve() / "real" / "a.pdf"))
    assert matching([path], ["real/a.pdf"]) == matching([path], ["link/*.pdf"]) == {path}
