"""Corrective actions: which fit, what one would do, and the way of one from a finding to its verified end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from core.data import gates
from core.mitigations import registry as mitigations
from core.schemas.audits import AuditResult, GateResult
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.findings import Severity
from core.schemas.jobs import Job, JobKind, JobState
from core.schemas.mitigations import Deed, Given, Mitigation, Preview
from core.schemas.predictor import Predictor
from core.schemas.recipe import Recipe
from core.store import jobs, records
from core.store.engine import write
from core.store.tables import Audit, Correction, Run
from core.tasks import registry as tasks

from . import audits, corrected_rows, datasets, identity_words, preparation, runs

FLAGGED = (Severity.WARNING, Severity.ERROR)
REASONS: Mapping[str, str] = {
    "answers move": "The audit found that answers move when only the people change.",
    "labels differ": "The audit found that labels are not spread alike over the groups in your data.",
}


def actions(family: str) -> dict[str, Mitigation]:
    """Corrective actions that retrain this kind of model."""
    return {key: a for key, a in mitigations().items() if family in a.families and a.changes != "output"}


def unfit(family: str) -> dict[str, tuple[str, str]]:
    """Actions that do not fit this kind of model: title and reason."""
    return {
        key: (action.title, action.unfit.get(family, "It was not made for models of this kind."))
        for key, action in mitigations().items()
        if family not in action.families and action.changes != "output"
    }


def recommended(run: Run, audit: Audit) -> list[tuple[str, str]]:
    """The actions that fit, each with the reason for its place: first what the findings call for, robustness last."""
    results = audits.results(audit)
    flagged = {key: r for key, r in results.items() if any(f.severity in FLAGGED for f in r.findings)}
    found = {"answers move"} if any(r.gaps for r in flagged.values()) else set()
    if "data_coverage" in flagged:
        found.add("labels differ")
    said: list[tuple[int, int, str, str]] = []
    for place, (key, action) in enumerate(actions(tasks()[run.task].family).items()):
        if action.claim == "robustness":
            said.append((3, place, key, f"For robustness, not for fairness. {action.helps}"))
        elif action.answers in found:
            said.append((0, place, key, REASONS[action.answers]))
        else:
            said.append((2 if action.expert else 1, place, key, action.helps))
    return [(key, reason) for _, _, key, reason in sorted(said)]


def axes_found(audit: Audit) -> list[str]:
    """Kinds of groups with a measured gap, the largest first: what an action's form begins with."""
    sums: dict[str, list[float]] = {}
    for result in audits.results(audit).values():
        for series in result.gaps:
            if not series.group and series.values:
                sums.setdefault(series.axis, []).append(sum(series.values.values()) / len(series.values))
    means = {axis: max(values) for axis, values in sums.items()}
    largest = max(means.values(), default=0.0)
    return [axis for axis in sorted(means, key=means.__getitem__, reverse=True) if means[axis] >= largest / 2]


def _plugin(run: Run, action: str) -> Mitigation:
    family = tasks()[run.task].family
    if action not in actions(family):
        title, reason = unfit(family).get(action, (action, "It is not there."))
        raise UserError(f"“{title}” does not fit this model.", reason, "Choose another corrective action.")
    return actions(family)[action]


def _told(run: Run, config: Mapping[str, Any]) -> tuple[list[Example], Given]:
    """The training rows of the run, and what an action is told beside them."""
    parts = preparation.parts(preparation.get_plan(run.plan_id), run.task)
    version = datasets.get_version(run.dataset_version_id)
    column = str(config.get("column") or "")
    given = Given(
        groups=audits.own_groups(run, {"data_coverage": {"columns": [column]}}).get(column, {}) if column else {},
        held_out=[*parts["validation"], *parts["test"]],
        language=identity_words.language_of(version),
        own_words=identity_words.of(run.project_id, identity_words.language_of(version)),
        seed=int(run.recipe.get("seed", 17)),
        recipe=run.recipe,
    )
    return parts["train"], given


