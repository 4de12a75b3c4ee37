"""The health report: it finds what is wrong with a dataset and its labels, says what it does, and is quiet on a clean
one."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest
from health_examples import BAD, labelled, of, one, reviews

from core.data import health_rows
from core.data.checks import registry
from core.data.checks._spelling import edit_distance, folded, propose
from core.data.health import report
from core.schemas.examples import Example
from core.schemas.findings import Severity
from core.schemas.health import HealthReport

# The report as a whole


def test_a_clean_dataset_gets_good_news_and_no_alarm() -> None:
    result = report(labelled(reviews()), "classification")
    said = [f.title for f in result.of(*BAD, Severity.INFO) if f.check != "duplicates"]
    assert said == ["No label goes with a group, as far as these rows can tell (gender)"], (
        "too few rows for a green tick"
    )
    assert one(result, "duplicates", Severity.GOOD).title == "No duplicates among 300 rows"
    assert result.language == "en"
    assert result.rows == 300 and result.counts["labels"] == 2
    assert not result.blocking


def test_findings_come_worst_first_and_each_says_what_it_means_and_what_to_do() -> None:
    rows = [*reviews(60), *reviews(20), ("", "positive"), ("Mail me at jo@example.com", "Positive")]
    result = report(labelled(rows), "classification")
    weights = ["error", "warning", "info", "good"]
    assert [f.severity for f in result.findings] == sorted((f.severity for f in result.findings), key=weights.index)
    for finding in result.of(*BAD):
        assert finding.meaning and finding.fix and finding.count, finding.title


def test_a_share_carries_its_number_of_rows_and_an_interval() -> None:
    rows = reviews(100)
    copies = one(report(labelled([*rows, *rows[:10]]), "classification"), "duplicates", Severity.WARNING).estimate
    assert copies is not None and copies.n == 110 and copies.value == pytest.approx(10 / 110)
    assert copies.low is not None and copies.high is not None and copies.low < 10 / 110 < copies.high


def test_a_report_survives_being_stored_as_json() -> None:
    result = report(labelled([*reviews(50), ("same", "a"), ("same", "b")]), "classification")
    assert HealthReport.model_validate_json(result.model_dump_json()) == result


def test_a_finding_lists_at_most_200_rows_and_counts_them_all() -> None:
    finding = one(
        report(labelled([("same words here", "ab"[i % 2]) for i in range(500)]), "classification"), "learnable"
    )
    assert finding.count == 500 and len(finding.row_ids) == 200


def test_a_new_check_is_one_new_file(tmp_path: Path) -> None:
    folder = Path(registry.__code__.co_filename).parent
    extra = textwrap.dedent(
        """
        import core.data.checks as folder
        folder.__path__.append({path!r})
        from core.data.health import report
        from core.schemas.examples import Example
        found = report([Example(row_id="a", text="x")], "completion").findings
        assert any(f.check == "throw_away" and f.title == "It ran" for f in found)
        """
    ).format(path=str(tmp_path))
    (tmp_path / "throw_away.py").write_text(
        "from core.data.checks._check import ALL, Check\n"
        "from core.schemas.findings import Finding, Severity\n"
        "def run(context):\n"
        "    return [Finding(check='throw_away', severity=Severity.GOOD, title='It ran')]\n"
        "PLUGIN = Check('throw_away', 'Throw away', 999, ALL, run)\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, "-c", extra], check=True, cwd=folder.parents[2])


def test_the_report_never_reaches_torch() -> None:
    code = "import core.data.health, core.data.fixes, core.data.checks as c, sys; c.registry(); "
    subprocess.run(
        [sys.executable, "-c", code + "assert 'torch' not in sys.modules"], check=True, cwd=Path(__file__).parents[1]
    )


def test_five_thousand_rows_take_a_few_seconds() -> None:
    rng = random.Random(3)
    vocabulary = ["".join(rng.choices("abdeilmnorstu", k=rng.randint(2, 9))) for _ in range(4000)]
    rows = [(" ".join(rng.choices(vocabulary, k=15)), rng.choice("abc")) for _ in range(5000)]
    begun = time.process_time()
    report(labelled(rows), "classification")
    assert time.process_time() - begun < 8


# Is there anything to learn, and enough of it


def test_one_label_only_means_nothing_can_be_learned() -> None:
    result = report(labelled((t, "positive") for t, _ in reviews(60)), "classification")
    finding = one(result, "learnable", Severity.ERROR)
    assert "only one label" in finding.title and finding in result.blocking


def test_one_label_in_several_spellings_is_still_one_label() -> None:
    rows = [(t, ("Positive", "positive ", "POSITIVE")[i % 3]) for i, (t, _) in enumerate(reviews(60))]
    assert "only one label" in one(report(labelled(rows), "classification"), "learnable").title


def test_identical_texts_mean_nothing_can_be_learned() -> None:
    result = report(labelled([("same text", "a"), ("Same  text", "b")] * 20), "classification")
    assert "All 40 texts are identical" in one(result, "learnable", Severity.ERROR).title


def test_no_examples_at_all_is_an_error_and_no_crash() -> None:
    result = report([], "classification", ["a", "b"])
    assert one(result, "learnable", Severity.ERROR).title == "There are no examples"
    assert result.rows == 2


@pytest.mark.parametrize(("rows", "severity"), [(24, "error"), (25, "warning"), (49, "warning"), (50, "good")])
def test_too_few_examples_are_red_and_few_are_amber(rows: int, severity: str) -> None:
    assert one(report(labelled(reviews(rows)), "classification"), "size").severity == severity


def test_a_long_text_for_completion_counts_as_many_examples() -> None:
    result = report([Example(row_id="a", text="word after word " * 5000)], "completion")
    assert one(result, "size").severity is Severity.GOOD
    assert one(result, "lengths").severity is Severity.GOOD


def test_rows_that_could_not_become_examples_are_counted_with_their_reason() -> None:
    result = report(labelled(reviews(60)), "classification", {"x1": "no text", "x2": "no label", "x3": "no label"})
    finding = one(result, "empty", Severity.WARNING)
    assert finding.title == "3 rows of 63 cannot be used (2 no label, 1 no text)"
    assert set(finding.row_ids) == {"x1", "x2", "x3"} and finding.data["fix_key"] == "drop_empty"
    assert result.rows == 63


def test_the_reason_of_an_unusable_row_comes_from_its_columns() -> None:
    table = pd.DataFrame(
        {"row_id": ["a", "b", "c"], "q": ["hi", None, " "], "a": ["", "yes", "no"], "ctx": ["", "", ""]}
    )
    roles = {"prompt": "q", "response": "a", "context": "ctx"}
    assert health_rows.missing(table, roles) == {"a": "no answer", "b": "no question", "c": "no question"}


# Labels


def test_spellings_of_one_label_are_proposed_for_merging_with_the_reason() -> None:
    counts = {"negative": 80, "Negative": 20, "negative\u00a0": 9, "n\u0435gative": 9, "neg.": 5}
    counts |= {"positive": 90, " POSITIVE": 6, "positve": 10, "pos": 4}
    merges = {m.to: m for m in propose(counts)}
    assert set(merges) == {"negative", "positive"}
    assert set(merges["negative"].spellings) == {"negative", "Negative", "negative\u00a0", "n\u0435gative", "neg."}
    assert merges["negative"].reasons["n\u0435gative"] == "letters of another alphabet that look the same"
    assert merges["negative"].reasons["Negative"] == "capital letters"
    assert "one slip away" in merges["positive"].reasons["positve"]
    assert "looks short" in merges["positive"].reasons["pos"]


@pytest.mark.parametrize(
    "labels",
    [
        {"class1": 90, "class2": 10},
        {"spam": 90, "ham": 9},
        {"hire": 90, "fire": 9},
        {"C": 90, "C++": 9, "C#": 9},
        {"legal": 90, "illegal": 9},
        {"cancel": 90, "cancel_order": 9},
        {"contest": 50, "context": 45},
        {"0007": 90, "7": 9},
        {"typical": 90, "atypical": 9},
        {"да": 90, "нет": 80},
    ],
)
def test_labels_that_are_really_different_are_left_alone(labels: dict[str, int]) -> None:
    assert propose(labels) == []


def test_a_whole_number_with_a_decimal_point_is_the_same_label() -> None:
    assert folded("1.0") == folded("1") != folded("1.5")


def test_edit_distance_counts_a_swap_of_neighbours_as_one() -> None:
    assert [edit_distance("refund", x, 2) for x in ("refund", "refnud", "refunds", "ref", "funder")] == [0, 1, 1, 3, 3]


def test_numbers_as_labels_are_shown_as_written() -> None:
    rows = [(t, {"positive": "1", "negative": "2"}[y]) for t, y in reviews(60)]
    finding = one(report(labelled(rows), "classification"), "label_kind")
    assert finding.severity is Severity.INFO and "“1”, “2”" in finding.title


def test_labels_that_are_long_and_never_repeat_suggest_instruction_tuning() -> None:
    rows = [(t, f"Thank you for telling us about number {i} in such a {y} way") for i, (t, y) in enumerate(reviews(60))]
    result = report(labelled(rows), "classification")
    finding = one(result, "label_kind", Severity.WARNING)
    assert "instruction tuning" in finding.fix and finding.data["suggested_task"] == "chat"
    assert not of(result, "class_sizes") and not of(result, "balance")


def test_a_column_of_numbers_that_never_repeat_is_no_label_column() -> None:
    finding = one(report(labelled((t, str(i)) for i, (t, _) in enumerate(reviews(60))), "classification"), "label_kind")
    assert finding.severity is Severity.WARNING and "hardly repeat" in finding.title


def test_a_rare_label_is_pointed_out_with_its_rows() -> None:
    rows = [*((t, "common") for t, _ in reviews(200)), *((t, "rare") for t, _ in reviews(6, seed=9))]
    result = report(labelled(rows), "classification")
    finding = one(result, "balance", Severity.WARNING)
    assert "“rare” only 6" in finding.title and set(finding.row_ids) == {f"r{i}" for i in range(200, 206)}
    assert finding.data["chart"]["labels"] == ["common", "rare"] and 0 < finding.data["chart"]["evenness"] < 0.3


def test_moderately_uneven_labels_are_mentioned_with_the_score_of_the_lazy_answer() -> None:
    rows = [*((t, "ham") for t, _ in reviews(400)), *((t, "spam") for t, _ in reviews(100, seed=9))]
    finding = one(report(labelled(rows), "classification"), "balance")
    assert finding.severity is Severity.INFO and "right in 80% of the rows" in finding.meaning


def test_labels_with_a_single_row_and_with_too_few_test_rows_are_listed() -> None:
    rows = [*reviews(300), ("one of a kind", "lonely"), *((t, "few") for t, _ in reviews(60, seed=4))]
    single, small = of(report(labelled(rows), "classification"), "class_sizes")
    assert "“lonely”" in single.title and "“few”" in small.title and "about 12 rows" in small.meaning


def test_a_file_sorted_by_label_is_mentioned() -> None:
    rows = sorted(reviews(100), key=lambda row: row[1])
    assert one(report(labelled(rows), "classification"), "row_order").severity is Severity.INFO
    assert not of(report(labelled(reviews(100)), "classification"), "row_order")
