"""What this machine's processor can count in; nothing here loads torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_INT8_FLAGS = {"avx512_vnni", "avx_vnni", "amx_int8"}


def has_bfloat16() -> bool:
    """Tells whether this processor multiplies bfloat16 by itself; where nothing says so, it does not."""
    return bool(_BFLOAT16_FLAGS & _flags())


def has_int8() -> bool:
    """Tells whether this processor adds up products of bytes without overflow; where nothing says so, it does not."""
    return bool(_INT8_FLAGS & _flags())


@lru_cache(maxsize=1)
def _flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.split()) for line in lines if line.startswith("flags")), frozenset())
