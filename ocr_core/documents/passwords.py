"""Passwords of encrypted PDFs, from the environment of the process that reads pages, never from options."""

from __future__ import annotations

import os

from inkstream.ocr_core.errors import EnvironmentFault

VARIABLE = "INKSTREAM_PDF_PASSWORDS"
FILE_VARIABLE = "INKSTREAM_PDF_PASSWORDS_FILE"


def pdf_passwords() -> tuple[str, ...]:
    """Return the passwords to try, one per line of `VARIABLE` and then of the file that `FILE_VARIABLE` names.

    Raises:
        EnvironmentFault: If the file cannot be read, or either is not UTF-8.
    """
    text = os.environ.get(VARIABLE, "")
    lines = [*_lines(text.encode("utf-8", "surrogateescape"), VARIABLE), *_lines(_file_content(), FILE_VARIABLE)]
    return tuple(dict.fromkeys(line for line in lines if line))


def _file_content() -> bytes:
    name = os.environ.get(FILE_VARIABLE)
    if not name:
        return b""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise EnvironmentFault(
            f"the file of PDF passwords cannot be read: {name}: {error.strerror}",
            f"correct {FILE_VARIABLE}, or unset it",
        ) from error


def _lines(content: bytes, variable: str) -> list[str]:
    try:
        return [line.removesuffix("\r") for line in content.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError:
        raise EnvironmentFault(f"the PDF passwords of {variable} are not UTF-8", "write them as UTF-8") from None