def preview(run: Run, action: str, config: Mapping[str, Any]) -> Preview:
    """What the action would do. Raises UserError where it must not be used."""
    plugin = _plugin(run, action)
    rows, given = _told(run, config)
    checked = identity_words.with_own_axes(plugin.config.model_validate(dict(config)), given.language, given.own_words)
    return plugin.look(rows, checked, given)


def correct(
    run: Run,
    audit: Audit,
    action: str,
    config: Mapping[str, Any],
    struck: Collection[str] = (),
    control: Correction | None = None,
) -> Correction:
    """Apply the action, and queue the retrain with its second audit. `control` is one that it will be compared with.

    Raises UserError where it must not be used.
    """
    plugin = _plugin(run, action)
    if Recipe.model_validate(run.recipe).devices > 1 and plugin.changes == "training":
        raise UserError(
            "Corrective actions train on one device.",
            "This one looks at rows together that several devices would share out.",
            "Train a round with Devices set to 1, and correct that one.",
        )
    rows, given = _told(run, config)
    checked = identity_words.with_own_axes(plugin.config.model_validate(dict(config)), given.language, given.own_words)
    deed = plugin.act(rows, checked, given, frozenset(struck))
    return carry_out(run, audit, action, checked.model_dump(mode="json"), deed, struck, control)


def find_failures(run: Run, audit: Audit, action: str, config: Mapping[str, Any]) -> str:
    """Queue the first half of an action that needs the model's answers; it queues the retrain itself. Returns the job id."""
    checked = _plugin(run, action).config.model_validate(dict(config)).model_dump(mode="json")
    payload = {"first_half": action, "of_run": run.id, "audit_id": audit.id, "config": checked}
    return jobs.submit(JobKind.MITIGATE, run.project_id, payload)


def first_half(project_id: str) -> Job | None:
    """The newest such job, unless it is done: then its correction is in the list."""
    found = [j for j in jobs.find(project_id=project_id, kinds=[JobKind.MITIGATE]) if j.payload.get("first_half")]
    return found[0] if found and found[0].state is not JobState.DONE else None


def from_failures(
    payload: Mapping[str, Any], model: Predictor, progress: Callable[[int, int], None]
) -> Callable[[], Correction]:
    """What the model's answers give; calling it keeps that and queues the retrain (called by the worker)."""
    run, action, config = runs.get(payload["of_run"]), str(payload["first_half"]), dict(payload["config"])
    audit = records.get(Audit, payload["audit_id"])
    if audit is None:
        raise UserError("The audit is gone.", "It was deleted.", "Audit the round again.")
    plugin: Any = _plugin(run, action)
    rows, given = _told(run, config)
    deed = plugin.work(rows, plugin.config.model_validate(config), given, model, progress)
    return lambda: carry_out(run, audit, action, config, deed)


def carry_out(
    run: Run,
    audit: Audit,
    action: str,
    config: Mapping[str, Any],
    deed: Deed,
    struck: Collection[str] = (),
    control: Correction | None = None,
) -> Correction:
    """Keep what an action does as a new round, and queue it."""
    plugin = mitigations()[action]
    if deed.pairs:
        again = corrected_rows.preferring(run, deed, plugin.title)
    else:
        plan = corrected_rows.plan_for(run, deed, plugin.title) if deed.changes_rows else None
        recipe = Recipe.model_validate({**run.recipe, **deed.recipe})
        again = runs.successor(run, plugin.title, recipe=recipe, plan=plan, term=deed.term)
    correction = Correction(
        project_id=run.project_id,
        action=action,
        config={
            **config,
            "summary": deed.summary,
            "added": len(deed.added),
            "left_out": deed.left_out,
            "struck": sorted(struck),
            "control": control.id if control else None,
            "audits": dict(audit.config),  # the second audit measures what the first one did
        },
        audit_before_id=audit.id,
        run_before_id=run.id,
        dataset_version_id=again.dataset_version_id,
        run_after_id=again.id,
    )
    with write():
        records.add(correction)
        runs.submit(again, JobKind.MITIGATE, correction_id=correction.id)
    return correction


def correct_beside_chance(
    run: Run, audit: Audit, action: str, config: Mapping[str, Any], struck: Collection[str] = ()
) -> Correction:
    """The action, and before it the same number of rows chosen by chance, for it to be compared with."""
    by_chance = correct(run, audit, action, {**config, "random": True}, struck)
    return correct(run, audit, action, config, struck, by_chance)


