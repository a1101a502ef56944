"""URLs as users write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.paths import require_no_credentials

SECRET_ERROR = "secret_in_url"  # noqa: S105 - the name of an error


def _without_credentials(url: str) -> str:
    try:
        require_no_credentials(url)
    except ConfigError as error:
        raise PydanticCustomError(SECRET_ERROR, "{reason}", {"reason": str(error)}) from None
    return url


StoreUrl = Annotated[str, AfterValidator(_without_credentials)]
"""A local path or a store's URL, without a user or password."""
