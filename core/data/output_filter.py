"""Filter what a model wrote by rules: mask, replace or refuse.

The order of work: normalise; find the spans of allowed phrases; find words and patterns on word boundaries; find personal
data by its validators; then act. This very file goes with an exported model, so it imports the standard library alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MASK = "•••"
ROUNDS = 5  # what a mask leaves behind is read again; a text that never comes to rest is refused
STRENGTH = ("mask", "replace", "refuse")
REFUSAL = "This answer was held back by a filter."

_UNSPACED = (  # scripts without blanks between words: a word may stand anywhere
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u0640")
_OPTIONAL_MARKS = ((0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F))
# Cyrillic and Greek letters that are drawn like Latin ones (the common ones of Unicode Technical Standard 39).
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝкАВЕКМНОРСТХУЅІЈοαεικνρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwkABEKMHOPCTXYSIJoaeikvptuxABEZHIKMNOPTYX",
)
_LOOKALIKE = frozenset(map(chr, _LOOKALIKES))
_WORD = re.compile(r"[^\W_]+")
_GAP = r"[\s_\u2010-\u2015-]{1,3}"  # between the words of a phrase
_EDGE = r"(?:(?<![^\W_])|(?![^\W_]))"  # never between two letters or digits


@dataclass(frozen=True)
class Hit:
    """`rule` says which rule, `start:end` where in the text that was given (of its first reading), `found` what stood there."""

    rule: str
    start: int
    end: int
    action: str
    found: str


@dataclass(frozen=True)
class Filtered:
    """`text` is what may be shown. No hits: it is the text that was given, unchanged. `titles` names rules for people."""

    text: str
    hits: tuple[Hit, ...] = ()
    refused: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that did something, in the order in which they first did."""
        return tuple(dict.fromkeys(hit.rule for hit in self.hits))

    def sentence(self) -> str:
        """What to tell whoever reads the answer; empty where nothing was filtered."""
        if not self.hits:
            return ""
        named = ", ".join(f"“{self.titles.get(rule, rule)}”" for rule in self.rules)
        what = "This answer was refused" if self.refused else "Parts of this answer were filtered"
        return f"{what} by the rule{'s' if len(self.rules) > 1 else ''} {named}."


@dataclass(frozen=True)
class View:
    """A text as the rules read it; `origins` are the places (start, end) in the real text of each of its characters."""

    text: str
    origins: Sequence[tuple[int, int]]

    def place(self, start: int, end: int) -> tuple[int, int]:
        return self.origins[start][0], self.origins[end - 1][1]


PersonalData = Callable[[str, Collection[str]], Sequence[tuple[int, int, str]]]
"""From a text and the kinds that are looked for to (start, end, kind)."""


class OutputFilter:
    """`rules` is plain JSON: `rules` (each with `name`, `kind` words or pattern, `entries`, `action`, `replacement`), `allow`,
    `personal` (kinds), `personal_action`, `refusal`, `ignore_accents`, `titles` (of kinds). `personal_data` finds the kinds
    (see `personal_data.py`).

    Patterns are taken as they are: whoever makes the rules checks that none of them can take for ever.
    Raises re.error for a pattern that is none.
    """

    def __init__(self, rules: Mapping[str, Any], personal_data: PersonalData) -> None:
        self.accents = not rules.get("ignore_accents", False)
        self.refusal = str(rules.get("refusal") or REFUSAL)
        self.kinds = tuple(rules.get("personal") or ())
        self.personal_action = str(rules.get("personal_action") or "mask")
        self.titles = dict(rules.get("titles") or {})
        self._personal_data = personal_data
        self._allowed = [self._phrase(phrase) for phrase in rules.get("allow") or () if phrase.strip()]
        self._rules = []
        for rule in rules.get("rules") or ():
            made = self._pattern if rule["kind"] == "pattern" else self._phrase
            finders = [made(entry) for entry in rule["entries"] if entry.strip()]
            self._rules.append((rule, finders))

    def apply(self, text: str) -> Filtered:
        """What may be shown of `text`. Applied to its own result it changes nothing more."""
        hits = self.find(text)
        every, shown = hits, text
        for _ in range(ROUNDS):
            if not hits:
                return Filtered(shown, tuple(every), titles=self.titles)
            if any(hit.action == "refuse" for hit in hits):
                return Filtered(self.refusal, tuple(every), True, self.titles)
            shown = self._rewritten(shown, hits)
            hits = self.find(shown)
            every = [*every, *hits]
        return Filtered(self.refusal, tuple(every), True, self.titles)

    def find(self, text: str) -> list[Hit]:
        """Every hit outside allowed phrases, in order; hits may overlap. A hit that reaches beyond an allowed phrase counts."""
        view = self._view(text)
        lower = _lower(view)
        allowed = [place for finder in self._allowed for place in finder(view, lower)]
        found: list[Hit] = []
        for rule, finders in self._rules:
            places = [place for finder in finders for place in finder(view, lower)]
            found += [Hit(rule["name"], a, b, rule["action"], text[a:b]) for a, b in places]
        if self.kinds:
            for a, b, kind in self._personal_data(view.text, self.kinds):
                start, end = view.place(a, b)
                found.append(Hit(kind, start, end, self.personal_action, text[start:end]))
        kept = [hit for hit in found if not any(a <= hit.start and hit.end <= b for a, b in allowed)]
        return sorted(set(kept), key=lambda hit: (hit.start, -hit.end, hit.rule))

    def _rewritten(self, text: str, hits: Sequence[Hit]) -> str:
        """Hits that overlap are one place: the strongest action wins, and of these the longest hit."""
        parts, end = [], 0
        for group in _overlapping(hits):
            first = max(group, key=lambda hit: (STRENGTH.index(hit.action), hit.end - hit.start))
            parts += [text[end : group[0].start], self._instead(first)]
            end = max(hit.end for hit in group)
        return "".join([*parts, text[end:]])

    def _instead(self, hit: Hit) -> str:
        if hit.action == "replace":
            rule = next(rule for rule, _ in self._rules if rule["name"] == hit.rule)
            return str(rule.get("replacement") or "")
        return f"[{hit.rule}]" if hit.rule in self.kinds else MASK

    # -- finding -------------------------------------------------------------------------------------------------------

    def _phrase(self, entry: str) -> Callable[[View, View], Iterator[tuple[int, int]]]:
        """Words in any case; `*` at an end stands for any further letters of the word."""
        words = _lower(self._view(entry)).text.split()
        before, after = words[0].startswith("*"), words[-1].endswith("*")
        words[0] = words[0].lstrip("*")
        words[-1] = words[-1].rstrip("*")
        if not all(words):
            raise re.error(f"{entry!r} has no letters beside the star")
        rest = r"[^\W_]{0,40}"
        pattern = re.compile(
            (rest if before else "") + _GAP.join(re.escape(word) for word in words) + (rest if after else "")
        )

        def find(view: View, lower: View) -> Iterator[tuple[int, int]]:
            at = 0
            while match := pattern.search(lower.text, at):
                start, end = match.span()
                whole = _begins(lower.text, start) and _ends(lower.text, end)
                if whole:
                    yield lower.place(start, end)
                at = end if whole else start + 1

        return find

    def _pattern(self, entry: str) -> Callable[[View, View], Iterator[tuple[int, int]]]:
        pattern = re.compile(f"{_EDGE}(?:{entry}){_EDGE}", re.IGNORECASE)

        def find(view: View, lower: View) -> Iterator[tuple[int, int]]:
            return (view.place(*match.span()) for match in pattern.finditer(view.text) if match.group())

        return find

    def _view(self, text: str) -> View:
        return normalised(text, accents=self.accents)


