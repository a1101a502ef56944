"""Tesseract through either binding: one open tesserocr handle, or one pytesseract process per page."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, find_tessdata
from inkstream.ocr_core.engines.tesseract.tsv import Row, parse_tsv
from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.installation import package_command, system_command
from inkstream.ocr_core.page import Level

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
    from inkstream.ocr_core.pixels import Pixels

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
    """The interface of a binding. Pixels are uint8, `H x W` or `H x W x 3`; boxes are in their coordinates."""

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognise a picture.

        Args:
            pixels: The picture.
            resolution: dpi to pass to Tesseract; 0 lets it estimate.
            page_seg_mode: 1-13.
            seconds: Time limit.

        Raises:
            DocumentError: `timeout`, or `internal` if Tesseract gives up by itself.
        """

    def layout(self, pixels: Pixels, resolution: int, page_seg_mode: int, level: Level, seconds: float) -> list[Row]:
        """Find text areas down to `level`, without reading them if the binding can; arguments as in `read`."""


def resolve_binding(options: RecognizeOptions) -> Binding:
    """Return the binding to use; for `auto`, the first one that is installed.

    Raises:
        EnvironmentFault: If it is not installed.
    """
    wanted: tuple[Binding, ...] = ("tesserocr", "pytesseract") if options.binding == "auto" else (options.binding,)
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise EnvironmentFault(f"Python package {' or '.join(wanted)} is not installed", package_command(wanted[0]))


def wanted_models(options: RecognizeOptions) -> Wanted:
    """Return which models the options select."""
    return Wanted(options.tessdata, options.model_type, options.engine_mode in ("legacy", "legacy_lstm"))


def find_models(options: RecognizeOptions) -> Path:
    """Return the folder that holds the models of every language; see `find_tessdata`."""
    return find_tessdata(wanted_models(options), options.languages)


_OF_THE_ENGINE = (
    "languages",
    "engine_mode",
    "variables",
    "char_whitelist",
    "char_blacklist",
    "user_words",
    "user_patterns",
)
"""Options that are fixed when an engine is opened; the others are applied to each page."""

_engines: dict[str, TesseractEngine] = {}


def open_engine(options: RecognizeOptions) -> TesseractEngine:
    """Return this process's engine for these options, opening it on first use.

    Raises:
        EnvironmentFault: If the binding, the program or the language data is missing.
        ConfigError: If Tesseract does not know a variable.
    """
    binding = resolve_binding(options)
    tessdata = find_models(options)
    key = repr((binding, tessdata, [getattr(options, name) for name in _OF_THE_ENGINE]))
    if key not in _engines:
        _engines.clear()
        make = TesserocrEngine if binding == "tesserocr" else PytesseractEngine
        _engines[key] = make(options, tessdata)
    return _engines[key]


def told_resolution(options: RecognizeOptions, resolution: int | None) -> int:
    """Return the dpi to pass to the engine; 0 lets it estimate, if the dpi is unknown or to be ignored."""
    return 0 if options.ignore_resolution else resolution or 0


def variables_of(options: RecognizeOptions) -> dict[str, str]:
    """Return the Tesseract variables that the options set, except file names."""
    listed = {"tessedit_char_whitelist": options.char_whitelist, "tessedit_char_blacklist": options.char_blacklist}
    return {**options.variables, **{name: value for name, value in listed.items() if value}}


@contextmanager
def hint_files(options: RecognizeOptions) -> Iterator[dict[str, str]]:
    """Write user words and patterns to temporary files, which are deleted after the block.

    Yields:
        The variables that name the files; Tesseract reads the files only while it loads its models.
    """
    hints = {"user_words_file": options.user_words, "user_patterns_file": options.user_patterns}
    if not any(hints.values()):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="inkstream-hints-") as folder:
        named = {}
        for name, lines in hints.items():
            if lines:
                path = Path(folder, name)
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
                named[name] = str(path)
        yield named


def cannot_start(options: RecognizeOptions, tessdata: Path, error: object) -> EnvironmentFault:
    """Return the error for models that Tesseract cannot load."""
    return EnvironmentFault(
        f"Tesseract cannot start with languages {'+'.join(options.languages)}, engine_mode "
        f"{options.engine_mode}, from {tessdata}: {error}",
        "check recognize.languages and recognize.engine_mode (legacy needs models that contain the legacy engine); "
        "download the models again if they may be damaged",
    )


def unknown_variable(name: str) -> ConfigError:
    """Return the error for a variable that Tesseract does not know."""
    return ConfigError(f"recognize.variables: Tesseract has no variable {name!r}")


def timed_out(seconds: float) -> DocumentError:
    """Return the error for a page that took longer than `recognize.time_limit`."""
    return DocumentError(FailureKind.TIMEOUT, f"Tesseract did not finish within {seconds:g} s (recognize.time_limit)")


