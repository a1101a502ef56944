"""Options of finding regions and reading text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializeAsAny,
    StringConstraints,
    WrapValidator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options.base import EngineOptions, Options
from inkstream.ocr_core.options.engine_name import EngineName
from inkstream.ocr_core.options.lines import LineOptions, PpocrOptions, TrocrOptions
from inkstream.ocr_core.options.plugins import PluginSection, load_plugin, plugin_names, plugin_package
from inkstream.ocr_core.page import Level

PageSegMode = Annotated[int, Field(ge=1, le=13)]
UserWord = Annotated[str, StringConstraints(pattern=r"^\S+$")]

_OWN_OPTION = {
    "tessedit_char_whitelist": "char_whitelist",
    "tessedit_char_blacklist": "char_blacklist",
    "user_words_file": "user_words",
    "user_words_suffix": "user_words",
    "user_patterns_file": "user_patterns",
    "user_patterns_suffix": "user_patterns",
}
"""Tesseract variables that have an option of their own here."""

_FILES = ("user_words", "user_patterns")


def _split_languages(value: Any) -> Any:
    """Return `[eng, deu]` for `eng+deu`, which Tesseract's own program accepts."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return value
    return [name for part in parts for name in part.split("+")]


Languages = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^\w[\w/-]*$")], ...], BeforeValidator(_split_languages)
]


ROUTED = "auto"
"""The mode in which one engine reads the page, and a second one also reads the lines that the first is not sure of."""

UNSECTIONED = "tesseract"
"""The engine whose options are in `recognize` itself."""


def built_in_sections() -> tuple[str, ...]:
    """Return the built-in engines that have a section of their own."""
    fields = RecognizeOptions.model_fields
    return tuple(name for name in fields if issubclass(RecognizeOptions.section_model(name) or Options, EngineOptions))


def built_in_engines() -> tuple[str, ...]:
    """Return the values of `engine` that need no other package."""
    return (UNSECTIONED, *built_in_sections(), ROUTED)


def added_engines() -> tuple[str, ...]:
    """Return the engines that installed packages add.

    Raises:
        EnvironmentFault: If one has the name of a built-in engine or option.
    """
    names = plugin_names()
    for name in names:
        if name in RecognizeOptions.model_fields or name in built_in_engines():
            raise EnvironmentFault(
                f"the package {plugin_package(name)} adds an engine called {name}, which is an option of Inkstream",
                "uninstall that package, or ask its authors for another name",
            )
    return names


def _read_section(section: Any, _validate: Any) -> Any:
    return section.read() if isinstance(section, PluginSection) else section


class DetectOptions(Options):
    """Finding regions: Tesseract's own layout analysis, or a network that finds text in photos."""

    engine: Literal["tesseract", "ppocr"] = Field(
        "tesseract", description="what finds the regions: tesseract suits print, ppocr handwriting and photos"
    )
    page_seg_mode: PageSegMode = Field(3, description="Tesseract page segmentation mode for the whole page (tesseract)")
    level: Level = Field(Level.BLOCK, description="what a region is (tesseract)")
    model: str | None = Field(
        None, description="ONNX file of a PP-OCR detector; null: the one in the rapidocr wheel (ppocr)"
    )
    width: int = Field(
        1280,
        ge=0,
        description="longest side, in pixels, of the picture that the network sees; smaller pages are not enlarged; "
        "0: the page as it is (ppocr)",
    )
    text_threshold: float = Field(
        0.3, gt=0, lt=1, description="lowest probability at which a pixel counts as text, 0-1 (ppocr)"
    )
    score_threshold: float = Field(
        0.5, ge=0, le=1, description="lowest mean probability at which an area is kept, 0-1 (ppocr)"
    )
    size_threshold: float = Field(
        -1.0,
        ge=-1,
        description="height in pixels below which an area is dropped; -1: a third of the usual height (ppocr)",
    )
    link_threshold: float = Field(
        0.8,
        ge=0,
        le=1,
        description="how close neighbours must be to become one line: 1 touching, 0 three line heights apart (ppocr, "
        "with_refiner)",
    )
    with_refiner: bool = Field(True, description="join words into lines (ppocr)")
    merge_intersects: bool = Field(True, description="join areas that overlap (ppocr)")
    line_tolerance: float = Field(
        -1.0,
        ge=-1,
        description="vertical distance in pixels that the centres of areas on one line may have; -1: half the usual "
        "height (ppocr)",
    )


class RoutingOptions(Options):
    """Which lines a second engine reads again (engine auto)."""

    threshold: float = Field(
        93.0,
        ge=0,
        le=100,
        description="confidence, 0-100, of Tesseract's line below which the second engine also reads it",
    )
    search: bool = Field(
        True,
        description="look for text that Tesseract missed also on pages that it read well, if they have ink outside "
        "its words",
    )
    second: Annotated[str, EngineName(built_in_sections, added_engines)] = Field(
        "ppocr", description="the second engine"
    )


