"""Output filters: keep the rules as versions, measure them, and hand out the one that guards a round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import core.data.output_filter as shipped_filter
import core.data.personal_data as shipped_kinds
from core.data.identity import find_terms
from core.data.lexicon import Lexicon
from core.data.output_filter import OutputFilter
from core.data.own_words import knows
from core.data.own_words import lexicon_for as lexicon_of
from core.mitigations import registry
from core.schemas.errors import UserError
from core.schemas.identity import OwnWords
from core.schemas.output_filter import FilterReport, FilterRules
from core.schemas.reviews import TUNED
from core.store import records
from core.store.tables import FilterVersion, Run, SampleSet
from core.tasks import registry as tasks

from . import datasets, identity_words, preparation

KEY = "output_filter"
MOST_CLEAN = 2_000  # answers of the data that are tried
MOST_SAMPLES = 2_000
MOST_RED = 1_000


def fits(run: Run) -> bool:
    """Whether this round's model writes something that can be filtered."""
    return tasks()[run.task].family in registry()[KEY].families


def versions(project_id: str) -> list[FilterVersion]:
    """Newest first."""
    return sorted(records.find(FilterVersion, project_id=project_id), key=lambda v: -v.number)


def current(run: Run) -> FilterVersion | None:
    """The newest version for this round or for the whole project; None where there is none, or where it has no rules."""
    newest = next((v for v in versions(run.project_id) if v.run_id in (None, run.id)), None)
    return None if newest is None or rules_of(newest).empty else newest


def rules_of(version: FilterVersion) -> FilterRules:
    return FilterRules.model_validate(version.rules)


def report_of(version: FilterVersion) -> FilterReport | None:
    return FilterReport.model_validate(version.measured) if version.measured else None


def guard_of(run: Run) -> OutputFilter | None:
    """The filter that guards this round's answers now."""
    version = current(run) if fits(run) else None
    return _built(version.id) if version else None


@lru_cache(maxsize=8)
def _built(version_id: str) -> OutputFilter:
    version = records.get(FilterVersion, version_id)
    assert version is not None
    guard: OutputFilter = registry()[KEY].guard(rules_of(version))
    return guard


def save(run: Run, rules: FilterRules, red_list: Sequence[str] = (), *, this_round: bool = False) -> FilterVersion:
    """Keep the rules as the next version, with what was measured of them. Rules without an entry switch the filter off.

    Raises UserError where a rule cannot be used.
    """
    if not fits(run):
        raise UserError(
            "This model writes no text.",
            "It gives categories or a number, so there is nothing to filter.",
            "Choose a round whose model writes.",
        )
    report = measure(run, rules, red_list) if not rules.empty else None
    version = FilterVersion(
        project_id=run.project_id,
        run_id=run.id if this_round else None,
        rules=rules.model_dump(mode="json"),
        red_list=list(red_list),
        measured=report.model_dump(mode="json") if report else None,
    )
    return records.add_numbered(version)


def measure(run: Run, rules: FilterRules, red_list: Sequence[str] = ()) -> FilterReport:
    """Recall on the red list, and what is changed of the data's own answers, of the model's samples, and of harmless texts
    about each group. Raises UserError where a rule cannot be used."""
    report: FilterReport = registry()[KEY].measure(
        rules,
        [text for text in red_list if text.strip()][:MOST_RED],
        list(clean_references(run)),
        samples(run),
        lexicon_for(run),
        _about(run),
    )
    return report


def clean_references(run: Run) -> tuple[str, ...]:
    """Answers of the person's own data, those of training and validation rows: what the model was shown as right."""
    return _references(run.plan_id, run.task)


@lru_cache(maxsize=8)
def _references(plan_id: str, task: str) -> tuple[str, ...]:
    parts = preparation.parts(preparation.get_plan(plan_id), task)
    texts = (e.reference or e.text for part in ("validation", "train") for e in parts[part])
    return tuple(dict.fromkeys(text for text in texts if text.strip()))[:MOST_CLEAN]


def samples(run: Run) -> list[str]:
    """What the round's model wrote for the reviews, each answer once."""
    written = (
        str(item[TUNED])
        for found in records.find(SampleSet, run_id=run.id)
        for item in found.items
        if item.get(TUNED) and item.get("repeat_of") is None
    )
    return list(dict.fromkeys(written))[:MOST_SAMPLES]


def lexicon_for(run: Run) -> Lexicon | None:
    """The words for groups of people in the language of the data; None where there is no list for it."""
    language, own = _words(run)
    return lexicon_of(language, own) if knows(language, own) else None


def _words(run: Run) -> tuple[str, OwnWords]:
    language = identity_words.language_of(datasets.get_version(run.dataset_version_id))
    return language, identity_words.of(run.project_id, language)


def _about(run: Run) -> Mapping[tuple[str, str], Sequence[str]]:
    language, own = _words(run)
    return _named(run.plan_id, run.task, language, own) if knows(language, own) else {}


@lru_cache(maxsize=8)
def _named(plan_id: str, task: str, language: str, own: OwnWords) -> dict[tuple[str, str], list[str]]:
    """The data's own answers by the groups that they name."""
    found: dict[tuple[str, str], list[str]] = {}
    lexicon = lexicon_of(language, own)
    for text in _references(plan_id, task):
        for key in {(match.axis, match.group) for match in find_terms(text, lexicon=lexicon)}:
            found.setdefault(key, []).append(text)
    return found


def shipped(run: Run) -> dict[str, str]:
    """What an export carries so that its helper filters as the dashboard does: file name to text. Empty without a filter."""
    version = current(run) if fits(run) else None
    if version is None:
        return {}
    rules = registry()[KEY].prepared(rules_of(version)) | {"version": version.number}
    return {
        "filter_rules.json": json.dumps(rules, indent=2, ensure_ascii=False),
        "output_filter.py": Path(shipped_filter.__file__).read_text(encoding="utf-8"),
        "personal_data.py": Path(shipped_kinds.__file__).read_text(encoding="utf-8"),
    }
