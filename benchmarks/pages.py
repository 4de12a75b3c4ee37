"""How long a person waits for a screen: time to its heading, cold and warm, and for one interaction, in a real Chromium.

    python -m benchmarks.pages [--port 18790] [--train]

Starts the product on a storage of its own with the support sample imported (and, with --train, trained and evaluated; this
takes minutes), and measures
- `server`: from the start of the process until it says that it is healthy;
- `first`: the first visit of all after that, and of each screen the first and the second full load (until its heading stands);
- `settled`: until Streamlit has drawn everything;
- `switch`: a click on the screen's link in the rail, as people go from screen to screen;
- `act`: one interaction on the screen until it is drawn again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher import address, product

SCREENS = ("dataset", "model", "tokens", "recipe", "training", "evaluation", "samples", "bias", "use")
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# What a person does there: (role, name) of something to click.
ACTIONS: dict[str, tuple[str, str]] = {
    "dataset": ("tab", "Rows"),
    "tokens": ("tab", "Split"),
    "recipe": ("radio", "Thorough"),
    "training": ("switch", "Log axis"),
}


def settled(page: Any) -> None:
    """Streamlit shows its running widget only after a moment, so ask the app itself."""
    page.wait_for_function(
        "() => { const app = document.querySelector('[data-testid=stApp]');"
        " return app && app.getAttribute('data-test-script-state') === 'notRunning'; }",
        polling=20,
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def load(page: Any, url: str) -> tuple[float, float]:
    """(seconds to the heading, seconds until all is drawn)."""
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("h1").first.wait_for()
    heading = time.perf_counter() - began
    settled(page)
    return heading, time.perf_counter() - began


def act(page: Any, screen: str) -> float | None:
    """One interaction: pressed, run and drawn again."""
    if screen not in ACTIONS:
        return None
    role, name = ACTIONS[screen]
    target = page.get_by_role(role, name=name)
    if not target.count():
        target = page.get_by_text(name, exact=True)
    if not target.count():
        return None

    def press() -> None:
        target.first.click(force=True)
        page.wait_for_timeout(30)
        settled(page)

    return timed(press)


def prepared(train: bool) -> str:
    """The support sample, imported, planned, and if wanted trained and evaluated. Returns the project's id."""
    from core.cli._progress import Progress
    from core.cli._watch import Watch
    from core.cli._worker import running
    from core.schemas.plan import PreparationPlan
    from core.services import evaluations, preparation, projects, recipes, runs, samples

    bar = Progress(sys.stderr)
    with running(bar.say) as worker:
        watch = Watch(worker, bar)
        project, job_id = samples.open_sample("support")
        watch.wait("Import", job_id)
        preparation.save(projects.get(project.id), PreparationPlan(max_length=64))
        if train:
            run = runs.start(project.id, recipes.for_project(projects.get(project.id), "quick"))
            watch.wait("Training", str(run.job_id))
            watch.wait("Evaluation", evaluations.submit(runs.get(run.id)))
    return project.id


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=18790)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--storage", type=Path, help="an existing storage: its newest project is measured")
    parser.add_argument("--chromium", default="chromium")
    options = parser.parse_args()
    storage = options.storage or Path(tempfile.mkdtemp(prefix="tunewell-pages-"))
    os.environ["TUNEWELL_STORAGE"] = str(storage)
    variables = product.child_variables(storage)
    product.migrate(sys.executable, variables)
    if options.storage:
        from core.services import projects

        project = projects.all_projects()[0].id
    else:
        project = prepared(options.train)
    print(f"storage {storage}, project {project}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    measure(project, variables, options.port, options.chromium)


def measure(project: str, variables: dict[str, str], wanted_port: int, chromium: str) -> None:
    import shutil

    from playwright.sync_api import sync_playwright

    port = address.free_port(address.DEFAULT_HOST, wanted_port)
    url = address.url(address.DEFAULT_HOST, port)
    worker, server = product.services(sys.executable, variables, address.DEFAULT_HOST, port)
    try:
        worker.start()
        began = time.perf_counter()
        server.start()
        product.wait_for_answer(server, url)
        print(f"server {time.perf_counter() - began:.2f} s until healthy")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which(chromium) or chromium, args=CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            heading, whole = load(page, url)
            print(f"first visit: heading {heading:.2f} s, settled {whole:.2f} s")
            heading, whole = load(page, url)
            print(f"second visit: heading {heading:.2f} s, settled {whole:.2f} s")
            print(f"{'screen':<12}{'cold':>7}{'settled':>9}{'warm':>7}{'settled':>9}{'switch':>8}{'act':>7}")
            for screen in SCREENS:
                cold = load(page, f"{url}/{screen}?project={project}")
                warm = load(page, f"{url}/{screen}?project={project}")
                done = act(page, screen)
                done = act(page, screen) if done is not None else None  # the second press: nothing is new any more
                load(page, f"{url}/?project={project}")
                link = page.locator(f"[data-testid=stSidebar] a[href*='/{screen}']").first

                def go(link: Any = link, screen: str = screen) -> None:
                    link.click()
                    page.wait_for_url(f"**/{screen}*")
                    page.wait_for_timeout(30)
                    settled(page)

                switch = timed(go) if link.count() else None
                row = [*cold, *warm, switch, done]
                shown = ["–" if value is None else f"{value:.2f}" for value in row]
                widths = (7, 9, 7, 9, 8, 7)
                print(f"{screen:<12}" + "".join(f"{s:>{w}}" for s, w in zip(shown, widths, strict=True)), flush=True)
            browser.close()
    finally:
        from launcher.services import end_all

        end_all([worker, server])


if __name__ == "__main__":
    main()
