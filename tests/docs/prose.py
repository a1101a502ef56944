"""Find phrases that mark translated or riddling English: `python -m tests.docs.prose` lists them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.places import ROOT

PACKAGES = ("ocr_core", "tasks", "flows", "deployments", "src", "benchmarks", "tests")
GENERATED = ("docs/reference/cli.md", "docs/reference/configuration.md")
"""Pages generated from texts in the code, where they are counted."""

PHRASES: dict[str, str] = {
    r"\bbesides\b": "also, in addition",
    r"\banew\b": "again",
    r"\bso (?:many|much)(?= [a-z]| at)\b": "this many, at most N",
    r"\blikewise\b": "in the same way, too",
    r"\bthereof\b": "of it",
    r"\b(?<!there )(?:is|are|was|were) no (?!longer\b|more\b|need\b)[a-z]": "is not a",
    r"\b(?<!there )(?:is|are) none\b": "is not one",
    r"\bwhat (?:is|are) (?:no|none|not)\b": "name the thing",
    r"\bwho must\b|\bwhoever is told\b": "if you must",
    r"\bsuch (?:as are|that)\b": "which, so that",
    r"\bthe original's\b": "Spark OCR's",
    r"\bof (?:ours|one's own|yours)\b": "our, your",
    r"\bto be had\b": "available",
    r"\bfor ever\b": "forever",
    r"\bdearer\b": "more expensive, slower",
    r"\bgoes on and on\b": "runs until it is stopped",
    r"\b(?:one|rows?|files?|lines?|requests?) a (?:core|page|machine|file|batch|run|line|worker)\b": "per",
    r"\bat the hand of\b|\bby the hand of\b": "from",
    r"\ba fault of the moment\b|\bthe moment's fault\b": "a passing fault, a transient fault",
    r"\A(?:Tells|Says|Gives|Looks|Whose)\b": "Return, Check, Find",
}
"""Each phrase as a pattern, and what to write instead."""
_ANY = re.compile("|".join(PHRASES), re.IGNORECASE)
_PATTERNS = {re.compile(pattern, re.IGNORECASE): instead for pattern, instead in PHRASES.items()}


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase and its place."""

    path: str
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r}; write: {self.instead}"


def in_pages() -> list[Hit]:
    """Return the hits in the pages that people write, without their code."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        hit
        for page in sorted(pages)
        if (path := page.relative_to(ROOT).as_posix()) not in GENERATED
        for hit in _hits(path, 1, _without_code(page.read_text(encoding="utf-8")))
    ]


def in_code() -> list[Hit]:
    """Return the hits in docstrings, and outside the tests also in messages, help texts and descriptions."""
    return [
        hit
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.is_relative_to(ROOT / "tests" / "docs") or path.name != "prose.py"
        for hit in _in_module(path)
    ]


def _in_module(path: Path) -> Iterator[Hit]:
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if id(node) in docstrings or (not name.startswith("tests/") and " " in node.value):
            yield from _hits(name, node.lineno, node.value)


def _hits(path: str, first_line: int, text: str) -> Iterator[Hit]:
    if not _ANY.search(text):
        return
    for pattern, instead in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield Hit(path, first_line + text[: match.start()].count("\n"), match[0], instead)


def _without_code(text: str) -> str:
    """Blank out fenced blocks, code spans and the targets of links, and keep the lines."""
    for pattern in (r"^ *```.*?^ *```$", r"`[^`\n]+`", r"\]\([^)\s]+\)"):
        text = re.sub(pattern, lambda match: re.sub(r"[^\n]", "·", match[0]), text, flags=re.MULTILINE | re.DOTALL)
    return text


def main() -> None:
    """Print every hit."""
    for hit in [*in_pages(), *in_code()]:
        print(hit)


if __name__ == "__main__":
    main()
