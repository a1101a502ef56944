"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes on the clock says more about what else the machine does than about the code.
settings.register_profile("inkstream", settings.default, deadline=None)
settings.load_profile("inkstream")
