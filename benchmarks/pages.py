"""How long a person waits for a screen: time to its heading, cold and warm, and for one interaction, in a real Chromium.

    python -m benchmarks.pages [--port 18790] [--train]

Starts the product on a storage of its own with the support sample imported (and, with --train, trained and evaluated; this
takes minutes), and measures
- `server`: from the start of the process until it says that it is healthy;
- `first`: the first visit of all after that, and of each screen the first and the second full load (until its heading stands);
- `settled`: until Streamlit has drawn everything;
- `switch`: a click on the screen's link in the rail, as people go from screen to screen;
- `act`: one interaction on the screen until it is drawn again;
- `cpu`: the processor seconds that the server spent on it, which a busy machine does not change.
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

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from launcher import address, product

SCREENS = ("dataset", "model", "tokens", "recipe", "training", "evaluation", "samples", "bias", "use")
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# Something to press that makes the script run, on whatever screen: a choice that is not chosen, or a switch.
CHOICES = ", ".join(
    f"[data-testid=stMain] {what}:visible"
    for what in ("[role=radio][aria-checked=false]", "[data-testid=stCheckbox] label")
)


STATE = "document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state')"


def settled(page: Any) -> None:
    """The app itself says whether its script runs; the widget that shows it appears only after a moment."""
    page.wait_for_function(f"() => {STATE} === 'notRunning'", polling=20)


# Measured in the page itself, from the press that a person makes until the frame after the script's end: the driver's own checks
# before a press and its way to the page are not the product's time.
WATCH = f"""() => {{
  window.pressed = window.ended = null;
  const down = () => {{ if (window.pressed === null) window.pressed = performance.now(); }};
  addEventListener('mousedown', down, {{capture: true, once: true}});
  addEventListener('keydown', down, {{capture: true, once: true}});
  let ran = false;
  new MutationObserver(() => {{
    const state = {STATE};
    if (state === 'running') ran = true;
    else if (ran && state === 'notRunning') requestAnimationFrame(() => {{ window.ended = performance.now(); }});
  }}).observe(document.querySelector('[data-testid=stApp]'), {{attributes: true, attributeFilter: ['data-test-script-state']}});
}}"""


def pressed(page: Any, press: Callable[[], object]) -> float:
    """Seconds from a press until the script has run and all is drawn. What the browser does alone (a tab) is 0."""
    page.evaluate(WATCH)
    press()
    try:
        page.wait_for_function("() => window.ended !== null", polling=50, timeout=5_000)
    except PlaywrightTimeout:
        return 0.0
    page.wait_for_timeout(300)  # a second run that the first one asked for belongs to it
    settled(page)
    return float(page.evaluate("() => window.ended - window.pressed")) / 1000


def cpu_of(server: Any) -> Callable[[], float]:
    """A function that says how many processor seconds the server spent since it was last asked."""
    import psutil

    process, before = psutil.Process(server._process.pid), [0.0]

    def spent() -> float:
        times = process.cpu_times()
        now = times.user + times.system
        since, before[0] = now - before[0], now
        return since

    spent()
    return spent


def load(page: Any, url: str) -> tuple[float, float]:
    """(seconds to the heading, seconds until all is drawn)."""
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("h1").first.wait_for()
    heading = time.perf_counter() - began
    settled(page)
    return heading, time.perf_counter() - began


def act(page: Any) -> float | None:
    """One interaction: pressed, run and drawn again. None where the screen has none."""
    target = page.locator(CHOICES)
    return pressed(page, target.first.click) if there(target) else None


def there(target: Any) -> bool:
    """Whether it is drawn, now or within two seconds."""
    try:
        target.first.wait_for(timeout=2_000)
    except PlaywrightTimeout:
        return False
    return True


def prepared(train: bool) -> str:
    """The support sample with its health report; if wanted trained and evaluated. Returns the project's id."""
    from core.cli._progress import Progress
    from core.cli._watch import Watch
    from core.cli._worker import running
    from core.schemas.jobs import Desired
    from core.services import evaluations, runs, samples, status

    bar = Progress(sys.stderr)
    project, run = samples.start("support")
    if not train:
        runs.wish(run, Desired.CANCEL)
    with running(bar.say) as worker:
        watch = Watch(worker, bar)
        for job in status.active_jobs():
            watch.wait(job.kind.value, job.id)
        if train:
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
        spent = cpu_of(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which(chromium) or chromium, args=CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            heading, whole = load(page, url)
            print(f"first visit: heading {heading:.2f} s, settled {whole:.2f} s, cpu {spent():.2f} s")
            heading, whole = load(page, url)
            print(f"second visit: heading {heading:.2f} s, settled {whole:.2f} s, cpu {spent():.2f} s")
            head = ("cold", "settled", "cpu", "warm", "settled", "cpu", "switch", "cpu", "act", "cpu")
            print(f"{'screen':<12}" + "".join(f"{word:>8}" for word in head))
            for screen in SCREENS:
                here = f"{url}/{screen}?project={project}"
                cold = [*load(page, here), spent()]
                warm = [*load(page, here), spent()]
                act(page)
                spent()
                done = [act(page), spent()]  # the second press: nothing is new any more
                load(page, f"{url}/?project={project}")
                spent()
                link = page.locator(f"[data-testid=stSidebar] a[href*='{screen}']").first
                switch = [pressed(page, link.click) if there(link) else None, spent()]
                row = [*cold, *warm, *switch, *done]
                print(f"{screen:<12}" + "".join(f"{'–' if v is None else f'{v:.2f}':>8}" for v in row), flush=True)
            browser.close()
    finally:
        from launcher.services import end_all

        end_all([worker, server])


if __name__ == "__main__":
    main()
