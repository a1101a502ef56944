"""The console of all commands."""

from __future__ import annotations

import io
import os

import pytest

from inkstream.flows.console.terminal import Terminal


def test_a_reader_that_is_gone_is_reported_as_a_broken_pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as pipe:
        with pytest.raises(BrokenPipeError):
            Terminal(file=pipe).print("a line")
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)


@pytest.mark.parametrize(("encoding", "spinner"), [("utf-8", "dots"), ("latin-1", "line")])
def test_the_spinner_can_be_shown_in_the_terminals_encoding(encoding: str, spinner: str) -> None:
    assert Terminal(file=io.TextIOWrapper(io.BytesIO(), encoding)).spinner_name == spinner
