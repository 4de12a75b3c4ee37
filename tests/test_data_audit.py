"""The audit of the data says what was planted and nothing else: groups, two groups at once, tone, Simpson's paradox."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import fisher_exact

from benchmarks.false_alarms import alarms, unbiased
from core.audits.data_coverage import PLUGIN, Config
from core.data.checks._around import Around
from core.data.checks._context import Context
from core.data.checks.identity_labels import PLUGIN as CHECK
from core.data.group_rates import GroupedRows, Outcomes, contrasts
from core.data.group_thirds import Stratum, cochran_p, mantel_haenszel
from core.data.statistics import rows_per_group, smallest_difference
from core.schemas.audits import AuditInput, AuditResult
from core.schemas.examples import Example, Message
from core.schemas.findings import Finding, Severity
from core.schemas.identity import OwnTerm, OwnWords

Row = tuple[str, str, dict[str, str]]  # text, label, other columns


def made(
    rows: int, row: Callable[[random.Random, int], Row], seed: int = 1
) -> tuple[list[Example], dict[str, dict[str, str]]]:
    draw = random.Random(seed)
    examples, columns = [], {}  # type: list[Example], dict[str, dict[str, str]]
    for i in range(rows):
        text, label, others = row(draw, i)
        examples.append(Example(row_id=f"r{i}", text=text, label=label))
        for name, value in others.items():
            columns.setdefault(name, {})[f"r{i}"] = value
    return examples, columns


def audit(examples: list[Example], **given: Any) -> AuditResult:
    return PLUGIN.run(AuditInput(examples, **given), Config())


def checked(examples: list[Example], around: Around) -> list[Finding]:
    """What the health report says about people and labels."""
    return CHECK.run(Context.of(examples, "classification", around=around))


def flags(result: AuditResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.severity is Severity.WARNING]


def admitted(
    woman: tuple[float, float], man: tuple[float, float], crowded: float
) -> Callable[[random.Random, int], Row]:
    """Chances to be admitted to the crowded and to the other department; `crowded` is the share of women in the first."""

    def row(draw: random.Random, i: int) -> Row:
        is_woman = i % 2 == 0
        history = draw.random() < (crowded if is_woman else 1 - crowded)
        chance = (woman if is_woman else man)[0 if history else 1]
        text = f"The {'woman' if is_woman else 'man'} applied for a place, case {i}."
        return (
            text,
            "admit" if draw.random() < chance else "reject",
            {"department": "history" if history else "physics"},
        )

    return row


# What was planted, and nothing else


def test_one_group_among_five_is_found_and_the_others_are_not_its_echo() -> None:
    religions = ("Muslim", "Christian", "Hindu", "Buddhist", "Sikh")
    examples, _ = made(1500, lambda d, i: (
        f"A {religions[i % 5]} customer wrote, case {i}.",
        "yes" if d.random() < (0.2 if i % 5 == 0 else 0.6) else "no", {},
    ))  # fmt: skip
    (only,) = flags(audit(examples))
    assert (only.data["group"], only.data["kind"]) == ("muslim", "label") and only.estimate is not None
    assert only.estimate.high is not None and only.estimate.high < 0 and only.data["pmi"] < 0
    assert set(only.data["evidence"].values()) == {"Muslim"}


def test_two_groups_at_once_are_found_where_each_alone_explains_nothing() -> None:
    def row(d: random.Random, i: int) -> Row:
        woman, black = d.random() < 0.5, d.random() < 0.5
        text = f"The {'black' if black else 'white'} {'woman' if woman else 'man'} asked, case {i}."
        return text, "yes" if d.random() < (0.25 if woman and black else 0.6) else "no", {}

    result = audit(made(2000, row)[0])
    (only,) = flags(result)
    assert only.data["groups"] == ["woman", "black"] and only.data["kind"] == "pair"
    assert "both women and Black people" in only.title and "gender and ethnicity" in result.headline
    cell = next(c for c in result.cells if c["kind"] == "pair" and c["groups"] == ["woman", "black"])
    assert cell["judged"] and cell["rates"]["yes"] == pytest.approx(only.data["rate"]) and cell["row_ids"]


def test_two_independent_ties_are_two_findings_and_no_pair() -> None:
    def row(d: random.Random, i: int) -> Row:
        woman, black = d.random() < 0.5, d.random() < 0.5
        text = f"The {'black' if black else 'white'} {'woman' if woman else 'man'} asked, case {i}."
        return text, "yes" if d.random() < 0.8 * (0.6 if woman else 1) * (0.6 if black else 1) else "no", {}

    assert sorted(f.data.get("axis", "pair") for f in flags(audit(made(1500, row)[0]))) == ["ethnicity", "gender"]


def test_a_group_of_three_rows_is_called_too_few_and_nothing_else_is_said_of_it() -> None:
    examples, _ = made(300, lambda d, i: (
        f"The {'deaf customer' if i < 3 else 'customer'} wrote, case {i}.", "yes" if i < 3 or i % 2 else "no", {},
    ))  # fmt: skip
    result = audit(examples)
    assert flags(result) == [] and not [f for f in result.findings if f.severity is Severity.GOOD]
    (only,) = result.findings
    assert only.title.startswith("Not enough data about deaf people") and only.data["groups"] == {"deaf people": 3}
    assert str(rows_per_group(0.4, 0.6)) in only.meaning and "not enough rows" in result.headline
    assert not any(cell["judged"] for cell in result.cells)


def test_the_tone_of_texts_about_a_group_is_found_without_any_label() -> None:
    draw = random.Random(2)
    examples = []
    for i in range(500):
        bad = draw.random() < (0.5 if i % 2 else 0.15)
        said = Message(role="assistant", content=f"The {'woman' if i % 2 else 'man'} was {'lazy' if bad else 'there'}.")
        examples.append(Example(row_id=str(i), messages=(Message(role="user", content=f"Story {i}?"), said)))
    result = audit(examples)
    (only,) = flags(result)
    assert (only.data["kind"], only.data["group"], only.data["label"]) == ("tone", "woman", "unfriendly words")
    assert "less kindly" in result.headline


def test_several_labels_and_numbers_are_compared_too() -> None:
    draw = random.Random(3)
    sets, numbers = [], []
    for i in range(600):
        text, low = f"The {'woman' if i % 2 else 'man'} wrote, case {i}.", draw.random() < (0.7 if i % 2 else 0.3)
        sets.append(Example(row_id=str(i), text=text, labels=("urgent",) if low else ("calm", "long")))
        numbers.append(Example(row_id=str(i), text=text, value=draw.gauss(1 if low else 3, 0.1)))
    (label,) = flags(audit(sets))
    assert label.data["axis"] == "gender" and {label.data["label"], *label.data["also"]} == {"urgent", "calm", "long"}
    (high,) = flags(audit(numbers))
    assert high.data["label"].startswith("more than")


def test_a_column_and_the_words_that_say_the_same_are_one_finding() -> None:
    examples, columns = made(600, lambda d, i: (
        f"The {'woman' if i % 2 else 'man'} wrote, case {i}.", "yes" if d.random() < (0.3 if i % 2 else 0.7) else "no",
        {"gender": "f" if i % 2 else "m"},
    ))  # fmt: skip
    result = audit(examples, groups=columns)
    assert len(flags(result)) == 1 and not [f for f in result.findings if f.severity is Severity.GOOD]


# Simpson's paradox


def test_a_difference_that_turns_round_inside_a_column_is_told_so() -> None:
    examples, columns = made(1200, admitted(woman=(0.35, 0.92), man=(0.2, 0.72), crowded=0.8))
    (only,) = flags(audit(examples, categories=columns))
    assert only.data["third"]["how"] == "reversed" and "the other way round" in only.title
    assert only.data["rate"] < only.data["other_rate"] and only.data["third"]["rate"] > only.data["third"]["other_rate"]
    assert "“department”" in only.meaning and "do not change labels" in only.fix
    (alone,) = flags(audit(examples))
    assert "third" not in alone.data and alone.data["axis"] == "gender"


def test_a_difference_that_a_column_explains_vanishes_inside_it() -> None:
    examples, columns = made(1200, admitted(woman=(0.25, 0.75), man=(0.25, 0.75), crowded=0.8))
    (only,) = flags(audit(examples, categories=columns))
    assert only.data["third"]["how"] == "vanishes" and "but not inside “department”" in only.title


def test_a_difference_that_the_overall_rates_hide_is_found_inside_the_column() -> None:
    examples, columns = made(1600, admitted(woman=(0.2, 0.5), man=(0.4, 0.7), crowded=0.2))
    (only,) = flags(audit(examples, categories=columns))
    assert only.data["kind"] == "hidden" and only.data["group"] == "woman" and "Simpson" in only.meaning
    assert flags(audit(examples)) == []


def test_a_column_that_has_nothing_to_do_with_it_and_the_label_by_another_name_explain_nothing() -> None:
    examples, columns = made(800, lambda d, i: (
        f"The {'woman' if i % 2 else 'man'} wrote, case {i}.", "yes" if d.random() < (0.3 if i % 2 else 0.7) else "no",
        {"month": d.choice("abc")},
    ))  # fmt: skip
    columns["decided"] = {e.row_id: "1" if e.label == "yes" else "0" for e in examples}
    (only,) = flags(audit(examples, categories=columns))
    assert "third" not in only.data


def test_the_health_report_says_the_same_before_there_is_a_model() -> None:
    examples, columns = made(1200, admitted(woman=(0.35, 0.92), man=(0.2, 0.72), crowded=0.8))
    told = flags(audit(examples, categories=columns))[0]
    found = checked(examples, Around(categories=columns))
    assert [f.title for f in found if f.severity is Severity.WARNING] == [told.title]
    assert found[0].data["third"] == told.data["third"]


def test_own_words_count_in_audit_and_health_report() -> None:
    examples, _ = made(400, lambda d, i: (
        f"The {'northerner' if i % 2 else 'southerner'} wrote, case {i}.",
        "yes" if d.random() < (0.3 if i % 2 else 0.7) else "no", {},
    ))  # fmt: skip
    own = OwnWords(terms=tuple(
        OwnTerm(axis="Region", group=f"{side}erners", forms=(f"{side}erner",)) for side in ("north", "south")
    ))  # fmt: skip
    assert flags(audit(examples)) == []
    (only,) = flags(audit(examples, own_words=own))
    assert only.data["axis"] == "own_region"
    found = checked(examples, Around(own_words={"en": own}))
    assert [f.title for f in found if f.severity is Severity.WARNING] == [only.title]


# Figures


def test_rates_and_tests_agree_with_counting_by_hand_and_with_scipy() -> None:
    draw = random.Random(5)
    labels = [draw.choice("abc") for _ in range(300)]
    rows = {"x": [i for i in range(300) if draw.random() < 0.4], "y": [i for i in range(300) if draw.random() < 0.4]}
    rows["z"] = [i for i in range(300) if draw.random() < 0.2]
    axis = GroupedRows("axis", "Axis", rows, {group: group for group in rows})
    for c in contrasts(axis, Outcomes.of_labels(labels), 10):
        mine = set(rows[c.group])
        theirs = {i for group in c.others for i in rows[group]} - mine
        hits, other = sum(labels[i] == c.label for i in mine), sum(labels[i] == c.label for i in theirs)
        assert (c.hits, c.n, c.other_hits, c.other_n) == (hits, len(mine), other, len(theirs))
        exact = fisher_exact([[hits, len(mine) - hits], [other, len(theirs) - other]]).pvalue
        assert c.p == pytest.approx(exact) if c.ratio < 0.8 else c.p == 1.0


def test_the_common_difference_is_the_weighted_mean_and_its_interval_holds_the_truth() -> None:
    strata = [Stratum("a", 30, 100, 20, 50), Stratum("b", 5, 20, 60, 200)]
    weights = [100 * 50 / 150, 20 * 200 / 220]
    wanted = (weights[0] * (0.3 - 0.4) + weights[1] * (0.25 - 0.3)) / sum(weights)
    common, rate, other = mantel_haenszel(strata)
    assert common.value == pytest.approx(wanted) and rate - other == pytest.approx(wanted)
    rng, held, alarms_at_none = np.random.default_rng(0), 0, 0
    for _ in range(400):
        drawn = [
            Stratum("s", int(rng.binomial(n, p + gap)), n, int(rng.binomial(m, p)), m)
            for n, m, p, gap in ((40, 90, 0.2, 0.1), (70, 30, 0.5, 0.1), (25, 25, 0.7, 0.1))
        ]
        found, _, _ = mantel_haenszel(drawn)
        held += (found.low or 0) <= 0.1 <= (found.high or 0)
        null = [Stratum("s", int(rng.binomial(40, p)), 40, int(rng.binomial(60, p)), 60) for p in (0.2, 0.5, 0.8)]
        alarms_at_none += cochran_p(null) < 0.05
    assert held >= 368 and alarms_at_none <= 32  # 95% and 5% of 400, with three standard errors of room


@pytest.mark.parametrize(("share", "n"), [(0.1, 199), (0.5, 387), (0.5, 40), (0.02, 1000), (0.9, 100)])
def test_the_smallest_difference_is_the_other_side_of_the_rows_needed(share: float, n: int) -> None:
    found = smallest_difference(share, n)
    sign = 1 if share <= 0.5 else -1
    assert rows_per_group(share, share + sign * found) <= n < rows_per_group(share, share + sign * (found - 0.001))
    assert smallest_difference(0.5, 3) == 1.0


def test_every_cell_opens_rows_that_have_its_label_and_name_its_group() -> None:
    examples, _ = made(
        200, lambda d, i: (f"The {d.choice(['woman', 'man'])} wrote, case {i}.", d.choice(["yes", "no"]), {})
    )
    by_id = {example.row_id: example for example in examples}
    cells = [cell for cell in audit(examples).cells if cell["kind"] == "label"]
    assert len(cells) == 4
    for cell in cells:
        rows = [by_id[row] for row in cell["row_ids"]]
        assert rows and len(rows) <= cell["count"] and {row.label for row in rows} == {cell["label"]}
        assert all(f"The {cell['group']} " in row.text for row in rows)
        assert cell["low"] <= cell["value"] <= cell["high"] and cell["n"] >= cell["count"]


# False alarms


def test_a_few_unbiased_datasets_raise_no_flag() -> None:
    """Of the full hundred (`python -m benchmarks.false_alarms`) at most five may; here a few small ones."""
    found = {seed: alarms(PLUGIN.run(unbiased(seed, 250), Config())) for seed in range(8)}
    assert sum(map(bool, found.values())) <= 1, found


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "count"), [("bias_planted", 1), ("bias_none", 0)])
def test_public_data_with_and_without_a_planted_tie(shared_data: Path, name: str, count: int) -> None:
    with (shared_data / "nasty" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    examples = [Example(row_id=str(i), text=row["text"], label=row["label"]) for i, row in enumerate(table)]
    column = {"gender": {str(i): row["gender"] for i, row in enumerate(table)}}
    result = audit(examples, groups=column)
    assert len(flags(result)) == count
    good = [f for f in result.findings if f.severity is Severity.GOOD]
    assert (
        len(good) == 1 - count
        and "points could go unseen" in "".join(f.meaning for f in good) + "points could go unseen" * count
    )
    if count:
        assert (flags(result)[0].data["rate"], flags(result)[0].data["other_rate"]) == (0.35, 0.7)


def test_a_group_whose_every_row_also_names_the_other_has_no_rate_and_breaks_nothing() -> None:
    """“She told him” is about both, so no row is left that is about women alone."""
    frames = ("He said the rain was near.", "She told him about the rain.", "There was a cloud.")
    examples = [Example(row_id=str(n), text=f"{frames[n % 3]} Number {n}.", label="ab"[n % 2]) for n in range(300)]
    result = audit(examples)
    assert not flags(result)
    assert not [row for row in result.rows if row["kind"] == "label rate" and row["group"] == "woman"]
