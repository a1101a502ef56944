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


NFC, NFD = encode("file", "/in/M\u00fcller.png"), encode("file", "/in/Mu\u0308ller.png")


@pytest.mark.parametrize("name", ["M\u00fcller", "Mu\u0308ller"])
@pytest.mark.parametrize("pattern", ["{}.png", "{}*", "/in/{}.png", "/in/{}.[a-z]*", "{}.{{png,PNG}}"])
def test_a_typed_name_means_every_file_that_looks_like_it(name: str, pattern: str) -> None:
    assert matching([NFC, NFD], [pattern.format(name)]) == {NFC, NFD}


@pytest.mark.parametrize("path", [NFC, NFD])
def test_a_path_of_the_table_means_that_file_alone(path: str) -> None:
    assert matching([NFC, NFD], [path]) == {path}


def test_braces_are_alternatives_unless_they_are_in_a_name() -> None:
    paths = [encode("file", f"/in/{name}") for name in ("a.png", "a.PNG", "{a,b}.pdf", "a.pdf")]
    assert matching(paths, ["*.{png,PNG}"]) == set(paths[:2])
    assert matching(paths, ["{a,b}.pdf"]) == {paths[2]}


def test_a_folder_is_found_in_either_normal_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Mu\u0308ller").mkdir()
    (tmp_path / "link").symlink_to("Mu\u0308ller")
    monkeypatch.chdir(tmp_path)
    path = encode("file", str(tmp_path.resolve() / "Mu\u0308ller" / "a.pdf"))
    assert matching([path], ["M\u00fcller/a.pdf"]) == matching([path], ["link/*.pdf"]) == {path}


def test_relative_patterns_resolve_links_and_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    path = encode("file", str(tmp_path.resolve() / "real" / "a.pdf"))
    assert matching([path], ["real/a.pdf"]) == matching([path], ["link/*.pdf"]) == {path}
