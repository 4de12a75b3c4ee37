"""Rounds that were audited, for tests of what is made of audits: real audits of a made-up model that leans as far as asked."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import stored_rounds as made
import tiny_training as tiny

from core.audits import registry
from core.audits.neutral_probes import Config
from core.data.identity import groups_in
from core.schemas.audits import AuditInput, AuditResult
from core.services import audits, corrections, runs
from core.store import records
from core.store.tables import Audit, Correction, Project, Run

REFUSED = {
    "title": "Not audited: something",
    "cause": "It needs another kind of model.",
    "fix": "Nothing.",
    "action": None,
}


class Leaning:
    """Finds "refund" less likely by `lean` where the text is about a woman, and else depends on the text alone."""

    labels: Sequence[str] = tiny.LABELS
    thresholds: Sequence[float] = ()

    def __init__(self, lean: float) -> None:
        self.lean = lean

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        out = []
        for text in texts:
            some = 0.3 + 0.1 * (zlib.crc32(text.split()[-1].encode()) % 4)
            refund = some - (self.lean if "woman" in groups_in(text, "gender") else 0.0)
            out.append([(1 - refund) / 2, (1 - refund) / 2, refund])
        return out


def result(run: Run, lean: float, templates: int = 40) -> AuditResult:
    rows = runs.inputs(run).parts["validation"]
    data = AuditInput(examples=rows, tuned=Leaning(lean), base=Leaning(0.02))  # type: ignore[arg-type]
    found: AuditResult = registry()["neutral_probes"].run(data, Config(axes=("gender",), templates=templates))
    return found.model_copy(update={"not_tested": ("What it writes about names of people.",)})


def audited(run: Run, lean: float, templates: int = 40) -> Audit:
    return audits.store(run, {}, {"neutral_probes": result(run, lean, templates)}, {"data_coverage": REFUSED})


def corrected(first: Audit, before: Run, after: Run, lean: float) -> Correction:
    """An action from its first audit to its judged end."""
    correction = records.add(
        Correction(
            project_id=before.project_id, action="counterfactual_augmentation", config={"added": 41}, run_before_id=before.id,
            audit_before_id=first.id, run_after_id=after.id,
        )
    )  # fmt: skip
    second = audited(after, lean)
    same = {e.row_id: 1.0 for e in runs.inputs(before).parts["validation"]}
    judged = corrections.judge(correction, audits.results(second), same, same)
    corrections.finish(correction, second, judged)
    found = records.get(Correction, correction.id)
    assert found is not None
    return found


def three(project: Project) -> tuple[Run, Run, Run]:
    """A round that leans, one from a corrective action that leans less and is a little worse, and one that is worse in both."""
    first, second = made.trained(project), made.trained(project, made.RECIPE.model_copy(update={"seed": 5}))
    third = made.trained(project, made.RECIPE.model_copy(update={"seed": 9}))
    before = audited(first, 0.25)
    corrected(before, first, second, 0.02)
    audited(third, 0.28)
    for run, right in ((first, 0.85), (second, 0.75), (third, 0.5)):
        made.measured(run, right)
    return first, second, third
