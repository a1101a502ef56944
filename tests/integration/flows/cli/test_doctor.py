"""`inkstream doctor`; its checks are tested in `tests/integration/flows/test_doctor.py`."""

from __future__ import annotations

import json

from tests.integration.command import inkstream


def test_all_checks_pass_or_a_remedy_is_printed() -> None:
    checks = [json.loads(line) for line in inkstream("doctor", "--json").stdout.splitlines()]
    assert all(check["ok"] for check in checks)
    assert {"python", "inkstream", "streaming", "prefect", "temporary space", "page process"} <= {
        check["name"] for check in checks
    }
    done = inkstream("doctor", "--set", "pipeline.recognize.languages=[xyz]", code=4)
    assert "FAIL tesseract language xyz" in done.stdout
    assert "     remedy: " in done.stdout
