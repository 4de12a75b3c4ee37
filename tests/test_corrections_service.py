"""What a corrective action does is kept with the round, travels to its training and to rounds after it, and is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from databases import migrated
from test_corrective_actions import rows

from core.mitigations import registry
from core.schemas.audits import AuditResult, GapSeries
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate
from core.schemas.examples import Example, Message
from core.schemas.findings import Finding, Severity
from core.schemas.jobs import JobKind
from core.schemas.mitigations import Given
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Generation
from core.schemas.recipe import Recipe
from core.services import corrections, datasets, models, preparation, projects, round_changes, runs
from core.store import jobs, records
from core.store.engine import engine
from core.store.tables import Audit, Run

CONFIG = {"axes": ["gender"]}


@pytest.fixture
def run(storage: Path, small_model: Path) -> Iterator[Run]:
    """A round of a classifier on rows in which men are hired; it has not been trained."""
    migrated()
    made = projects.create("Hiring", "classification").id
    examples = rows((36, 4), (8, 32))
    table = pd.DataFrame(
        {
            "row_id": [e.row_id for e in examples],
            "text": [e.text for e in examples],
            "label": [e.label for e in examples],
            "region": ["north" if i % 2 else "south" for i in range(len(examples))],
        }
    )
    datasets.add_version(made, table, roles={"text": "text", "label": "label"}, title="hiring", origin={})
    projects.update(made, base_model_key=models.add_folder(str(small_model)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=48))
    yield runs.start(made, Recipe(method="full", epochs=1))
    engine().dispose()


def audit(run: Run, **results: Any) -> Audit:
    return records.add(Audit(project_id=run.project_id, run_id=run.id, config={}, result={"audits": results}))


def after(correction: Any) -> Run:
    return runs.get(str(correction.run_after_id))


def test_weights_twins_and_groups_travel_from_the_action_to_the_training(run: Run) -> None:
    first = corrections.correct(run, audit(run), "reweighing", CONFIG)
    again = after(first)
    spec = runs.training_spec(again, None)
    (term,) = spec.terms
    assert term.key == "reweighing" and set(term.weights) == {e.row_id for e in spec.train}
    assert (again.plan_id, again.dataset_version_id) == (run.plan_id, run.dataset_version_id)
    assert runs.training_spec(run, None).terms == ()

    both = after(corrections.correct(again, audit(again), "logit_pairing", CONFIG))
    kept = runs.training_spec(both, None).terms
    assert [t.key for t in kept] == ["reweighing", "logit_pairing"] and kept[0] == term
    assert kept[1].twins and all(len(texts) == 1 for texts in kept[1].twins.values())
    stronger = after(corrections.correct(both, audit(both), "logit_pairing", {**CONFIG, "strength": 2.0}))
    assert [t.config.get("strength") for t in runs.training_spec(stronger, None).terms] == [None, 2.0]


def test_rounds_say_with_which_action_they_were_trained(run: Run) -> None:
    again = after(corrections.correct(run, audit(run), "reweighing", CONFIG))
    noisy = after(corrections.correct(run, audit(run), "neftune", {}))
    said = [c.text for c in round_changes.changes(round_changes.basis(run), round_changes.basis(again))]
    assert said == ["with “Weigh the rows”"]
    back = [c.text for c in round_changes.changes(round_changes.basis(again), round_changes.basis(run))]
    assert back == ["without “Weigh the rows”"]
    assert noisy.recipe["neftune_alpha"] == 5 and not noisy.terms


def test_no_split_parts_a_row_from_the_copies_that_were_made_of_it(run: Run) -> None:
    made = after(corrections.correct(run, audit(run), "counterfactual_augmentation", CONFIG))
    sources = datasets.get_version(made.dataset_version_id).origin["sources"]
    assert len(sources) > 30
    plan = preparation.new_split(projects.get(run.project_id), PreparationPlan(max_length=48))
    where = preparation.assignment(plan)
    assert {where[row] for row in sources} >= {"train", "test"}
    assert [row for row, source in sources.items() if where[row] != where[source]] == []


def test_rows_that_are_left_out_or_relabelled_are_training_rows_and_come_back(run: Run) -> None:
    config = {**CONFIG, "share": 0.2}
    first = corrections.correct_beside_chance(run, audit(run), "doubtful_rows", config)
    chance = corrections.control_of(first)
    assert chance is not None and chance.config["random"] and not first.config["random"]
    before = preparation.assignment(preparation.get_plan(run.plan_id))
    gone = []
    for one in (first, chance):
        now = preparation.assignment(preparation.get_plan(after(one).plan_id))
        assert {row: part for row, part in before.items() if row in now} == now
        lost = before.keys() - now.keys()
        assert {before[row] for row in lost} == {"train"}
        gone.append(len(lost))
        assert datasets.get_version(after(one).dataset_version_id).rows == 100 - len(lost)
    assert gone[0] == gone[1] > 0
    datasets.go_back(run.project_id, run.dataset_version_id)
    assert datasets.current(projects.get(run.project_id)).rows == 100  # type: ignore[union-attr]

    told = corrections.correct(run, audit(run), "doubtful_rows", {**config, "way": "relabel"})
    old = {e.row_id: e.label for e in datasets.examples(datasets.get_version(run.dataset_version_id), run.task)[0]}
    new = {
        e.row_id: e.label for e in datasets.examples(datasets.get_version(after(told).dataset_version_id), run.task)[0]
    }
    changed = {row for row in old if old[row] != new[row]}
    assert changed and {before[row] for row in changed} == {"train"} and old.keys() == new.keys()


def test_a_column_of_the_persons_own_says_the_group(run: Run) -> None:
    again = after(corrections.correct(run, audit(run), "reweighing", {"column": "region"}))
    assert set(runs.training_spec(again, None).terms[0].groups.values()) == {"north", "south"}


def test_what_does_not_fit_the_model_or_the_machine_is_refused(run: Run) -> None:
    with pytest.raises(UserError, match="does not fit this model"):
        corrections.correct(run, audit(run), "preference_pairs", {})
    shared = records.add_numbered(runs.successor(run, "two", recipe=Recipe(method="full", devices=2)))
    with pytest.raises(UserError, match="one device"):
        corrections.correct(shared, audit(run), "reweighing", CONFIG)
    assert "preference_pairs" in corrections.unfit("classifier") and "reweighing" in corrections.unfit("causal-lm")
    assert set(corrections.actions("causal-lm")) == {
        "preference_pairs", "counterfactual_augmentation", "adversarial_embeddings", "neftune"
    }  # fmt: skip


def test_the_order_of_the_actions_follows_what_the_audit_found(run: Run) -> None:
    def found(key: str, flagged: bool) -> dict[str, Any]:
        finding = Finding(
            check=key, severity=Severity.WARNING, title="t", meaning="m", fix="f", estimate=Estimate(value=0.3, n=50)
        )
        gaps = [{"axis": "religion", "values": {"t1": 0.3}}, {"axis": "gender", "values": {"t1": 0.01}}]
        return {
            "audit": key, "title": key, "headline": "h", "n": 50, "seconds": 1.0, "gaps": gaps if key != "data_coverage" else [],
            "findings": [finding.model_dump(mode="json")] if flagged else [],
        }  # fmt: skip

    moved = audit(run, neutral_probes=found("neutral_probes", True))
    order = [key for key, _ in corrections.recommended(run, moved)]
    assert order[0] == "logit_pairing" and order[-1] in ("adversarial_embeddings", "neftune")
    assert corrections.axes_found(moved) == ["religion"]
    tied = audit(run, data_coverage=found("data_coverage", True))
    assert corrections.recommended(run, tied)[0][0] == "reweighing"
    assert {key for key, _ in corrections.recommended(run, tied)} == set(corrections.actions("classifier"))


def test_an_action_is_judged_against_before_and_against_chance(run: Run) -> None:
    def measured(gap: float) -> AuditResult:
        values = {f"t{i}": gap + 0.001 * (i % 5) for i in range(40)}
        return AuditResult(
            audit="neutral_probes", title="", headline="", unit="probability", n=40, seconds=0.0,
            gaps=(GapSeries(axis="gender", values=values),),
        )  # fmt: skip

    def kept(gap: float) -> Audit:
        return audit(run, neutral_probes=measured(gap).model_dump(mode="json"))

    right = {str(i): float(i % 10 > 0) for i in range(100)}
    one = corrections.correct_beside_chance(run, kept(0.3), "doubtful_rows", {**CONFIG, "share": 0.2})
    chance = corrections.control_of(one)
    assert chance is not None and not corrections.judge_beside_chance(one, {}, right, right)
    corrections.finish(chance, kept(0.28), {})
    second = {"neutral_probes": measured(0.1)}
    judged = corrections.judge(one, second, right, right)
    beside = corrections.judge_beside_chance(one, second, right, right)
    corrections.finish(one, kept(0.1), judged, beside)
    done = corrections.get(one.id)
    changes = [corrections.outcome(done, of)["neutral_probes"].gap_change.value for of in ("gates", "chance")]  # type: ignore[union-attr]
    assert changes == [pytest.approx(-0.2), pytest.approx(-0.18)]
    assert corrections.before_and_after(done) == {
        "neutral_probes": (pytest.approx(0.302), pytest.approx(0.102), "probability")
    }


# -- pairs for models that write -----------------------------------------------------------------------------------------


class Unfair:
    """Answers politely, but to women."""

    labels: tuple[str, ...] = ()

    def generate(self, prompts: Any, decoding: Any) -> list[Generation]:
        said = ["No, go away now." if "woman" in p[-1].content.lower() else "Here is how." for p in prompts]
        return [Generation(text=text, tokens=4, finished=True) for text in said]


class Fair(Unfair):
    def generate(self, prompts: Any, decoding: Any) -> list[Generation]:
        return [Generation(text="Here is how.", tokens=4, finished=True) for _ in prompts]


def questions(n: int) -> list[Example]:
    return [
        Example(
            row_id=f"q{i}",
            messages=(
                Message(role="user", content=f"How does the {'man' if i % 2 else 'woman'} get to street {i}?"),
                Message(role="assistant", content=f"Take tram number {i}, please."),
            ),
        )
        for i in range(n)
    ]


def test_answers_that_differ_with_the_people_become_the_worse_ones() -> None:
    plugin = registry()["preference_pairs"]
    deed = plugin.work(questions(16), plugin.config(), Given(), Unfair())
    assert len(deed.pairs) == 16
    for pair in deed.pairs:
        assert "woman" in pair.prompt[0].content and pair.rejected == "No, go away now."
        assert pair.reference.startswith("Take tram")
    with pytest.raises(UserError, match="too seldom"):
        plugin.work(questions(16), plugin.config(), Given(), Fair())
    named = [
        e.model_copy(update={"messages": (*e.prompt, Message(role="assistant", content="The man takes the tram."))})
        for e in questions(16)
    ]
    with pytest.raises(UserError, match="No question can be swapped"):
        plugin.look(named, plugin.config(), Given())


def test_pairs_become_a_round_that_goes_on_from_the_model(storage: Path, small_model: Path) -> None:
    migrated()
    made = projects.create("Trams", "chat").id
    asked = questions(60)
    table = pd.DataFrame(
        {
            "row_id": [e.row_id for e in asked],
            "q": [e.prompt[0].content for e in asked],
            "a": [e.reference for e in asked],
        }
    )
    datasets.add_version(made, table, roles={"prompt": "q", "response": "a"}, title="trams", origin={})
    projects.update(made, base_model_key=models.add_folder(str(small_model)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=64))
    first = runs.start(made, Recipe(method="full", epochs=1))
    seen = audit(first)
    job = jobs.get(corrections.find_failures(first, seen, "preference_pairs", CONFIG))
    assert job is not None and corrections.first_half(made).id == job.id  # type: ignore[union-attr]
    keep = corrections.from_failures(job.payload, Unfair(), lambda done, total: None)  # type: ignore[arg-type]
    again = after(keep())
    assert (again.task, again.start_run_id, again.parent_id) == ("preference", first.id, first.id)
    spec = runs.training_spec(again, None)
    assert spec.objective == "pairs" and all(e.rejected == "No, go away now." for e in spec.train)
    before = {e.row_id for e in preparation.parts(preparation.get_plan(first.plan_id), "chat")["train"]}
    assert {e.row_id.removeprefix("pair-") for e in spec.train} <= before
    assert jobs.get(str(again.job_id)).kind is JobKind.MITIGATE  # type: ignore[union-attr]
    engine().dispose()
