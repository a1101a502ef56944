"""Uses Prefect's pages as a person does: Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 90_000
"""Milliseconds to wait for anything; the server may be busy."""


@contextmanager
def browser_page(height: int = 1000) -> Iterator[Page]:
    """Open a page in the browser, 1280 pixels wide."""
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work in containers or as root; it only loads pages of our own server.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": height})
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class PrefectPages:
    """The steps of a person on Prefect's pages.

    Attributes:
        page: The browser's page.
        url: URL of Prefect's pages.
    """

    page: Page
    url: str

    def open_form(self, flow: str) -> None:
        """Open the form of a flow's deployment from the list of deployments."""
        self.page.goto(f"{self.url}/deployments")
        self.page.locator("tr", has_text=flow).get_by_role("link").first.click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_text("Custom run").click()
        self.page.get_by_role("button", name="Submit").wait_for()

    def field(self, title: str) -> Locator:
        """Return an option of the form by its title."""
        label = self.page.locator(".schema-form-property__label", has_text=re.compile(rf"^{title}( \(Optional\))?$"))
        field = self.page.locator(".schema-form-property").filter(has=label).last
        field.scroll_into_view_if_needed()
        return field

    def choose(self, title: str, choice: str) -> list[str]:
        """Choose one of an option's values from its list, and return all values."""
        field = self.field(title)
        field.locator(".p-select-button__control").press("ArrowDown")
        options = self.page.get_by_role("listbox").get_by_role("option")
        options.first.wait_for()
        offered = [text.strip() for text in options.all_inner_texts()]
        options.get_by_text(choice, exact=True).click()
        expect(field.locator(".p-select-button__value")).to_have_text(choice, timeout=PATIENCE)
        return offered

    def submit(self) -> None:
        """Press the button at the end of the form."""
        self.page.get_by_role("button", name="Submit").click()

    def submit_run(self, state: str) -> None:
        """Submit the form, open the page of its run, and wait until it shows the state.

        The page asks the server every few seconds: a shorter state may never be seen.
        """
        with self.page.expect_response(re.compile("/create_flow_run$"), timeout=PATIENCE) as answer:
            self.submit()
        # By address, not by the button in the corner: after submitting, the form's page soon navigates elsewhere by
        # itself, and would replace the run's page.
        self.page.goto(f"{self.url}/runs/flow-run/{answer.value.json()['id']}")
        # Look in the heading: the list of tasks shows states in the same words.
        expect(self.page.locator(".page-heading-flow-run__meta")).to_contain_text(state, timeout=PATIENCE)

    def open_tab(self, name: str) -> None:
        """Open one of the tabs on a run's page."""
        self.page.get_by_text(name, exact=True).last.click()

    def open_artifact(self, description: str) -> None:
        """Open a run's artifact by its description, from the run's page."""
        self.open_tab("Artifacts")
        self.page.get_by_role("link").filter(has_text=description).first.click()

    def table(self) -> list[list[str]]:
        """Return the cells of the table on the page, heading first."""
        self.page.locator("table td").first.wait_for()
        rows = self.page.locator("table tr").all()
        return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]

    def picture(self, path: Path) -> None:
        """Take a picture of the window, once nothing moves and no notification is shown."""
        expect(self.page.get_by_role("button", name="View run")).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=path, animations="disabled")
