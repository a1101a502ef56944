"""Take the documentation's pictures of Prefect's pages: `python -m tests.docs.prefect_pictures` writes them.

It takes the same steps as the test of the form, on the demo's inbox.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from inkstream.flows.demo.inbox import make_inbox
from tests.integration.browser import PrefectPages, browser_page
from tests.integration.conftest import free_port
from tests.integration.serving import serving
from tests.places import ROOT

IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Serve the demo's inbox, run it from the form, and take pictures on the way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        *_, first = sorted(make_inbox(folder / "inbox"), key=lambda path: path.name == "letter.png")
        shutil.copyfile(first, folder / "inbox" / "letter-2.png")
        port = free_port()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        environment |= {"PREFECT_HOME": str(folder / "home")}
        command = [sys.executable, "-m", "inkstream", "serve", "--source", "inbox", "--sink", "tables"]
        command += ["--stream", "letters", "--port", str(port), "--set", "trigger.max_files_per_trigger=4"]
        with serving(command, environment, folder / "log", folder), browser_page(height=640) as page:
            _take(PrefectPages(page, f"http://127.0.0.1:{port}"))


def _take(seen: PrefectPages) -> None:
    seen.open_form("ocr_stream")
    field = seen.field("Max Files Per Trigger")
    field.locator("input").fill("2")
    seen.page.mouse.wheel(0, 200)
    seen.picture(IMAGES / "prefect-form.png")
    seen.submit_run("Completed")
    run = seen.page.url
    seen.page.set_viewport_size({"width": 1280, "height": 900})
    seen.open_tab("Artifacts")
    seen.page.get_by_text("What batch 2 of stream letters did").wait_for()
    seen.picture(IMAGES / "prefect-run.png")
    seen.page.set_viewport_size({"width": 1280, "height": 1050})
    seen.page.goto(run)
    seen.open_artifact("What batch 2 of stream letters did")
    seen.page.get_by_alt_text("regions of one page").wait_for()
    seen.picture(IMAGES / "prefect-summary.png")


if __name__ == "__main__":
    main()
