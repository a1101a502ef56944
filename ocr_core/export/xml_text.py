"""Text that is valid in XML, whatever a page or a file name contains."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from xml.sax.saxutils import escape

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids even if escaped: control characters, lone surrogates, non-characters."""

_HYPHENS = re.compile("-(?=-)")


def xml_text(text: str) -> str:
    """Return text for the content of an element or of an attribute in double quotes."""
    return escape(_FORBIDDEN.sub("\ufffd", text), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def xml_comment(text: str) -> str:
    """Return a comment; hyphens in a row, which XML does not allow there, are separated by spaces."""
    return f"<!-- {_HYPHENS.sub('- ', _FORBIDDEN.sub(chr(0xFFFD), text))} -->"


def attributes(**values: object) -> str:
    """Return attributes with a space before each; None leaves one out. Whole numbers get no decimal point."""
    return "".join(f' {name}="{xml_text(_written(value))}"' for name, value in values.items() if value is not None)


def _written(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@cache
def software() -> tuple[str, str]:
    """Return the name and version of the software that makes the file."""
    return "inkstream", metadata.version("inkstream")
