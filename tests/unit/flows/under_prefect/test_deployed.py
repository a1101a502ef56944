"""Relative places in a configuration, which change their meaning with the working directory."""

from __future__ import annotations

import pytest

from inkstream.flows.under_prefect.deployed import relative_places, require_absolute_places
from inkstream.tasks.config import StreamConfig, build_config


def config(source: str, sink: str, archive: str | None = None) -> StreamConfig:
    cleaning = {"clean_source": "archive", "source_archive_dir": archive} if archive else {}
    return build_config({"source": {"url": source, **cleaning}, "sink": {"url": sink}})


@pytest.mark.parametrize("place", ["/data/x", "~/x", "s3://bucket/x", "file:///data/x"])
def test_a_whole_path_or_a_url_means_the_same_everywhere(place: str) -> None:
    assert relative_places(config(place, f"{place}-tables", f"{place}-done")) == {}


def test_relative_folders_are_named_by_their_options() -> None:
    found = relative_places(config("./inbox", "tables", "../done"))
    assert found == {"source.url": "./inbox", "source.source_archive_dir": "../done", "sink.url": "tables"}


def test_outside_a_deployment_they_are_taken() -> None:
    require_absolute_places(config("inbox", "tables"))
