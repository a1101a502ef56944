"""Relative places in a configuration, which change their meaning with the working directory."""

from __future__ import annotations

import pytest

from inkstream.flows.under_prefect.deployed import relative_places, require_absolute_places
from inkstream.tasks.config import StreamConfig, build_config


def config(source: str, sink: str, archive: str | None = None) -> StreamConfig:
    cleaning = {"clean_source": "archive", "source_archive_dir": archive} if archive else {}
    return build_config({"source": {"url": source, **cleaning}, "sink": {"url": sink}})


@pytest.mark.parametrize("place", ["/data/x", "~/x", "s3://bucket/x", "file:///data/x"])
def test_absolute_paths_and_urls_are_not_relative_places(place: str) -> None:
    assert relative_places(config(place, f"{place}-tables", f"{place}-done")) == {}


def test_relative_folders_are_named_by_their_options() -> None:
    places = relative_places(config("./inbox", "tables", "../done"))
    assert places == {"source.url": "./inbox", "source.source_archive_dir": "../done", "sink.url": "tables"}


def test_relative_folders_are_accepted_outside_a_deployment() -> None:
    require_absolute_places(config("inbox", "tables"))
