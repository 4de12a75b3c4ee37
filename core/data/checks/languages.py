"""Which languages the texts are in, and whether one is there that was not meant to be."""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from functools import cache
from typing import Any

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context

SHORTEST = 20  # characters: shorter texts are a guess
READ = 200  # characters read of each text
SAMPLE = 2_000
SURE = 0.9  # probability from which a text counts as being in another language than most
LEAST = 0.3  # share of texts below which no language is the main one
NO_LANGUAGE = "zxx"  # ISO 639: no linguistic content
MIXED, MIXED_ROWS = 0.05, 5  # share and number of texts from which another language is mentioned (house thresholds)

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "gu": "Gujarati", "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "nb": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian",
    "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Filipino",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip


@cache
def identifier() -> Any:
    """The language identifier, loaded once (about a second). `classify(text)` gives (ISO 639 code, probability)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def name_of(code: str) -> str:
    return NAMES.get(code, f"language “{code}”")


def run(context: Context) -> list[Finding]:
    long_enough = [i for i, t in enumerate(context.texts) if len(t.strip()) >= SHORTEST]
    if not long_enough:
        return []
    sample = sorted(random.Random(0).sample(long_enough, SAMPLE)) if len(long_enough) > SAMPLE else long_enough
    likely: dict[str, list[int]] = defaultdict(list)
    belief: dict[str, float] = defaultdict(float)
    sure: dict[str, list[int]] = defaultdict(list)
    for i in sample:
        language, probability = identifier().classify(context.texts[i].strip()[:READ])
        likely[language].append(i)
        belief[language] += probability
        if probability >= SURE:
            sure[language].append(i)
    main = max(likely, key=lambda code: (len(likely[code]), code))
    basis = f"Judged on {plural(len(sample), 'text')} of at least {SHORTEST} characters."
    if main == NO_LANGUAGE or len(likely[main]) < LEAST * len(sample) or belief[main] < 0.5 * len(likely[main]):
        return [
            Finding(
                check="languages",
                severity=Severity.INFO,
                title="The language of the texts could not be told",
                meaning=f"They may be too short, in a rare language, or mostly numbers, names and signs. {basis}",
                fix="Choose a base model whose languages you know to fit.",
                count=len(sample),
            )
        ]
    others = {
        code: rows
        for code, rows in sorted(sure.items(), key=lambda item: -len(item[1]))
        if code not in (main, NO_LANGUAGE) and len(rows) >= max(MIXED_ROWS, MIXED * len(sample))
    }
    ordered = sorted(likely, key=lambda code: -len(likely[code]))[:12]
    chart = {"shares": {code: round(len(likely[code]) / len(sample), 4) for code in ordered}}
    data: dict[str, Any] = {"language": main, "chart": chart, "names": {c: name_of(c) for c in chart["shares"]}}
    estimate = wilson(len(likely[main]), len(sample))
    if others:
        rows = sorted(i for group in others.values() for i in group)
        words = ", ".join(f"{len(r) / len(sample):.0%} {name_of(c)}" for c, r in list(others.items())[:4])
        return [
            Finding(
                check="languages",
                severity=Severity.WARNING,
                title=f"Mostly {name_of(main)}, but also {words}",
                meaning="A base model that does not know all of these languages learns little from those rows. "
                f"{basis}",
                fix="If this is intended, choose a base model for several languages. Otherwise remove the rows.",
                count=len(rows),
                row_ids=context.ids(rows),
                estimate=wilson(len(rows), len(sample)),
                data=data | {"others": {c: len(r) for c, r in others.items()}},
            )
        ]
    return [
        Finding(
            check="languages",
            severity=Severity.GOOD,
            title=f"The texts are in {name_of(main)}",
            meaning=f"Choose a base model that knows this language. {basis}",
            count=len(likely[main]),
            estimate=estimate,
            data=data,
        )
    ]


PLUGIN = Check("languages", "Languages", 55, ALL, run)
