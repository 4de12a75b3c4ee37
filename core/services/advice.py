"""Which base model for this dataset: fits in memory, knows the language and the words, allows the use; with its reasons."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import lru_cache

from core import methods
from core.data import cost, fertility, hardware, licences
from core.data.fertility import Fertility
from core.schemas.families import FAMILIES, unfit
from core.schemas.models import Fit, ModelFacts
from core.store.config import storage_root
from core.store.tables import Project
from core.tasks import registry as tasks

from . import datasets, knowing, models, recipes, rows
from .knowing import Known

log = logging.getLogger(__name__)

LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "zh": "Chinese",
    "ja": "Japanese", "ko": "Korean", "ru": "Russian", "ar": "Arabic", "hi": "Hindi", "nl": "Dutch", "pl": "Polish",
    "tr": "Turkish", "sv": "Swedish", "sw": "Swahili", "ha": "Hausa",
}  # fmt: skip


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


@dataclass(frozen=True)
class Advice:
    """One candidate for a project. `warnings` are whole sentences; `unfit` says why the project's task cannot use it;
    `recommended` is set for at most one, `rank` counts from 1. `fertility` and `known` are measured on the person's own
    rows; None before they were."""

    facts: ModelFacts
    fit: Fit
    warnings: tuple[str, ...]
    fertility: Fertility | None = None
    known: Known | None = None
    unfit: str = ""
    recommended: bool = False
    reason: str = ""
    rank: int = 0


def for_project(project: Project) -> list[Advice]:
    """All models of this machine, best suited first, the recommended one marked."""
    version = datasets.current(project)
    language = (version.health or {}).get("language") if version else None
    family = tasks()[project.task].family if project.task else "causal-lm"
    machine = hardware.look(storage_root())
    count = version.rows if version else 500
    texts = (
        tuple(map(knowing.whole, rows.spread(version, project.task, fertility.SAMPLE)))
        if version and project.task
        else ()
    )
    found = []
    candidates = models.all_models()
    known = knowing.of(knowing.sample(project, version), candidates, family)
    for facts in candidates:
        recipe = recipes.preset("balanced", facts, family, count)
        length = min(256, facts.context_length or 256)
        fit = cost.fit(facts, recipe, methods.get(recipe.method), length, FAMILIES[family].reads, machine)
        measured = _fertility(facts.folder, texts)
        warnings = tuple(_warnings(facts, fit, language, family, measured, project.settings.get("use")))
        found.append(
            Advice(
                facts,
                fit,
                warnings,
                measured,
                known.get(facts.key),
                unfit(family, writes=facts.causal, pairs=facts.encoder_decoder),
            )
        )
    # What does not fit the task or the memory comes last; then few warnings, then those that know the texts best, then few
    # tokens a word (to a fifth), then size.
    found.sort(
        key=lambda a: (
            bool(a.unfit), a.fit.verdict == "does not fit", len(a.warnings), _unknowing(a), _strangeness(a),
            -a.facts.parameters,
        )
    )  # fmt: skip
    ranked = [replace(a, rank=i) for i, a in enumerate(found, start=1)]
    if not ranked or ranked[0].unfit or ranked[0].fit.verdict == "does not fit":
        return ranked
    best = replace(ranked[0], recommended=True, reason=_reason(ranked[0], language, ranked[1:]))
    return [best, *ranked[1:]]


def fitting_tasks(facts: ModelFacts) -> list[str]:
    """Titles of the tasks that this model can be trained for."""
    return [
        task.title
        for task in tasks().values()
        if not unfit(task.family, writes=facts.causal, pairs=facts.encoder_decoder)
    ]


@lru_cache(maxsize=64)
def _fertility(folder: str, texts: tuple[str, ...]) -> Fertility | None:
    try:
        return fertility.measure(folder, texts)
    except Exception as error:  # the tokenizers library raises Exception itself for a damaged file
        log.warning("tokenizer of %s: %s", folder, error)
        return None


def _unknowing(candidate: Advice) -> float:
    """Bits a byte where another model is known to do better; else 0, for nothing speaks against it (encoders have none)."""
    known = candidate.known
    return known.bits.value if known and known.bits and known.standing == "worse" else 0.0


def _strangeness(candidate: Advice) -> float:
    return round(candidate.fertility.per_word * 5) / 5 if candidate.fertility else 0.0


def _warnings(
    facts: ModelFacts, fit: Fit, language: str | None, family: str, measured: Fertility | None, use: str | None
) -> list[str]:
    out = []
    if language and facts.languages and language not in facts.languages:
        known = ", ".join(language_name(code) for code in facts.languages)
        out.append(
            f"Your texts are in {language_name(language)}, this model knows {known}: it will learn slowly and write badly."
        )
    if measured and measured.verdict == "strange":
        out.append(
            f"It needs {measured.per_word:.1f} tokens for a {measured.unit} of yours: it hardly knows this language or "
            "subject, and training takes longer."
        )
    if measured and facts.context_length and measured.longest > facts.context_length:
        out.append(
            f"It reads {facts.context_length:,} tokens at once; your longest rows have about {measured.longest:,} and "
            "would be cut."
        )
    if fit.verdict == "does not fit":
        out.append("It needs more memory than this machine has free.")
    if reason := unfit(family, writes=facts.causal, pairs=facts.encoder_decoder):
        out.append(reason)
    licence = licences.explain(facts.licence)
    if not facts.licence:
        out.append("Its licence is not stated: find out before you use what comes out of it.")
    elif use == "commercial" and licence.commercial is not True:
        out.append(f"You want to earn money with it. {licence.words}")
    return out


def _reason(best: Advice, language: str | None, others: list[Advice]) -> str:
    parts = []
    if language and language in best.facts.languages:
        parts.append(f"knows {language_name(language)}, the language of your texts")
    if best.fertility and best.fertility.verdict != "strange":
        parts.append(
            f"needs {best.fertility.per_word:.1f} tokens for a {best.fertility.unit} of yours (the fewer the better)"
        )
    if best.known and best.known.bits and best.known.standing:
        first = "knows your texts best" if best.known.standing == "best" else "knows your texts as well as the best"
        parts.append(
            f"{first} of those measured ({best.known.bits.value:.2f} bits a byte on {best.known.bits.n:,} rows)"
        )
    parts.append("fits this machine" if best.fit.verdict == "fits" else "just fits this machine")
    if others and all(a.facts.parameters <= best.facts.parameters for a in others if not a.warnings):
        parts.append("is the largest that does")
    return "It " + ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] + "."
