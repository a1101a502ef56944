"""Page orientation, by Tesseract's orientation and script detection (OSD)."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from inkstream.ocr_core.engines.tesseract.engine import Binding, resolve_binding, timed_out
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, find_tessdata, model_path
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import system_command

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
    from inkstream.ocr_core.pixels import Pixels

DATA = "osd"
"""Name of the language data for OSD."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """The orientation found for a page.

    Attributes:
        angle: Degrees clockwise that make the page upright: 0, 90, 180 or 270.
        confidence: Tesseract's own measure, from 0; a page of clear prose has 5 to 30.
    """

    angle: int = 0
    confidence: float = 0.0


class OsdEngine(Protocol):
    """The interface of a binding."""

    def orientation(self, pixels: Pixels, resolution: int, seconds: float) -> Orientation:
        """Return the orientation of a page; its confidence is 0 if there is too little text.

        Args:
            pixels: uint8, `H x W` or `H x W x 3`.
            resolution: dpi to pass to Tesseract.
            seconds: Time limit, if the binding supports one.

        Raises:
            DocumentError: `timeout`.
        """


def open_osd(options: RecognizeOptions) -> OsdEngine:
    """Return this process's engine, opening it on first use.

    Raises:
        EnvironmentFault: If the binding, the program or the data is missing.
    """
    return _open(resolve_binding(options), find_osd(options))


def find_osd(options: RecognizeOptions) -> Path:
    """Return the folder with the OSD data: the option `tessdata` if it holds the data, else one of the usual places.

    Raises:
        EnvironmentFault: If no folder holds it.
    """
    try:
        return find_tessdata(Wanted(options.tessdata), (DATA,))
    except EnvironmentFault as fault:
        if options.tessdata is None:
            raise
        try:
            return find_tessdata(Wanted(), (DATA,))
        except EnvironmentFault:
            raise fault from None


@lru_cache(maxsize=1)
def _open(binding: Binding, tessdata: Path) -> OsdEngine:
    return _Tesserocr(tessdata) if binding == "tesserocr" else _Pytesseract(tessdata)


class _Tesserocr:
    """One open handle, kept as long as the process lives."""

    def __init__(self, tessdata: Path) -> None:
        os.environ["OMP_THREAD_LIMIT"] = "1"  # as in `TesserocrEngine`
        import tesserocr

        try:
            self._api = tesserocr.PyTessBaseAPI(path=str(tessdata), lang=DATA, psm=tesserocr.PSM.OSD_ONLY)
        except RuntimeError as error:
            raise EnvironmentFault(
                f"Tesseract cannot start with {model_path(tessdata, DATA)}: {error}",
                system_command("tesseract-ocr-osd", again=True),
            ) from error

    def orientation(self, pixels: Pixels, resolution: int, seconds: float) -> Orientation:  # noqa: ARG002
        from PIL import Image

        self._api.SetImage(Image.fromarray(pixels))
        self._api.SetSourceResolution(resolution)
        try:
            found = self._api.DetectOrientationScript()
        finally:
            self._api.Clear()
        if found is None:
            return Orientation()
        return Orientation(-int(found["orient_deg"]) % 360, max(0.0, float(found["orient_conf"])))


class _Pytesseract:
    """Runs one `tesseract` process per page."""

    def __init__(self, tessdata: Path) -> None:
        self._config = f"--tessdata-dir {shlex.quote(str(tessdata))}"

    def orientation(self, pixels: Pixels, resolution: int, seconds: float) -> Orientation:
        import pytesseract
        from PIL import Image

        try:
            found = pytesseract.image_to_osd(
                Image.fromarray(pixels),
                config=f"{self._config} --dpi {resolution}",
                output_type=pytesseract.Output.DICT,
                timeout=seconds,
            )
        except pytesseract.TesseractNotFoundError as error:
            raise EnvironmentFault("the program tesseract is not installed", system_command("tesseract-ocr")) from error
        except pytesseract.TesseractError:  # too few characters
            return Orientation()
        except RuntimeError as error:  # what pytesseract raises for a timeout
            raise timed_out(seconds) from error
        return Orientation(int(found["rotate"]), max(0.0, float(found["orientation_conf"])))