def normalised(text: str, accents: bool = True) -> View:
    """A text without tricks: one form of each character (NFKC), nothing invisible, no heaped-up marks, and within a word of
    Latin letters no lookalikes of other scripts. Case is kept. `accents` False also takes the accents from letters."""
    if text.isascii():
        return View(text, _Same(len(text)))
    letters: list[str] = []
    origins: list[tuple[int, int]] = []
    for start, end in _clusters(text):
        seen = unicodedata.normalize("NFKC", "".join(c for c in text[start:end] if not _invisible(c)))
        if not accents:
            seen = unicodedata.normalize("NFD", seen)
        # Marks that no letter is known with are decoration; others (of Indian scripts) are part of the word.
        for letter in seen:
            if not _within(ord(letter), _OPTIONAL_MARKS):
                letters.append(letter)
                origins.append((start, end))
    plain = "".join(letters)
    if not _LOOKALIKE.isdisjoint(plain):
        plain = _WORD.sub(lambda word: _latin(word.group()), plain)
    return View(plain, origins)


class _Same(Sequence[tuple[int, int]]):
    """The origins of a text that is read as it stands."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: Any) -> Any:
        return (i, i + 1)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Each character with the marks that follow it."""
    start = 0
    for i in range(1, len(text)):
        if not (unicodedata.combining(text[i]) or _invisible(text[i])):
            yield start, i
            start = i
    if text:
        yield start, len(text)


def _lower(view: View) -> View:
    if isinstance(view.origins, _Same):
        return View(view.text.lower(), view.origins)
    letters, origins = [], []
    for letter, origin in zip(view.text, view.origins, strict=True):
        for folded in letter.casefold():
            letters.append(folded)
            origins.append(origin)
    return View("".join(letters), origins)


def _invisible(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or letter in _FILLERS or "\ufe00" <= letter <= "\ufe0f"


def _latin(word: str) -> str:
    return word.translate(_LOOKALIKES) if any("a" <= c.lower() <= "z" for c in word) else word


def _within(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _part_of_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def _begins(text: str, start: int) -> bool:
    """Whether a word may begin here: the letter before is none, or one of a script without blanks."""
    return start == 0 or not _part_of_word(text[start]) or not _joined(text[start - 1], text[start])


def _ends(text: str, end: int) -> bool:
    return end == len(text) or not _part_of_word(text[end - 1]) or not _joined(text[end - 1], text[end])


def _joined(before: str, after: str) -> bool:
    if not (_part_of_word(before) and _part_of_word(after)):
        return False
    return not (_within(ord(before), _UNSPACED) or _within(ord(after), _UNSPACED))


def _overlapping(hits: Sequence[Hit]) -> Iterator[list[Hit]]:
    """Sorted hits in groups that touch no other group."""
    group: list[Hit] = []
    reach = 0
    for hit in hits:
        if group and hit.start >= reach:
            yield group
            group, reach = [], 0
        group.append(hit)
        reach = max(reach, hit.end)
    if group:
        yield group