class TesserocrEngine:
    """One open handle, kept as long as the process lives."""

    def __init__(self, options: RecognizeOptions, tessdata: Path) -> None:
        os.environ["OMP_THREAD_LIMIT"] = "1"  # libtesseract reads it while loading; more threads only compete for cores
        import tesserocr

        self._tesserocr = tesserocr
        self._textual = {getattr(tesserocr.PT, name) for name in _TEXTUAL_BLOCKS}
        variables = variables_of(options)
        try:
            with hint_files(options) as files:
                self._api = tesserocr.PyTessBaseAPI(
                    path=str(tessdata),
                    lang="+".join(options.languages),
                    oem=_OEM[options.engine_mode],
                    variables=files,
                )
        except RuntimeError as error:
            raise cannot_start(options, tessdata, error) from error
        for name, value in variables.items():
            if not self._api.SetVariable(name, value):
                raise unknown_variable(name)

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognise a picture; see `TesseractEngine.read`."""
        self._show(pixels, resolution, page_seg_mode)
        started = time.monotonic()
        try:
            done = self._api.Recognize(max(1, int(seconds * 1000)))
            if not done and time.monotonic() - started >= seconds * 0.9:
                raise timed_out(seconds)
            if not done:
                raise DocumentError(FailureKind.INTERNAL, "Tesseract gave up on the page without saying why")
            return parse_tsv(self._api.GetTSVText(0))
        finally:
            self._api.ClearAdaptiveClassifier()  # the legacy engine learns, but a page must not depend on others
            self._api.Clear()

    def layout(
        self,
        pixels: Pixels,
        resolution: int,
        page_seg_mode: int,
        level: Level,
        seconds: float,  # noqa: ARG002 - layout analysis takes no limit
    ) -> list[Row]:
        """Find text areas without reading them; only the sandbox can stop it after `seconds`."""
        self._show(pixels, resolution, page_seg_mode)
        try:
            iterator = self._api.AnalyseLayout()
            return self._walk(iterator, _TSV_LEVEL[level]) if iterator is not None else []
        finally:
            self._api.Clear()

    def _show(self, pixels: Pixels, resolution: int, page_seg_mode: int) -> None:
        from PIL import Image

        self._api.SetPageSegMode(page_seg_mode)
        # On dense pages a tenth faster than SetImageBytes, with the same result.
        self._api.SetImage(Image.fromarray(pixels))
        if resolution:
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
    """Runs one `tesseract` process per picture."""

    def __init__(self, options: RecognizeOptions, tessdata: Path) -> None:
        import pytesseract

        self._pytesseract = pytesseract
        self._languages = "+".join(options.languages)
        self._options = options
        self._config = f"--tessdata-dir {shlex.quote(str(tessdata))} --oem {_OEM[options.engine_mode]}"
        os.environ["OMP_THREAD_LIMIT"] = "1"
        self._require_models(tessdata)
        variables = variables_of(options)
        for name, value in variables.items():
            self._config += f" -c {shlex.quote(f'{name}={value}')}"
        known = self._known_variables() if variables else ()
        for name in variables:
            if name not in known:
                raise unknown_variable(name)

    def _require_models(self, tessdata: Path) -> None:
        """Read an empty picture, so that models that cannot be loaded are not blamed on the first page."""
        from PIL import Image

        try:
            self._pytesseract.image_to_data(Image.new("L", (32, 32), 255), self._languages, self._config, timeout=60)
        except self._pytesseract.TesseractNotFoundError as error:
            raise EnvironmentFault("the program tesseract is not installed", system_command("tesseract-ocr")) from error
        except self._pytesseract.TesseractError as error:
            raise cannot_start(self._options, tessdata, error.message) from error

    def _known_variables(self) -> set[str]:
        """Return the variables that the program knows; it only warns about unknown ones."""
        program = self._pytesseract.pytesseract.tesseract_cmd
        listed = subprocess.run(
            [program, "--print-parameters"], capture_output=True, text=True, errors="replace", timeout=10, check=True
        )
        return {line.partition("\t")[0] for line in listed.stdout.splitlines()}

    def read(self, pixels: Pixels, resolution: int, page_seg_mode: int, seconds: float) -> list[Row]:
        """Recognise a picture; see `TesseractEngine.read`."""
        from PIL import Image

        config = f"{self._config} --psm {page_seg_mode}" + (f" --dpi {resolution}" if resolution else "")
        try:
            with hint_files(self._options) as files:
                for name, path in files.items():
                    config += f" --{name.removesuffix('_file').replace('_', '-')} {shlex.quote(path)}"
                answer = self._pytesseract.image_to_data(
                    Image.fromarray(pixels), lang=self._languages, config=config, timeout=seconds
                )
        except self._pytesseract.TesseractError as error:
            raise DocumentError(FailureKind.INTERNAL, f"tesseract failed: {error.message}") from error
        except RuntimeError as error:  # what pytesseract raises for a timeout
            raise timed_out(seconds) from error
        return parse_tsv(answer)

    def layout(self, pixels: Pixels, resolution: int, page_seg_mode: int, level: Level, seconds: float) -> list[Row]:
        """Find text areas by reading the page, because the program cannot stop after its layout analysis."""
        rows = self.read(pixels, resolution, page_seg_mode, seconds)
        textual = {row.block for row in rows if row.text.strip()}
        return [row for row in rows if 2 <= row.level <= _TSV_LEVEL[level] and row.block in textual]
