"""Results by group: areas, rates and accuracy agree with scikit-learn, fairlearn and counting by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference,
)
from sklearn.metrics import accuracy_score, roc_auc_score

from core.audits._auc import area, group_areas, power_mean
from core.audits._rates import differences
from core.audits.group_results import PLUGIN, Config
from core.data.many_comparisons import corrected
from core.schemas.audits import AuditInput, AuditResult
from core.schemas.estimates import Comparison, Estimate, Verdict
from core.schemas.examples import Example
from core.schemas.findings import Finding, Severity

GROUPS = ("north", "south", "west")


class Scores:
    """Gives each text the probability of "yes" that stands in a table."""

    labels: Sequence[str] = ("no", "yes")

    def __init__(self, yes: dict[str, float]) -> None:
        self._yes, self.read = yes, 0

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        self.read += len(texts)
        return [[1 - self._yes[text], self._yes[text]] for text in texts]


def drawn(seed: int = 0, rows: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties, what is true, and the group of each row."""
    source = np.random.default_rng(seed)
    true = source.random(rows) < 0.4
    scores = np.round(np.clip(0.35 + 0.25 * true + source.normal(0, 0.25, rows), 0, 1), 2)
    return scores, true, source.choice(GROUPS, rows)


def test_areas_of_groups_agree_with_scikit_learn_on_the_rows_that_borkan_names() -> None:
    scores, true, group = drawn()
    for name in GROUPS:
        member = group == name
        found = group_areas(scores, true, member)
        rows = {
            "subgroup": member,
            "bpsn": (~member & true) | (member & ~true),
            "bnsp": (~member & ~true) | (member & true),
        }
        for kind, chosen in rows.items():
            estimate = getattr(found, kind)
            assert estimate.value == pytest.approx(roc_auc_score(true[chosen], scores[chosen]))
            assert estimate.low < estimate.value < estimate.high and estimate.n == chosen.sum()


def test_an_area_is_the_share_of_pairs_in_the_right_order_and_its_interval_covers() -> None:
    assert area(np.array([0.9] * 10), np.array([0.1] * 5 + [0.9] * 5)).value == pytest.approx(0.75)
    assert area(np.array([0.9] * 9), np.array([0.1] * 50)) is None
    perfect = area(np.linspace(0.6, 1, 20), np.linspace(0, 0.4, 30))
    assert perfect.value == 1 and 0.7 < perfect.low < 0.95
    source, inside = np.random.default_rng(1), 0
    for _ in range(300):  # two normal distributions, one deviation apart: the true area is 0.7602
        found = area(source.normal(1, 1, 40), source.normal(0, 1, 60))
        inside += found.low < 0.7602499 < found.high
    assert 276 <= inside <= 297


def test_the_power_mean_leans_to_the_worst_group() -> None:
    assert power_mean([0.8, 0.8]) == pytest.approx(0.8)
    assert power_mean([0.5, 1.0]) == pytest.approx(((0.5**-5 + 1) / 2) ** (-1 / 5))
    assert power_mean([0.0, 1.0]) == 0


def test_rates_agree_with_fairlearn_and_with_counting() -> None:
    scores, true, group = drawn(3)
    given = scores >= 0.5
    found = differences(given, true, {name: group == name for name in GROUPS})
    both = {"y_true": true, "y_pred": given, "sensitive_features": group}
    assert found.demographic_parity.value == pytest.approx(demographic_parity_difference(**both))
    assert found.equal_opportunity.value == pytest.approx(equal_opportunity_difference(**both))
    assert found.equalized_odds.value == pytest.approx(equalized_odds_difference(**both))
    for name in GROUPS:
        mine = [i for i in range(len(group)) if group[i] == name]
        rates = found.groups[name]
        assert rates.given == pytest.approx(sum(given[i] for i in mine) / len(mine))
        for rate, wanted in ((rates.given_if_true, True), (rates.given_if_untrue, False)):
            of = [i for i in mine if true[i] == wanted]
            assert rate == pytest.approx(sum(given[i] for i in of) / len(of))
    for estimate in (found.demographic_parity, found.equal_opportunity, found.equalized_odds):
        assert 0 <= estimate.low <= estimate.high <= 1


def test_the_interval_of_a_difference_is_that_of_fairlearns_own_bootstrap() -> None:
    scores, true, group = drawn(4, rows=400)
    two = np.where(group == "north", "north", "other")
    given = scores >= 0.45 + 0.1 * (two == "north")
    mine = differences(given, true, {name: two == name for name in ("north", "other")}).demographic_parity
    frame = MetricFrame(
        metrics=lambda y, p: float(np.mean(p)), y_true=true, y_pred=given, sensitive_features=two,
        n_boot=50, ci_quantiles=[0.025, 0.975], random_state=0,
    )  # fmt: skip
    low, high = frame.difference_ci()
    assert mine.low == pytest.approx(low, abs=0.04) and mine.high == pytest.approx(high, abs=0.04)


def test_groups_with_too_few_rows_have_no_rate() -> None:
    scores, true, group = drawn(5, rows=200)
    member = {"north": group == "north", "few": np.arange(200) < 12}
    found = differences(scores > 0.5, true, member)
    assert found.demographic_parity is None and found.groups["few"].given is None


