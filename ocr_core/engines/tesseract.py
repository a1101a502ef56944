"""Tesseract, by either binding: one open tesserocr handle, or a process a page through pytesseract."""

from __future__ import annotations

import os
import shlex
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ocr_core.engines.tessdata import find_tessdata
from ocr_core.engines.tsv import Row, parse_tsv
from ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind
from ocr_core.geometry import Box
from ocr_core.page import Level

if TYPE_CHECKING:
    from ocr_core.document import Pixels
    from ocr_core.options import RecognizeOptions

ENGINE = "tesseract"
Binding = Literal["tesserocr", "pytesseract"]

_OEM = {"legacy": 0, "lstm": 1, "legacy_lstm": 2, "default": 3}
_TSV_LEVEL = {Level.BLOCK: 2, Level.PARAGRAPH: 3, Level.LINE: 4, Level.WORD: 5}

_TEXTUAL_BLOCKS = (
    "FLOWING_TEXT",
    "HEADING_TEXT",
    "PULLOUT_TEXT",
    "EQUATION",
    "INLINE_EQUATION",
    "TABLE",
    "VERTICAL_TEXT",
    "CAPTION_TEXT",
)


class TesseractEngine(Protocol):
    """What a binding offers. Pixels are uint8 `H x W` or `H x W x 3`; boxes come back in their pixels."""

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognises a picture.

        Args:
            pixels: The picture.
            resolution: dpi to tell Tesseract.
            page_seg_mode: 1-13.
            seconds: Time limit.

        Raises:
            DocumentError: `timeout`, or `internal` when Tesseract gives up by itself.
        """

    def layout(self, pixels: Pixels, resolution: int, page_seg_mode: int, level: Level, seconds: float) -> list[Row]:
        """Finds text areas down to `level`, unread where the binding can; arguments as in `read`."""


def resolve_binding(options: RecognizeOptions) -> Binding:
    """Says which binding `auto` means here.

    Raises:
        EnvironmentFault: If it is not installed.
    """
    wanted: tuple[Binding, ...] = ("tesserocr", "pytesseract") if options.binding == "auto" else (options.binding,)
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise EnvironmentFault(
        f"Python package {' or '.join(wanted)} is not installed", f"python -m pip install {wanted[0]}"
    )


_engines: dict[str, TesseractEngine] = {}


def open_engine(options: RecognizeOptions) -> TesseractEngine:
    """Returns this process's engine for these options, opening it on first use.

    Raises:
        EnvironmentFault: If the binding, the program or the language data is missing.
        ConfigError: If Tesseract has no such variable.
    """
    binding = resolve_binding(options)
    tessdata = find_tessdata(options.tessdata, options.languages)
    key = repr((binding, options.languages, options.engine_mode, tessdata, sorted(options.variables.items())))
    if key not in _engines:
        _engines.clear()
        make = TesserocrEngine if binding == "tesserocr" else PytesseractEngine
        _engines[key] = make(options, tessdata)
    return _engines[key]


def timed_out(seconds: float) -> DocumentError:
    """Returns the error for a page that took longer than `recognize.time_limit`."""
    return DocumentError(FailureKind.TIMEOUT, f"Tesseract was not done within {seconds:g} s (recognize.time_limit)")


class TesserocrEngine:
    """One open handle, kept for the life of the process."""

    def __init__(self, options: RecognizeOptions, tessdata: Path) -> None:
        os.environ["OMP_THREAD_LIMIT"] = "1"  # read when libtesseract loads; more threads only fight over cores
        import tesserocr

        self._tesserocr = tesserocr
        self._textual = {getattr(tesserocr.PT, name) for name in _TEXTUAL_BLOCKS}
        try:
            self._api = tesserocr.PyTessBaseAPI(
                path=str(tessdata), lang="+".join(options.languages), oem=_OEM[options.engine_mode]
            )
        except RuntimeError as error:
            raise EnvironmentFault(
                f"Tesseract cannot start with languages {'+'.join(options.languages)}, engine_mode "
                f"{options.engine_mode}, from {tessdata}: {error}",
                "check recognize.languages and recognize.engine_mode (legacy needs data that holds it)",
            ) from error
        for name, value in options.variables.items():
            if not self._api.SetVariable(name, value):
                raise ConfigError(f"recognize.variables: Tesseract has no variable {name!r}")

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognises a picture; see `TesseractEngine.read`."""
        self._show(pixels, resolution, page_seg_mode)
        started = time.monotonic()
        try:
            done = self._api.Recognize(max(1, int(seconds * 1000)))
            if not done and time.monotonic() - started >= seconds * 0.9:
                raise timed_out(seconds)
            if not done:
                raise DocumentError(FailureKind.INTERNAL, "Tesseract gave up on the picture and does not say why")
            return parse_tsv(self._api.GetTSVText(0))
        finally:
            self._api.ClearAdaptiveClassifier()  # the legacy engine learns; a page must not depend on others
            self._api.Clear()

    def layout(
        self,
        pixels: Pixels,
        resolution: int,
        page_seg_mode: int,
        level: Level,
        seconds: float,  # noqa: ARG002 - layout analysis takes no limit
    ) -> list[Row]:
        """Finds text areas without reading them; nothing stops it after `seconds` but the sandbox."""
        self._show(pixels, resolution, page_seg_mode)
        try:
            iterator = self._api.AnalyseLayout()
            return self._walk(iterator, _TSV_LEVEL[level]) if iterator is not None else []
        finally:
            self._api.Clear()

    def _show(self, pixels: Pixels, resolution: int, page_seg_mode: int) -> None:
        from PIL import Image

        self._api.SetPageSegMode(page_seg_mode)
        # Dense pages are read a tenth faster from a picture than through SetImageBytes, with the same result.
        self._api.SetImage(Image.fromarray(pixels))
        self._api.SetSourceResolution(resolution)

    def _walk(self, iterator: Any, finest: int) -> list[Row]:
        tesserocr = self._tesserocr
        levels = (tesserocr.RIL.BLOCK, tesserocr.RIL.PARA, tesserocr.RIL.TEXTLINE, tesserocr.RIL.WORD)
        step = levels[finest - 2]
        numbers = [0, 0, 0, 0]
        rows: list[Row] = []
        textual = True
        while True:
            for depth, level in enumerate(levels[: finest - 1]):
                if not iterator.IsAtBeginningOf(level):
                    continue
                if depth == 0:
                    textual = iterator.BlockType() in self._textual
                numbers[depth] += 1
                numbers[depth + 1 :] = [0] * (3 - depth)
                found = iterator.BoundingBox(level)
                if textual and found is not None:
                    left, top, right, bottom = found
                    box = Box(left, top, right - left, bottom - top)
                    block, paragraph, line, word = numbers
                    rows.append(Row(depth + 2, block, paragraph, line, word, box, -1.0, ""))
            if not iterator.Next(step):
                return rows


