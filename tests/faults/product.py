"""The whole product for a script of faults: worker, dashboard and a browser on a storage of their own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests' own helpers

if TYPE_CHECKING:
    from core.store.tables import Run

LONG = 300.0


class Product:
    """Starts everything; ends everything, and the folder with it, at the end of the block."""

    def __enter__(self) -> Product:
        self._folder = tempfile.TemporaryDirectory(prefix="faults-")
        self.storage = Path(self._folder.name)
        os.environ.update(TUNEWELL_STORAGE=str(self.storage), OMP_NUM_THREADS="1", TUNEWELL_THREADS="1")
        import small_model
        import stored
        from conftest import CHROMIUM_ARGUMENTS
        from playwright.sync_api import sync_playwright

        from launcher import address, product

        variables = product.child_variables(self.storage)
        product.migrate(sys.executable, variables)
        self.project_id = stored.trainable(small_model.build(self.storage / "base"))
        port = address.free_port(address.DEFAULT_HOST, 18601)
        self.worker, self.server = product.services(sys.executable, variables, address.DEFAULT_HOST, port)
        self.url = address.url(address.DEFAULT_HOST, port)
        self.worker.start()
        self.start_server()
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=CHROMIUM_ARGUMENTS
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        from core.store.engine import engine
        from launcher.services import end_all

        if error is not None:
            for log in self.storage.glob("logs/*.log"):
                print(f"--- {log.name}\n{log.read_text()[-1500:]}", file=sys.stderr)
        self._browser.close()
        self._playwright.stop()
        end_all([self.worker, self.server])
        engine().dispose()
        self._folder.cleanup()

    def start_server(self) -> None:
        from launcher import product

        self.server.start()
        product.wait_for_answer(self.server, self.url)

    def open(self, run: Run) -> Any:
        """A page that shows the run."""
        page = self._browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * LONG)
        page.goto(f"{self.url}/training?project={self.project_id}&run={run.id}")
        page.get_by_text("Running", exact=True).wait_for()
        return page

    def seconds_until_alive(self, page: Any, after: int) -> float:
        """How long until the page shows a step beyond `after`."""
        began = time.monotonic()
        page.wait_for_function(
            """after => [...document.querySelectorAll('[data-testid="stProgress"]')].some(bar => {
                const found = bar.innerText.match(/([0-9,]+) of [0-9,]+/);
                return found && Number(found[1].replaceAll(',', '')) > after;
            })""",
            arg=after,
            polling=100,
        )
        return time.monotonic() - began

    def finish(self, run: Run) -> None:
        """Stop it and keep its best; wait for its end."""
        from waiting import until

        from core.schemas.jobs import Desired
        from core.services import runs

        runs.wish(run, Desired.STOP)
        until(lambda: runs.get(run.id).summary, "the end of the run", LONG)
