"""A live chart keeps what the person did to it while new points arrive, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from serving import APPS, serve

CHART = "[data-testid=live-chart][data-key=loss] .js-plotly-plot"
PLOT = f"document.querySelector('{CHART}')"
STATE = f"""() => {{
  const gd = {PLOT};
  return {{
    points: gd.data[0].x.length,
    range: gd._fullLayout.xaxis.range.map((v) => Math.round(v * 100) / 100),
    zoomed: !gd._fullLayout.xaxis.autorange,
    hidden: gd._fullData.filter((t) => t.visible === 'legendonly').map((t) => t.name),
    same_node: gd.dataset.marked === 'yes',
    label: gd.querySelector('.hoverlayer').textContent,
  }};
}}"""


@dataclass
class Visit:
    """One open page, with everything that the browser asked for, received and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def state(self) -> dict[str, Any]:
        return self.page.evaluate(STATE)

    def mark(self) -> None:
        self.page.wait_for_selector(f"{CHART} .legend")
        self.page.evaluate(f"{PLOT}.dataset.marked = 'yes'")

    def wait_for_points(self, more: int) -> None:
        """Wait until `more` further ticks have each added a point."""
        self.page.wait_for_function(f"{PLOT}.data[0].x.length >= {self.state['points'] + more}")

    def zoom(self, start: float, end: float, points_meanwhile: int = 0) -> list[float]:
        """Drag a zoom box over this share of the width; hold the button until so many points have been sent.

        Returns the range of the axis when the button went down.
        """
        box = self.page.locator(f"{CHART} .nsewdrag").first.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + start * box["width"], middle)
        self.page.mouse.down()
        range_before = self.state["range"]
        self.page.mouse.move(box["x"] + (start + end) / 2 * box["width"], middle, steps=4)
        for _ in range(points_meanwhile):
            with self.page.expect_event("console", lambda message: message.text == "tick"):
                pass
        self.page.mouse.move(box["x"] + end * box["width"], middle, steps=4)
        self.page.mouse.up()
        self.page.wait_for_function(f"!{PLOT}._fullLayout.xaxis.autorange")
        return range_before

    def end_zoom(self) -> None:
        self.page.locator(f"{CHART} .nsewdrag").first.dblclick()
        self.page.wait_for_function(f"{PLOT}._fullLayout.xaxis.autorange")

    def press_validation_in_the_legend(self) -> None:
        before = len(self.state["hidden"])
        self.page.locator(f"{CHART} .legendtoggle").nth(1).click()
        self.page.wait_for_function(
            f"{PLOT}._fullData.filter((t) => t.visible === 'legendonly').length !== {before}",
        )


@pytest.fixture(scope="module")
def open_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve(APPS / "live_chart_app.py", log) as address:
        context = browser.new_context(viewport={"width": 1100, "height": 1000})
        visit = Visit(context.new_page())
        visit.page.set_default_timeout(60_000)
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: visit.frames.append(len(frame))))
        visit.page.goto(address)
        visit.mark()
        yield visit
        context.close()


@pytest.fixture
def visit(open_page: Visit) -> Iterator[Visit]:
    """The page as a person finds it first: no zoom, nothing hidden."""
    if not open_page.state["same_node"]:
        open_page.mark()
    open_page.end_zoom()
    if open_page.state["hidden"]:
        open_page.press_validation_in_the_legend()
    yield open_page
    assert open_page.errors == []


def test_zoom_and_a_hidden_series_survive_ten_updates_and_new_points_arrive(visit: Visit) -> None:
    visit.zoom(0.2, 0.7)
    visit.press_validation_in_the_legend()
    before = visit.state
    visit.wait_for_points(10)
    after = visit.state
    assert after["points"] >= before["points"] + 10
    assert after["range"] == before["range"] and after["zoomed"]
    assert after["hidden"] == ["Validation"]
    assert after["same_node"]