def of_project(project_id: str) -> list[Correction]:
    """Newest first."""
    return records.find(Correction, project_id=project_id)


def get(correction_id: str) -> Correction:
    found = records.get(Correction, correction_id)
    if found is None:
        raise UserError("This corrective action is gone.", "Its project was deleted.", "Open another project.")
    return found


def judge(
    correction: Correction,
    second: Mapping[str, AuditResult],
    quality_before: Mapping[str, float],
    quality_after: Mapping[str, float],
) -> dict[str, GateResult]:
    """Judge by every audit that the action names (called by the worker). `second`: the audits after it."""
    before = records.get(Audit, correction.audit_before_id)
    if before is None:
        raise UserError("The first audit is gone.", "It was deleted.", "Audit the first round again.")
    return _verified(correction, audits.results(before), second, quality_before, quality_after)


def judge_beside_chance(
    correction: Correction,
    second: Mapping[str, AuditResult],
    quality_chance: Mapping[str, float],
    quality_after: Mapping[str, float],
) -> dict[str, GateResult]:
    """The same against the rows that were chosen by chance; empty where there is nothing to compare with."""
    chance = control_of(correction)
    audit = records.get(Audit, chance.audit_after_id) if chance and chance.audit_after_id else None
    return _verified(correction, audits.results(audit), second, quality_chance, quality_after) if audit else {}


def control_of(correction: Correction) -> Correction | None:
    key = correction.config.get("control")
    return records.get(Correction, str(key)) if key else None


def _verified(
    correction: Correction,
    first: Mapping[str, AuditResult],
    second: Mapping[str, AuditResult],
    quality_before: Mapping[str, float],
    quality_after: Mapping[str, float],
) -> dict[str, GateResult]:
    axes: Sequence[str] | None = correction.config.get("axes")
    return {
        key: gates.verify(first[key], second[key], quality_before, quality_after, axes)
        for key in mitigations()[correction.action].verify_with
        if key in first and key in second and first[key].gaps and second[key].gaps
    }


def before_and_after(correction: Correction) -> dict[str, tuple[float, float, str]]:
    """Mean gap between groups before and after by each audit, over the cases that both have, and its unit."""
    found = {}
    both = [records.get(Audit, key) for key in (correction.audit_before_id, correction.audit_after_id) if key]
    if len(both) < 2 or both[0] is None or both[1] is None:
        return {}
    first, second = (audits.results(audit) for audit in both if audit is not None)
    wanted = correction.config.get("axes")
    for key in mitigations()[correction.action].verify_with if correction.action in mitigations() else ():
        if key not in first or key not in second:
            continue
        then = {s.axis: s.values for s in first[key].gaps if not s.group}
        pairs = [
            (then[s.axis][unit], value)
            for s in second[key].gaps
            if not s.group and s.axis in then and (wanted is None or s.axis in wanted)
            for unit, value in s.values.items()
            if unit in then[s.axis]
        ]
        if pairs:
            means = [sum(side) / len(pairs) for side in zip(*pairs, strict=True)]
            found[key] = (means[0], means[1], second[key].unit)
    return found


def finish(
    correction: Correction,
    after: Audit,
    judged: Mapping[str, GateResult],
    beside_chance: Mapping[str, GateResult] | None = None,
) -> None:
    """Keep how a corrective action ended (called by the worker)."""
    outcome: dict[str, Any] = {"gates": {k: g.model_dump(mode="json") for k, g in judged.items()}}
    if beside_chance:
        outcome["chance"] = {k: g.model_dump(mode="json") for k, g in beside_chance.items()}
    records.change(Correction, correction.id, {"audit_after_id": after.id, "outcome": outcome})


def outcome(correction: Correction, of: str = "gates") -> dict[str, GateResult]:
    """The gates' results by audit, empty until the second audit is there. `of` may be `chance`."""
    stored = (correction.outcome or {}).get(of, {})
    return {key: GateResult.model_validate(value) for key, value in stored.items()}
