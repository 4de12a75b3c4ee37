"""The health report on the awkward files of the shared data, against what their manifest says was planted."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from health_examples import BAD, labelled, one

from core.data.health import report
from core.schemas.findings import Severity
from core.schemas.health import HealthReport

NASTY = Path(__file__).parents[1].parent / "shared" / "data" / "nasty"


def nasty(name: str, text: str = "text", label: str = "label") -> HealthReport:
    path = NASTY / name
    if not path.exists():
        pytest.skip("the shared data is not there")
    csv.field_size_limit(1_000_000)
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(row[text], row[label] or None) for row in csv.DictReader(file)]
    return report(labelled(rows), "classification")


def alarms(result: HealthReport, but: Sequence[str] = ()) -> list[str]:
    return [f"{f.check}: {f.title}" for f in result.of(*BAD) if f.check not in but]


@pytest.mark.shared_data
def test_twelve_spellings_become_two_labels() -> None:
    finding = one(nasty("lab_mixed_spellings.csv"), "label_spellings", Severity.WARNING)
    assert finding.title == "12 label spellings look like 2 labels"
    assert set(finding.data["fix_options"]["mapping"].values()) == {"positive", "negative"}


@pytest.mark.shared_data
def test_row_duplicates_reports_its_three_numbers() -> None:
    counts = nasty("row_duplicates.csv").counts
    assert (counts["exact_copies"], counts["near_copies"], counts["contradictions"]) == (20, 20, 5)


@pytest.mark.shared_data
def test_labels_of_the_awkward_files() -> None:
    numeric = nasty("lab_numeric_with_gap.csv")
    assert numeric.counts["empty"] == 6 and "“1”, “2”" in one(numeric, "label_kind").title
    assert "only one label" in one(nasty("lab_one_class.csv"), "learnable", Severity.ERROR).title
    assert nasty("lab_singletons.csv").counts["single_row_labels"] == 15
    long = one(nasty("lab_is_long_text.csv", "prompt", "answer"), "label_kind", Severity.WARNING)
    assert "instruction tuning" in long.fix


@pytest.mark.shared_data
def test_rows_of_the_awkward_files() -> None:
    assert "identical" in one(nasty("row_identical_texts.csv"), "learnable", Severity.ERROR).title
    assert one(nasty("row_long_100k.csv"), "lengths", Severity.WARNING).count == 2
    assert one(nasty("row_nul_and_control.csv"), "characters", Severity.WARNING).count == 10
    assert one(nasty("row_emoji_combining.csv"), "characters").severity is Severity.GOOD
    assert nasty("row_html_script.csv").rows == 40


@pytest.mark.shared_data
def test_personal_data_of_the_awkward_file_leaves_out_its_two_clean_rows() -> None:
    finding = one(nasty("row_pii.csv"), "personal_data", Severity.WARNING)
    assert finding.count == 32
    assert not {f"r{i}" for i in range(40) if i % 10 in (8, 9)} & set(finding.row_ids)
    assert set(finding.data["rows"]) == {"email", "phone", "ssn", "card", "iban", "ip", "key", "address", "birth"}


@pytest.mark.shared_data
def test_the_planted_giveaway_is_found_and_clean_files_stay_quiet() -> None:
    assert "written in the text" in one(nasty("leak_label_in_text.csv"), "shortcuts", Severity.WARNING).title
    for name in ("known_separable.csv", "leak_train.csv"):
        assert alarms(nasty(name)) == [], name
    # There "met" and "missed" really decide every label, by construction, and that is said; nothing else is.
    assert alarms(nasty("bias_none.csv"), but=("shortcuts",)) == []
    assert "“met” means “hire”" in one(nasty("bias_none.csv"), "shortcuts").title
