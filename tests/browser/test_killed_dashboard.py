"""The dashboard is killed in the middle of a run: the run does not notice, and the page tells the truth afterwards."""

from pathlib import Path
from typing import Any

import pytest
import stored
from playwright.sync_api import expect
from waiting import until

from core.services import runs
from core.store import curves
from core.store.engine import engine
from core.store.files import run_folder
from core.store.tables import Run
from launcher import product

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
LONG = 240.0
EPOCHS = 6
STEPS = 16 * EPOCHS


def step_of(run: Run) -> int:
    return curves.latest(run.id).get(("loss", "batch"), (0, None))[0]


def losses(run: Run) -> list[tuple[int, float | None]]:
    return [(p.step, p.value) for p in curves.points(run.id, [("loss", "batch"), ("loss", "validation")])]


def test_a_killed_dashboard_disturbs_no_training_and_shows_it_as_it_is_when_it_is_back(
    dashboard: Any, browser_page: Any, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEWELL_STORAGE", str(dashboard.storage))
    project_id = stored.trainable(small_model)
    run = stored.slow_training(project_id, EPOCHS)
    browser_page.goto(f"{dashboard.url}/training?project={project_id}&run={run.id}")
    expect(browser_page.get_by_text("Running", exact=True)).to_be_visible(timeout=1000 * LONG)
    until(lambda: step_of(run) >= 10, "step 10", LONG)

    dashboard.server.kill()  # SIGKILL
    assert not dashboard.server.running
    killed_at = step_of(run)
    assert killed_at < STEPS, "the training was too quick for this test"
    until(lambda: step_of(run) >= min(STEPS, killed_at + 20), "steps without a dashboard", LONG)
    dashboard.server.start()
    product.wait_for_answer(dashboard.server, dashboard.url)

    # The page that was open all the while connects again by itself; nobody presses anything.
    expect(browser_page.get_by_text("Best checkpoint:")).to_be_visible(timeout=1000 * LONG)
    expect(browser_page.get_by_text("Done", exact=True).first).to_be_visible()
    told = runs.get(run.id).summary
    assert told is not None and told["ended"] == "done"
    expect(browser_page.get_by_text(f"Best checkpoint: step {told['best_step']} of {STEPS}")).to_be_visible()
    assert not any(event.kind == "resumed" for event in curves.events(run.id)), "the run was interrupted"

    undisturbed = stored.slow_training(project_id, EPOCHS)
    until(lambda: runs.get(undisturbed.id).summary, "a run that nothing disturbs", LONG)
    model = Path("model") / "adapter_model.safetensors"
    assert (run_folder(run.id) / model).read_bytes() == (run_folder(undisturbed.id) / model).read_bytes()
    assert losses(run) == losses(undisturbed)
    engine().dispose()
