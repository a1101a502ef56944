"""Links outside the site work, generated pages are current, and the Python reference is complete."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest
import yaml
from pydantic import BaseModel

from inkstream.flows.under_prefect.serve import SERVER_SETTINGS
from inkstream.tasks.config import StreamConfig
from tests.docs.blocks import all_blocks
from tests.docs.reference_pages import PAGES as GENERATED
from tests.docs.reference_pages import REFERENCE
from tests.places import ROOT

OUTSIDE = [*sorted(ROOT.glob("*.md")), ROOT / "benchmarks" / "README.md"]
"""Pages that MkDocs does not build; it checks the links of the others."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAME = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
URL = re.compile(r"\bhttps?://[^\s)\"'`<>]+")
FILE = re.compile(r"\.(md|py|yaml|json|lock|txt)$")
PLACE = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./~%:#=&?+-]*)?")


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_have_a_target(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / unquote(path) if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in _anchors(target))):
            broken.append(link)
    assert broken == []


def test_links_to_other_hosts_are_well_formed() -> None:
    pages = [*OUTSIDE, *(ROOT / "docs").rglob("*.md")]
    urls = {url.rstrip(".,;:") for page in pages for url in URL.findall(page.read_text(encoding="utf-8"))}
    assert sorted(url for url in urls if not PLACE.fullmatch(url)) == []


@pytest.mark.parametrize("name", list(GENERATED))
def test_a_generated_page_is_current(name: str) -> None:
    page = (REFERENCE / name).read_text(encoding="utf-8")
    assert page == GENERATED[name](), "run `python -m tests.docs.reference_pages` and look at the diff"


def test_the_python_reference_has_each_public_name_once() -> None:
    stub = ast.parse((ROOT / "src" / "inkstream" / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(stub) if isinstance(node, ast.ImportFrom)]
    public = sorted(f"inkstream.{alias.asname}" for node in imports for alias in node.names)
    shown = NAME.findall((REFERENCE / "python.md").read_text(encoding="utf-8"))
    assert sorted(name for name in shown if name.count(".") == 1) == public


def options(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the dotted name of every option and section below a model, with its default."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field.default
        for choice in (field.annotation, *get_args(field.annotation)):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                yield from options(choice, f"{prefix}{name}.")


def test_options_that_the_pages_name_exist() -> None:
    known = {name for name, _ in options(StreamConfig)}
    sections = {name.partition(".")[0] for name in known if "." in name}
    short = {name.removeprefix(within) for within in ("pipeline.", "pipeline.recognize.") for name in known}
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name not in GENERATED]
    named = {
        (page.name, span)
        for page in pages
        for span in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?:=[^`]*|: [^`]*)?`", page.read_text(encoding="utf-8"))
    }
    heads = sections | {name.partition(".")[0] for name in short if "." in name}
    here = {(page, span) for page, span in named if span.partition(".")[0] in heads and not FILE.search(span)}
    assert len(here) > 100
    assert sorted(each for each in here if each[1] not in known | short) == []


def test_documented_limits_match_the_defaults_in_the_code() -> None:
    defaults = dict(options(StreamConfig))
    page = (ROOT / "docs/how-to/tune-batches-and-limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d]+) \|", page, re.MULTILINE)
    assert len(rows) > 8
    assert [(name, stated) for name, stated in rows if float(str(defaults[name])) != float(stated)] == []


def test_the_glossary_defines_each_term_once() -> None:
    page = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^([a-z][\w ]+)\n:   ", page, re.MULTILINE)
    assert len(terms) > 40
    assert len(set(terms)) == len(terms)


def test_documented_server_settings_match_those_of_serve() -> None:
    page = "docs/how-to/run-a-prefect-server.md"
    exported = re.findall(r"export (PREFECT_SERVER_\w+)=(\S+)", "".join(b.text for b in all_blocks() if b.page == page))
    ours = {name: value for name, value in exported if "RETENTION" not in name}
    assert ours.items() <= SERVER_SETTINGS.items()
    assert ours


@pytest.mark.parametrize("name", ["prefect.yaml", "on-arrival.yaml"])
def test_the_deployments_are_documented(name: str) -> None:
    deployments = yaml.safe_load((ROOT / "deployments" / name).read_text(encoding="utf-8"))["deployments"]
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "how-to").glob("*.md"))
    assert all(each["entrypoint"].rpartition(".")[2] in pages for each in deployments)
    assert f"deployments/{name}" in pages


@functools.cache
def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_page_on_exactly_once_has_fewer_than_1200_words() -> None:
    assert len((ROOT / "docs" / "explanation" / "exactly-once.md").read_text(encoding="utf-8").split()) < 1200
