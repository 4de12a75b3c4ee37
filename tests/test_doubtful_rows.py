"""Wrong labels among several, forgotten ones, and wrong numbers: planted ones are found, clean data is left alone."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest
from databases import migrated

from core.data.health import report
from core.schemas.examples import Example
from core.schemas.findings import Finding, Severity
from core.services import datasets, projects, relabel
from tests.test_several_labels_and_numbers import labelled

SIZES = {"tiny": 10.0, "small": 20.0, "middling": 30.0, "large": 40.0, "huge": 50.0}
FILLERS = ("box", "lamp", "kettle", "chair", "today", "again", "with", "nobody")


def sized(count: int, seed: int = 0) -> list[Example]:
    """Texts whose number follows from a word, with a little noise."""
    source = random.Random(seed)
    rows = []
    for i in range(count):
        word = source.choice(list(SIZES))
        text = f"{word} {' '.join(source.sample(FILLERS, 3))}"
        rows.append(Example(row_id=f"{seed}-{i}", text=f"{text} {i}", value=SIZES[word] + source.gauss(0, 1)))
    return rows


def found(rows: list[Example], task: str, check: str) -> Finding:
    (finding,) = (f for f in report(rows, task).findings if f.check == check)
    return finding


def test_labels_that_do_not_fit_and_forgotten_ones_are_found_and_named() -> None:
    rows = labelled(300, (0.5, 0.4, 0.3))
    wrong: dict[str, str] = {}
    for i in range(5, 300, 15):  # twenty rows: where “red” is it is taken away, else it is added
        own = set(rows[i].labels or ())
        wrong[rows[i].row_id] = "is missing" if "red" in own else "does not fit"
        rows[i] = rows[i].model_copy(update={"labels": tuple(sorted(own ^ {"red"}))})
    finding = found(rows, "multi_label", "label_set_noise")
    named = finding.data["evidence"]
    assert len(named) >= 10 and set(named) <= set(wrong), "most of the twenty, and none besides"
    assert all("“red”" in said and wrong[row] in said for row, said in named.items())
    assert finding.severity is Severity.WARNING and finding.estimate and finding.estimate.n == 300
    assert finding.data["queue"] == "label_set_noise", "to be gone through, not removed"
    sure = [one["confidence"] for one in finding.data["suspects"]]
    assert sure == sorted(sure) and max(sure) < 0.5, "the most doubtful first"


def test_numbers_far_from_what_the_words_say_are_found() -> None:
    rows = sized(300)
    wrong = {rows[i].row_id for i in range(7, 300, 25)}
    rows = [e.model_copy(update={"value": 60.0 - (e.value or 0)}) if e.row_id in wrong else e for e in rows]
    far = {e.row_id for e in rows if e.row_id in wrong and "middling" not in e.text}  # 60 - 30 is no change
    finding = found(rows, "regression", "number_noise")
    named = set(finding.data["evidence"])
    assert far <= named and len(named - far) <= 4
    assert "the other rows say about" in finding.data["evidence"][finding.row_ids[0]]
    assert finding.estimate and finding.estimate.n == 300 and "off by" in finding.meaning


def test_clean_rows_are_left_alone() -> None:
    for rows, task, check in (
        (labelled(300, (0.5, 0.4, 0.3)), "multi_label", "label_set_noise"),
        (sized(300), "regression", "number_noise"),
    ):
        finding = found(rows, task, check)
        assert finding.severity in (Severity.GOOD, Severity.INFO) and finding.count <= 4


def test_where_words_tell_nothing_no_row_is_doubted() -> None:
    source = random.Random(3)
    values = [e.model_copy(update={"value": source.random()}) for e in sized(200)]
    sets = [e.model_copy(update={"labels": ("a",) if source.random() < 0.5 else ()}) for e in labelled(200)]
    for rows, task, check in ((values, "regression", "number_noise"), (sets, "multi_label", "label_set_noise")):
        finding = found(rows, task, check)
        assert "could not be looked for" in finding.title and "suspects" not in finding.data
        assert finding.estimate and finding.estimate.n == 200
    for few, task in ((sized(40), "regression"), (labelled(40), "multi_label")):
        assert not [f for f in report(few, task).findings if f.check.endswith("_noise")], "too few rows"


def test_doubtful_rows_become_a_queue_that_drops_only_what_a_person_drops(storage: Path) -> None:
    migrated()
    project = projects.create("p", "regression")
    rows = sized(80)
    frame = pd.DataFrame(
        {"row_id": [e.row_id for e in rows], "t": [e.text for e in rows], "y": [str(e.value) for e in rows]}
    )
    version = datasets.add_version(project.id, frame, roles={"text": "t", "value": "y"}, title="t", origin={})
    project = projects.get(project.id)
    suspects = [
        {"row_id": rows[n].row_id, "doubt": f"doubt {n}", "confidence": n / 10, "suggested": ""} for n in (3, 1)
    ]
    queue = relabel.begin(project, version, "number_noise", "Doubtful numbers", [], suspects)
    first = relabel.state(project, version, queue).item
    assert first and (first.row_id, first.doubt, first.label) == (rows[1].row_id, "doubt 1", "")
    relabel.decide(queue, rows[1].row_id, "drop")
    relabel.decide(queue, rows[3].row_id, "keep")
    made = relabel.finish(project, version, queue)
    assert not isinstance(made, str) and made.rows == 79
    with pytest.raises(ValueError, match="no row"):
        relabel.decide(queue, rows[2].row_id, "drop")
