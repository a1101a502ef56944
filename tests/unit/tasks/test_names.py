"""Patterns of names, and names in two normal forms."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.names import NamePattern, as_on_disk, composed

NFC, NFD = "M\u00fcller", "Mu\u0308ller"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*", ["", "a", NFD, "a\nb"], []),
        ("*.{png,PNG}", ["a.png", "a.PNG"], ["a.Png", "a.{png,PNG}"]),
        ("{a,b{c,d}}{1..3}", ["a1", "bc2", "bd3"], ["b1", "a4"]),
        ("{,x}y", ["y", "xy"], ["x"]),
        ("a{b", ["a{b"], ["ab"]),
        ("{a}", ["{a}"], ["a"]),
        ("a[{]b", ["a{b"], ["a[b"]),
        ("\\{a,b\\}", ["{a,b}"], ["a", "b"]),
        ("a\\b", ["a\\b"], ["ab"]),
        (f"{{{NFC},x}}*", [NFC, f"{NFD}.png", "x1"], ["Muller"]),
        (f"{NFD}?", [f"{NFC}1", f"{NFD}1"], [NFC, NFD]),
        ("M?ller", [NFC, NFD], ["Mller"]),
        ("[!ü]*", ["a"], [NFC[1:], NFD[1:]]),
    ],
)
def test_a_pattern_matches_names(pattern: str, matching: list[str], others: list[str]) -> None:
    names = NamePattern(pattern)
    assert [name for name in [*matching, *others] if names.is_match(name)] == matching


@pytest.mark.parametrize("pattern", ["{1..100000000}", "{a,b}" * 20])
def test_braces_that_stand_for_too_many_names_are_refused_at_once(pattern: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ConfigError, match="more than 1000 names"):
        NamePattern(pattern)
    assert time.monotonic() - begun < 5


def test_names_that_are_not_utf_8_are_compared_as_they_are() -> None:
    name = os.fsdecode(b"M\xfcller")
    assert composed(name) == name
    assert NamePattern("M?ller").is_match(name)
    assert not NamePattern(NFC).is_match(name)


def test_a_path_is_found_in_the_form_that_the_disk_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NFD / NFC).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert as_on_disk(f"{tmp_path}/{NFC}/{NFD}") == f"{tmp_path}/{NFD}/{NFC}"
    assert as_on_disk(f"{NFC}/{NFD}/new {NFD}") == f"{NFD}/{NFC}/new {NFD}"
    assert as_on_disk(f"gone/{NFC}") == f"gone/{NFC}"


def test_of_two_names_that_look_the_same_the_one_that_was_typed_is_taken(tmp_path: Path) -> None:
    for name in (NFC, NFD):
        (tmp_path / name).mkdir()
    assert [as_on_disk(f"{tmp_path}/{name}/x") for name in (NFC, NFD)] == [
        f"{tmp_path}/{name}/x" for name in (NFC, NFD)
    ]
