"""Export names for any name in a store stay in the folder and differ for each document."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from hypothesis import example, given
from hypothesis import strategies as st

from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.tasks.paths import encode
from inkstream.tasks.queries.export_names import output_name

ROOT = encode("s3", "bucket/inbox")
odd = ["a", "a.pdf", "a.pdf.hocr", "..", ".", "", "%", "%2E", "~", "A" * 300, "\u202e", "é", "x y ", "b\\c"]
any_bytes = st.binary(min_size=1, max_size=6).map(lambda b: os.fsdecode(b.replace(b"/", b"-").replace(b"\0", b"-")))
keys = (
    st.lists(st.sampled_from(odd) | any_bytes, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda key: key.strip("/") != "")
)
formats = st.sampled_from(ExportFormat)


def named(key: str, export_format: ExportFormat) -> str:
    return output_name(encode("s3", f"bucket/{key}"), ROOT, export_format.extension)


@given(keys, formats, st.sampled_from(["inbox/", "elsewhere/", ""]))
def test_an_export_name_is_a_safe_relative_path(key: str, export_format: ExportFormat, where: str) -> None:
    name = named(where + key, export_format)
    assert name.endswith(export_format.extension)
    assert name.isprintable()
    parts = name.split("/")
    assert all(part.strip(".") and not part.startswith((".", " ")) and len(part.encode()) <= 213 for part in parts)
    assert not PurePosixPath(name).is_absolute()
    assert not set(name) & set('\\:*?"<>|')


@given(keys, keys, formats)
@example("inbox/a//b", "inbox/a/b", ExportFormat.TEXT)
@example("inbox/a", "inbox/a.txt/b", ExportFormat.TEXT)
@example("inbox/%2Ea", "inbox/.a", ExportFormat.TEXT)
@example("inbox/a", "a", ExportFormat.TEXT)
def test_two_documents_never_share_or_nest_their_export_names(
    first_key: str, second_key: str, export_format: ExportFormat
) -> None:
    first, second = (named(f"inbox/{key}", export_format) for key in (first_key, second_key))
    assert (first == second) == (first_key == second_key)
    assert not f"{first}/".startswith(f"{second}/") or first_key == second_key


def test_export_names_stay_readable() -> None:
    assert named("inbox/2026/Invoice März #3.pdf", ExportFormat.HOCR) == "2026/Invoice März #3.pdf.hocr"
    assert named("inbox/a?b.png", ExportFormat.PDF) == "a%3Fb.png.ocr.pdf"
    assert named("archive/a.png", ExportFormat.TEXT) == "s3%/bucket/archive/a.png.txt"
    local = output_name("file:///data/in/x.pdf", encode("file", "/data/in"), ".txt")
    assert local == "x.pdf.txt"
    assert output_name("file:///data/in/x.pdf", encode("file", "/"), ".txt") == "data/in/x.pdf.txt"


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_local_name_gives_a_valid_file_name(name: str) -> None:
    exported = output_name(encode("file", f"/in/{name}"), encode("file", "/in"), ".alto.xml")
    assert "/" not in exported
    assert Path("/out", exported).parent == Path("/out")
    assert len(os.fsencode(exported)) < 256
