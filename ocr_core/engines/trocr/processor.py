"""Number formats that this machine's CPU supports; checked without loading torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_INT8_FLAGS = {"avx512_vnni", "avx_vnni", "amx_int8"}


def has_bfloat16() -> bool:
    """Return whether this CPU has bfloat16 instructions; False if unknown."""
    return bool(_BFLOAT16_FLAGS & _flags())


def has_int8() -> bool:
    """Return whether this CPU adds up products of bytes without overflow; False if unknown."""
    return bool(_INT8_FLAGS & _flags())


@lru_cache(maxsize=1)
def _flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.split()) for line in lines if line.startswith("flags")), frozenset())
