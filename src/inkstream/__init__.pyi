# The public face of Inkstream. Each public name is written here and nowhere else; `__init__.py` reads this file.

# Streaming: files in, rows of a table out.
from .flows.api import Stream as Stream
from .flows.query import StreamingQuery as StreamingQuery

# The parts of reading, for programs that combine them in their own way.
from .ocr_core.documents.document import Document as Document
from .ocr_core.documents.opening import open_document as open_document
from .ocr_core.documents.opening import probe as probe

# The parts of an engine that another package adds: docs/how-to/add-an-engine.md.
from .ocr_core.engines.entry import Check as Check
from .ocr_core.engines.entry import LineEngine as LineEngine
from .ocr_core.engines.entry import PageEngine as PageEngine
from .ocr_core.engines.entry import checked as checked
from .ocr_core.engines.line_reader import Reading as Reading
from .ocr_core.engines.line_reader import ReadWord as ReadWord

# Errors.
from .ocr_core.errors import ConfigError as ConfigError
from .ocr_core.errors import DocumentError as DocumentError
from .ocr_core.errors import EnvironmentFault as EnvironmentFault
from .ocr_core.errors import FailureKind as FailureKind
from .ocr_core.errors import InkstreamError as InkstreamError
from .ocr_core.errors import TransientError as TransientError
from .ocr_core.geometry import Affine as Affine
from .ocr_core.geometry import Box as Box
from .ocr_core.options import DetectOptions as DetectOptions
from .ocr_core.options import EngineOptions as EngineOptions
from .ocr_core.options import PipelineOptions as PipelineOptions
from .ocr_core.options.limits import LimitOptions as LimitOptions
from .ocr_core.page import DocumentInfo as DocumentInfo
from .ocr_core.page import Failure as Failure
from .ocr_core.page import Level as Level
from .ocr_core.page import PageResult as PageResult
from .ocr_core.page import Region as Region
from .ocr_core.pipeline.build import build_pipeline as build_pipeline

# Checks of this machine, versions, and the fingerprint of a row's options and versions.
from .ocr_core.pipeline.environment import check_environment as check_environment
from .ocr_core.pipeline.environment import engine_versions as engine_versions
from .ocr_core.pipeline.environment import require_environment as require_environment
from .ocr_core.pipeline.fingerprint import pipeline_id as pipeline_id
from .ocr_core.pipeline.pipeline import Pipeline as Pipeline

# Reading: one document in, page results out.
from .ocr_core.reading import read_document as read_document
from .ocr_core.sandbox.supervisor import Sandbox as Sandbox
from .ocr_core.stages.stage import Stage as Stage
from .ocr_core.stages.stage import WorkingPage as WorkingPage
from .ocr_core.workers.page_worker import PageWorker as PageWorker
from .tasks.config import StreamConfig as StreamConfig
from .tasks.config import build_config as build_config
from .tasks.progress import Summary as Summary