def test_without_a_zoom_the_axis_follows_the_new_points(visit: Visit) -> None:
    before = visit.state["range"]
    visit.wait_for_points(3)
    assert visit.state["range"][1] > before[1]


def test_after_a_double_click_the_axis_follows_again(visit: Visit) -> None:
    visit.zoom(0.2, 0.7)
    visit.wait_for_points(2)
    visit.end_zoom()
    before = visit.state["range"]
    visit.wait_for_points(3)
    assert visit.state["range"][1] > before[1]


def test_the_hover_label_stays_and_names_the_step_under_the_pointer_while_points_arrive(visit: Visit) -> None:
    box = visit.page.locator(f"{CHART} .nsewdrag").first.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    visit.page.wait_for_function(f"{PLOT}.querySelector('.hoverlayer').textContent.includes('Training')")
    first = step_in_the_label(visit)
    for _ in range(5):
        visit.wait_for_points(2)
        left, right = visit.state["range"]
        # Plotly draws the label up to 50 ms after the curves, so it may be one point behind.
        assert step_in_the_label(visit) == pytest.approx(left + 0.9 * (right - left), abs=2)
    assert step_in_the_label(visit) > first + 5


def step_in_the_label(visit: Visit) -> int:
    return int(visit.state["label"].removeprefix("Step ").split("Training")[0])


def test_updates_in_the_middle_of_a_drag_do_not_cancel_the_zoom(visit: Visit) -> None:
    visit.page.evaluate(
        "new MutationObserver(() => console.log('tick'))"
        ".observe(document.querySelector('[data-testid=stCaptionContainer]'), {subtree: true, characterData: true})"
    )
    left, right = visit.zoom(0.3, 0.6, points_meanwhile=4)
    chosen = [left + share * (right - left) for share in (0.3, 0.6)]
    assert visit.state["range"] == pytest.approx(chosen, abs=0.5), "the zoom is what the box enclosed when it was begun"


def test_zoom_and_a_hidden_series_survive_a_full_rerun_and_leaving_and_coming_back(visit: Visit) -> None:
    visit.zoom(0.2, 0.7)
    visit.press_validation_in_the_legend()
    before = visit.state
    visit.page.get_by_text("Something else").click()
    visit.wait_for_points(2)
    assert visit.state["same_node"]
    visit.page.get_by_text("Show the curves").click()
    visit.page.wait_for_selector(CHART, state="detached")
    visit.page.get_by_text("Show the curves").click()
    visit.page.wait_for_selector(f"{CHART} .legend")
    visit.wait_for_points(2)
    after = visit.state
    assert (after["range"], after["hidden"]) == (before["range"], ["Validation"])


def test_a_chart_without_data_says_why(visit: Visit) -> None:
    chart = visit.page.locator("[data-testid=live-chart][data-key=accuracy]")
    assert chart.get_by_text("Accuracy is first measured at step 200.").is_visible()


def test_a_chart_that_was_drawn_in_a_closed_box_fills_it_when_it_opens(visit: Visit) -> None:
    visit.page.get_by_text("Details").click()
    fills = "(c) => c && c.clientWidth > 0 && c.querySelector('.main-svg')?.clientWidth === c.clientWidth"
    visit.page.wait_for_function(f"({fills})(document.querySelector('[data-key=speed]'))")
    visit.page.set_viewport_size({"width": 800, "height": 1000})
    visit.page.wait_for_function(f"({fills})(document.querySelector('[data-key=speed]'))")


def test_a_name_with_markup_is_shown_as_it_is(visit: Visit) -> None:
    assert visit.page.locator("[data-key=speed] .legendtext").first.text_content() == "<b>Speed</b>"


def test_plotly_is_fetched_once_from_this_machine_and_updates_are_small(visit: Visit) -> None:
    visit.wait_for_points(2)
    host = visit.page.url
    assert sum("plotly.min.js" in url for url in visit.requests) == 1
    assert [url for url in visit.requests if not url.startswith((host, "data:", "blob:"))] == []
    assert max(visit.frames) < 20_000
