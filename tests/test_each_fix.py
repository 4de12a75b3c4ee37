"""Every fix of the menu, through its own dialog: previewed, applied as a new version, undone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from databases import migrated
from streamlit.testing.v1 import AppTest

from core.data.fixes import registry
from core.schemas.plan import PreparationPlan
from core.services import datasets, fixes, preparation, projects
from core.store.engine import engine
from core.store.tables import Project
from core.ui import parts

WORDS = (
    "order lamp kettle parcel refund late broken bright address change phone answer money box chair cup garden".split()
)
IN_MENU = [key for key, fix in registry().items() if fix.in_menu and fix.fits({"text": "message", "label": "team"})]
COPIES = 6  # of each flaw: some rows of it are in the locked test set, which no fix touches


def flaws(i: int) -> list[tuple[str, str]]:
    """Rows that need the fixes, other ones for each i."""
    said, name = f"{WORDS[i]} {WORDS[i + 7]}", WORDS[i + 3]
    return [
        (f"<p>The {said} <b>came</b> so</p>", "returns"),
        (f"Write to {name}@example.com about the {said}", "returns"),
        (f"  The {said}   is too late  ", "delivery"),
        (f"The {said}\x07 rang at the door", "delivery"),
        ("", "delivery"),
        (f"The {said} is wet and the {name} is cold", "returns"),
        (f"The {said} is wet and the {name} is cold", "delivery"),
        (f"The {said} came with five legs", "returns"),
        (f"The {said} came with five legs", "returns"),
        (f"The red {said} arrived on Monday with a long scratch on the left {name} of it", "returns"),
        (f"The red {said} arrived on Monday with a long scratch on the left {name} of them", "returns"),
        (f"My {said} is new", "Delivery "),
        (f"{said} " * 600, "delivery"),
    ]


@pytest.fixture
def project(storage: Path) -> Iterator[Project]:
    """A project whose rows need every fix, with a split."""
    migrated()
    chosen = random.Random(7)
    rows = [(f"Message {i}: {' '.join(chosen.sample(WORDS, 8))}", ("returns", "delivery")[i % 2]) for i in range(120)]
    rows += [row for i in range(COPIES) for row in flaws(i)]
    table = [{"row_id": f"r-{i}", "message": text, "team": label} for i, (text, label) in enumerate(rows)]
    made = projects.create("Sort reviews", "classification")
    roles = {"text": "message", "label": "team"}
    datasets.add_version(made.id, pd.DataFrame(table), roles=roles, title="reviews", origin={"kind": "import"})
    preparation.save(projects.get(made.id), PreparationPlan())
    yield made
    engine().dispose()


def dataset_screen(project_id: str) -> None:
    from core.services import datasets, projects
    from core.ui.dataset_versions import version_header

    project = projects.get(project_id)
    version = datasets.current(project)
    assert version is not None
    version_header(project, version)


def dialog(project_id: str, key: str, number: int) -> None:
    """What the screen shows after the fix was chosen in the menu, until there is a newer version than this."""
    from core.services import datasets, projects
    from core.ui.dataset_fixes import fix_dialog

    project = projects.get(project_id)
    version = datasets.current(project)
    assert version is not None
    if version.number == number:
        fix_dialog(project, version, key, {})


def drawn(script: Callable[..., None], **kwargs: object) -> AppTest:
    app = AppTest.from_function(script, kwargs=kwargs, default_timeout=60).run()
    assert not app.exception and not app.error
    return app


def test_the_menu_offers_what_needs_no_chosen_rows(project: Project) -> None:
    version = datasets.current(projects.get(project.id))
    assert version is not None
    assert [fix.key for fix in fixes.menu(version)] == IN_MENU and len(IN_MENU) >= 9
    assert not {"drop_rows", "relabel"} & set(IN_MENU), "a finding or a queue brings their rows"


@pytest.mark.parametrize("key", IN_MENU)
def test_a_fix_of_the_menu_is_previewed_applied_and_undone(project: Project, key: str) -> None:
    first = datasets.current(projects.get(project.id))
    assert first is not None and first.number == 1
    app = drawn(dialog, project_id=project.id, key=key, number=1)
    assert any(re.match(r"Of \d+ rows: \*\*\d+\*\* (changed|removed|cut)", said.value) for said in app.markdown)
    (apply,) = [button for button in app.button if button.label == "Apply as a new version"]
    assert not apply.disabled, "a row needs this"
    apply.click().run()
    assert not app.exception and not app.error
    made = datasets.current(projects.get(project.id))
    assert made is not None and made.number > 1 and made.title == fixes.describe(key).title
    assert made.content != first.content

    header = drawn(dataset_screen, project_id=project.id)
    assert header.subheader[0].value == parts.plain(f"Version {made.number}: {made.title}")
    header.button(key="undo-fix").click().run()
    assert header.subheader[0].value == parts.plain("Version 1: reviews")
