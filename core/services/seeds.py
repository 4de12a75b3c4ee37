"""Seeds repeated: the same recipe as a queue of runs that differ in their seed alone, and the spread of what came out."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.seed_luck import Difference, Spread, difference, spread
from core.schemas.errors import UserError
from core.schemas.recipe import Recipe
from core.schemas.studies import TrialState
from core.store.engine import write
from core.store.tables import Project, Study, new_id

from . import runs, studies

KIND = "seeds"
FEWEST, MOST = 2, 30
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Repeated:
    """`spread` is None before the first run ended; `scores` are those of the runs that ran to their end."""

    study: Study
    looks: list[studies.Look]
    scores: list[float]
    spread: Spread | None

    @property
    def active(self) -> bool:
        return any(look.outcome is None for look in self.looks)


def start(project: Project, recipe: Recipe, count: int) -> Study:
    """Queue `count` runs of the recipe with its own seed and those after it, all or none."""
    if not FEWEST <= count <= MOST:
        raise UserError("That is not a number of seeds.", f"It takes {FEWEST} to {MOST}.", "Choose another number.")
    study = Study(
        id=new_id(), project_id=project.id, kind=KIND, recipe=recipe.model_dump(mode="json"), config={"seeds": count}
    )
    with write():
        first = studies.begin(project, recipe, study, {"seed": recipe.seed})
        for number in range(2, count + 1):
            studies.add(study, number, {"seed": (recipe.seed + number - 1) % (_LARGEST + 1)}, first)
    return study


def of_project(project_id: str) -> list[Repeated]:
    """Newest first."""
    return [read(study) for study in studies.of_project(project_id, KIND)]


def read(study: Study) -> Repeated:
    looks = studies.looks(study)
    scores = [
        look.outcome.score
        for look in looks
        if look.outcome and look.outcome.state is TrialState.DONE and look.outcome.score is not None
    ]
    return Repeated(study, looks, scores, spread(scores))


def stop(study: Study) -> None:
    """Take what waits out of the queue and stop what is at work; what is done is kept."""
    studies.stop_open(study)
    studies.clear(study)  # where nothing is at work; else the run at work does it at its end


def changed(first: Study, second: Study) -> dict[str, tuple[object, object]]:
    """The settings in which two recipes differ, but for the seed: name to (first, second)."""
    one, other = (Recipe.model_validate(study.recipe).model_dump(mode="json") for study in (first, second))
    return {name: (one[name], other[name]) for name in one if name != "seed" and one[name] != other[name]}


def comparable(first: Repeated, second: Repeated) -> bool:
    """Whether both were measured by the same figure on the same rows with the same model."""

    def basis(one: Repeated) -> tuple[str, ...]:
        run = one.looks[0].run
        return run.plan_id, run.dataset_version_id, run.base_model_key, studies.metric(one.study)

    return bool(first.looks and second.looks) and basis(first) == basis(second)


def compare(first: Repeated, second: Repeated) -> Difference | None:
    """The second minus the first."""
    return difference(first.scores, second.scores)


def luck(project_id: str, run_id: str, metric: str) -> Spread | None:
    """The newest spread over seeds that a run of the project can be held against: same rows, same model, same figure."""
    run = runs.get(run_id)
    for one in of_project(project_id):
        same = one.looks and one.looks[0].run.plan_id == run.plan_id
        same = same and one.looks[0].run.base_model_key == run.base_model_key and studies.metric(one.study) == metric
        if same and one.spread is not None and one.spread.luck is not None:
            return one.spread
    return None
