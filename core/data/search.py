"""Propose settings, judge poor runs early, say what mattered: Optuna, with all that it knows handed in.

The study is built anew from the trials at each call, so nothing has to survive a restart but our own rows: with the same
trials and seed the same settings are proposed. TPE: Bergstra et al. 2011 (NeurIPS); the median rule: Golovin et al. 2017
(Google Vizier, section 3.2.2); importance: functional ANOVA, Hutter et al. 2014 (ICML).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.schemas.recipe import Recipe
from core.schemas.studies import Search, SweepPlan, TrialState, Tried

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

RANDOM_FIRST = 4  # trials before the search leans on what it saw
BEFORE_PRUNING = 3  # finished trials before any is called poor
FEWEST_FOR_IMPORTANCE = 6
AGAIN = 20  # asks for a setting that was not tried yet


def searchable() -> dict[str, Mapping[str, Any]]:
    """The settings of a recipe that declare how they are searched (`sweep` in their field), in their order."""
    found = {}
    for name, field in Recipe.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, Mapping) and isinstance(extra.get("sweep"), Mapping):
            found[name] = extra["sweep"]
    return found  # type: ignore[return-value]


def around(recipe: Recipe, name: str) -> Search:
    """A sensible range around the recipe's own value: declared bounds, or a factor below and above it within the field's
    bounds."""
    declared = searchable()[name]
    scale, value = declared["scale"], float(getattr(recipe, name))
    if "factor" not in declared:
        return Search(name=name, scale=scale, low=declared["low"], high=max(declared["high"], value))
    low, high = value / declared["factor"], value * declared["factor"]
    least, most = bounds(name)
    if scale in ("whole", "doubling"):
        low, high = max(1.0, math.floor(low)), math.ceil(high)
    low, high = max(low, least), min(high, most)
    return Search(name=name, scale=scale, low=float(f"{low:.3g}"), high=float(f"{high:.3g}"))


def bounds(name: str) -> tuple[float, float]:
    """The least and the greatest value that the recipe's field takes."""
    metadata = Recipe.model_fields[name].metadata
    least = [float(getattr(m, k)) for m in metadata for k in ("ge", "gt") if hasattr(m, k)]
    most = [float(getattr(m, k)) for m in metadata for k in ("le", "lt") if hasattr(m, k)]
    return max(least, default=-math.inf), min(most, default=math.inf)


def applied(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with these settings. LoRA alpha keeps its ratio to the rank, or a search for the rank would be one for the
    adapter's strength."""
    changed = dict(values)
    if "lora_rank" in values:
        changed["lora_alpha"] = max(1, round(recipe.lora_alpha * values["lora_rank"] / recipe.lora_rank))
    return Recipe.model_validate({**recipe.model_dump(), **changed})


def propose(plan: SweepPlan, recipe: Recipe, tried: Sequence[Tried], *, higher: bool) -> dict[str, Any] | None:
    """Settings for the next trial; None where all that there are were tried. The first one is the recipe as it is, where it
    lies in the ranges: what the others have to beat."""
    own = {s.name: getattr(recipe, s.name) for s in plan.search}
    if not tried and all(
        s.low <= own[s.name] <= s.high and _value(s, _raw(s, own[s.name])) == own[s.name] for s in plan.search
    ):
        return own
    seen = [t.values for t in tried]
    for again in range(AGAIN):
        trial = _study(plan, tried, higher, again).ask({s.name: _distribution(s) for s in plan.search})
        values = {s.name: _value(s, trial.params[s.name]) for s in plan.search}
        if values not in seen:
            return values
    return None


def is_poor(
    plan: SweepPlan, tried: Sequence[Tried], evaluations: Mapping[int, float], *, higher: bool, begin: int
) -> bool:
    """Whether a run with these evaluations so far is worse than the median of the earlier trials at the same evaluation.
    Never before evaluation `begin`, nor while fewer than three trials ran to their end."""
    import optuna

    if not evaluations:
        return False
    study = _study(plan, tried, higher)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING, n_warmup_steps=begin)
    trial = study.ask()
    for number, value in sorted(evaluations.items()):
        trial.report(value, number)
    return bool(trial.should_prune())


def importances(plan: SweepPlan, tried: Sequence[Tried], *, higher: bool) -> dict[str, float]:
    """The share of the differences in score that goes with each setting, largest first. Empty for fewer than two settings or
    six finished trials, or where all scores are equal."""
    import optuna

    scores = {t.outcome.score for t in tried if t.outcome.state is TrialState.DONE}
    finished = sum(1 for t in tried if t.outcome.state is TrialState.DONE)
    if len(plan.search) < 2 or finished < FEWEST_FOR_IMPORTANCE or len(scores) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=plan.seed)
    found = optuna.importance.get_param_importances(_study(plan, tried, higher), evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}


def _study(plan: SweepPlan, tried: Sequence[Tried], higher: bool, again: int = 0) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # One seed for each proposal: a generator that is made anew would else draw the same numbers each time.
    seed = (plan.seed + 1009 * len(tried) + 7919 * again) % 2**32
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_FIRST)
    study = optuna.create_study(direction="maximize" if higher else "minimize", sampler=sampler)
    distributions = {s.name: _distribution(s) for s in plan.search}
    for trial in tried:
        params = {s.name: _raw(s, trial.values[s.name]) for s in plan.search}
        done = trial.outcome.state is TrialState.DONE and trial.outcome.score is not None
        # Without a single evaluation a pruned trial counts as the worst there is: so does one that failed.
        state = optuna.trial.TrialState.COMPLETE if done else optuna.trial.TrialState.PRUNED
        study.add_trial(
            optuna.trial.create_trial(
                state=state,
                value=trial.outcome.score if done else None,
                params=params,
                distributions=distributions,
                intermediate_values=dict(trial.outcome.evaluations),
            )
        )
    return study


def _distribution(search: Search) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    if search.scale == "doubling":
        return IntDistribution(math.ceil(math.log2(search.low)), math.floor(math.log2(search.high)))
    if search.scale == "whole":
        return IntDistribution(math.ceil(search.low), math.floor(search.high))
    return FloatDistribution(search.low, search.high, log=search.scale == "log")


def _value(search: Search, raw: float) -> Any:
    """The setting that a number of the search stands for, with no more digits than a person would type."""
    if search.scale == "doubling":
        return 2 ** round(raw)
    if search.scale == "whole":
        return int(raw)
    return min(search.high, max(search.low, float(f"{raw:.2g}")))


def _raw(search: Search, value: Any) -> Any:
    if search.scale == "doubling":
        return round(math.log2(value))
    return int(value) if search.scale == "whole" else float(value)
