"""The parts of the UI kit in a real browser: nothing leaves the machine, both themes are legible, dialogs act."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from serving import APPS, serve


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(APPS / "kit_demo.py", tmp_path_factory.mktemp("server") / "log.txt") as url:
        yield url


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    outside: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else outside.append(r.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/?project=demo")
    page.wait_for_selector("[data-key='demo.rate'] .legend")
    yield page
    assert outside == [], "a page may load nothing from outside this machine"
    assert errors == []
    context.close()


CONTRAST = """(element) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const [one, two] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map((colour) => light(rgba(colour).slice(0, 3)))
    .sort((a, b) => b - a);
  return (one + 0.05) / (two + 0.05);
}"""


@pytest.mark.parametrize(
    "what",
    [".tw-eyebrow", ".tw-purpose", ".tw-badge-better", ".tw-badge-worse", ".tw-badge-none", ".tw-badge-few",
     ".tw-tile-basis", ".tw-note-title", ".tw-count", ".tw-keys", ".tw-token-trained", ".tw-token-context",
     ".tw-token-cut"],
)  # fmt: skip
def test_text_has_the_contrast_that_wcag_asks_for(page: Page, what: str) -> None:
    """4.5 to 1 for text of normal size, WCAG 2.2, success criterion 1.4.3 (AA)."""
    assert page.locator(what).first.evaluate(CONTRAST) >= 4.5


def test_a_popover_has_the_colours_of_the_theme_too(page: Page) -> None:
    page.get_by_role("button", name="What was checked").click()
    inside = page.locator(".tw-note", has_text="Not everything.").locator(".tw-icon")
    beside = page.locator(".tw-error > .tw-icon").last
    colour = "(element) => getComputedStyle(element).color"
    assert inside.evaluate(colour) == beside.evaluate(colour)
    page.keyboard.press("Escape")


def test_text_from_outside_is_shown_and_not_run_as_markup(page: Page) -> None:
    assert page.get_by_text("The label <b>“refund”</b> is rare.").is_visible()
    assert page.locator(".tw-token", has_text="<script>").is_visible()
    in_markdown = page.locator("[data-testid=stMarkdownContainer] p", has_text="Column").text_content() or ""
    shown = in_markdown.replace("\u2060", "")
    assert shown == "Column :material/delete: a -> b, $x$, www.example.com, a@b.c, <b>"
    assert page.locator("a", has_text="example").count() == 0


def test_the_traceback_of_an_unexpected_error_is_not_on_the_screen(page: Page) -> None:
    assert page.get_by_text("Something went wrong here").is_visible()
    assert "machine room" not in page.content()


def test_a_number_out_of_bounds_is_explained_beside_its_field_and_blocks_the_start(page: Page) -> None:
    field = page.get_by_role("spinbutton", name="Batch size (examples)")
    field.fill("900")
    field.press("Enter")
    page.get_by_text("Must be at most 64.").wait_for()
    assert page.get_by_role("button", name="Start training").is_disabled()
    field.fill("8")
    field.press("Enter")
    page.get_by_text("Must be at most 64.").wait_for(state="hidden")


def test_a_rate_can_be_typed_that_no_suggestion_names(page: Page) -> None:
    rate = page.get_by_role("combobox", name="Learning rate")
    rate.click()
    rate.fill("3e-5")
    rate.press("Enter")
    page.wait_for_function("[...document.querySelectorAll('input')].some((i) => i.value === '3e-5')")
    assert page.get_by_role("button", name="Start training").is_enabled()


def test_a_preset_replaces_what_was_typed(page: Page) -> None:
    page.get_by_role("button", name="Thorough").click()
    page.wait_for_function("[...document.querySelectorAll('input')].some((i) => i.value === '1e-4')")


def test_a_dangerous_act_happens_after_the_second_button_only(page: Page) -> None:
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.get_by_text("The run was deleted.").count() == 0
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete run").click()
    page.get_by_text("The run was deleted.").wait_for()


def test_the_rail_leads_to_a_step_that_says_what_it_needs_and_keeps_the_project(page: Page) -> None:
    page.get_by_role("link", name="1 Dataset").click()
    page.get_by_text("This step needs a project.").wait_for()
    assert page.url.endswith("/dataset?project=demo")
