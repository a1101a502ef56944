"""Stores: where files come from and where the small objects of a sink go. Local folders, buckets, hosts."""

from tasks.stores.base import Selection, State, Store
from tasks.stores.errors import (
    credentials_remedy,
    error_code,
    explain_store_error,
    is_credential_fault,
    is_forbidden,
    is_gone,
)
from tasks.stores.opening import can_be_written, open_store
from tasks.stores.s3 import S3Store
from tasks.stores.sink_objects import create_from, create_whole, filesystem

__all__ = [
    "S3Store",
    "Selection",
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
