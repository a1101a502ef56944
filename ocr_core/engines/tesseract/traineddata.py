"""What a Tesseract model file holds, from its table of contents alone: nothing is loaded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LEGACY, _LSTM = 3, 17
"""Places of the legacy character templates and of the LSTM network in the table of contents."""

_MOST_ENTRIES = 64
_TAIL = struct.Struct("<i24x")
"""The last 28 bytes of a network: the training flags, then six numbers that do not matter here."""

_INTEGER = 1
"""The training flag of a network whose weights are 8-bit integers (Tesseract's `TF_INT_MODE`)."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model for one language.

    Attributes:
        legacy: Whether it can serve the legacy engine.
        lstm: Whether it has an LSTM network.
        integer: Whether that network is the quick kind with 8-bit weights.
    """

    legacy: bool
    lstm: bool
    integer: bool

    @property
    def model_type(self) -> str:
        """`base`, `best` or `fast`, after Tesseract's three collections of models; `other` is none of them."""
        if self.legacy:
            return "base" if self.lstm else "other"
        if not self.lstm:
            return "other"
        return "fast" if self.integer else "best"


def read_model(path: Path) -> Model:
    """Looks at a `*.traineddata` file.

    The file begins with the number of its parts and their offsets, -1 where a part is absent (Tesseract's
    `TessdataManager`); a network ends with its specification in brackets and its training state (`LSTMRecognizer`).

    Raises:
        ValueError: If it is no model.
        OSError: If it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        offsets = _offsets(file, size)
        legacy, lstm = (len(offsets) > place and offsets[place] >= 0 for place in (_LEGACY, _LSTM))
        integer = False
        if lstm:
            end = min((offset for offset in offsets if offset > offsets[_LSTM]), default=size)
            integer = _is_integer(file, offsets[_LSTM], end)
    return Model(legacy, lstm, integer)


def _offsets(file: BinaryIO, size: int) -> tuple[int, ...]:
    (entries,) = struct.unpack("<i", file.read(4).ljust(4, b"\0"))
    if not 0 < entries <= _MOST_ENTRIES:
        raise ValueError("it does not begin with a table of contents")
    table = file.read(8 * entries)
    if len(table) < 8 * entries:
        raise ValueError("it ends within its table of contents")
    offsets = struct.unpack(f"<{entries}q", table)
    if max(offsets) >= size or not any(offset > 0 for offset in offsets):
        raise ValueError("it is cut off, or has no parts")
    return offsets


def _is_integer(file: BinaryIO, start: int, end: int) -> bool:
    if end - start <= _TAIL.size:
        raise ValueError("its network is too small to be one")
    file.seek(end - _TAIL.size - 1)
    bracket, tail = file.read(1), file.read(_TAIL.size)
    if bracket != b"]":
        raise ValueError("its network has no specification")
    return bool(_TAIL.unpack(tail)[0] & _INTEGER)
