"""Filter what the model writes by rules that a person can read: mask, replace or refuse. The model itself stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.data.lexicon import Lexicon
from core.data.output_filter import OutputFilter
from core.data.personal_data import KINDS, spans
from core.data.probes import FOLDER as TEMPLATES
from core.data.probes import probes
from core.data.safe_patterns import UnsafePattern, made_safe
from core.data.statistics import wilson
from core.schemas.audits import AuditFamily
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate
from core.schemas.mitigations import Changes
from core.schemas.output_filter import Caught, FilterReport, FilterRules, GroupRate

SHOWN = 20  # texts that are kept of each kind, for reading
PROBES_A_GROUP = 60


class FilterOutput:
    key = "output_filter"
    title = "Filter what it writes"
    help = (
        "Rules that you write are applied to every answer: what they find is masked, replaced, or the answer is refused. "
        "The model stays as it is, so this hides an effect and does not remove its cause; what no rule names comes through."
    )
    order = 90
    families: tuple[AuditFamily, ...] = ("causal-lm", "seq2seq")
    config = FilterRules
    changes: Changes = "output"
    verify_with: tuple[str, ...] = ()

    def prepared(self, rules: FilterRules) -> dict[str, Any]:
        """The rules as plain JSON for `OutputFilter`, patterns made safe. Raises UserError where one cannot be used, where two
        have one name, or where what stands in place of a find would itself be found."""
        names = [rule.name for rule in rules.rules]
        twice = next((name for name in names if names.count(name) > 1 or name in rules.personal), None)
        if twice is not None:
            raise UserError(
                "Two rules have the same name.",
                f"“{twice}” stands there twice, so nobody could tell which of them acted.",
                "Give one of them another name.",
            )
        plain = rules.model_dump(mode="json")
        plain["titles"] = {kind.key: kind.title for kind in KINDS if kind.key in rules.personal}
        for rule in plain["rules"]:
            if rule["kind"] == "pattern":
                rule["entries"] = [_safe(rule["name"], entry) for entry in rule["entries"] if entry.strip()]
        try:
            guard = OutputFilter(plain, spans)
        except re.error as error:
            raise UserError(
                "A rule cannot be read.", f"{error}.", "Write at least one letter or sign in each line."
            ) from error
        _refuse_echo(guard, rules)
        return plain

    def guard(self, rules: FilterRules) -> OutputFilter:
        """The filter itself. Raises UserError as `prepared`."""
        return OutputFilter(self.prepared(rules), spans)

    def measure(
        self,
        rules: FilterRules,
        red: Sequence[str] = (),
        clean: Sequence[str] = (),
        samples: Sequence[str] = (),
        lexicon: Lexicon | None = None,
        about: Mapping[tuple[str, str], Sequence[str]] | None = None,
    ) -> FilterReport:
        """Recall on `red`, the share of `clean` and of `samples` that is changed, and of harmless texts about each group of
        the lexicon: neutral probes, and answers of the data that name it (`about`: by axis and group)."""
        guard = self.guard(rules)
        counts: dict[str, dict[str, int]] = {}
        caught = _caught(guard, red, "red", counts)
        changed = _caught(guard, clean, "clean", counts)
        written = _caught(guard, samples, "samples", counts)
        found = {text for text, _ in caught}
        not_tested = [
            "Words written apart (i d i o t), with digits for letters (1d10t) or misspelt are not found.",
            "A rude or harmful answer without any of these words comes through.",
        ]
        if not red:
            not_tested.insert(0, "Whether it finds what it should: the red list is empty.")
        return FilterReport(
            recall=_share(len(caught), red),
            missed=tuple(text for text in red if text not in found)[:SHOWN],
            clean=_share(len(changed), clean),
            changed=tuple(c for _, c in changed[:SHOWN]),
            samples=_share(len(written), samples),
            written=tuple(c for _, c in written[:SHOWN]),
            groups=_by_group(guard, lexicon, about or {}) if lexicon is not None else (),
            by_rule=counts,
            not_tested=tuple(not_tested),
        )


def _safe(name: str, entry: str) -> str:
    try:
        return made_safe(entry.strip())
    except UnsafePattern as error:
        raise UserError(
            f"A pattern of the rule “{name}” cannot be used.",
            f"{entry.strip()[:80]!r}: {error}.",
            "Change the pattern, or write the words themselves, one a line.",
        ) from error


def _refuse_echo(guard: OutputFilter, rules: FilterRules) -> None:
    """What is put in must not be found again, or the filter would work on its own words."""
    said = {"The refusal": rules.refusal} | {
        f"The replacement of “{rule.name}”": rule.replacement for rule in rules.rules if rule.action == "replace"
    }
    for what, text in said.items():
        if hits := guard.find(text):
            raise UserError(
                f"{what} would be filtered itself.",
                f"It holds “{hits[0].found}”, which the rule “{hits[0].rule}” finds.",
                "Write it in other words.",
            )


def _caught(
    guard: OutputFilter, texts: Sequence[str], kind: str, counts: dict[str, dict[str, int]]
) -> list[tuple[str, Caught]]:
    out = []
    for text in texts:
        done = guard.apply(text)
        for rule in done.rules:
            counts.setdefault(rule, {}).setdefault(kind, 0)
            counts[rule][kind] += 1
        if done.hits:
            out.append((text, Caught(before=text, after=done.text, rules=done.rules, refused=done.refused)))
    return out


def _share(count: int, texts: Sequence[str]) -> Estimate | None:
    return wilson(count, len(texts)) if texts else None


def _by_group(
    guard: OutputFilter, lexicon: Lexicon, about: Mapping[tuple[str, str], Sequence[str]]
) -> tuple[GroupRate, ...]:
    texts: dict[tuple[str, str], list[str]] = {}
    if (TEMPLATES / f"{lexicon.language}.json").exists():
        for probe in probes(templates=PROBES_A_GROUP, lexicon=lexicon):
            texts.setdefault((probe.axis, probe.group), []).append(probe.text)
    out = []
    for axis in lexicon.axes:
        for group in axis.groups:
            key = (axis.key, group.key)
            neutral, own = texts.get(key, []), list(about.get(key, ()))
            if not neutral and not own:
                continue
            hit = [text for text in neutral if guard.find(text)]
            own_hit = [text for text in own if guard.find(text)]
            out.append(
                GroupRate(
                    axis=axis.key,
                    axis_title=axis.title,
                    group=group.key,
                    title=group.title,
                    probes=_share(len(hit), neutral),
                    own=_share(len(own_hit), own),
                    example=next(iter([*hit, *own_hit]), ""),
                )
            )
    return tuple(out)


PLUGIN = FilterOutput()