class PytesseractEngine:
    """A `tesseract` process for each picture."""

    def __init__(self, options: RecognizeOptions, tessdata: Path) -> None:
        import pytesseract

        self._pytesseract = pytesseract
        self._languages = "+".join(options.languages)
        self._config = f"--tessdata-dir {shlex.quote(str(tessdata))} --oem {_OEM[options.engine_mode]}"
        for name, value in options.variables.items():
            self._config += f" -c {shlex.quote(f'{name}={value}')}"
        os.environ["OMP_THREAD_LIMIT"] = "1"
        try:
            pytesseract.get_tesseract_version()
        except pytesseract.TesseractNotFoundError as error:
            raise EnvironmentFault(
                "the program tesseract is not installed", "sudo apt install tesseract-ocr"
            ) from error

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognises a picture; see `TesseractEngine.read`."""
        from PIL import Image

        config = f"{self._config} --psm {page_seg_mode} --dpi {resolution}"
        try:
            answer = self._pytesseract.image_to_data(
                Image.fromarray(pixels), lang=self._languages, config=config, timeout=seconds
            )
        except self._pytesseract.TesseractError as error:
            raise DocumentError(FailureKind.INTERNAL, f"tesseract failed: {error.message}") from error
        except RuntimeError as error:  # what pytesseract raises for a timeout
            raise timed_out(seconds) from error
        return parse_tsv(answer)

    def layout(self, pixels: Pixels, resolution: int, page_seg_mode: int, level: Level, seconds: float) -> list[Row]:
        """Finds text areas by reading the page: the program has no way to stop after its layout analysis."""
        rows = self.read(pixels, resolution, page_seg_mode, seconds)
        textual = {row.block for row in rows if row.text.strip()}
        return [row for row in rows if 2 <= row.level <= _TSV_LEVEL[level] and row.block in textual]
