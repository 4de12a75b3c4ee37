"""Which base model for this dataset: fits in memory, knows the language, knows chats; said with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from core.data import cost, hardware
from core.schemas.models import Fit, ModelFacts
from core.store.config import storage_root
from core.store.tables import Project
from core.tasks import registry as tasks

from . import datasets, models, recipes

LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "zh": "Chinese",
    "ja": "Japanese", "ko": "Korean", "ru": "Russian", "ar": "Arabic", "hi": "Hindi", "nl": "Dutch", "pl": "Polish",
    "tr": "Turkish", "sv": "Swedish", "sw": "Swahili", "ha": "Hausa",
}  # fmt: skip


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


@dataclass(frozen=True)
class Advice:
    """One candidate for a project. `warnings` are whole sentences; `recommended` is set for at most one."""

    facts: ModelFacts
    fit: Fit
    warnings: tuple[str, ...]
    recommended: bool = False
    reason: str = ""


def for_project(project: Project) -> list[Advice]:
    """All models of this machine, the recommended one marked, in the order of `models.all_models`."""
    version = datasets.current(project)
    language = (version.health or {}).get("language") if version else None
    family = tasks()[project.task].family if project.task else "causal-lm"
    machine = hardware.look(storage_root())
    rows = version.rows if version else 500
    found = []
    for facts in models.all_models():
        recipe = recipes.preset("balanced", facts, family, rows)
        fit = cost.fit(facts, recipe, min(256, facts.context_length or 256), family == "classifier", machine)
        found.append(Advice(facts, fit, tuple(_warnings(facts, fit, language, family))))
    best = max(found, key=lambda a: (not a.warnings, a.fit.verdict == "fits", a.facts.parameters), default=None)
    if best is None or best.fit.verdict == "does not fit":
        return found
    reason = _reason(best, language, len(found))
    return [Advice(a.facts, a.fit, a.warnings, a is best, reason if a is best else "") for a in found]


def _warnings(facts: ModelFacts, fit: Fit, language: str | None, family: str) -> list[str]:
    out = []
    if language and facts.languages and language not in facts.languages:
        known = ", ".join(language_name(code) for code in facts.languages)
        out.append(
            f"Your texts are in {language_name(language)}, this model knows {known}: it will learn slowly and write badly."
        )
    if fit.verdict == "does not fit":
        out.append("It needs more memory than this machine has free.")
    if family == "causal-lm" and not facts.causal:
        out.append("It can sort texts, but it cannot write them.")
    if not facts.licence:
        out.append("Its licence is not stated: find out before you use what comes out of it.")
    return out


def _reason(best: Advice, language: str | None, candidates: int) -> str:
    parts = []
    if language and language in best.facts.languages:
        parts.append(f"knows {language_name(language)}, the language of your texts")
    parts.append("fits this machine" if best.fit.verdict == "fits" else "just fits this machine")
    if candidates > 1:
        parts.append("is the largest that does")
    return "It " + " and ".join(parts) + "."