def audited(
    yes_wrong: float, rows: int = 400, few: int = 0, base: bool = False, seed: int = 0
) -> tuple[AuditResult, list[Example], dict[str, float]]:
    """Rows of two regions; for the north a share `yes_wrong` of the rows is judged wrongly, for the south a tenth."""
    draw = random.Random(seed)
    examples, scores, flat, region = [], {}, {}, {}
    for i in range(rows + few):
        where = "island" if i >= rows else "north" if i % 2 else "south"
        label = draw.random() < 0.5
        wrong = draw.random() < (yes_wrong if where == "north" else 0.1)
        text = f"Message {i}."
        scores[text] = draw.uniform(0.55, 0.95) if label != wrong else draw.uniform(0.05, 0.45)
        flat[text] = draw.uniform(0.55, 0.95) if label != (draw.random() < 0.1) else draw.uniform(0.05, 0.45)
        examples.append(Example(row_id=str(i), text=text, label="yes" if label else "no"))
        region[str(i)] = where
    given = AuditInput(examples, Scores(scores), Scores(flat) if base else None, groups={"region": region})
    return PLUGIN.run(given, Config()), examples, scores


def warnings(result: AuditResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.severity == Severity.WARNING]


def test_a_group_with_more_mistakes_is_named_with_both_rates() -> None:
    result, examples, scores = audited(0.45, base=True)
    titles = [finding.title for finding in warnings(result)]
    assert any(title.startswith("The model is right less often for rows about “north”") for title in titles)
    row = next(r for r in result.rows if r["kind"] == "accuracy" and r["group"] == "north")
    north = [e for e in examples if int(e.row_id) % 2]
    gold, said = [e.label == "yes" for e in north], [scores[e.text] > 0.5 for e in north]
    assert row["value"] == pytest.approx(accuracy_score(gold, said)) and row["low"] < row["value"] < row["high"]
    assert [c.verdict for c in result.comparisons] == [Verdict.WORSE]
    assert "more mistakes" in result.headline


def test_equal_groups_are_not_accused_and_small_ones_are_not_judged() -> None:
    alarms = sum(bool(warnings(corrected({"x": audited(0.1, rows=300, seed=seed)[0]})["x"])) for seed in range(30))
    assert alarms <= 3
    result, _, _ = audited(0.1, few=8)
    assert any("Not enough data to judge “island” (8)" in finding.title for finding in result.findings)
    assert not any(row["kind"] == "accuracy difference" and row["group"] == "island" for row in result.rows)


def test_the_texts_to_read_are_known_beforehand() -> None:
    examples = [Example(row_id=str(i), text=f"She wrote {i % 50}.", label="yes") for i in range(120)]
    table = {example.text: 0.7 for example in examples}
    tuned, base, seen = Scores(table), Scores(table), []
    data = AuditInput(examples, tuned, base, progress=lambda done, total: seen.append((done, total)))
    PLUGIN.run(data, Config())
    passes = PLUGIN.forward_passes(data, Config())
    assert tuned.read + base.read == passes and seen[-1] == (passes, passes)


# Everything together


def result_of(p_values: list[float], verdict: Verdict = Verdict.WORSE) -> AuditResult:
    same = Estimate(value=0.2, n=50, low=0.1, high=0.3)
    changed = Comparison(metric="Gender", base=same, tuned=same, change=same, verdict=verdict, p=p_values[0])
    return AuditResult(
        audit="x", title="X", n=50, seconds=0, unit="probability",
        headline="The model treats groups differently. "
        "Training on your data made the difference larger for gender (by 20 points).",
        findings=tuple(
            Finding(check="x", severity=Severity.WARNING, title=f"Finding {p}", data={"p": p, "q": p}) for p in p_values
        ),
        rows=tuple({"p": p, "value": 0.2} for p in p_values),
        comparisons=(changed,),
    )  # fmt: skip


def test_one_correction_covers_all_audits() -> None:
    alone = corrected({"a": result_of([0.03])})["a"]
    assert len(warnings(alone)) == 1 and alone.comparisons[0].verdict == Verdict.WORSE
    quiet = AuditResult(audit="b", title="B", headline="", n=1, seconds=0, rows=tuple({"p": 0.9} for _ in range(20)))
    among = corrected({"a": result_of([0.03]), "b": quiet})["a"]
    assert not warnings(among) and among.findings[0].title.startswith("May be chance: ")
    assert among.rows[0]["q"] == pytest.approx(0.63) and "may be chance" in among.headline


def test_a_verdict_that_may_be_chance_leaves_the_headline_too() -> None:
    others = {str(i): result_of([0.9], Verdict.NO_EVIDENCE).model_copy(update={"findings": ()}) for i in range(12)}
    found = corrected({"a": result_of([0.02]).model_copy(update={"findings": ()}), **others})["a"]
    assert found.comparisons[0].verdict == Verdict.NO_EVIDENCE
    assert "no evidence that training on your data" in found.headline and "larger" not in found.headline
