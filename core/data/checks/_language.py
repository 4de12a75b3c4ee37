"""Which language a text is in, by py3langid on texts of 20 characters or more."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

SHORTEST = 20  # characters: shorter texts are a guess
READ = 200  # characters read of each text
SAMPLE = 2_000
SURE = 0.9  # probability from which a text counts as being in another language than most
LEAST = 0.3  # share of texts below which no language is the main one
NO_LANGUAGE = "zxx"  # ISO 639: no linguistic content

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


def name_of(code: str) -> str:
    return NAMES.get(code, f"language “{code}”")


@cache
def identifier() -> Any:
    """The language identifier, loaded once (about a second). `classify(text)` gives (ISO 639 code, probability)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@dataclass(frozen=True)
class Languages:
    """`found` maps the index of a text to (language, probability). `main` is the language of most, None where it could
    not be told."""

    found: dict[int, tuple[str, float]]
    main: str | None

    @property
    def counts(self) -> dict[str, int]:
        """Texts by their likeliest language, most frequent first."""
        counts: dict[str, int] = {}
        for code, _ in self.found.values():
            counts[code] = counts.get(code, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def surely_other(self, i: int) -> bool:
        """Whether text i is in another language than most, beyond doubt."""
        code, probability = self.found[i]
        return probability >= SURE and code not in (self.main, NO_LANGUAGE)


def detect(texts: Sequence[str]) -> Languages:
    """The languages of up to `SAMPLE` of the texts that are long enough."""
    long_enough = [i for i, t in enumerate(texts) if len(t.strip()) >= SHORTEST]
    sample = sorted(random.Random(0).sample(long_enough, SAMPLE)) if len(long_enough) > SAMPLE else long_enough
    found: dict[int, tuple[str, float]] = {}
    belief: dict[str, float] = {}
    for i in sample:
        language, probability = identifier().classify(texts[i].strip()[:READ])
        found[i] = (language, float(probability))
        belief[language] = belief.get(language, 0.0) + float(probability)
    counts = Languages(found, None).counts
    main = max(counts, key=lambda code: (counts[code], code)) if counts else None
    if main in (None, NO_LANGUAGE) or counts[main] < LEAST * len(sample) or belief[main] < 0.5 * counts[main]:
        main = None
    return Languages(found, main)
