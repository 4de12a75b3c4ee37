"""Rude, hateful and threatening words, for a look by hand. A word list is no judge: its own errors are shown beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from core.schemas.findings import Finding, Severity

from ..group_rows import named_in_texts
from ..lexicon import load_lexicon
from ..own_words import NONE, knows, lexicon_for
from ..probes import languages as probe_languages
from ..probes import probes
from ..statistics import wilson
from ..toxicity import ToxicWords, languages, load
from ._check import ALL, Check, plural, visible
from ._context import Context

FEWEST = 30  # rows about a group for its share to be shown
MOST = 100_000  # rows searched for groups


def run(context: Context) -> list[Finding]:
    language = context.languages.main or "en"
    if not context.rows or language not in languages():
        return []
    words = load(language)
    found: dict[int, str] = {}
    for i in context.vocabulary.with_any(words.first_words).tolist():
        if (word := words.find(context.texts[i])) is not None:
            found[i] = word
    total = context.rows
    data: dict[str, Any] = {"counts": {"toxic_words": len(found)}}
    if not found:
        return [
            Finding(
                check="toxicity",
                severity=Severity.GOOD,
                title=f"No rude or hateful word of a short list among {plural(total, 'row')}",
                meaning="Hate without such words is not found this way.",
                estimate=wilson(0, total),
                data=data,
            )
        ]
    common = ", ".join(
        f"“{visible(w, 20)}” ({n:,})" for w, n in Counter(w.lower() for w in found.values()).most_common(4)
    )
    data["queue"] = "toxicity"
    data["evidence"] = {context.row_ids[i]: word for i, word in list(found.items())[:200]}
    groups = _by_group(context, found, language)
    if groups:
        data["chart"] = {"groups": groups}
    loudest = max(groups, key=lambda g: g["value"], default=None)
    compared = (
        f" Of the {loudest['n']:,} rows about {loudest['title']}, {loudest['value']:.0%} hold one ({loudest['low']:.0%} to "
        f"{loudest['high']:.0%}); of all rows, {len(found) / total:.0%}: a filter by words would take more from them."
        if loudest and (loudest["low"] or 0) > len(found) / total
        else ""
    )
    return [
        Finding(
            check="toxicity",
            severity=Severity.INFO,
            title=f"{plural(len(found), 'row')} with rude, hateful or threatening words, to look through",
            meaning=f"Most often {common}. A model that writes can learn to write so; a model that sorts may need such rows. The "
            f"list knows no context.{compared} {_own_errors(words, language)}",
            fix="Look through the rows. Remove what the model should not learn to say; keep what it has to recognise.",
            count=len(found),
            row_ids=context.ids(found),
            estimate=wilson(len(found), total),
            data=data,
        )
    ]


def _by_group(context: Context, found: dict[int, str], language: str) -> list[dict[str, Any]]:
    """For each group of people that enough rows name, the share of those rows that the list marks."""
    own = context.around.own_words.get(language, NONE)
    if not knows(language, own):
        return []
    lexicon = lexicon_for(language, own)
    among = context.vocabulary.with_any({word.casefold() for word in lexicon.entries}).tolist()[:MOST]
    grouped, _ = named_in_texts(context.texts, lexicon, among=among)
    shares = []
    for axis in grouped:
        for group, rows in axis.rows.items():
            if len(rows) >= FEWEST:
                share = wilson(sum(i in found for i in rows), len(rows))
                shares.append({"title": axis.titles[group], **share.model_dump(include={"value", "low", "high", "n"})})
    return sorted(shares, key=lambda s: -s["value"])


def _own_errors(words: ToxicWords, language: str) -> str:
    """What the list marks among harmless sentences about every group: its own false alarms."""
    if language not in probe_languages():
        return ""
    harmless = probes(lexicon=load_lexicon(language))
    wrong = [p for p in harmless if words.find(p.text)]
    groups = len({(p.axis, p.group) for p in harmless})
    share = wilson(len(wrong), len(harmless))
    return (
        f"Of {len(harmless):,} harmless sentences about {groups} groups of people it marks {len(wrong):,} "
        f"(at most {share.high or 0:.2%} by chance)."
    )


PLUGIN = Check("toxicity", "Rude words", 74, ALL, run, "People")
