"""The messages on the errors page exist, and end a command with the exit code that the page states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.places import ROOT

PAGE = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
RAISED = {
    "Exit code 2": {"ConfigError", "Mistake"},
    "Exit code 3": {"DocumentError"},
    "Exit code 4:": {"EnvironmentFault"},
    "Exit code 4 or 5": {"explain_store_error", "explain_delta_error", "EnvironmentFault"},
    "Exit code 5": {"TransientError", "SourceChangedError", "WorkersLostError"},
}
"""The calls that make the errors of each section. A text in no such call is part of another message."""
MISTAKES = ROOT / "tasks/config"
"""The folder whose texts are mistakes of a configuration, which one ConfigError lists."""


def messages() -> Iterator[tuple[str, str]]:
    """Yield each section with each part of its messages between ellipses."""
    for section in PAGE.partition("## Messages of Prefect")[0].split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for row in section.splitlines():
            if row.startswith("| `"):
                for text in re.findall(r"`([^`]+)`", row.split(" | ")[0]):
                    yield from ((heading, part.strip()) for part in text.split("…") if part.strip())


@cache
def texts() -> list[tuple[str, frozenset[str]]]:
    """Return every text in the code, with the names of the calls that it is an argument of.

    A text of `MISTAKES` also has `Mistake`: some are joined to a message before the call.
    """
    found = []
    for folder in ("ocr_core", "tasks", "flows"):
        for path in (ROOT / folder).rglob("*.py"):
            around = {"Mistake"} if path.is_relative_to(MISTAKES) else set()
            found += list(_texts(ast.parse(path.read_text(encoding="utf-8")), frozenset(around)))
    return found


def _texts(node: ast.AST, inside: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, inside
    if isinstance(node, ast.Call):
        name = str(getattr(node.func, "id", None) or getattr(node.func, "attr", ""))
        inside = inside | {name}
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, inside)


@pytest.mark.parametrize(("section", "part"), list(messages()))
def test_a_documented_message_exists_and_has_its_exit_code(section: str, part: str) -> None:
    if section.startswith("Exit code 3"):
        assert any(part in text for text, _ in texts()) or part.startswith("inkstream ")
        return
    calls = [inside for text, inside in texts() if part in text]
    assert calls, part
    wanted = next(kinds for start, kinds in RAISED.items() if section.startswith(start))
    assert any(inside & wanted for inside in calls), (section, part, calls)


def test_the_page_has_more_than_30_messages() -> None:
    assert len(list(messages())) > 30
