"""Prefect's pages as a person uses them: Debian's Chromium without a window, driven by Playwright."""

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
"""Milliseconds to wait for anything: the server has other things to do, too."""


@contextmanager
def browser_page(height: int = 1000) -> Iterator[Page]:
    """A page of the browser, 1280 pixels wide."""
    with sync_playwright() as playwright:
        # Its own sandbox needs what containers, and root, have not; it is shown our own server only.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": height})
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class PrefectPages:
    """What a person does.

    Attributes:
        page: The browser's page.
        url: Where Prefect's pages are.
    """

    page: Page
    url: str

    def open_form(self, flow: str) -> None:
        """From the list of deployments to the form of that flow's."""
        self.page.goto(f"{self.url}/deployments")
        self.page.locator("tr", has_text=flow).get_by_role("link").first.click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_text("Custom run").click()
        self.page.get_by_role("button", name="Submit").wait_for()

    def field(self, title: str) -> Locator:
        """Returns an option of the form by its title."""
        label = self.page.locator(".schema-form-property__label", has_text=re.compile(rf"^{title}( \(Optional\))?$"))
        field = self.page.locator(".schema-form-property").filter(has=label).last
        field.scroll_into_view_if_needed()
        return field

    def choose(self, title: str, choice: str) -> list[str]:
        """Picks one of an option's values from its list, and returns them all."""
        field = self.field(title)
        field.locator(".p-select-button__control").press("ArrowDown")
        options = self.page.get_by_role("listbox").get_by_role("option")
        options.first.wait_for()
        offered = [text.strip() for text in options.all_inner_texts()]
        options.get_by_text(choice, exact=True).click()
        expect(field.locator(".p-select-button__value")).to_have_text(choice, timeout=PATIENCE)
        return offered

    def submit(self) -> None:
        """Presses the button at the end of the form."""
        self.page.get_by_role("button", name="Submit").click()

    def submit_run(self, state: str) -> None:
        """Presses that button, opens the page of the run it asks for, and waits until that says the state.

        The page asks the server every few seconds: a state that lasts shorter than that may never be seen.
        """
        with self.page.expect_response(re.compile("/create_flow_run$"), timeout=PATIENCE) as answer:
            self.submit()
        # By address, not by the button in the corner: the form's page, of which nothing is left then, leads elsewhere
        # by itself a moment later, and would take the run's page away.
        self.page.goto(f"{self.url}/runs/flow-run/{answer.value.json()['id']}")
        # In the heading: the list of its tasks shows their states by the same words.
        expect(self.page.locator(".page-heading-flow-run__meta")).to_contain_text(state, timeout=PATIENCE)

    def open_tab(self, name: str) -> None:
        """Opens one of the tabs on a run's page."""
        self.page.get_by_text(name, exact=True).last.click()

    def open_artifact(self, description: str) -> None:
        """From a run's page to its artifact of that description."""
        self.open_tab("Artifacts")
        self.page.get_by_role("link").filter(has_text=description).first.click()

    def table(self) -> list[list[str]]:
        """Returns the cells of the table that is shown, head first."""
        self.page.locator("table td").first.wait_for()
        rows = self.page.locator("table tr").all()
        return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]

    def picture(self, path: Path) -> None:
        """Takes a picture of the window, once it moves no more and nothing is announced in its corner."""
        expect(self.page.get_by_role("button", name="View run")).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=path, animations="disabled")
