"""The documentation is true: its programs run, its commands parse, its links lead somewhere."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from inkstream.flows.api import Stream
from inkstream.flows.cli import app
from inkstream.tasks.config import StreamConfig, build_config, load_document
from tests import generators
from tests.docs.reference_pages import PAGES, REFERENCE
from tests.places import ROOT

DOCS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
END_OF_COMMAND = {"|", ">", ">>", "2>", "&&", ";", "&", "||"}
PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


def blocks(*languages: str) -> list[Any]:
    """Every block in one of the languages, named by page and line."""
    found = []
    for page in DOCS:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[2] in languages:
                line = text[: block.start()].count("\n") + 1
                found.append(pytest.param(block[3], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


def commands() -> list[Any]:
    """Every `inkstream` command line in a block for the shell, without what the shell itself sees of it."""
    found = []
    for block in blocks("bash", "sh", "console"):
        for line in block.values[0].replace("\\\n", " ").splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
            if words[:1] == ["inkstream"]:
                end = next((n for n, word in enumerate(words) if word in END_OF_COMMAND), len(words))
                found.append(pytest.param(words[1:end], id=f"{block.id} {line.strip()}"))
    return found


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the `inbox/` and the `tables/` that the pages speak of."""
    place = tmp_path_factory.mktemp("docs")
    with Stream(stream_in(place)) as stream:
        assert stream.run().pages == 4
    return place


def stream_in(place: Path, *overrides: str) -> StreamConfig:
    """Makes the `inbox/` that the pages speak of, and returns the stream that reads it into `tables/`."""
    inbox = place / "inbox"
    inbox.mkdir()
    generators.born_digital_pdf(inbox / "minutes.pdf", ["The first page of it.", "The second page of it."])
    generators.text_image("A letter", size=(600, 200)).save(inbox / "letter.png")
    (inbox / "damaged.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    where = {"source": {"url": str(inbox)}, "sink": {"url": str(place / "tables")}, "execution": {"workers": 1}}
    return build_config(where, overrides=overrides)


@pytest.mark.parametrize("program", blocks("python"))
def test_programs_run(program: str, folder: Path) -> None:
    (folder / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("words", commands())
def test_commands_parse(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    command: Any = typer.main.get_command(app)
    context = command.make_context("inkstream", list(words), resilient_parsing=False)
    name, chosen, rest = command.resolve_command(context, words)
    while hasattr(chosen, "commands"):
        context = chosen.make_context(name, list(rest), parent=context, resilient_parsing=False)
        name, chosen, rest = chosen.resolve_command(context, rest)
    given = chosen.make_context(name, rest, parent=context).params
    if "overrides" in given:
        config = build_config(PLACES, preset=given.get("preset"), overrides=given["overrides"] or [])
        assert config.sink.url


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configurations_are_valid(text: str) -> None:
    assert build_config(PLACES | load_document(text, "the page"))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / unquote(path) if path else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert {page for page in DOCS if page.is_relative_to(ROOT / "docs")} - {index} <= listed


@pytest.mark.parametrize("name", list(PAGES))
def test_reference_pages_say_what_the_code_says(name: str) -> None:
    is_now = (REFERENCE / name).read_text(encoding="utf-8")
    assert is_now == PAGES[name](), "run `python -m tests.docs.reference_pages` and look at the difference"


@functools.cache
def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