class RecognizeOptions(Options):
    """Reading text. Options outside the engines' sections are Tesseract's; some, such as keep_layout, apply to all."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[SerializeAsAny[EngineOptions], WrapValidator(_read_section)]]

    engine: Annotated[str, EngineName(built_in_engines, added_engines)] = Field(
        "tesseract",
        description="what reads the text: tesseract suits print, ppocr photos and handwriting, trocr handwriting, with "
        "a model you choose; auto: tesseract, and a second engine for the lines it is not sure of (see routing)",
    )
    binding: Literal["auto", "tesserocr", "pytesseract"] = Field(
        "auto",
        description="tesserocr keeps one handle open; pytesseract starts one process per page; auto: tesserocr if it "
        "is installed, else pytesseract",
    )
    languages: Languages = Field(
        ("eng",), min_length=1, description="Tesseract language codes, most likely first; `eng+deu` is `[eng, deu]`"
    )
    tessdata: str | None = Field(None, description="folder of *.traineddata; default: where the system keeps it")
    model_type: Literal["base", "best", "fast"] = Field(
        "base",
        description="base: the installed models; best: accurate and slow ones; fast: quick ones; best and fast are in "
        "folders called `tessdata_best` and `tessdata_fast`, in or beside the usual ones; Debian's packages are fast",
    )
    page_seg_mode: PageSegMode = Field(3, description="Tesseract page segmentation mode; 6 = one uniform block")
    engine_mode: Literal["lstm", "legacy", "legacy_lstm", "default"] = Field(
        "lstm", description="Tesseract OCR engine mode (legacy needs traineddata with a legacy model)"
    )
    per_region: bool = Field(False, description="read each detected region by itself (needs a detect stage)")
    iterator_level: Level = Field(
        Level.WORD,
        description="finest level kept in `regions`, and the level confidence_threshold applies to",
    )
    confidence_threshold: float = Field(
        0.0,
        ge=0,
        le=100,
        description="text of elements (see iterator_level) below this confidence, 0-100, is left out",
    )
    char_whitelist: str = Field("", description="the only characters that may be read; empty: all")
    char_blacklist: str = Field("", description="characters that are never read")
    user_words: tuple[UserWord, ...] = Field(
        (), description="words to prefer where the pixels are ambiguous, in addition to the language's own dictionary"
    )
    user_patterns: tuple[UserWord, ...] = Field(
        (),
        description=r"patterns to prefer in the same way, such as `INV-\d\d\d\d`: `\c` letter, `\d` digit, `\n` letter "
        r"or digit, `\p` punctuation, `\a` lower case, `\A` upper case, `\*` any number of the one before",
    )
    ignore_resolution: bool = Field(
        False, description="let Tesseract estimate the dpi from the letters, instead of giving it the page's dpi"
    )
    keep_layout: bool = Field(
        False, description="lay `text` out as on the page, with spaces and empty lines, for a fixed-width font"
    )
    output_space_character_width: float = Field(
        8.0,
        gt=0,
        le=72,
        description="points (1/72 inch) of the page that one space stands for with keep_layout; "
        "lower it for narrow letters",
    )
    with_spaces: bool = Field(
        False, description="also put the spaces between words into `regions`, with text ` ` and no confidence"
    )
    variables: dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]] = Field(
        {}, description="any other Tesseract variable, such as textord_min_linesize; set when the models are loaded"
    )
    time_limit: float = Field(
        60.0,
        gt=0,
        description="seconds Tesseract may spend on one page before it fails with kind `timeout`; it does not check "
        "the time while it analyses the layout, which only execution.limits.page_seconds ends",
    )
    lines: LineOptions = Field(LineOptions(), description="how lines are cut out for ppocr and trocr")
    routing: RoutingOptions = Field(RoutingOptions(), description="which lines a second engine reads, with engine auto")
    ppocr: PpocrOptions = Field(PpocrOptions(), description="reading lines with PP-OCR")
    trocr: TrocrOptions = Field(TrocrOptions(), description="reading lines with TrOCR")

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the names of all options and sections, with those of the engines that packages add."""
        return (*super().option_names(), *added_engines())

    @classmethod
    def section_model(cls, name: str) -> type[Options] | None:
        """Return the options class of a section; None if `name` is unknown or is a plain option.

        Raises:
            EnvironmentFault: If the section is that of an engine whose package cannot be imported.
        """
        if name in cls.model_fields:
            return super().section_model(name)
        return load_plugin(name).options if name in added_engines() else None

    def section(self, name: str) -> EngineOptions:
        """Return the options of an engine that has a section of its own.

        Raises:
            EnvironmentFault: If the engine's package cannot be imported.
            KeyError: If there is no such engine.
        """
        own = getattr(self, name) if name in built_in_sections() else (self.__pydantic_extra__ or {}).get(name)
        return own if isinstance(own, EngineOptions) else load_plugin(name).options()

    @model_validator(mode="before")
    @classmethod
    def _name_sections(cls, given: Any) -> Any:
        """Mark keys that are not fields as plug-ins' sections, and add the section of each plug-in in use."""
        if not isinstance(given, Mapping):
            return given
        routing = given.get("routing")
        second = routing.get("second") if isinstance(routing, Mapping) else getattr(routing, "second", None)
        used = {name for name in (given.get("engine"), second) if isinstance(name, str)} - set(built_in_engines())
        sections = {name: {} for name in sorted(used) if name in added_engines()} | dict(given)
        return {
            name: each if name in cls.model_fields else PluginSection(name, each) for name, each in sections.items()
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the sections of plug-ins; for one that cannot be imported, the schema says so and accepts anything."""
        schema = handler(core)
        own = handler.resolve_ref_schema(schema)
        own["additionalProperties"] = False
        for name in added_engines():
            try:
                section = handler(load_plugin(name).options.__pydantic_core_schema__)
            except EnvironmentFault as fault:
                section = {"type": "object", "properties": {}, "description": fault.problem}
            own["properties"][name] = {"title": name, **section, "default": {}}
        return schema

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name, option in _OWN_OPTION.items():
            if name not in self.variables:
                continue
            if option in _FILES:
                raise ValueError(f"variables: instead of {name}, give the words themselves in {option}")
            if getattr(self, option):
                raise ValueError(f"variables: {name} is already set by {option}; remove one of them")
        if self.with_spaces and self.iterator_level is not Level.WORD:
            raise ValueError("with_spaces needs iterator_level `word`: spaces are between words")
        return self
