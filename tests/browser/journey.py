"""A person at the browser, scripted: presses what a person presses and waits for what a person waits for."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

SCREENSHOTS = os.environ.get("TUNEWELL_SCREENSHOTS")  # a folder: every screen is kept there, in light and dark
JOB = 240_000  # milliseconds that a job may take on two busy cores


class Person:
    """Drives one project through the dashboard."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page, self.url, self.name = page, url.rstrip("/"), name
        self.project = ""
        page.set_default_timeout(60_000)

    def settled(self) -> None:
        """Wait until a press has reached the server and Streamlit has drawn everything."""
        self.page.wait_for_timeout(250)
        self.calm()

    def calm(self) -> None:
        """Wait until no script runs: what is drawn anew while it is pressed is not pressed."""
        app = "document.querySelector('[data-testid=stApp]')"
        self.page.wait_for_function(
            f"() => {app}?.getAttribute('data-test-script-state') === 'notRunning'", timeout=60_000
        )

    def enters(self, project: str) -> None:
        """The Dataset screen of a project that is there already, by way of the first page."""
        self.page.goto(self.url)
        self.page.get_by_text("Your projects").first.wait_for()
        self.project = project
        self.open("dataset")

    def open(self, screen: str) -> None:
        """A cold deep link, as from a bookmark."""
        self.page.goto(f"{self.url}/{screen}?project={self.project}")
        self.page.get_by_role("heading", level=1).wait_for()
        self.settled()

    def press(self, button: str, exact: bool = True) -> None:
        self.calm()
        self.page.get_by_role("button", name=button, exact=exact).first.click()
        self.settled()

    def sees(self, text: str, timeout: float = 60_000) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def look(self, screen: str) -> None:
        """No screen may show a traceback; keep a picture of it where wanted."""
        expect(self.page.get_by_text("Traceback")).to_have_count(0)
        expect(self.page.get_by_text("did not foresee")).to_have_count(0)
        if not SCREENSHOTS:
            return
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_timeout(700)
            self.page.screenshot(path=Path(SCREENSHOTS) / f"{self.name}-{screen}-{scheme}.png")
        self.page.emulate_media(color_scheme="light")

    # -- the steps -----------------------------------------------------------------------------------------------------

    def creates_a_project(self, title: str) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("New project").fill(title)
        self.look("projects")
        self.press("Create project")
        self.sees("What should the model learn?")
        self.page.wait_for_url("**/dataset?project=*")
        self.project = parse_qs(urlparse(self.page.url).query)["project"][0]

    def brings_data(self, task: str, file: Path) -> None:
        self.page.get_by_text(task, exact=True).click()
        self.settled()
        self.press("Save")
        self.page.set_input_files("input[type=file]", file)
        self.sees("Which column is what?")
        self.look("import")
        self.press("Import")
        self.sees("Health report", JOB)
        self.settled()
        self.look("dataset")

    def chooses_the_starter(self) -> None:
        self.open("model")
        self.look("model")
        self.press("Choose")

    def prepares(self) -> None:
        self.open("tokens")
        self.sees("tokens")
        self.look("tokens")
        self.page.get_by_role("tab", name="Split").click()
        self.press("Save plan")
        self.sees("locked for the test")

    def trains(self, leaving: bool = False) -> None:
        """From the preset to the best checkpoint; `leaving`: closes the page in the middle and comes back by its address."""
        self.open("recipe")
        self.sees("What it will cost")
        self.press("Use this preset")
        self.look("recipe")
        self.press("Start training")
        self.page.wait_for_url("**/training?*")
        if leaving:
            self.sees("Running", JOB)
            self.page.goto("about:blank")
            self.page.wait_for_timeout(1500)
            self.open("training")
        self.sees("Best checkpoint:", JOB)
        self.settled()
        self.look("training")

    def evaluates(self) -> None:
        self.open("evaluation")
        # Validation is what it begins with.
        self.page.get_by_test_id("stButtonGroup").get_by_text("Test set", exact=True).click()
        self.settled()
        self.press("Open the test set", exact=False)
        self.sees("Why now?")
        self.page.get_by_role("dialog").get_by_role("button", name="Open the test set").click()
        expect(self.page.get_by_role("heading", name="Figures")).to_be_visible(timeout=JOB)
        self.settled()
        self.look("evaluation")

    def audits(self) -> None:
        self.open("bias")
        self.press("Audit this round")
        self.sees("This is no certificate", JOB)
        self.settled()
        self.look("bias")

    def loads_the_model(self) -> None:
        self.open("use")
        self.press("Load the models")

    def exports(self) -> None:
        self.page.get_by_role("tab", name="Take it with you").click()
        self.press("Export")
        self.sees("Loaded again in a fresh process", JOB)
        self.settled()
        self.look("export")
