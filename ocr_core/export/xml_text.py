"""Text that may stand in XML, whatever a page or a file name holds."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from xml.sax.saxutils import escape

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold, not even escaped: control characters, lone surrogates, non-characters."""

_HYPHENS = re.compile("-(?=-)")


def xml_text(text: str) -> str:
    """Returns text for the content of an element or an attribute in double quotes."""
    return escape(_FORBIDDEN.sub("\ufffd", text), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def xml_comment(text: str) -> str:
    """Returns a comment; two hyphens in a row, which may not stand there, are set apart."""
    return f"<!-- {_HYPHENS.sub('- ', _FORBIDDEN.sub(chr(0xFFFD), text))} -->"


def attributes(**values: object) -> str:
    """Returns attributes with a space before each; None leaves one out. Whole numbers are written without a point."""
    return "".join(f' {name}="{xml_text(_written(value))}"' for name, value in values.items() if value is not None)


def _written(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@cache
def software() -> tuple[str, str]:
    """Returns what made the file: name and version."""
    return "inkstream", metadata.version("inkstream")
