"""Fixtures that all tests share: a storage of their own, the real public data, a tiny model, a browser, the product."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher import address, product
from launcher.services import Service, end_all

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from core.store.tables import Project

PROJECT = Path(__file__).resolve().parents[1]
BROWSER_IS_REQUIRED = os.environ.get("TUNEWELL_REQUIRE_BROWSER") == "1"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
# No sandbox: it needs rights that a container or root does not have. The rest keeps the browser from calling home.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session", autouse=True)
def _the_real_storage_is_never_touched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(tmp_path_factory.mktemp("fallback-storage")))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        yield


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty storage folder with a database address of its own; the database is not migrated yet."""
    folder = tmp_path / "storage"
    folder.mkdir()
    monkeypatch.setenv("TUNEWELL_STORAGE", str(folder))
    monkeypatch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A storage with a migrated database that all tests of a file share."""
    from databases import used

    with used(tmp_path_factory.mktemp("kept")) as folder:
        yield folder


@pytest.fixture
def small_project(storage: Path, small_model: Path) -> Iterator[Project]:
    """A classification project on the tiny model that is ready to train."""
    import stored
    from databases import migrated

    from core.store.engine import engine

    migrated()
    yield stored.small_project(small_model)
    engine().dispose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real public data beside the project."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public data (../shared/data) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with random weights (about 60,000 parameters), its tokenizer and chat template."""
    from small_model import build

    return build(tmp_path_factory.mktemp("small-model"))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """So small a model gains nothing from a second thread, and two that wait for one another crawl on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    found = found or next((path for path in CHROMIUM_PLACES if Path(path).exists()), None)
    if found is None:
        pytest.skip("no Chromium or Chrome on this machine")
    return found


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A fresh page: no cookies, nothing stored, the size of a small laptop."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@dataclass(frozen=True)
class Dashboard:
    """The product while it runs: where its page is, where its data is, and its two processes."""

    url: str
    storage: Path
    worker: Service
    server: Service


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The real worker and the real dashboard on a free port, with a storage of their own for the test module."""
    folder = tmp_path_factory.mktemp("product-storage")
    variables = product.child_variables(folder)
    product.migrate(sys.executable, variables)
    port = address.free_port(address.DEFAULT_HOST, 18501)
    worker, server = product.services(sys.executable, variables, address.DEFAULT_HOST, port)
    url = address.url(address.DEFAULT_HOST, port)
    try:
        worker.start()
        server.start()
        product.wait_for_answer(server, url)
        yield Dashboard(url, folder, worker, server)
    finally:
        end_all([worker, server])


# A file runs in one process from its first test to its last. The longest are begun first: one that is begun last runs on alone.
LONGEST = (
    "test_journey.py",
    "test_training.py",
    "test_worker.py",
    "test_model_in_parts.py",
    "test_new_families.py",
    "test_correction.py",
    "test_killed_dashboard.py",
    "test_coach_on_real_runs.py",
    "test_several_devices.py",
    "test_cli.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
    for item in items:
        if {"chromium_path", "browser", "browser_page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    """What the imported libraries consist of stays to the end: the collector need not look through it again for each training,
    which took a third of a short one."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser is required (in CI), a browser test that was skipped has failed."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if BROWSER_IS_REQUIRED and skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"TUNEWELL_REQUIRE_BROWSER is set, but this browser test was skipped: {report.longrepr}"
    return report
