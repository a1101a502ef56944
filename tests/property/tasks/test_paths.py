"""Any name that a store accepts survives being written as a URL."""

from __future__ import annotations

import os
import string

from hypothesis import example, given
from hypothesis import strategies as st

from inkstream.tasks.paths import decode, encode

ALLOWED = set(string.ascii_letters + string.digits + "-._~/%")


@given(st.binary(min_size=1))
@example(b"/in/a b#c%20?d\n'\"\\\xff\xfe.pdf")
def test_any_bytes_of_a_local_name_survive_a_round_trip(name: bytes) -> None:
    url = encode("file", os.fsdecode(name))
    assert set(url.removeprefix("file://")) <= ALLOWED
    protocol, path = decode(url)
    assert (protocol, os.fsencode(path)) == ("file", name)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_key_of_an_object_store_survives_a_round_trip(key: str) -> None:
    assert decode(encode("s3", f"bucket/{key}")) == ("s3", f"bucket/{key}")


@given(st.binary(), st.binary())
def test_different_names_have_different_urls(first: bytes, second: bytes) -> None:
    same = encode("file", os.fsdecode(first)) == encode("file", os.fsdecode(second))
    assert same == (first == second)
