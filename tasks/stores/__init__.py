"""Stores: where files come from and where the small objects of a sink go.

Local folders and buckets are supported. Any other fsspec driver that is installed can be used as well.
"""

from inkstream.tasks.stores.base import State, Store
from inkstream.tasks.stores.errors import (
    credentials_remedy,
    error_code,
    explain_store_error,
    is_credential_fault,
    is_forbidden,
    is_gone,
)
from inkstream.tasks.stores.exclusive import create_from, create_whole, filesystem
from inkstream.tasks.stores.file_filter import FileFilter
from inkstream.tasks.stores.opening import can_be_written, open_store

__all__ = [
    "FileFilter",
    "State",
    "Store",
    "can_be_written",
    "create_from",
    "create_whole",
    "credentials_remedy",
    "error_code",
    "explain_store_error",
    "filesystem",
    "is_credential_fault",
    "is_forbidden",
    "is_gone",
    "open_store",
]
